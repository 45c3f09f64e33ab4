//! Step 1 of lab 4, before anything is read: how the program starts. That is given, and whoever
//! changes it, or writes the program in another language, is told here.

use super::{GET_A, LAB, WEB, Web, start};
use crate::contract::{self, contract};
use crate::net::Started;
use crate::program::{Given, describe_exit};
use crate::trial::{Trial, Verdict};

checks! { $ web_start, "web" step 1:
    listens_on_the_given_address, 1 point: "listens on the address that it was given";
    "A program that listens, listens on ADDR: 127.0.0.1:8080 is that address and that port."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    prints_the_ready_line, 1 point: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:8080`, with the port that it really has."

    listens_on_ipv6, 1 point: "listens on an IPv6 address";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing or surplus arguments: one usage line on stderr, exit status 2. Never a panic."

    refuses_a_bad_root, 1 point: "says in one line that ROOT is no folder";
    "ROOT is no directory: `cannot serve ROOT: CAUSE`, status 1, and nothing listens."

    refuses_bad_seconds, 1 point: "refuses SECONDS that are none";
    "SECONDS no number of 1 to 4 digits from 1 to 3600: usage, status 2."

    restarts_with_open_connections, 1 point: "can be restarted at once, over open connections";
    "A listener that was stopped can be started again on the same port at once."
}

contract! { WEB, expect_step_1:
    listens_on_the_given_address
    binds_no_wider
    listens_on_ipv6
    refuses_a_taken_port
    refuses_bad_arguments
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    contract::prints_the_ready_line(t, &WEB)?;
    contract::tells_the_port_that_it_got(t, &WEB)?;
    expect_step_1(t)
}

fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    t.expect_written()
}

/// The program must not listen with these arguments, but end with this status and one line.
fn expect_refusal(t: &Trial, given: Given, root: &str, status: i32, named: &str) -> Verdict {
    let address = t.addresses().free_address();
    let given = given.with("addr", address);
    let expected = format!("one line on standard error{named}, and exit status {status}");
    let cause = "what can't be used is said before anything listens";
    let (command, shown) = t.template_of(LAB.name)?.fill(&given.with("root", root));
    let running = t.start_command("web server", command, &shown, crate::program::Stdin::Null)?;
    let ended = match t.begun_or(std::rc::Rc::clone(&running), address, &expected, cause)? {
        Started::Ended(ended) => ended,
        Started::Listening(_) => {
            return Err(t
                .fail("the web server listens all the same")
                .expected(expected)
                .seen(format!("it listens on {address}"))
                .cause(cause)
                .stop());
        }
    };
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    let names_it = named.is_empty() || lines.iter().any(|line| line.contains(root));
    if ended.code() == Some(status) && lines.len() == 1 && names_it {
        return Ok(());
    }
    Err(t
        .fail("the web server does not say in one line what is wrong")
        .expected(expected)
        .seen(format!("{} lines, {}", lines.len(), describe_exit(ended)))
        .cause("a user's mistake is told in one line, not with a panic or a traceback")
        .stop())
}

fn refuses_a_bad_root(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let web = Web::start(t)?;
    web.expect_service()?;
    let file = web.root.path().join("a.txt").display().to_string();
    let missing = web.root.path().join("missing").display().to_string();
    for root in [file, missing] {
        expect_refusal(t, Given::nothing(), &root, 1, " with ROOT in it")?;
    }
    Ok(())
}

fn refuses_bad_seconds(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, Some(3600))?;
    web.expect_service()?;
    let root = web.root.path().display().to_string();
    for seconds in ["0", "3601", "x", "-1", "1.5", "10000"] {
        expect_refusal(t, Given::nothing().with("seconds", seconds), &root, 2, "")?;
    }
    Ok(())
}

fn restarts_with_open_connections(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.ask("GET", "/a.txt")?;
    client.expect_some_reply("a request is answered")?;
    web.service.kill()?;
    let address = web.service.asked;
    let again = start(t, address, &web.root, None)?;
    Web { service: again, root: web.root }.expect_service()
}
