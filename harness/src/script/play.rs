//! Playing a conversation against a program.

use std::net::SocketAddr;

use super::segments::{Burst, bursts};
use super::{Action, Conversation, Line, Segments};
use crate::net::{Console, Lines, Listener, causes};
use crate::trial::{Stop, Trial, Verdict};

/// What a lab's room brings to its conversations: its program, and its protocol's own words.
pub trait Stage {
    /// The trial that the performances belong to.
    fn trial(&self) -> &Trial;
    /// A listener that plays `name`, and waits to be called.
    fn host(&self, name: &str) -> Verdict<Listener>;
    /// Starts the program that plays `name`, and waits until it can be called; it calls `others`.
    fn start(&self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>>;
    /// What is likely wrong where this line is not said.
    fn cause_of_line(&self, line: &str) -> &'static str;
    /// What is likely wrong where this line is not printed.
    fn cause_of_event(&self, event: &str) -> &'static str;
    /// What may come of a side that has nothing to say.
    fn not_silent(&self) -> &'static str;
    /// Why the program may not end.
    fn not_over(&self) -> &'static str;
}

/// A program on the stage.
pub trait Player {
    /// The name of the side that it plays.
    fn name(&self) -> &str;
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// Its user's side.
    fn console(&self) -> &Console;
    /// A side of the harness calls it.
    fn called_by(&self, side: &str) -> Verdict<Lines>;
    /// It calls a side of the harness.
    fn calls(&self, host: &Listener) -> Verdict<Lines>;
    /// Waits until it has closed its end of the connection from `address`, which the harness has
    /// closed. Returns whether it has.
    fn is_rid_of(&self, address: SocketAddr) -> Verdict<bool>;
}

/// Plays a conversation with the program as each side that the file allows, in all of the
/// [`Segments`].
pub fn play(room: &dyn Stage, conversation: &Conversation) -> Verdict {
    for program in &conversation.program {
        let mut peer: Option<Box<dyn Player>> = None;
        for segments in Segments::ALL {
            // Who is called can be called again. Who calls, or ends, is started afresh.
            let again = peer.take().filter(|_| conversation.leaves_the_program_running(*program));
            let (with, other) = scene(room, conversation, *program, again, segments)?;
            let (peer_of, other) = (&*with, Some(other));
            let mut stage =
                Cast { room, conversation, peer: peer_of, other, segments, several: false };
            for step in bursts(conversation, *program, segments) {
                stage.carry_out(step)?;
            }
            if !stage.finish()? {
                // It is busy with something, which another check judges, and would only hold
                // us up.
                break;
            }
            peer = Some(with);
        }
    }
    Ok(())
}

/// The two sides, connected. The failure of one performance does not tell of those before it.
fn scene(
    room: &dyn Stage,
    conversation: &Conversation,
    program: usize,
    again: Option<Box<dyn Player>>,
    segments: Segments,
) -> Verdict<(Box<dyn Player>, Lines)> {
    let trial = room.trial();
    let [name, harness] = [program, 1 - program].map(|side| &conversation.sides[side]);
    match &again {
        Some(_) => trial.new_story(),
        None => trial.new_scene()?,
    }
    let (file, how) = (&conversation.file, segments.describe());
    trial.note(format!(
        "{file}: the program is {name}, and the harness {harness}, which sends {how}"
    ));
    if program == 0 {
        let host = room.host(harness)?;
        let peer = room.start(name, &[host.address()])?;
        let other = peer.calls(&host)?;
        return Ok((peer, other));
    }
    let peer = match again {
        Some(peer) => {
            trial.note(format!("the peer {name} has listened on {} since before", peer.address()));
            peer
        }
        None => room.start(name, &[])?,
    };
    let other = peer.called_by(harness)?;
    Ok((peer, other))
}

impl Conversation {
    /// Whether the program can be called again when it is over.
    fn leaves_the_program_running(&self, program: usize) -> bool {
        let ending = |line: &&Line| matches!(line.act, Action::Quits | Action::Exits(_));
        program == 1 && !self.lines.iter().filter(ending).any(|line| line.side == program)
    }
}

/// One performance.
struct Cast<'a> {
    room: &'a dyn Stage,
    conversation: &'a Conversation,
    peer: &'a dyn Player,
    other: Option<Lines>,
    segments: Segments,
    /// Whether the last thing that was sent was several lines in one segment.
    several: bool,
}

