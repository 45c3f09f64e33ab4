//! What `lab ports` shows in the book: two clients of an iterative server.

use crate::kernel::State;
use crate::lab::Scene;
use crate::labs::{client, server};
use crate::program::{Given, Stdin};
use crate::trial::{Progress, Trial, Verdict};

/// A server that has one client, while another one waits.
pub(crate) const PORTS: Scene = Scene {
    name: "ports",
    programs: &[server::LAB.name, client::LAB.name],
    title: "A server serves one client, and another one waits",
    syscalls: false,
    why: &[],
    run: one_waits,
};

fn one_waits(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    for _ in 0..2 {
        let given = Given::address(server.address);
        let client = t.start(client::LAB.name, given, Stdin::Piped)?;
        // One after the other, so that the first one is accepted first.
        let connected = t.wait(&client, || {
            let rows = t.look(&client)?;
            let mut own = rows.own_rows().into_iter();
            let there = own.any(|row| row.state == State::Established);
            Ok(if there { Progress::Done(()) } else { Progress::Nothing })
        })?;
        if connected.is_err() {
            return Err(t.fail("the client does not connect").stop());
        }
        let _ = server.settle()?;
    }
    Ok(())
}
