//! One performance: who is on the stage, and what each line of the file makes them do.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::rc::Rc;

use super::bytes::Memory;
use super::play::Players;
use super::segments::{Burst, Segments};
use super::{Action, Conversation, Expected, Line, Stage};
use crate::net::{Lines, Listener, causes};
use crate::trial::{Running, Stop, Trial, Verdict};

pub(super) struct Cast<'a> {
    pub(super) stage: &'a mut dyn Stage,
    pub(super) trial: Trial,
    pub(super) conversation: &'a Conversation,
    pub(super) programs: &'a [usize],
    /// By side, as all lists here.
    pub(super) players: Players,
    /// Where the harness's sides listen that a program calls.
    hosts: Vec<Option<Listener>>,
    pub(super) links: Vec<Option<Link>>,
    /// To which side of the harness a program's line speaks, by the line's number.
    toward: HashMap<usize, usize>,
    pub(super) frozen: HashSet<usize>,
    pub(super) memory: Memory,
    segments: Segments,
    /// Whether the last thing that was sent was several lines in one segment.
    several: bool,
}

/// A connection of one of the harness's sides.
pub(super) struct Link {
    pub(super) remote: Lines,
    pub(super) service: Option<&'static str>,
    pub(super) program: usize,
    /// All that the harness's side has sent.
    pub(super) sent: Vec<u8>,
    /// What has come, and was as expected.
    pub(super) heard: Vec<u8>,
}

impl<'a> Cast<'a> {
    pub(super) fn new(
        stage: &'a mut dyn Stage,
        conversation: &'a Conversation,
        programs: &'a [usize],
        players: Players,
        segments: Segments,
    ) -> Self {
        let sides = conversation.sides.len();
        Self {
            trial: stage.trial().clone(),
            stage,
            conversation,
            programs,
            players,
            hosts: (0..sides).map(|_| None).collect(),
            links: (0..sides).map(|_| None).collect(),
            toward: conversation.addressees(programs),
            frozen: HashSet::new(),
            memory: Memory::new(),
            segments,
            several: false,
        }
    }

    /// Starts the programs, in the order in which the file names them.
    pub(super) fn start_all(&mut self) -> Verdict {
        for (caller, called) in self.conversation.calls() {
            let from_outside = self.is_program(caller) && !self.is_program(called);
            if from_outside && self.hosts[called].is_none() {
                self.hosts[called] = Some(self.stage.host(self.name(called))?);
            }
        }
        self.programs.iter().try_for_each(|program| self.start(*program))
    }

    fn start(&mut self, program: usize) -> Verdict {
        let mut others: Vec<SocketAddr> = Vec::new();
        for (_, called) in self.conversation.calls().filter(|(caller, _)| *caller == program) {
            let host = self.hosts[called].as_ref().map(|host| host.address());
            let player =
                || self.players[called].as_ref().map(|player| player.service(None).address);
            others.extend(host.or_else(player).filter(|at| !others.contains(at)));
        }
        let conversation = self.conversation;
        self.players[program] = Some(self.stage.start(&conversation.sides[program], &others)?);
        Ok(())
    }

