//! Playing a conversation against programs: once for each choice of programs that the file
//! allows, in all of the [`Segments`].

use std::collections::HashMap;

use super::cast::Cast;
use super::segments::{Segments, bursts};
use super::{Action, Conversation, Player, Premise, Stage};
use crate::trial::{Stop, Verdict};

/// The programs of a performance, by side.
pub(super) type Players = Vec<Option<Box<dyn Player>>>;

/// Plays a conversation on a stage.
pub fn play(stage: &mut dyn Stage, conversation: &Conversation) -> Verdict {
    for programs in &conversation.programs {
        let mut players: Option<Players> = None;
        // It makes no difference where the harness sends nothing.
        let ways = if conversation.sends_a_stream(programs) {
            stage.ways_to_cut()
        } else {
            &[Segments::Whole]
        };
        for &segments in ways {
            // A program that is called can be called again. One that calls, or ends, is started
            // afresh.
            let is_as_new = !stage.keeps_what_it_was_told()
                && conversation.leaves_the_program_running(programs);
            let again = players.take().filter(|_| is_as_new);
            let mut cast = enter(stage, conversation, programs, again, segments)?;
            for step in bursts(conversation, programs, segments) {
                if let Err(stop) = cast.carry_out(step) {
                    let several = cast.may_be_about_several(&stop);
                    drop(cast);
                    return Err(if several && goes_well(stage, conversation, programs)? {
                        stop.because(SEVERAL)
                    } else {
                        stop
                    });
                }
            }
            match cast.finish()? {
                Some(idle) => players = Some(idle),
                // It is busy with something, which another check judges, and would only hold
                // us up.
                None => break,
            }
        }
    }
    Ok(())
}

/// Whether the conversation goes well when each line comes in a segment of its own.
fn goes_well(
    stage: &mut dyn Stage,
    conversation: &Conversation,
    programs: &[usize],
) -> Verdict<bool> {
    let mut cast = enter(stage, conversation, programs, None, Segments::Lines)?;
    for step in bursts(conversation, programs, Segments::Lines) {
        match cast.carry_out(step) {
            Ok(()) => {}
            Err(Stop::Fail(_)) => return Ok(false),
            Err(other) => return Err(other),
        }
    }
    Ok(true)
}

const SEVERAL: &str = "several lines came in one segment, so one read brought them all; with a segment for \
    each line it goes well. What has come behind the first line end belongs to the next line: keep \
    it, and use one reader for the whole connection (a second BufReader does not see what the first \
    one has read ahead)";

/// A performance up to its first line. The failure of one does not tell of those before it.
fn enter<'a>(
    stage: &'a mut dyn Stage,
    conversation: &'a Conversation,
    programs: &'a [usize],
    again: Option<Players>,
    segments: Segments,
) -> Verdict<Cast<'a>> {
    let trial = stage.trial().clone();
    match &again {
        Some(_) => trial.new_story(),
        None => trial.new_scene()?,
    }
    trial.note(conversation.announce(programs, segments));
    if let Some(players) = again {
        for player in players.iter().flatten() {
            let (name, at) = (&player.running().name, player.service(None).address);
            trial.note(format!("the {name} has listened on {at} since before"));
        }
        if let Some(folder) = stage.folder() {
            folder.clear()?;
        }
        provide_all(stage, conversation)?;
        return Ok(Cast::new(stage, conversation, programs, players, segments));
    }
    stage.begin()?;
    provide_all(stage, conversation)?;
    let players = conversation.sides.iter().map(|_| None).collect();
    let mut cast = Cast::new(stage, conversation, programs, players, segments);
    cast.start_all()?;
    Ok(cast)
}

fn provide_all(stage: &mut dyn Stage, conversation: &Conversation) -> Verdict {
    conversation.given.iter().try_for_each(|premise| provide(stage, premise))
}

fn provide(stage: &mut dyn Stage, premise: &Premise) -> Verdict {
    match premise {
        Premise::Fact(fact) => {
            stage.trial().note(format!("given {fact}"));
            stage.provide(fact)
        }
        Premise::File(name, content) => {
            let folder = stage.folder();
            let folder =
                folder.ok_or_else(|| Stop::Fault(format!("{name}: there is no folder")))?;
            folder.file(name, content)
        }
    }
}

impl Conversation {
    /// What a story begins with: who plays whom, and how what is sent is cut.
    fn announce(&self, programs: &[usize], segments: Segments) -> String {
        let names = |of: &mut dyn Iterator<Item = usize>| {
            let names: Vec<_> = of.map(|side| self.sides[side].as_str()).collect();
            match names.split_last() {
                Some((last, [])) => ((*last).to_owned(), false),
                Some((last, others)) => (format!("{} and {last}", others.join(", ")), true),
                None => (String::new(), false),
            }
        };
        let (program, are) = names(&mut programs.iter().copied());
        let mut own = (0..self.sides.len()).filter(|side| !programs.contains(side));
        let (harness, several) = names(&mut own);
        let verb = if are { "the programs are" } else { "the program is" };
        let mut text = format!("{}: {verb} {program}", self.file);
        if !harness.is_empty() {
            text.push_str(&format!(", and the harness {harness}"));
            if self.sends_a_stream(programs) {
                let send = if several { "who send" } else { "which sends" };
                text.push_str(&format!(", {send} {}", segments.describe()));
            }
        }
        text
    }

    fn sends_a_stream(&self, programs: &[usize]) -> bool {
        self.lines.iter().any(|line| {
            let own = line.side.is_some_and(|side| !programs.contains(&side));
            own && matches!(line.act, Action::Says(_) | Action::Sends(_))
        })
    }

    /// Whether the program can be called again when it is over, as if nothing had been.
    fn leaves_the_program_running(&self, programs: &[usize]) -> bool {
        let [program] = programs else { return false };
        let own = |line: &super::Line| line.side == Some(*program);
        let fresh = self.lines.iter().any(|line| match line.act {
            Action::Quits | Action::Exits(_) | Action::Dies | Action::Freezes => own(line),
            Action::Calls(..) => own(line),
            _ => false,
        });
        // A file can be provided once more; of other facts only the lab knows how long they hold.
        let again = self.given.iter().all(|premise| matches!(premise, Premise::File(..)));
        again && !fresh
    }

    /// Who calls whom, in order.
    pub(super) fn calls(&self) -> impl Iterator<Item = (usize, usize)> + use<'_> {
        self.lines.iter().filter_map(|line| match line.act {
            Action::Calls(called, _) => Some((line.side?, called)),
            _ => None,
        })
    }

    /// To whom each line of a program speaks: to the harness's side that was named last.
    pub(super) fn addressees(&self, programs: &[usize]) -> HashMap<usize, usize> {
        let mut toward = None;
        let mut addressees = HashMap::new();
        for line in &self.lines {
            let called = match line.act {
                Action::Calls(called, _) => Some(called),
                _ => None,
            };
            let mut own = [line.side, called].into_iter().flatten();
            toward = own.rfind(|side| !programs.contains(side)).or(toward);
            addressees.extend(toward.map(|side| (line.number, side)));
        }
        addressees
    }
}
