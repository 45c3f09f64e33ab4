//! A program that goes on for ever: quiet while nothing happens, restarted at once, and gone
//! without a trace when it is ended.

use std::net::TcpListener;

use super::Listens;
use crate::kernel;
use crate::trial::{Trial, Verdict};

pub(crate) fn is_idle(t: &Trial, of: &Listens) -> Verdict {
    of.start(t)?.expect_idle()
}

pub(crate) fn leaves_nothing_behind(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let service = of.start(t)?;
    // Its workers may still be starting.
    service.settle()?;
    service.running.program.signal("TERM")?;
    t.note(format!("the {} was told to end (SIGTERM)", of.called));
    service
        .wait_for_end("SIGTERM asks a program to end, and ends it unless it handles the signal")?;
    // Its last workers, and its port, are gone a moment after itself.
    let (family, address) = (service.running.program.family(), service.address);
    let gone = t.look_until(|| {
        let free = kernel::process_tree(family)?.is_empty() && TcpListener::bind(address).is_ok();
        Ok(free.then_some(()))
    })?;
    if gone.is_some() {
        return Ok(());
    }
    let left = service.look()?.processes;
    let left: Vec<_> = left.iter().map(|p| format!("process {} ({})", p.pid, p.name)).collect();
    let blame = t
        .fail(format!("something is left when the {} has been terminated", of.called))
        .expected(format!("no process, and nothing listens on {address}"));
    Err(if left.is_empty() {
        blame.seen(format!("{address} can't be bound"))
    } else {
        blame
            .seen(format!("still there: {}", left.join(", ")))
            .cause("a child process that outlives its parent keeps what it has inherited")
    }
    .stop())
}

pub(crate) fn restarts_on_the_same_port(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let service = of.start(t)?;
    let mut client = service.connect()?;
    service.wait_until_accepted()?;
    // The side that closes first goes to TIME-WAIT: here the program, which is killed.
    service.kill()?;
    // Bytes left unread would make a reset of the end, and nothing would be in TIME-WAIT.
    client.discard()?;
    client.half_close()?;
    client.close();
    t.note(format!("the old connection is in TIME-WAIT on the {}'s port", of.called));
    let again = of.start_or(t, &service.asked.to_string(), service.asked, OVER_TIME_WAIT)?;
    if again.address == service.address {
        return Ok(());
    }
    Err(t
        .fail(format!("the restarted {} listens somewhere else", of.called))
        .expected(format!("a listening socket on {}", service.address))
        .seen(format!("listening on {}", again.address))
        .cause(OVER_TIME_WAIT)
        .stop())
}

const OVER_TIME_WAIT: &str = "a connection in TIME-WAIT is not a listener: with SO_REUSEADDR, which \
    std sets, bind works over it, and no other port is needed";