    fn name(&self, side: usize) -> &'a str {
        let conversation = self.conversation;
        &conversation.sides[side]
    }

    fn is_program(&self, side: usize) -> bool {
        self.programs.contains(&side)
    }

    pub(super) fn carry_out(&mut self, step: Burst<'_>) -> Verdict {
        match step {
            Burst::Send(lines) => self.send(&lines).map_err(|stop| stop.at(&self.place(lines[0]))),
            Burst::Do(line) => {
                let done = match line.side {
                    None => self.check(line),
                    Some(side) if self.is_program(side) => self.expect(line, side),
                    Some(side) => self.act(line, side),
                };
                done.map_err(|stop| self.explain(stop, line).at(&self.place(line)))
            }
        }
    }

    fn place(&self, line: &Line) -> String {
        format!("{}, line {}", self.conversation.short_name(), line.number)
    }

    /// Whether a failure may come of several lines in one segment.
    pub(super) fn may_be_about_several(&self, stop: &Stop) -> bool {
        let known = [causes::PANIC, causes::BUSY, causes::AGAIN, causes::NO_LINE_END];
        let guessed = matches!(stop, Stop::Fail(_)) && !stop.has_cause(&known);
        self.segments == Segments::Whole && self.several && guessed
    }

    /// What is heard right in whole segments and not in others depends on the segments.
    fn explain(&self, stop: Stop, line: &Line) -> Stop {
        let known = [causes::PANIC, causes::BUSY, causes::AGAIN, causes::NO_LINE_END];
        let guessed = !stop.has_cause(&known);
        if !matches!(line.act, Action::Prints(_)) || !guessed {
            return stop;
        }
        match self.segments {
            Segments::Whole => stop,
            _ => stop.because(CUT),
        }
    }

    /// The bytes of these lines of one side, cut as is asked for.
    fn send(&mut self, lines: &[&Line]) -> Verdict {
        let bytes: Vec<u8> = lines.iter().flat_map(|line| self.bytes_of(line)).collect();
        let frozen = !self.frozen.is_empty();
        let Some(link) = lines[0].side.and_then(|side| self.links[side].as_mut()) else {
            return Ok(());
        };
        link.sent.extend_from_slice(&bytes);
        self.several = lines.len() > 1;
        // A program that is frozen reads nothing: one piece would wait for the one before it.
        if frozen || matches!(self.segments, Segments::Whole | Segments::Together) {
            return link.remote.send(&bytes);
        }
        for line in lines {
            self.trial.note(format!("line {}: {}", line.number, shorten(&line.text)));
        }
        // Long pieces of nothing but repetition need not be cut into single bytes.
        let (start, _) = bytes.split_at(bytes.len().min(MOST_ALONE));
        let mut sent = 0;
        for piece in self.segments.cut(start) {
            sent += piece.len();
            if !link.remote.send_alone(piece)? {
                break;
            }
        }
        // A program that has not taken a piece may read it later, with the others.
        if sent < bytes.len() {
            link.remote.put(&bytes[sent..])?;
        }
        Ok(())
    }

    fn bytes_of(&self, line: &Line) -> Vec<u8> {
        match &line.act {
            Action::Says(text) => {
                format!("{text}{}", self.conversation.line_end.as_str()).into_bytes()
            }
            Action::Sends(bytes) => bytes.like(b"", &self.memory),
            _ => Vec::new(),
        }
    }

    /// What a side of the harness does, besides sending; and what it tells of what it hears.
    fn act(&mut self, line: &Line, side: usize) -> Verdict {
        match &line.act {
            Action::Calls(called, service) => {
                let Some(player) = &self.players[*called] else { return Ok(()) };
                let remote = player.called_by(self.name(side), *service)?;
                self.connect(side, *called, *service, remote);
                Ok(())
            }
            Action::Hears(text) => self.expect_line(side, text),
            Action::Receives(bytes) => self.expect_bytes(side, bytes),
            Action::Ends => match &mut self.links[side] {
                Some(link) => link.remote.end(),
                None => Ok(()),
            },
            Action::Resets => self.links[side].take().map_or(Ok(()), |link| link.remote.reset()),
            Action::Closes | Action::Dies => {
                if let Some(link) = self.links[side].take() {
                    link.remote.close();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn connect(
        &mut self,
        side: usize,
        program: usize,
        service: Option<&'static str>,
        remote: Lines,
    ) {
        let remote = remote.ended_by(self.conversation.line_end);
        let (sent, heard) = (Vec::new(), Vec::new());
        self.links[side] = Some(Link { remote, service, program, sent, heard });
    }

    /// What a program should do, and what is done to it.
    fn expect(&mut self, line: &Line, side: usize) -> Verdict {
        let toward = self.toward.get(&line.number).copied();
        match &line.act {
            Action::Calls(called, _) => return self.accept(side, *called),
            Action::Dies => return self.kill(side),
            Action::IsStartedAgain => {
                let gone = |link: &mut Link| link.program == side;
                for link in &mut self.links {
                    link.take_if(gone);
                }
                return self.start(side);
            }
            Action::Freezes => return self.freeze(side),
            Action::Thaws => return self.thaw(side),
            Action::Types(_) | Action::Quits | Action::Prints(_) | Action::Exits(_) => {
                return self.with_user(line, side);
            }
            _ => {}
        }
        let Some(toward) = toward else {
            return Err(Stop::Fault(format!("{:?} goes to nobody", line.act)));
        };
        match &line.act {
            Action::Says(text) => return self.expect_line(toward, text),
            Action::Sends(bytes) => return self.expect_bytes(toward, bytes),
            Action::Answers(pattern) => return self.expect_reply(toward, pattern),
            _ => {}
        }
        match (&line.act, &mut self.links[toward]) {
            (Action::Ends, Some(link)) => link.remote.expect_end(ENDS),
            (Action::Closes | Action::Resets, Some(link)) => link.remote.expect_closed(ENDS),
            (Action::IsSilent, Some(link)) => {
                link.remote.expect_silence(self.stage.cause(Expected::Silence))
            }
            (act, _) => Err(Stop::Fault(format!("{act:?} can't be expected here"))),
        }
    }

    /// What a program's user does, and what the program shows its user.
    fn with_user(&mut self, line: &Line, side: usize) -> Verdict {
        let user = self.players[side].as_ref().and_then(|player| player.console());
        let Some(user) = user else {
            return Err(Stop::Fault(format!("{} has no user", self.name(side))));
        };
        match &line.act {
            Action::Types(text) => user.types(text),
            Action::Quits => user.stops_typing(),
            Action::Prints(text) => {
                let cause = self.stage.cause(Expected::Event(text));
                user.expect_event(&self.fill(text, line), cause)?;
            }
            Action::Exits(status) => user.expect_exit(*status, self.stage.cause(Expected::Exit))?,
            _ => {}
        }
        Ok(())
    }

    /// `ADDRESS` in what is printed is the harness's address.
    fn fill(&self, text: &str, line: &Line) -> String {
        let link = self.toward.get(&line.number).and_then(|side| self.links[*side].as_ref());
        let address = link.map(|link| link.remote.connection().here().to_string());
        text.replace("ADDRESS", address.as_deref().unwrap_or("*"))
    }

    /// A program calls a side: that of another program needs nobody's help.
    fn accept(&mut self, caller: usize, called: usize) -> Verdict {
        if let (Some(host), Some(player)) = (&self.hosts[called], &self.players[caller]) {
            let remote = player.calls(host)?;
            self.connect(called, caller, None, remote);
        }
        Ok(())
    }

    fn kill(&mut self, side: usize) -> Verdict {
        let Some(player) = &self.players[side] else { return Ok(()) };
        // Before its streams are closed: it must not get to say goodbye.
        player.running().program.crash()?;
        self.frozen.remove(&side);
        self.trial.kill(player.running())
    }

    fn freeze(&mut self, side: usize) -> Verdict {
        let Some(player) = &self.players[side] else { return Ok(()) };
        self.trial.freeze(player.running())?;
        self.trial.note(format!("the {} was frozen (SIGSTOP)", player.running().name));
        self.frozen.insert(side);
        Ok(())
    }

    fn thaw(&mut self, side: usize) -> Verdict {
        let Some(player) = &self.players[side] else { return Ok(()) };
        self.trial.thaw(player.running())?;
        self.trial.note(format!("the {} was thawed (SIGCONT)", player.running().name));
        self.frozen.remove(&side);
        Ok(())
    }

    /// What a `then` says.
    fn check(&mut self, line: &Line) -> Verdict {
        match &line.act {
            Action::HasFile(name, content) => self.expect_file(name, Some(content)),
            Action::HasNoFile(name) => self.expect_file(name, None),
            Action::Holds(fact) => self.expect_fact(fact),
            _ => Ok(()),
        }
    }

    /// The program that what is not yet so waits for: one that runs, if one does.
    pub(super) fn any_program(&self) -> Verdict<Rc<Running>> {
        let all: Vec<_> = self.players.iter().flatten().map(|player| player.running()).collect();
        let runs = |running: &&&Rc<Running>| matches!(running.program.exited(), Ok(None));
        let one = all.iter().find(runs).or(all.last());
        one.map(|running| Rc::clone(running))
            .ok_or_else(|| Stop::Fault("no program was started".into()))
    }
}

/// Bytes of one burst that are cut; the rest follows in one piece.
const MOST_ALONE: usize = 200;

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

const CUT: &str = "the same conversation went well when the lines came in whole segments: something \
    depends on how the bytes were cut. A read can bring half a line, or three; only the line end \
    tells where a line ends, and what has come behind it belongs to the next one";
const ENDS: &str = "the program should close this connection here: drop the stream and every clone \
    of it, or shut it down";
