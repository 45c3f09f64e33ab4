//! Playing a conversation against a program.

use std::net::SocketAddr;

use super::segments::{Step, bursts};
use super::{Act, Conversation, Line, Segments};
use crate::drive::{Other, Peer};
use crate::trial::{Stop, Trial, Verdict};

/// Plays a conversation with the program as each side that the file allows, in all of the
/// [`Segments`].
pub fn play(trial: &Trial, conversation: &Conversation) -> Verdict {
    for program in &conversation.program {
        let mut peer: Option<Peer> = None;
        for segments in Segments::ALL {
            // Who is called can be called again. Who calls, or ends, is started afresh.
            let again = peer.take().filter(|_| conversation.leaves_the_program_running(*program));
            let (with, other) = scene(trial, conversation, *program, again, segments)?;
            let mut stage = Stage { conversation, peer: &with, other: Some(other), segments };
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
    trial: &Trial,
    conversation: &Conversation,
    program: usize,
    again: Option<Peer>,
    segments: Segments,
) -> Verdict<(Peer, Other)> {
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
        let host = trial.host(harness)?;
        let peer = trial.peer(name, &[host.address])?;
        let other = peer.calls(&host)?;
        return Ok((peer, other));
    }
    let peer = match again {
        Some(peer) => {
            trial.note(format!("the peer {name} has listened on {} since before", peer.address));
            peer
        }
        None => trial.peer(name, &[])?,
    };
    let other = peer.called_by(harness)?;
    Ok((peer, other))
}

impl Conversation {
    /// Whether the program can be called again when it is over.
    fn leaves_the_program_running(&self, program: usize) -> bool {
        let ending = |line: &&Line| matches!(line.act, Act::Quits | Act::Exits(_));
        program == 1 && !self.lines.iter().filter(ending).any(|line| line.side == program)
    }
}

/// One performance.
struct Stage<'a> {
    conversation: &'a Conversation,
    peer: &'a Peer,
    other: Option<Other>,
    segments: Segments,
}

impl Stage<'_> {
    fn carry_out(&mut self, step: Step<'_>) -> Verdict {
        match step {
            Step::Send(lines) => {
                let place = self.place(lines[0]);
                self.send(&lines).map_err(|stop| at(stop, &place))
            }
            Step::Do(line) => {
                let place = self.place(line);
                let own = self.conversation.sides[line.side] != self.peer.name;
                let done = if own { self.act(line) } else { self.expect(line) };
                done.map_err(|stop| at(stop, &place))
            }
        }
    }

    /// The end of the file: all that was printed and said stands in it. Returns whether the
    /// program has come to rest.
    fn finish(mut self) -> Verdict<bool> {
        if self.peer.running.program.exited()?.is_some() {
            return Ok(true);
        }
        let over = format!("{}, behind the last line", self.conversation.file);
        let rest = self.peer.expect_no_event(OVER).map_err(|stop| at(stop, &over))?;
        let Some(mut other) = self.other.take() else { return Ok(rest) };
        other.expect_no_more().map_err(|stop| at(stop, &over))?;
        drop(other);
        if rest {
            // What the program says of our going is no part of the conversation.
            self.peer.forget_events()?;
        }
        Ok(rest)
    }

    fn place(&self, line: &Line) -> String {
        format!("{}, line {}: {}", self.conversation.file, line.number, shorten(&line.text))
    }

    /// The bytes of these lines, cut as is asked for.
    fn send(&mut self, lines: &[&Line]) -> Verdict {
        let Some(other) = &mut self.other else { return Ok(()) };
        let bytes: Vec<u8> = lines.iter().flat_map(|line| bytes_of(&line.act)).collect();
        let whole = matches!(self.segments, Segments::Whole | Segments::Together);
        if whole {
            return other.send(&bytes);
        }
        for line in lines {
            let text = shorten(&line.text);
            self.peer.trial().note(format!("line {}: {text}", line.number));
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
            Act::Ends => other.end(),
            Act::Closes | Act::Resets => {
                let Some(other) = self.other.take() else { return Ok(()) };
                if line.act == Act::Resets {
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
            (Act::Types(text), _) => {
                self.peer.types(text);
                Ok(())
            }
            (Act::Quits, _) => {
                self.peer.stops_typing();
                Ok(())
            }
            (Act::Prints(text), _) => self.peer.expect_event(&self.fill(text), PRINTS),
            (Act::Exits(status), _) => self.peer.expect_exit(*status),
            (Act::Says(text), Some(other)) => other.expect_line(text, SAYS),
            (Act::Sends(bytes), Some(other)) => other.expect_bytes(bytes, SAYS),
            (Act::Ends, Some(other)) => other.expect_end(ENDS),
            (Act::Closes, Some(other)) => other.expect_closed(ENDS),
            (Act::Resets, Some(other)) => other.expect_closed(ENDS),
            (Act::IsSilent, Some(other)) => other.expect_silence(),
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

fn bytes_of(act: &Act) -> Vec<u8> {
    match act {
        Act::Says(text) => format!("{text}\n").into_bytes(),
        Act::Sends(bytes) => bytes.clone(),
        _ => Vec::new(),
    }
}

/// Adds the file's line to a failure.
fn at(stop: Stop, place: &str) -> Stop {
    match stop {
        Stop::Fail(mut failure) => {
            failure.expected.insert(0, place.to_owned());
            Stop::Fail(failure)
        }
        Stop::Fault(what) => Stop::Fault(format!("{place}: {what}")),
        other => other,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

const SAYS: &str = "the file tells what is said on the connection, line by line; the bytes may \
    come in any segments, and what is sent must not depend on that";
const PRINTS: &str = "the file tells what is printed on standard output; what is read must not \
    depend on how the bytes were cut: a read can bring half a line, or three";
const OVER: &str = "each line that is printed stands in the file: nothing else happens";
const ENDS: &str = "the program should close this connection here: drop the stream, and every \
    clone of it, or shut it down";
