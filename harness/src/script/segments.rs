//! Into which segments the harness cuts what it sends. A program must not notice any of it.

use super::{Action, Conversation, Line};
use crate::net::Cut;

/// A way of cutting what one side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segments {
    /// What stands on successive lines of the file is sent in one write.
    Whole,
    /// A write for each line of the file; each is read before the next one follows.
    Lines,
    /// A write for each byte; each is read before the next one follows.
    Bytes,
    /// As much as possible in one write: what is expected meanwhile is looked at afterwards.
    Together,
    /// Pieces of 1 to 7 bytes, without regard to lines, from this seed.
    Random(u64),
}

impl Segments {
    /// All ways, in the order in which they are played.
    pub const ALL: [Self; 5] =
        [Self::Whole, Self::Lines, Self::Bytes, Self::Together, Self::Random(3)];

    /// In words, for the story.
    pub fn describe(self) -> String {
        match self {
            Self::Whole => "successive lines in one segment".into(),
            Self::Lines => "a segment for each line".into(),
            Self::Bytes => "byte by byte".into(),
            Self::Together => "everything in one segment, before anything is read".into(),
            Self::Random(seed) => format!("in pieces of 1 to 7 bytes (seed {seed})"),
        }
    }

    /// The pieces of a burst; each is sent alone.
    pub(super) fn cut(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Bytes => Cut::Bytes.pieces(bytes),
            Self::Random(seed) => Cut::Seed(seed).pieces(bytes),
            _ => vec![bytes],
        }
    }
}

/// A step of the harness: bytes to send, or one line of the file to see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Burst<'a> {
    /// Sends what these lines of one side say.
    Send(Vec<&'a Line>),
    /// Everything else.
    Do(&'a Line),
}

/// The steps of the harness when the programs play these sides.
pub fn bursts<'a>(
    conversation: &'a Conversation,
    programs: &[usize],
    segments: Segments,
) -> Vec<Burst<'a>> {
    let mut steps: Vec<Burst<'a>> = Vec::new();
    let mut later: Vec<Burst<'a>> = Vec::new();
    // What the program shows can wait, as long as only one side of the harness has given cause to
    // it. When a user has typed, what follows is an answer, and comes in its turn.
    let mut together = segments == Segments::Together;
    let mut sender = None;
    for line in &conversation.lines {
        let own = line.side.is_some_and(|side| !programs.contains(&side));
        match &line.act {
            Action::Says(_) | Action::Sends(_) if own => {
                // What it has to know first, or what somebody else has caused, is not put off.
                let recalls =
                    matches!(&line.act, Action::Sends(it) if it.recalls().next().is_some());
                if recalls || (sender.is_some() && sender != line.side) {
                    steps.append(&mut later);
                }
                match steps.last_mut() {
                    Some(Burst::Send(lines))
                        if segments != Segments::Lines && sender == line.side =>
                    {
                        lines.push(line);
                    }
                    _ => steps.push(Burst::Send(vec![line])),
                }
                sender = line.side;
            }
            // What the harness's own side would print or type, nobody sees.
            Action::Prints(_) | Action::Types(_) | Action::Quits | Action::Exits(_) if own => {}
            Action::Says(_)
            | Action::Sends(_)
            | Action::Answers(_)
            | Action::Hears(_)
            | Action::Receives(_)
            | Action::Prints(_)
                if together =>
            {
                later.push(Burst::Do(line));
            }
            // The end of its own side goes out behind the bytes.
            Action::Ends if own && together && (sender.is_none() || sender == line.side) => {
                steps.push(Burst::Do(line));
            }
            act => {
                together &= !matches!(act, Action::Types(_) | Action::Quits);
                steps.append(&mut later);
                steps.push(Burst::Do(line));
            }
        }
    }
    steps.append(&mut later);
    steps
}

#[cfg(test)]
mod tests {
    use super::super::{Vocabulary, parse};
    use super::*;

    const PEERS: Vocabulary = Vocabulary { console: true, ..Vocabulary::LEAST };
    const TEXT: &str = "the program is ann\nbob calls ann\nann says A\nbob says B\nbob sends C\n\
                        ann prints D\nbob ends\nann closes\n";

    fn order(segments: Segments) -> Vec<Vec<usize>> {
        let conversation = parse("a.txt", TEXT, &PEERS).unwrap();
        let numbers = |step: &Burst<'_>| match step {
            Burst::Send(lines) => lines.iter().map(|line| line.number).collect(),
            Burst::Do(line) => vec![line.number],
        };
        bursts(&conversation, &[1], segments).iter().map(numbers).collect()
    }

    #[test]
    fn successive_lines_are_one_burst_unless_each_is_sent_alone() {
        assert_eq!(
            order(Segments::Whole),
            [vec![2], vec![3], vec![4, 5], vec![6], vec![7], vec![8]]
        );
        assert_eq!(order(Segments::Bytes), order(Segments::Whole));
        let alone = [vec![2], vec![3], vec![4], vec![5], vec![6], vec![7], vec![8]];
        assert_eq!(order(Segments::Lines), alone);
    }

    #[test]
    fn sent_together_all_goes_out_before_anything_is_read() {
        assert_eq!(
            order(Segments::Together),
            [vec![2], vec![4, 5], vec![7], vec![3], vec![6], vec![8]]
        );
    }

    #[test]
    fn what_follows_from_what_the_user_types_comes_in_its_turn() {
        let text = "the program is ann\nbob calls ann\nbob says A\nann prints A\nann types B\n\
                    ann says B\nbob says C\nann prints C\n";
        let conversation = parse("a.txt", text, &PEERS).unwrap();
        let steps = bursts(&conversation, &[1], Segments::Together);
        let sends = steps.iter().filter(|step| matches!(step, Burst::Send(_))).count();
        assert_eq!((steps.len(), sends), (7, 2));
    }

    #[test]
    fn pieces_put_together_are_the_burst() {
        for segments in Segments::ALL {
            assert_eq!(segments.cut(b"HELLO bob\n").concat(), b"HELLO bob\n");
        }
    }
}
