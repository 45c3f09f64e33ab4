//! What can't be done is said in one line, and ends the program.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::ExitStatus;
use std::rc::Rc;

use super::{Bad, Listens, USAGE};
use crate::kernel;
use crate::net::{Started, causes};
use crate::program::{describe_exit, takes_privileges};
use crate::trial::{Running, Stop, Trial, Verdict};

pub(crate) fn refuses_a_taken_port(t: &Trial, of: &Listens) -> Verdict {
    let address = t.addresses().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}"));
    refuses(t, of, address, "Address already in use: two listeners can't have the same port")?;
    t.new_scene()?;
    let first = of.start(t)?;
    refuses(t, of, first.address, TWICE)
}

/// Two of one program share a port where both ask for it with SO_REUSEPORT.
const TWICE: &str = "Address already in use: it runs on that port already, and a second one gets none \
    (SO_REUSEPORT would let both have it, and each would get a part of the clients)";

pub(crate) fn refuses_a_foreign_address(t: &Trial, of: &Listens) -> Verdict {
    let mut address = t.addresses().free_address();
    // TEST-NET-1 (RFC 5737): no machine has it.
    address.set_ip(IpAddr::from([192, 0, 2, 1]));
    refuses(
        t,
        of,
        address,
        "Cannot assign requested address: only an address of this machine can be bound",
    )
}

pub(crate) fn refuses_a_privileged_port(t: &Trial, of: &Listens) -> Verdict {
    let address = (t.addresses().host(), 7).into();
    if let Err(reason) = kernel::available() {
        return Err(Stop::Skip(reason));
    }
    if TcpListener::bind(address).is_err() {
        return refuses(t, of, address, PRIVILEGED);
    }
    // We may bind it (in a namespace of our own we are root), so the program must have less.
    if !takes_privileges() {
        let why = "we may bind port 7 ourselves, and setpriv (util-linux), which takes that away \
                   from the program, is not installed";
        return Err(Stop::Skip(why.into()));
    }
    refuses(t, of, address, PRIVILEGED)
}

const PRIVILEGED: &str =
    "Permission denied: ports below 1024 are for the well-known services and need a privilege";

pub(crate) fn refuses_bad_arguments(t: &Trial, of: &Listens) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let service = of.start(t)?;
    service.kill()?;
    let address = service.asked;
    for Bad { given, what, statuses } in (of.bad)(address) {
        let running = of.start_with(t, &given)?;
        let line = "a line on standard error, and the end";
        let status = match t.begun_or(Rc::clone(&running), address, line, TRIES_AGAIN)? {
            Started::Ended(status) => status,
            Started::Listening(service) => {
                return Err(t
                    .fail(format!("given {what}, the {} listens all the same", of.called))
                    .expected(line)
                    .seen(format!("it listens on {}", service.address))
                    .cause(if statuses == USAGE { NOT_THE_USAGE } else { NOT_USABLE })
                    .stop());
            }
        };
        expect_one_line(t, &running, status, &format!("given {what}"), "", statuses)?;
    }
    Ok(())
}

fn refuses(t: &Trial, of: &Listens, address: SocketAddr, why: &str) -> Verdict {
    let running = of.start_with(t, &(of.given)(t, &address.to_string())?)?;
    expect_refusal(t, running, address, why)
}

const NOT_THE_USAGE: &str = "what does not fit the usage is a slip of whoever typed it: look at all arguments before anything \
    is done, and say how the program is used";
const NOT_USABLE: &str = "what can't be used is neither left out nor replaced by something else: who typed it must be told, and \
    can type it again";
const TRIES_AGAIN: &str = "a loop that tries bind again until it works leaves the user without a \
    word: return the error, and let the user decide";

/// Expects that the program could not listen: exit status 1 and one line with the address.
fn expect_refusal(t: &Trial, running: Rc<Running>, address: SocketAddr, why: &str) -> Verdict {
    let line = format!("one line on standard error, with {address}; exit status 1");
    let status = match t.begun_or(Rc::clone(&running), address, &line, TRIES_AGAIN)? {
        Started::Ended(status) => status,
        Started::Listening(service) => {
            return Err(t
                .fail(format!("the {} listens where it should have refused to", running.name))
                .expected(line)
                .seen(format!("it listens on {}", service.address))
                .cause(format!("{why}; the user must be told, not served elsewhere"))
                .stop());
        }
    };
    expect_one_line(t, &running, status, why, &address.to_string(), &[1])
}

/// Expects that the program which has ended said why in one line, with `words` in it.
fn expect_one_line(
    t: &Trial,
    running: &Running,
    status: ExitStatus,
    why: &str,
    words: &str,
    allowed: &[i32],
) -> Verdict {
    running.program.stop()?;
    let stderr = running.program.stderr().last_lines(usize::MAX);
    let right_status = status.code().is_some_and(|code| allowed.contains(&code));
    let one_line = matches!(stderr.as_slice(), [line] if line.contains(words));
    if right_status && one_line {
        return Ok(());
    }
    let codes: Vec<_> = allowed.iter().map(i32::to_string).collect();
    let named = if words.is_empty() { String::new() } else { format!(", with {words}") };
    let lines = match (stderr.len(), one_line) {
        (0, _) => "nothing on standard error".into(),
        (1, true) => "one line on standard error".into(),
        (1, false) => format!("one line on standard error, without {words}"),
        (n, _) => format!("{n} lines on standard error"),
    };
    let blame = t
        .fail(match (right_status, status.code()) {
            (true, _) => format!("the {} does not say in one line what went wrong", running.name),
            (false, Some(0)) => format!("the {} ended as if all had gone well", running.name),
            (false, _) => format!("the {} ended in the wrong way", running.name),
        })
        .expected(format!(
            "{why}: one line on standard error{named}; exit status {}",
            codes.join(" or ")
        ))
        .seen(format!("{lines}; {}", describe_exit(status)));
    Err(match (causes::unhandled(&stderr), status.code()) {
        (Some(cause), _) => blame.cause(cause),
        (None, Some(0)) => blame.cause("exit status 0 tells the shell that all went well"),
        (None, _) if !right_status => {
            blame.cause("the exit status is for scripts, which can't read: 1 for what can't be done, 2 for a wrong usage")
        }
        _ if stderr.is_empty() && running.program.stdout_len() > 0 => {
            blame.cause("the line belongs on standard error: standard output is for results")
        }
        _ => blame.cause(
            "the line is for the user, who may have typed the address in another window: say \
             what can't be done, with which address, and why",
        ),
    }
    .stop())
}
