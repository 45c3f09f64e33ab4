//! How connections end, and who hears of it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::Demo;
use super::stage::{Mismatch, Stage, bytes, outcome, row, success, wait_for};
use crate::kernel::{self, State};

pub(super) const OK_MEANS_DELIVERED: Demo = Demo {
    name: "ok-means-delivered",
    claim: "write returned Ok, so the other side has the bytes.",
    truth: "Ok says that the kernel has taken the bytes into the send queue. The first write after \
        the other side has gone is still Ok. Only then its kernel answers with a reset, and the \
        next write fails. Whether something has arrived, only an answer of the other program can \
        tell.",
    run: ok_means_delivered,
};

fn ok_means_delivered(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let (here, there) = (pair.client.local_addr()?, pair.server.local_addr()?);
    drop(pair.server);
    t.tell("the server's program drops its stream");
    t.kernel(here, there, "CLOSE-WAIT, 1 unread")?;
    let first = pair.client.write(b"an order for ten of them\n");
    t.expect("the client writes 25 bytes", outcome(&first), "Ok(25)")?;
    // The answer comes within microseconds: the socket leaves its state.
    t.kernel(here, there, "no such socket any more")?;
    let second = pair.client.write(b"and one more\n");
    t.expect("the client writes again", outcome(&second), "Err(BrokenPipe)")
}

pub(super) const SIGPIPE_KILLS: Demo = Demo {
    name: "sigpipe-kills",
    claim: "Writing to a connection that the other side has closed kills the program (SIGPIPE).",
    truth: "That is so in C. A Rust program ignores SIGPIPE from its start, and the write returns \
        the error BrokenPipe: handle that. A program that does not ignore the signal is killed.",
    run: sigpipe_kills,
};

fn sigpipe_kills(t: &mut Stage) -> Result<(), Mismatch> {
    const SIGPIPE: i32 = 13;
    let mut pair = t.pair()?;
    let (here, there) = (pair.client.local_addr()?, pair.server.local_addr()?);
    drop(pair.server);
    pair.client.write_all(b"first")?;
    t.tell("the server drops its stream, and the client writes once, which brings the reset");
    t.kernel(here, there, "no such socket any more")?;
    let second = pair.client.write(b"second");
    t.expect("the client writes again", outcome(&second), "Err(BrokenPipe)")?;
    let ignored = kernel::ignores_signal(std::process::id(), SIGPIPE as u32)?;
    let said = if ignored { "yes" } else { "no" };
    t.expect("/proc/self/status: does this program ignore SIGPIPE?", said, "yes")?;
    let status = killed_by_a_pipe()?;
    t.expect(
        "`yes`, a program in C, goes on writing to a pipe whose reader has gone; how it ends",
        format!("signal {}", status.signal().unwrap_or_default()),
        format!("signal {SIGPIPE}"),
    )
}

/// Starts `yes`, reads a line of it and closes the pipe.
fn killed_by_a_pipe() -> io::Result<std::process::ExitStatus> {
    let mut child = Command::new("yes").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut String::new())?;
    }
    child.wait()
}

pub(super) const ZERO_IS_NOTHING_YET: Demo = Demo {
    name: "zero-is-nothing-yet",
    claim: "read returns 0 when nothing has come yet: try again.",
    truth: "0 is the end of the stream, for ever: trying again is a loop that burns the processor. \
        While nothing has come, read waits; a non-blocking one says WouldBlock.",
    run: zero_is_nothing_yet,
};

fn zero_is_nothing_yet(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let mut buffer = [0; 16];
    pair.server.set_nonblocking(true)?;
    let nothing = pair.server.read(&mut buffer);
    t.expect(
        "nothing has come; the server reads (set_nonblocking: don't wait)",
        outcome(&nothing),
        "Err(WouldBlock)",
    )?;
    pair.server.set_nonblocking(false)?;
    pair.client.shutdown(Shutdown::Write)?;
    t.tell("the client ends its sending side");
    for which in ["the server reads", "it reads again", "and again"] {
        let zero = pair.server.read(&mut buffer);
        t.expect(which, outcome(&zero), "Ok(0)")?;
    }
    Ok(())
}

pub(super) const DROPPING_IS_POLITE: Demo = Demo {
    name: "dropping-is-polite",
    claim: "Dropping a stream ends the connection politely.",
    truth: "Only if everything that has come was read. With unread bytes in its queue the kernel \
        sends a reset instead of an end, and the other side may lose what was on its way to it. \
        Read until 0, then drop.",
    run: dropping_is_polite,
};

fn dropping_is_polite(t: &mut Stage) -> Result<(), Mismatch> {
    let mut buffer = [0; 16];
    let mut pair = t.pair()?;
    pair.client.write_all(b"thanks\n")?;
    let read = pair.server.read(&mut buffer);
    t.expect(
        "the client writes 7 bytes; the server reads them",
        bytes(&read, &buffer),
        r#"Ok(7) "thanks\n""#,
    )?;
    drop(pair.server);
    let end = pair.client.read(&mut buffer);
    t.expect("the server drops the stream; the client reads", outcome(&end), "Ok(0)")?;

    let mut pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    pair.client.write_all(b"thanks\n")?;
    t.tell("the client writes 7 bytes; the server does not read them");
    t.kernel(here, there, "ESTABLISHED, 7 unread")?;
    drop(pair.server);
    let end = pair.client.read(&mut buffer);
    t.expect("the server drops the stream; the client reads", outcome(&end), "Err(ConnectionReset)")
}

pub(super) const DROPPING_A_CLONE_CLOSES: Demo = Demo {
    name: "dropping-a-clone-closes",
    claim: "Dropping one handle of a stream closes it: the clone that a thread holds does not count.",
    truth: "try_clone gives a second descriptor of the same socket. The connection ends when the \
        last of them is dropped. shutdown ends it at once, whoever else holds it.",
    run: dropping_a_clone_closes,
};

fn dropping_a_clone_closes(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    let clone = pair.server.try_clone();
    t.expect("the server calls try_clone", success(&clone), "Ok")?;
    drop(pair.server);
    t.tell("the server drops its stream, and keeps the clone");
    t.kernel(here, there, "ESTABLISHED")?;
    let clone = clone?;
    clone.shutdown(Shutdown::Write)?;
    let end = pair.client.read(&mut [0; 16]);
    t.expect("it calls shutdown(Write) on the clone; the client reads", outcome(&end), "Ok(0)")?;
    let state = wait_for(|| {
        Ok(row(here, there)?.filter(|row| row.state == State::FinWait2).map(|row| row.state))
    })?;
    let state = state.map_or("another".into(), |state| state.to_string());
    t.also(
        format!("the kernel: the server's socket is in {state}"),
        "the kernel: the server's socket is in FIN-WAIT-2",
    )
}
