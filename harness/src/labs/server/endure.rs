//! Step 3 of lab 1 under conditions that are rare by chance, and that the harness can make.

use super::echo::Flow;
use crate::net::{Service, noise};
use crate::trial::{Stop, Trial, Verdict};

pub(super) fn finishes_each_write(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let mut client = server.connect()?;
    let payload = noise(6, 8 << 20);
    // Without an interruption first: what goes wrong then has another cause.
    client.exchange(&payload[..1 << 20], &payload[..1 << 20], Flow::Together)?;
    let (mut sent, mut back) = (client.stall(&payload)?, Vec::new());
    t.interrupt_writes(&server.running, || {
        client.take_some(&mut back)?;
        sent += client.fill_queues(&payload[sent..])?;
        Ok(())
    })?;
    client.expect_rest_of(&payload[..sent], back)
}

pub(super) fn survives_a_broken_pipe(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    vanish_behind_an_end(t, &server)?;
    server.settle()?;
    server.expect_service()
}

/// A client sends, ends its side and is gone, all while the server is stopped: the server reads
/// what was sent, and its write meets a connection that was reset when the client had ended it.
/// That is EPIPE, where a reset alone is ECONNRESET.
pub(super) fn vanish_behind_an_end(t: &Trial, server: &Service) -> Verdict {
    let mut client = server.connect()?;
    client.send(b"is anybody there?\n")?;
    client.wait_for_answer()?;
    t.freeze(&server.running)?;
    t.note("the server was stopped (SIGSTOP)");
    client.send(b"then good bye\n")?;
    client.half_close()?;
    client.reset()?;
    t.thaw(&server.running)?;
    t.note("the server went on (SIGCONT)");
    Ok(())
}

pub(super) fn is_bounded_while_nobody_reads(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    client.expect_to_be_held_up("its client")
}

pub(super) fn waits_for_a_silent_client(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    t.be_silent(&server.running, || client.expect_nothing())?;
    client.send(b"I had to think\n")?;
    client.expect(b"I had to think\n")
}

/// Scenes after which a server must have printed nothing but its ready line.
pub(super) fn prints_nothing_else(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    server.connect()?.close();
    server.settle()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    server.settle()?;
    client.half_close()?;
    server.settle()?;
    client.close();
    server.settle()?;
    expect_the_ready_line_alone(t, &server)?;
    match rude_clients(t, &server) {
        // Whether it survives them is another check's matter.
        Ok(()) | Err(Stop::Fail(_) | Stop::Unwritten(_) | Stop::Skip(_)) => {}
        Err(fault) => return Err(fault),
    }
    expect_the_ready_line_alone(t, &server)
}

/// Clients over whom a server may complain, if it does so on standard error.
fn rude_clients(t: &Trial, server: &Service) -> Verdict {
    let mut client = server.connect()?;
    client.send(b"I shall not read the answer\n")?;
    client.reset()?;
    server.settle()?;
    vanish_behind_an_end(t, server)?;
    server.settle()?;
    server.expect_to_outlast_few_descriptors()
}

fn expect_the_ready_line_alone(t: &Trial, server: &Service) -> Verdict {
    let stdout = server.running.program.stdout().head;
    let end = stdout.iter().position(|byte| *byte == b'\n').map_or(stdout.len(), |end| end + 1);
    if stdout[end..].is_empty() { Ok(()) } else { Err(surplus(t, &stdout[end..])) }
}

fn surplus(t: &Trial, more: &[u8]) -> Stop {
    t.fail("the server prints more than its ready line on standard output")
        .expected("on standard output: the ready line, and nothing else for all its life")
        .seen(crate::words::quote_short(more, 100))
        .cause(
            "standard output is what another program reads, to know where the server listens. What \
             a person wants to know (who came, what failed) goes to standard error: eprintln!",
        )
        .stop()
}
