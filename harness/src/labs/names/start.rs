//! Step 1 of lab 6: how the program starts. Much of that is given, and whoever changes it, or
//! writes the program in another language, is told here.

use std::net::{TcpListener, UdpSocket};
use std::rc::Rc;

use super::{CALLED, FILE, FOLDER, LAB, Names, SERVES, ZONE, served};
use crate::contract::{self, contract};
use crate::net::Door;
use crate::program::{Stdin, describe_exit};
use crate::trial::{Progress, Running, Stall, StallKind, Trial, Verdict};

checks! { $ names_start, "names" step 1:
    listens_on_udp_and_tcp, 1 point: "has a UDP socket and a TCP listener on the address that it was given";
    "A name server answers on UDP and on TCP, on the same port number (RFC 7766 section 5)."

    binds_no_wider, 1 point: "is bound to that address and no wider, with both";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    prints_the_ready_line, 1 point: "says where it listens, in one line";
    "It prints one line to stdout, flushed, when both sockets are bound: `listening on 127.0.0.1:5353`."

    port_zero_is_one_port, 1 point: "given port 0, has one number for both";
    "Port 0: one free number for both."

    listens_on_ipv6, 1 point: "listens on an IPv6 address, with both";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    refuses_a_port_taken_in_udp, 1 point: "says in one line that the UDP port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_a_port_taken_in_tcp, 1 point: "says in one line that the TCP port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing or surplus arguments: one usage line on stderr, exit status 2. Never a panic."

    refuses_a_bad_zone, 1 point: "says which line of the zone file is bad";
    "A bad line: `cannot read ZONE: line N`, status 1, and nothing listens."
}

contract! { SERVES: refuses_bad_arguments }

fn listens_on_udp_and_tcp(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    names.doors.expect_no_other_door(
        "one UDP socket and one TCP listener, both on the address that was given",
    )
}

fn binds_no_wider(t: &mut Trial) -> Verdict {
    contract::binds_no_wider(t, &SERVES)?;
    t.new_scene()?;
    listens_on_udp_and_tcp(t)
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    contract::prints_the_ready_line(t, &SERVES)?;
    t.new_scene()?;
    let names = Names::start(t)?;
    names.doors.expect_ready_lines("the line is printed once, when both sockets are there")
}

fn port_zero_is_one_port(t: &mut Trial) -> Verdict {
    contract::tells_the_port_that_it_got(t, &SERVES)?;
    t.new_scene()?;
    let folder = t.scratch(FOLDER)?;
    folder.file(FILE, ZONE.as_bytes())?;
    let mut any = t.addresses().free_address();
    any.set_port(0);
    let running = t.start_as(CALLED, LAB.name, served(any, &folder), Stdin::Null)?;
    // Both have the port of the ready line, or one of the two is not there.
    let doors = t.doors(running, &[Door::tcp(any), Door::udp(any)])?;
    doors.expect_no_other_door(
        "bound with port 0, each socket gets a number of its own: bind one, ask it for its number \
         (local_addr), and bind the other one there",
    )
}

fn listens_on_ipv6(t: &mut Trial) -> Verdict {
    contract::listens_on_ipv6(t, &SERVES)?;
    t.new_scene()?;
    let Some(address) = t.addresses().free_address_v6() else { return Ok(()) };
    let folder = t.scratch(FOLDER)?;
    folder.file(FILE, ZONE.as_bytes())?;
    let running = t.start_as(CALLED, LAB.name, served(address, &folder), Stdin::Null)?;
    let doors = t.doors(running, &[Door::udp(address), Door::tcp(address)])?;
    doors.expect_no_other_door("the text is for both: it knows IPv4, [IPv6] and names")
}

fn refuses_a_port_taken_in_tcp(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}, with TCP"));
    refuses_the_port(t, address, "its TCP port is taken")
}

fn refuses_a_port_taken_in_udp(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    let _holder = UdpSocket::bind(address)?;
    t.note(format!("another program has a UDP socket on {address}"));
    refuses_the_port(t, address, "its UDP port is taken")
}

fn refuses_the_port(t: &Trial, address: std::net::SocketAddr, why: &str) -> Verdict {
    let folder = t.scratch(FOLDER)?;
    folder.file(FILE, ZONE.as_bytes())?;
    let running = t.start_as(CALLED, LAB.name, served(address, &folder), Stdin::Null)?;
    expect_refusal(
        t,
        &running,
        &address.to_string(),
        why,
        "a name server has both or it is none: return the error of either bind, with the address",
    )
}

fn refuses_a_bad_zone(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    Names::start(t)?.expect_service()?;
    for (bad, number) in [
        ("www.example.test 300 A 127.0.0.256", 5),
        ("www.other.test 300 A 127.0.0.1", 5),
        ("www.example.test 300 SRV 0 0 80 www.example.test", 5),
        ("www.example.test 300 TXT \"one", 5),
    ] {
        t.new_scene()?;
        let folder = t.scratch(FOLDER)?;
        let lines =
            format!("# a comment\n\nzone example.test\nexample.test 300 A 127.0.0.1\n{bad}\n");
        folder.file(FILE, lines.as_bytes())?;
        t.note(format!("line {number} of {} is: {bad}", folder.shown(FILE)));
        let address = t.addresses().free_address();
        let running = t.start_as(CALLED, LAB.name, served(address, &folder), Stdin::Null)?;
        let words = format!("{FILE}: line {number}");
        let cause =
            "a zone with a line left out gives wrong answers: say which line it is, and end";
        expect_refusal(t, &running, &words, "the zone file is bad", cause)?;
    }
    Ok(())
}

/// Expects that the program ends by itself, with status 1 and one line that has `words` in it.
fn expect_refusal(
    t: &Trial,
    running: &Rc<Running>,
    words: &str,
    why: &str,
    cause: &str,
) -> Verdict {
    let expected = format!("one line on standard error, with {words}; exit status 1");
    let ends = t.wait_for_start(running, || Ok(Progress::<()>::Nothing))?;
    let status = match ends {
        Err(Stall { kind: StallKind::Ended(status) }) => status,
        Err(stall) => {
            return Err(t
                .fail(format!("the {CALLED} goes on, although {why}"))
                .expected(expected)
                .seen(stall.stays(CALLED))
                .cause(cause)
                .stop());
        }
        Ok(()) => return Ok(()),
    };
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    let right = matches!(&lines[..], [line] if line.contains(words));
    if right && status.code() == Some(1) {
        t.note(format!("it ended: {}", describe_exit(status)));
        return Ok(());
    }
    let seen = match &lines[..] {
        [] => "nothing on standard error".to_owned(),
        [_] if right => "one line on standard error".to_owned(),
        [line] => format!("one line on standard error: {line}"),
        lines => format!("{} lines on standard error", lines.len()),
    };
    Err(t
        .fail(format!("the {CALLED} does not say in one line what is wrong"))
        .expected(expected)
        .seen(format!("{seen}; {}", describe_exit(status)))
        .cause(cause)
        .stop())
}
