//! What `lab ports` shows while a server has one client and another one waits.

use crate::kernel::{self, Held, State};
use crate::labs;
use crate::program::Template;
use crate::show::ports;
use crate::term::Style;
use crate::trial::{Addresses, Needs, Trial, Verdict};

/// The worker's part: the table as text; `None` where it could not be made.
pub(crate) fn ports(programs: Vec<(String, Template)>, addresses: &Addresses) -> Option<String> {
    table(&mut Trial::new(programs, addresses.clone(), Needs::All)).ok()
}

fn table(t: &mut Trial) -> Verdict<String> {
    (labs::PORTS.run)(t)?;
    let programs: Vec<u32> = t.running().iter().map(|one| one.program.pid()).collect();
    let mut held = kernel::held(|process| programs.contains(&process.pid), false)?;
    number(&mut held, &programs);
    let text = ports::render(&held, Style::plain());
    t.end()?;
    Ok(text)
}

/// Gives the processes the ids, and their connections the ports, of a machine on which nothing
/// else was started meanwhile: the table is in order of ports.
fn number(held: &mut [Held], programs: &[u32]) {
    const FIRST_PID: u32 = 4001;
    const FIRST_PORT: u16 = 50_001;
    let dialled = |pid: &u32| {
        let own = |one: &&Held| one.holder.as_ref().is_some_and(|holder| holder.pid == *pid);
        let listens = held.iter().filter(own).any(|one| one.row.state == State::Listen);
        let first = held.iter().find(own).map(|one| one.row.local.port());
        first.filter(|_| !listens)
    };
    let ports: Vec<_> = programs.iter().filter_map(dialled).zip(FIRST_PORT..).collect();
    for one in held {
        for address in [&mut one.row.local, &mut one.row.remote] {
            if let Some((_, new)) = ports.iter().find(|(old, _)| *old == address.port()) {
                address.set_port(*new);
            }
        }
        let Some(holder) = &mut one.holder else { continue };
        if let Some(place) = programs.iter().position(|pid| *pid == holder.pid) {
            holder.pid = FIRST_PID + place as u32;
        }
    }
}
