//! `lab watch`, as somebody uses it who saves, breaks and loses files while it runs.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use sockets_lab::labs::{self, LABS, Lab};
use sockets_lab::workspace::contents::source_of;

use super::workspace::{Workspace, lab};

/// What is tried here is what is shown, and not how fast a machine is that does other things, too.
const PATIENCE: &str = "20";
/// Only a watch that is stuck takes so long.
const BACKSTOP: Duration = Duration::from_secs(600);

/// A watch that runs. It ends with this.
struct Watch {
    child: Child,
    said: Receiver<Vec<u8>>,
    /// What was said and not yet expected.
    rest: String,
}

impl Watch {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = lab(folder);
        command.arg("watch").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.env("LAB_PATIENCE", PATIENCE);
        Self::of(command.spawn().unwrap())
    }

    /// Of a process whose streams are pipes.
    fn of(mut child: Child) -> Self {
        let mut stdout = child.stdout.take().unwrap();
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, said, rest: String::new() }
    }

    /// Waits until this is said, and returns what was said before it.
    fn expect(&mut self, words: &str) -> String {
        let began = Instant::now();
        loop {
            if let Some(at) = self.rest.find(words) {
                let rest = self.rest.split_off(at + words.len());
                return std::mem::replace(&mut self.rest, rest);
            }
            match self.said.recv_timeout(BACKSTOP.saturating_sub(began.elapsed())) {
                Ok(bytes) => self.rest += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("{words:?} was not said:\n{}", self.rest),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended:\n{}", self.rest),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn quit(mut self) {
        self.press("q\n");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> &'static Lab {
    labs::lab("server").unwrap()
}

/// The last words of each screen.
const END: &str = "q quit\n";

#[test]
fn it_leads_from_the_first_step_to_the_next_lab() {
    let workspace = Workspace::start();
    let mut watch = Watch::start(&workspace.root, &[]);
    let screen = watch.expect(END);
    assert!(screen.contains("next: lab server step 1, listen"), "{screen}");
    workspace.write_steps(server(), 1);
    let screen = watch.expect(END);
    assert!(screen.contains("next: lab server step 2, accept_loop"), "{screen}");
    assert!(screen.contains("13 checks more than before"), "{screen}");
    watch.press("h\n");
    watch.expect("hint 1 of 3 for server step 2, accept_loop");
    workspace.write_steps(server(), 3);
    let screen = watch.expect(END);
    assert!(screen.contains("Lab 1, server, is complete. You can now:"), "{screen}");
    for learned in server().learned {
        let first = learned.split(' ').next().unwrap();
        assert!(screen.contains(&format!("  - {first}")), "{screen}");
    }
    assert!(screen.contains("Next: client: "), "{screen}");
    watch.press("n\n");
    let screen = watch.expect(END);
    assert!(screen.contains("next: lab client step 1, connect"), "{screen}");
    watch.quit();
}

#[test]
fn it_shows_one_failure_whole_and_survives_what_editors_do() {
    let workspace = Workspace::start();
    let source = source_of(&workspace.root, server());
    workspace.write_steps(server(), 3);
    let right = fs::read_to_string(&source).unwrap();
    let wrong = right.replace("TcpListener::bind(address)", "TcpListener::bind(\"0.0.0.0:0\")");
    fs::write(&source, &wrong).unwrap();
    let mut watch = Watch::start(&workspace.root, &["server"]);
    let screen = watch.expect(END);
    assert_eq!(screen.matches("\nFAIL  ").count(), 1, "{screen}");
    assert!(screen.contains("      Required   "), "{screen}");

    // Half of a file, and another half later.
    fs::write(&source, &right[..right.len() / 2]).unwrap();
    let screen = watch.expect(END);
    assert!(screen.contains("WAIT  server  does not build"), "{screen}");
    fs::write(&source, &right).unwrap();
    watch.expect("Lab 1, server, is complete.");

    // Deleted, then there again; and renamed over, as editors do.
    fs::remove_file(&source).unwrap();
    watch.expect("labs/01-server/src/main.rs is not there; waiting for it.");
    fs::write(&source, &wrong).unwrap();
    watch.expect("FAIL  server/");
    let other = source.with_file_name("4913");
    fs::write(&other, &right).unwrap();
    fs::rename(&other, &source).unwrap();
    watch.expect("Lab 1, server, is complete.");
    watch.quit();
}

#[test]
fn without_a_keyboard_it_goes_on_watching() {
    let workspace = Workspace::start();
    let mut watch = Watch::start(&workspace.root, &["server"]);
    drop(watch.child.stdin.take());
    watch.expect(END);
    workspace.write_steps(server(), 1);
    watch.expect("13 checks more than before");
}

#[test]
fn two_of_them_do_not_disturb_each_other() {
    let (one, other) = (Workspace::start(), Workspace::start());
    one.write_steps(server(), 3);
    other.write_steps(server(), 3);
    let mut watches = [&one, &other].map(|w| Watch::start(&w.root, &["server"]));
    for watch in &mut watches {
        watch.expect("Lab 1, server, is complete.");
        watch.press("\n");
    }
    for mut watch in watches {
        watch.expect("Lab 1, server, is complete.");
        watch.quit();
    }
}

#[test]
fn each_key_does_what_it_says() {
    let workspace = Workspace::start();
    workspace.write_steps(server(), 1);
    let mut watch = Watch::start(&workspace.root, &["1"]);
    let screen = watch.expect(END);
    assert!(screen.contains("Step 2, `accept_loop`: accepts clients"), "its task:\n{screen}");
    let first = server().checks().filter(|check| check.step == 1).count();
    let (checks, labs) = (labs::checks().count(), LABS.len());
    let course = format!("  {first} of {checks} checks   0 of {labs} labs complete\n");
    assert!(screen.contains(&course), "{course}:\n{screen}");
    watch.press("?\n");
    watch.expect("put the step's stub back (asks)");
    watch.press("l\n");
    watch
        .expect("  ● listens-on-the-given-address      listens on the address that it was given\n");
    watch.expect("  ○ half-close ");
    watch.press("c\n");
    watch.expect("book/src/05-accept.md");
    watch.press("t\n");
    watch.expect("No check failed");
    watch.press("2\n");
    let screen = watch.expect(END);
    assert!(screen.contains("2  client "), "{screen}");
    watch.press("p\n");
    let screen = watch.expect(END);
    assert!(screen.contains("1  server "), "{screen}");
    watch.press("p\n");
    watch.expect("This is the first lab.");
    // The digits are enough for ten labs: 0 stands for the tenth.
    watch.press("0\n");
    let screen = watch.expect(END);
    assert!(screen.contains("10  balance "), "{screen}");
    watch.press("a\n");
    let screen = watch.expect(END);
    assert!(screen.contains("   together  your programs meet "), "{screen}");
    watch.quit();
}

#[test]
fn a_stub_comes_back_only_after_a_yes() {
    let workspace = Workspace::start();
    let source = source_of(&workspace.root, server());
    workspace.write_steps(server(), 1);
    let begun = fs::read_to_string(&source)
        .unwrap()
        .replace("    todo!(\"step 2", "    // mine\n    todo!(\"step 2");
    fs::write(&source, &begun).unwrap();
    let mut watch = Watch::start(&workspace.root, &["server"]);
    watch.expect(END);
    watch.press("x\n");
    watch.expect("Put the stub of server step 2, accept_loop, back?");
    watch.press("n\n");
    watch.expect("Nothing was changed.");
    assert_eq!(fs::read_to_string(&source).unwrap(), begun);
    watch.press("x\ny\n");
    watch.expect("Your file as it was is saved in ");
    watch.expect(END);
    assert!(!fs::read_to_string(&source).unwrap().contains("// mine"));
    watch.quit();
}

#[test]
fn a_step_that_another_one_broke_is_named_with_it() {
    let workspace = Workspace::start();
    let source = source_of(&workspace.root, server());
    workspace.write_steps(server(), 2);
    let mut watch = Watch::start(&workspace.root, &["server"]);
    watch.expect(END);
    let good = fs::read_to_string(&source).unwrap();
    let (begin, end) = ("    // ANCHOR: serve\n", "    // ANCHOR_END: serve\n");
    let before = &good[..good.find(begin).unwrap() + begin.len()];
    let rest = &good[good.find(end).unwrap()..];
    // That it does not build in between changes nothing.
    fs::write(&source, format!("{before}    no_such_name()\n{rest}")).unwrap();
    let screen = watch.expect(END);
    assert!(
        screen.contains("\n --> ") || screen.contains("\n  --> "),
        "as it was laid out:\n{screen}"
    );
    fs::write(&source, format!("{before}    let _ = &stream;\n    std::process::exit(3)\n{rest}"))
        .unwrap();
    let screen = watch.expect(END);
    let said = "step 2, accept_loop, passed before this save; you changed step 3, serve\n";
    assert!(screen.contains(said), "{screen}");
    watch.quit();
}

/// What a terminal shows in which a watch ran, was typed to without Enter, and ended.
fn on_a_terminal(folder: &Path, keys: &[(&str, &str)]) -> Option<String> {
    let lab = env!("CARGO_BIN_EXE_lab");
    let command = format!("stty -g; '{lab}' watch server; echo \"ended $?\"; stty -g");
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(folder).env("TERM", "dumb");
    script.env("SHELL", "/bin/sh").env_remove("CARGO_TARGET_DIR").env("LAB_PATIENCE", PATIENCE);
    let spawned = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(child) = spawned else {
        println!("note: not tried, without `script`");
        return None;
    };
    let mut watch = Watch::of(child);
    let mut all = String::new();
    for (words, key) in keys {
        all += &watch.expect(words);
        watch.press(key);
    }
    all += &watch.expect("ended ");
    all += &watch.expect("\n");
    all += &watch.expect("\n");
    Some(all)
}

#[test]
fn keys_come_without_enter_and_the_terminal_is_put_back() {
    let workspace = Workspace::start();
    let ends =
        [[("q quit", "h"), ("hint 1 of 3", "q")], [("q quit", "?"), ("quit (so do", "\x03")]];
    for (keys, status) in ends.iter().zip(["0", "130"]) {
        let Some(shown) = on_a_terminal(&workspace.root, keys) else { return };
        let lines: Vec<_> = shown.lines().map(str::trim_end).collect();
        let (before, after) = (lines[0], lines[lines.len() - 1]);
        assert!(before.contains(':'), "{shown}");
        assert_eq!(before, after, "{shown}");
        assert!(lines[lines.len() - 2].ends_with(status), "{shown}");
    }
}
