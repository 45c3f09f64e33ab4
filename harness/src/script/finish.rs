//! The end of a performance: nothing more happens, and whoever was not told to end goes on.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::cast::Cast;
use super::play::Players;
use super::{Action, Expected, Line};
use crate::kernel;
use crate::net::causes::PANIC;
use crate::program::describe_exit;
use crate::trial::{Progress, Stall, StallKind, Verdict};

impl Cast<'_> {
    /// The end of the file: all that was printed and said stands in it. Returns the programs
    /// where they are at rest, and have noticed that the harness has gone.
    pub(super) fn finish(mut self) -> Verdict<Option<Players>> {
        let over = format!("{}, after the last line", self.conversation.short_name());
        let mut rest = true;
        let mut live = HashSet::new();
        for program in self.programs.iter().filter(|program| !self.frozen.contains(program)) {
            let Some(player) = &self.players[*program] else { continue };
            if player.running().program.exited()?.is_some() {
                continue;
            }
            live.insert(*program);
            rest &= match player.console() {
                Some(user) => user.expect_no_event(OVER).map_err(|stop| stop.at(&over))?,
                None => self.trial.settle(player.running())?.is_ok(),
            };
        }
        let links: Vec<_> = self.links.iter_mut().filter_map(Option::take).collect();
        for mut link in links.into_iter().filter(|link| live.contains(&link.program)) {
            link.remote
                .expect_no_more(self.stage.cause(Expected::Silence))
                .map_err(|stop| stop.at(&over))?;
            let here = link.remote.connection().here();
            drop(link.remote);
            // What the program says of our going is no part of the conversation.
            rest = rest && self.is_rid_of(link.program, here)?;
        }
        for program in live {
            self.expect_alive(program).map_err(|stop| stop.at(&over))?;
        }
        Ok(rest.then_some(self.players))
    }

    /// Expects that a program which nobody has told to end goes on when the others have gone.
    fn expect_alive(&self, program: usize) -> Verdict {
        let Some(player) = &self.players[program] else { return Ok(()) };
        let running = player.running();
        let ends = |line: &Line| {
            let own = line.side == Some(program);
            own && matches!(line.act, Action::Quits | Action::Exits(_) | Action::Dies)
        };
        if self.conversation.lines.iter().any(ends) {
            return Ok(());
        }
        let Err(Stall { kind: StallKind::Ended(status) }) = self.trial.settle(running)? else {
            return Ok(());
        };
        let name = &running.name;
        Err(self
            .trial
            .fail(format!("the {name} ended when the other one had gone"))
            .expected("it goes on: others may come")
            .seen(format!("the {name} ended, {}", describe_exit(status)))
            .cause(if status.code() == Some(101) { PANIC } else { GONE })
            .stop())
    }

    /// Waits until a program has closed its end of the connection from `here`, which the harness
    /// has closed. Returns whether it has.
    fn is_rid_of(&self, program: usize, here: SocketAddr) -> Verdict<bool> {
        let Some(player) = &self.players[program] else { return Ok(true) };
        if kernel::available().is_err() {
            return Ok(false);
        }
        let gone = self.trial.wait(player.running(), || {
            let snapshot = self.trial.look(player.running())?;
            let held = snapshot.own_rows().iter().any(|row| row.remote == here);
            Ok(if held { Progress::Nothing } else { Progress::Done(()) })
        })?;
        player.console().map_or(Ok(()), |user| user.forget())?;
        Ok(gone.is_ok())
    }
}

const GONE: &str = "that one connection has ended, in whatever way, is no reason to end the program; the \
    last lines of standard error may say why it did";
const OVER: &str = "each line that is printed or said stands in the file: nothing else happens";