impl Cast<'_> {
    fn carry_out(&mut self, step: Burst<'_>) -> Verdict {
        match step {
            Burst::Send(lines) => self.send(&lines).map_err(|stop| stop.at(&self.place(lines[0]))),
            Burst::Do(line) => {
                let own = self.conversation.sides[line.side] != self.peer.name();
                let done = if own { self.act(line) } else { self.expect(line) };
                done.map_err(|stop| self.explain(stop, line).at(&self.place(line)))
            }
        }
    }

    /// The end of the file: all that was printed and said stands in it. Returns whether the
    /// program is at rest, and has noticed that the harness has gone.
    fn finish(mut self) -> Verdict<bool> {
        if self.peer.console().exited()?.is_some() {
            return Ok(true);
        }
        let over = format!("{}, behind the last line", self.conversation.file);
        let rest = self.peer.console().expect_no_event(OVER).map_err(|stop| stop.at(&over))?;
        let Some(mut other) = self.other.take() else { return Ok(rest) };
        other.expect_no_more(self.room.not_silent()).map_err(|stop| stop.at(&over))?;
        let here = other.connection().here();
        drop(other);
        // What the program says of our going is no part of the conversation.
        Ok(rest && self.peer.is_rid_of(here)?)
    }

    fn place(&self, line: &Line) -> String {
        format!("{}, line {}", self.conversation.file, line.number)
    }

    /// What is heard right in whole segments and not in others depends on the segments.
    fn explain(&self, stop: Stop, line: &Line) -> Stop {
        let known = [causes::PANIC, causes::BUSY, causes::AGAIN, causes::NO_LINE_END];
        let guessed = !stop.has_cause(&known);
        if !matches!(line.act, Action::Prints(_)) || !guessed {
            return stop;
        }
        match self.segments {
            Segments::Whole if self.several => stop.because(SEVERAL),
            Segments::Whole => stop,
            _ => stop.because(CUT),
        }
    }

    /// The bytes of these lines, cut as is asked for.
    fn send(&mut self, lines: &[&Line]) -> Verdict {
        let Some(other) = &mut self.other else { return Ok(()) };
        let bytes: Vec<u8> = lines.iter().flat_map(|line| bytes_of(&line.act)).collect();
        self.several = lines.len() > 1;
        let whole = matches!(self.segments, Segments::Whole | Segments::Together);
        if whole {
            return other.send(&bytes);
        }
        for line in lines {
            let text = shorten(&line.text);
            self.room.trial().note(format!("line {}: {text}", line.number));
        }
        // Long pieces of nothing but repetition need not be cut into single bytes.
        let (start, rest) = bytes.split_at(bytes.len().min(MOST_ALONE));
        for piece in self.segments.cut(start) {
            if !other.send_alone(piece)? {
                break;
            }
        }
        if !rest.is_empty() {
            other.put(rest)?;
        }
        Ok(())
    }

    /// What the harness's own side does, besides sending.
    fn act(&mut self, line: &Line) -> Verdict {
        let Some(other) = &mut self.other else { return Ok(()) };
        match line.act {
            Action::Ends => other.end(),
            Action::Closes | Action::Resets => {
                let Some(other) = self.other.take() else { return Ok(()) };
                if line.act == Action::Resets {
                    return other.reset();
                }
                other.close();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What the program should do.
    fn expect(&mut self, line: &Line) -> Verdict {
        match (&line.act, &mut self.other) {
            (Action::Types(text), _) => {
                self.peer.console().types(text);
                Ok(())
            }
            (Action::Quits, _) => {
                self.peer.console().stops_typing();
                Ok(())
            }
            (Action::Prints(text), _) => {
                let cause = self.room.cause_of_event(text);
                self.peer.console().expect_event(&self.fill(text), cause)
            }
            (Action::Exits(status), _) => {
                self.peer.console().expect_exit(*status, self.room.not_over())
            }
            (Action::Says(text), Some(other)) => {
                other.expect_line(text, self.room.cause_of_line(text))
            }
            (Action::Sends(bytes), Some(other)) => other.expect_bytes(bytes, SAYS),
            (Action::Ends, Some(other)) => other.expect_end(ENDS),
            (Action::Closes, Some(other)) => other.expect_closed(ENDS),
            (Action::Resets, Some(other)) => other.expect_closed(ENDS),
            (Action::IsSilent, Some(other)) => other.expect_silence(self.room.not_silent()),
            (act, _) => {
                Err(Stop::Fault(format!("line {}: {act:?} can't be expected here", line.number)))
            }
        }
    }

    /// `ADDRESS` in what is printed is the harness's address.
    fn fill(&self, text: &str) -> String {
        let address = self.other.as_ref().map(|other| other.connection().here());
        match address {
            Some(address) => text.replace("ADDRESS", &SocketAddr::to_string(&address)),
            None => text.replace("ADDRESS", "*"),
        }
    }
}

/// Bytes of one burst that are cut; the rest follows in one piece.
const MOST_ALONE: usize = 200;

fn bytes_of(act: &Action) -> Vec<u8> {
    match act {
        Action::Says(text) => format!("{text}\n").into_bytes(),
        Action::Sends(bytes) => bytes.clone(),
        _ => Vec::new(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

const CUT: &str = "the same conversation went well when the lines came in whole segments: something \
    depends on how the bytes were cut. A read can bring half a line, or three; only the line end \
    tells where a line ends, and what has come behind it belongs to the next one";
const SEVERAL: &str = "several lines came in one segment, so one read brought them all. What has come \
    behind the first line end belongs to the next line: keep it, and use one reader for the whole \
    connection (a second BufReader does not see what the first one has read ahead)";
const SAYS: &str = "the file tells what is sent, byte by byte";
const OVER: &str = "each line that is printed or said stands in the file: nothing else happens";
const ENDS: &str = "the program should close this connection here: drop the stream and every clone \
    of it, or shut it down";
