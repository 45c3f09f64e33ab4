//! Step 1 of lab 8: how the program starts. Much of that is given, and whoever changes it, or
//! writes the program in another language, is told here.

use std::rc::Rc;

use super::{CALLED, FLOOD, FOLDER, LAB, alone, expect_greeting, expect_step_1};
use crate::contract::{self, contract};
use crate::net::Started;
use crate::program::{Stdin, describe_exit};
use crate::trial::{Stop, Trial, Verdict};
use crate::words::quote_short;

checks! { $ flood_start, "flood" step 1:
    listens_on_the_given_address, 1 point: "listens on the address that it was given";
    "Each servent takes links: it listens on LISTEN."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    has_one_listener, 1 point: "has one socket while it is alone: the listener";
    "Links and downloads come to the same port."

    prints_the_ready_line, 1 point: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7001`, with the port that it really has."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_ipv6, 1 point: "says in one line that it can't listen on IPv6";
    "IPv4 only (the protocol has four bytes): another LISTEN is status 1."

    refuses_a_bad_folder, 1 point: "says in one line that DIR can't be read";
    "DIR unreadable: `cannot read DIR: CAUSE`, status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    ends_with_its_input, 1 point: "ends when standard input ends";
    "The end of stdin: all links closed, status 0."

    is_idle_alone, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, 1 point: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

contract! { FLOOD, expect_step_1:
    listens_on_the_given_address
    binds_no_wider
    has_one_listener = has_only_its_listeners
    refuses_a_taken_port
    refuses_bad_arguments
    is_idle_alone = is_idle
    restarts_on_the_same_port
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    contract::prints_the_ready_line(t, &FLOOD)?;
    t.new_scene()?;
    contract::tells_the_port_that_it_got(t, &FLOOD)?;
    expect_step_1(t)
}

fn refuses_ipv6(t: &mut Trial) -> Verdict {
    let Some(address) = t.addresses().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let folder = t.scratch(FOLDER)?;
    expect_refusal(t, &address.to_string(), &folder.path().display().to_string(), "[::1]")?;
    expect_step_1(t)
}

fn refuses_a_bad_folder(t: &mut Trial) -> Verdict {
    let folder = t.scratch(FOLDER)?;
    folder.file("a-file", b"")?;
    for name in ["missing", "a-file"] {
        let address = t.addresses().free_address().to_string();
        let bad = folder.path().join(name).display().to_string();
        expect_refusal(t, &address, &bad, name)?;
    }
    expect_step_1(t)
}

/// The program must not listen, but end with status 1 and one line that has this word.
fn expect_refusal(t: &Trial, address: &str, folder: &str, word: &str) -> Verdict {
    let running = t.start_as(CALLED, LAB.name, alone(address, folder), Stdin::Piped)?;
    let expected = format!("exit status 1, and one line on standard error, with {word}");
    let cause = "what can't be used is said before anything listens";
    let asked = address.parse().map_err(|_| Stop::Fault(format!("{address} is no address")))?;
    let status = match t.begun_or(Rc::clone(&running), asked, &expected, cause)? {
        Started::Ended(status) => status,
        Started::Listening(service) => {
            return Err(t
                .fail(format!("the {CALLED} listens all the same"))
                .expected(expected)
                .seen(format!("it listens on {}", service.address))
                .cause(cause)
                .stop());
        }
    };
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    if status.code() == Some(1) && matches!(&lines[..], [line] if line.contains(word)) {
        return Ok(());
    }
    let told = match &lines[..] {
        [] => "nothing on standard error".into(),
        [line] => format!("the line {}", quote_short(line.as_bytes(), 120)),
        lines => format!("{} lines on standard error", lines.len()),
    };
    Err(t
        .fail(format!("the {CALLED} does not say in one line what is wrong"))
        .expected(expected)
        .seen(format!("{told}; {}", describe_exit(status)))
        .cause("a user's mistake is told in one line, not with a panic or a traceback")
        .stop())
}

fn ends_with_its_input(t: &mut Trial) -> Verdict {
    let service = FLOOD.start(t)?;
    expect_greeting(&service)?;
    service.running.program.close_stdin();
    t.note(format!("the user of the {CALLED} ended standard input"));
    let status = service.wait_for_end("the end of standard input says that the user leaves")?;
    if status.code() == Some(0) {
        return t.expect_written();
    }
    Err(t
        .fail(format!("the {CALLED} did not end well"))
        .expected("exit status 0")
        .seen(describe_exit(status))
        .stop())
}
