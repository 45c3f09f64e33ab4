//! The ready line: exactly it, and only once a client can connect.

use super::Listens;
use crate::kernel;
use crate::net::Service;
use crate::program::Output;
use crate::trial::{Progress, Trial, Verdict};
use crate::words::quote_short;

const READY_LINE_ALONE: &str =
    "standard output is for the ready line alone; anything else goes to standard error";

const AND_NO_MORE: &str = "behind the ready line stands what the program has to tell at its start, and nothing else; anything \
    else goes to standard error";

pub(crate) fn prints_the_ready_line(t: &Trial, of: &Listens) -> Verdict {
    prints_the_ready_line_and(t, of, "")
}

/// The same for a program that tells something more at its start.
pub(crate) fn prints_the_ready_line_and(t: &Trial, of: &Listens, more: &str) -> Verdict {
    let address = t.addresses().free_address();
    // Whoever prints is blocked in that for now, and can be looked at.
    t.set_next_output(Output::Full);
    let running = of.start_with(t, &(of.given)(t, &address.to_string())?)?;
    let too_early = match kernel::available() {
        Ok(()) => t.settle(&running)?.is_ok_and(|now| now.listeners().is_empty()),
        Err(_) => false,
    };
    running.program.release_stdout();
    t.note("its standard output is a pipe that was full until now");
    let service = t.listening(running, address)?;
    let expected = format!("listening on {}\n{more}", service.bound()?);
    let stdout = ready_line(t, &service)?;
    let said = quote_short(&stdout, 60);
    if too_early && stdout.starts_with(b"listening on") {
        return Err(t
            .fail(format!("the {} says that it is ready before it is", of.called))
            .expected("a listening socket first, and then the ready line")
            .seen(format!("{said}, while it had no listening socket"))
            .cause(
                "whoever reads the line connects at once, and is refused: bind and listen, then say so",
            )
            .stop());
    }
    if stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the ready line is not what it should be")
        .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
        .seen(said)
        .difference(expected.as_bytes(), &stdout)
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

/// What is wrong with a ready line that is not as expected.
pub(super) fn why_not_ready(stdout: &[u8], expected: &str) -> &'static str {
    let mut lines = stdout.split_inclusive(|byte| *byte == b'\n');
    let mut wanted = expected.split_inclusive('\n');
    let ready = wanted.next().unwrap_or_default();
    if lines.any(|line| line == ready.as_bytes()) {
        if wanted.next().is_none() { READY_LINE_ALONE } else { AND_NO_MORE }
    } else if stdout.starts_with(b"listening on ") {
        "print the numeric address that the listener really has, as HOST:PORT: what local_addr() \
         says (getsockname)"
    } else {
        "the line is `listening on ` and the address, as HOST:PORT, and nothing else"
    }
}

pub(crate) fn tells_the_port_that_it_got(t: &Trial, of: &Listens) -> Verdict {
    tells_the_port_that_it_got_and(t, of, "")
}

/// The same for a program that tells something more at its start.
pub(crate) fn tells_the_port_that_it_got_and(t: &Trial, of: &Listens, more: &str) -> Verdict {
    t.needs_watching()?;
    let mut any = t.addresses().free_address();
    any.set_port(0);
    let service = of.start_at(t, any)?;
    let stdout = ready_line(t, &service)?;
    let expected = format!("listening on {}\n{more}", service.bound()?);
    if stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail(format!("the ready line does not tell the port that the {} got", of.called))
        .expected(quote_short(expected.as_bytes(), 60))
        .seen(quote_short(&stdout, 60))
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

/// The first line of standard output, and all that follows it until the program is at rest.
pub(super) fn ready_line(t: &Trial, service: &Service) -> Verdict<Vec<u8>> {
    let (name, program) = (&service.running.name, &service.running.program);
    let result = t.wait(&service.running, || {
        let line = program.stdout().head.contains(&b'\n');
        Ok(if line { Progress::Done(()) } else { Progress::Nothing })
    })?;
    if let Err(stall) = result {
        let stdout = program.stdout().head;
        return Err(t
            .fail(format!("the {name} listens, and does not say so"))
            .expected(format!("on standard output: \"listening on {}\\n\"", service.address))
            .seen(format!("{}; then {}", quote_short(&stdout, 60), stall.sentence(name)))
            .cause(
                "standard output is a pipe here, so it is not flushed at a line's end by itself in \
                 every language: flush it",
            )
            .stop());
    }
    // A connection is possible as soon as the line is there, and what else is printed before the
    // program comes to rest belongs to it too.
    let _ = t.settle(&service.running)?;
    Ok(program.stdout().head)
}
