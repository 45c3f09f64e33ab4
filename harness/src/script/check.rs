//! What a conversation must not say, although each of its lines is right: what nobody can play.

use std::collections::{HashMap, HashSet};

use super::cursor::Cursor;
use super::{Action, Bytes, Conversation, Line, SyntaxError};

/// Checks it for each choice of programs.
pub(super) fn all(conversation: &Conversation) -> Result<(), SyntaxError> {
    for programs in &conversation.programs {
        let mut check = Check {
            conversation,
            programs,
            connected: HashMap::new(),
            dead: HashSet::new(),
            toward: None,
            remembered: HashSet::new(),
        };
        for line in &conversation.lines {
            check.line(line)?;
        }
    }
    Ok(())
}

struct Check<'a> {
    conversation: &'a Conversation,
    programs: &'a [usize],
    /// The harness's sides that have a connection, and the program at its other end.
    connected: HashMap<usize, usize>,
    /// The programs that do not run.
    dead: HashSet<usize>,
    /// To whom a program speaks: to the harness's side that was named last.
    toward: Option<usize>,
    remembered: HashSet<&'a str>,
}

impl<'a> Check<'a> {
    fn line(&mut self, line: &'a Line) -> Result<(), SyntaxError> {
        let Some(side) = line.side else { return Ok(()) };
        if let Action::Calls(called, _) = line.act {
            return self.call(line, side, called);
        }
        if self.programs.contains(&side) { self.program(line, side) } else { self.own(line, side) }
    }

    fn name(&self, side: usize) -> &'a str {
        &self.conversation.sides[side]
    }

    fn call(&mut self, line: &Line, caller: usize, called: usize) -> Result<(), SyntaxError> {
        let own = [caller, called].map(|side| !self.programs.contains(&side));
        for program in [caller, called].into_iter().zip(own).filter(|(_, own)| !own) {
            self.must_run(line, program.0)?;
        }
        let (side, program) = match own {
            [true, true] => {
                let who = [caller, called].map(|side| self.name(side)).join(" and ");
                return Err(self.error(
                    line,
                    &format!("a call in which a program takes part: the harness plays {who}"),
                ));
            }
            [false, false] => return self.programs_call(line, caller, called),
            [true, false] => (caller, called),
            [false, true] => (called, caller),
        };
        if self.connected.insert(side, program).is_some() {
            let name = self.name(side);
            return Err(self.error(
                line,
                &format!(
                    "`{name} closes` before it: {name} has a connection already (give a second one \
                 another name)"
                ),
            ));
        }
        self.toward = Some(side);
        Ok(())
    }

    /// The address of who is called is known when the caller is started.
    fn programs_call(&self, line: &Line, caller: usize, called: usize) -> Result<(), SyntaxError> {
        let place = |side| self.programs.iter().position(|program| *program == side);
        if place(called) < place(caller) {
            Ok(())
        } else {
            let [caller, called] = [caller, called].map(|side| self.name(side));
            Err(self.error(
                line,
                &format!(
                    "`the programs are {called} and {caller}` at the top: they are started in \
                 this order, and {called} is called"
                ),
            ))
        }
    }

    /// What the harness does.
    fn own(&mut self, line: &'a Line, side: usize) -> Result<(), SyntaxError> {
        self.toward = Some(side);
        let name = self.name(side);
        match &line.act {
            // Nobody sees what the harness's side would print.
            Action::Types(_) | Action::Quits | Action::Prints(_) | Action::Exits(_) => {
                return Ok(());
            }
            Action::IsStartedAgain | Action::Freezes | Action::Thaws => {
                return Err(
                    self.error(line, &format!("this of a program only: the harness plays {name}"))
                );
            }
            Action::Answers(_) => {
                return Err(self.error(line, &format!(
                    "`{name} says` or `{name} sends`: the harness plays {name}, and has to know \
                     the bytes"
                )));
            }
            _ if !self.connected.contains_key(&side) => {
                return Err(
                    self.error(line, &format!("a call before it: {name} has no connection"))
                );
            }
            Action::Says(text) if text.contains('*') => {
                let at = line.text.find('*').unwrap_or_default();
                return Err(self.place(line, at).error(
                    "the bytes themselves: the harness plays this side, and can't send `*` \
                     (sends-hex 2a is a star)",
                ));
            }
            Action::Sends(bytes) if bytes.is_free() => {
                return Err(self.error(line, &format!(
                    "the bytes themselves: the harness plays {name}, and can't send what is free"
                )));
            }
            Action::Sends(bytes) | Action::Receives(bytes) => self.bytes(line, bytes)?,
            Action::Closes | Action::Resets | Action::Dies => {
                self.connected.remove(&side);
            }
            _ => {}
        }
        Ok(())
    }

    /// What a program should do.
    fn program(&mut self, line: &'a Line, side: usize) -> Result<(), SyntaxError> {
        let name = self.name(side);
        if line.act == Action::IsStartedAgain {
            if !self.dead.remove(&side) {
                return Err(self.error(line, &format!("`{name} is killed` before it: it runs")));
            }
            self.connected.retain(|_, program| *program != side);
            return Ok(());
        }
        match &line.act {
            // That it has closed its connections is seen after its end, too.
            Action::Closes | Action::Ends | Action::Resets => {}
            _ => self.must_run(line, side)?,
        }
        match &line.act {
            Action::Dies | Action::Exits(_) => {
                self.dead.insert(side);
            }
            Action::Hears(_) | Action::Receives(_) => {
                return Err(self.error(
                    line,
                    &format!(
                        "the name of a side that the harness plays: nobody sees what {name} reads, \
                     only what is sent to it"
                    ),
                ));
            }
            Action::Freezes
            | Action::Thaws
            | Action::Types(_)
            | Action::Quits
            | Action::Prints(_) => {}
            act => {
                let Some(toward) = self.toward.filter(|side| self.connected.contains_key(side))
                else {
                    return Err(self.error(line, &format!(
                        "a call before it: {name} has no connection with a side that the harness \
                         plays"
                    )));
                };
                if let Action::Sends(bytes) = act {
                    self.bytes(line, bytes)?;
                }
                if matches!(act, Action::Closes | Action::Resets) {
                    self.connected.remove(&toward);
                }
            }
        }
        Ok(())
    }

    fn must_run(&self, line: &Line, program: usize) -> Result<(), SyntaxError> {
        let name = self.name(program);
        if self.dead.contains(&program) {
            Err(self.error(
                line,
                &format!("`{name} is started again` before it: {name} does not run any more"),
            ))
        } else {
            Ok(())
        }
    }

    /// What is used must have been remembered.
    fn bytes(&mut self, line: &Line, bytes: &'a Bytes) -> Result<(), SyntaxError> {
        for name in bytes.recalls() {
            if !self.remembered.contains(name) {
                let at = line.text.find(&format!("@{name}")).unwrap_or_default();
                return Err(self.place(line, at).error(&format!(
                    "`@{name}:2` where the bytes come first: they are not known yet"
                )));
            }
        }
        self.remembered.extend(bytes.remembers());
        Ok(())
    }

    fn place<'l>(&'l self, line: &'l Line, at: usize) -> Cursor<'l> {
        Cursor { file: &self.conversation.file, number: line.number, line: &line.text, at }
    }

    fn error(&self, line: &Line, expected: &str) -> SyntaxError {
        let spaces = line.text.len() - line.text.trim_start().len();
        self.place(line, spaces).error(expected)
    }
}
