//! A recording of a program that receives datagrams shows each as it went.

use std::process::Command;
use std::rc::Rc;

use super::{Known, Recorder, Recording};
use crate::net::{Asker, Door};
use crate::program::Stdin;
use crate::show::ladder;
use crate::term::Style;
use crate::trial::{Addresses, Needs, Trial, Verdict};

/// What is recorded of `play` with a program of these lines. `None` without Python.
fn recorded(lines: &str, play: impl Fn(&Asker) -> Verdict) -> Option<Recording> {
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|output| output.status.success()) {
        println!("skipped: python3 is not installed");
        return None;
    }
    let recorder = Rc::new(Recorder::new(false));
    let addresses = Addresses::shared();
    let trial = Trial::recorded(Vec::new(), addresses, Needs::UpTo(1), recorder.clone());
    let address = trial.addresses().free_address();
    let open = format!(
        "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         s.bind(('{}', {}))\n{lines}",
        address.ip(),
        address.port()
    );
    let mut command = Command::new("python3");
    command.args(["-c", &open]);
    let running = trial.start_command("program", command, "program", Stdin::Null).unwrap();
    let doors = trial.doors(running, &[Door::udp(address)]).unwrap();
    play(&trial.asker(&doors.running, address).unwrap()).unwrap();
    trial.end().unwrap();
    Some(recorder.recording("datagrams", "datagrams"))
}

fn calls(recording: &Recording) -> Vec<(&str, &str)> {
    let steps =
        recording.steps.iter().filter(|step| step.call.ends_with("_from") || step.to.is_some());
    steps.map(|step| (step.by.as_str(), step.call.as_str())).collect()
}

#[test]
fn an_answer_goes_as_an_arrow_of_its_own() {
    let echo = "while True:\n    data, sender = s.recvfrom(65535)\n    s.sendto(data, sender)\n";
    let recording = recorded(echo, |asker| {
        asker.send(b"hello")?;
        asker.expect(b"hello", "")
    });
    let Some(recording) = recording else { return };
    let told = [
        ("asker 1", "send_to"),
        ("program", "recv_from"),
        ("program", "send_to"),
        ("asker 1", "recv_from"),
    ];
    assert_eq!(calls(&recording), told);
    let answer = recording.steps.iter().find(|step| step.by == "program" && step.to.is_some());
    let answer = answer.expect("an answer");
    assert_eq!((&answer.bytes[..], answer.known), (&b"hello"[..], Known::Kernel));
    let states: Vec<_> = recording.steps.iter().flat_map(|step| &step.sockets).collect();
    assert!(states.iter().any(|socket| socket.describe() == "UDP, datagrams unread"));
    assert!(states.iter().all(|socket| socket.state == super::UDP));
}

#[test]
fn what_its_receiver_has_no_room_for_is_lost_and_shown_so() {
    let recording =
        recorded("time.sleep(600)\n", |asker| (0..16).try_for_each(|_| asker.send(&[1; 20_000])));
    let Some(recording) = recording else { return };
    let lost: Vec<_> = recording.steps.iter().map(|step| step.lost).collect();
    assert!(lost.contains(&true) && lost.iter().filter(|lost| !**lost).count() > 2, "{lost:?}");
    let text = ladder::render(&recording, Style::plain());
    assert!(text.contains('✗') && text.contains("dropped"), "{text}");
    let json = crate::json::Json::parse(&recording.to_json().to_string()).unwrap();
    assert_eq!(Recording::from_json(&json), Some(recording));
}
