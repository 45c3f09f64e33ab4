//! The harness's end of a link: what it sends to a servent, and the descriptors that it expects.

use super::descriptor::{Descriptor, HEADER, PONG};
use super::fields;
use crate::net::{Connection, Cut, LineEnd, Lines};
use crate::trial::{End, Stall, Trial, Verdict};
use crate::words::{count, summary};

/// Bytes that a sentence shows of what is no descriptor.
const SHOWN: usize = 40;

/// The harness's end of a link.
#[derive(Debug)]
pub(super) struct Link {
    /// Descriptors are no lines, and come over the same connections.
    stream: Lines,
}

/// What came instead of a descriptor.
enum Instead {
    End(End),
    Nothing(Stall),
}

impl Link {
    pub(super) fn new(connection: Connection) -> Self {
        Self { stream: Lines::new(connection, LineEnd::Lf) }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.stream.connection()
    }

    /// What comes, byte by byte.
    pub(super) fn stream(&mut self) -> &mut Lines {
        &mut self.stream
    }

    /// What the reader calls it.
    pub(super) fn name(&self) -> &str {
        self.stream.name()
    }

    fn trial(&self) -> &Trial {
        self.connection().trial()
    }

    /// Sends a descriptor in one write.
    pub(super) fn send(&mut self, descriptor: &Descriptor) -> Verdict {
        self.send_as(&descriptor.bytes(), &fields::in_words(descriptor))
    }

    /// Sends these in one write.
    pub(super) fn send_all(&mut self, descriptors: &[Descriptor]) -> Verdict {
        let bytes: Vec<u8> = descriptors.iter().flat_map(Descriptor::bytes).collect();
        let words: Vec<_> = descriptors.iter().map(fields::in_words).collect();
        self.send_as(&bytes, &format!("in one write {}", words.join(", then ")))
    }

    /// Sends a descriptor, cut into pieces that are a read each.
    pub(super) fn send_cut(&mut self, descriptor: &Descriptor, cut: Cut) -> Verdict {
        self.send_pieces(&descriptor.bytes(), cut, &fields::in_words(descriptor))
    }

    /// Sends any bytes, cut into pieces that are a read each; the story calls them `what`.
    pub(super) fn send_pieces(&mut self, bytes: &[u8], cut: Cut, what: &str) -> Verdict {
        self.stream.send_pieces(bytes, cut, what)
    }

    /// Sends any bytes in one write; the story calls them `what`.
    pub(super) fn send_as(&mut self, bytes: &[u8], what: &str) -> Verdict {
        self.stream.send_as(bytes, what)
    }

    /// Sends without a word, as much as the program takes. Returns whether it took all.
    pub(super) fn put(&self, bytes: &[u8]) -> Verdict<bool> {
        self.stream.put(bytes)
    }

    /// Takes the next descriptor off the stream.
    fn next(&mut self) -> Verdict<Result<Descriptor, Instead>> {
        let result = self.stream.hear_until(|unread| Descriptor::first(unread).is_some())?;
        if let Some(first) = Descriptor::first(self.stream.unread()) {
            self.stream.take(HEADER + first.payload.len());
            return Ok(Ok(first));
        }
        Ok(Err(match (self.stream.ended(), result) {
            (None, Err(stall)) => Instead::Nothing(stall),
            (end, _) => Instead::End(end.unwrap_or(End::Stream)),
        }))
    }

    /// Expects exactly this descriptor next; `cause` is what is likely wrong where it does not come.
    pub(super) fn expect(&mut self, wanted: &Descriptor, cause: &str) -> Verdict {
        self.expect_all(std::slice::from_ref(wanted), cause)
    }

    /// Expects these next, in any order.
    pub(super) fn expect_all(&mut self, wanted: &[Descriptor], cause: &str) -> Verdict {
        let mut open = wanted.to_vec();
        while !open.is_empty() {
            let words: Vec<_> = open.iter().map(fields::in_words).collect();
            let found = self.expect_fitting(&words.join(" or "), cause, |seen| {
                let found = open.iter().position(|one| one == seen);
                found.ok_or_else(|| fields::differences(nearest(&open, seen), seen))
            })?;
            open.remove(found);
        }
        Ok(())
    }

    /// Expects a descriptor next of which `fits` approves, or says what is wrong with it.
    pub(super) fn expect_fitting<T>(
        &mut self,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&Descriptor) -> Result<T, Vec<String>>,
    ) -> Verdict<T> {
        let next = self.next()?;
        let (name, program) = (self.name(), self.stream.program());
        let (headline, seen) = match next {
            Ok(descriptor) => match fits(&descriptor) {
                Ok(found) => {
                    let what = fields::in_words(&descriptor);
                    self.trial().note(format!("{name} received {what}"));
                    return Ok(found);
                }
                Err(wrong) => (
                    format!("the {program} sent {name} another descriptor than expected"),
                    [vec![fields::in_words(&descriptor)], wrong].concat(),
                ),
            },
            Err(Instead::End(end)) => (
                format!("the {program} ended the connection with {name}"),
                vec![format!("{}{}", self.so_far(), end.describe())],
            ),
            Err(Instead::Nothing(stall)) => (
                format!("nothing came to {name}"),
                vec![format!("{}{}", self.so_far(), stall.sentence(&program))],
            ),
        };
        let blame = self.trial().fail(headline).expected(expected);
        let blame = seen.into_iter().fold(blame, |blame, seen| blame.seen(seen));
        Err(blame.cause(cause).stop())
    }

    /// Expects a Pong next, whatever it says.
    pub(super) fn expect_a_pong(&mut self, cause: &str) -> Verdict {
        self.expect_fitting("a Pong", cause, |seen| {
            if seen.kind == PONG { Ok(()) } else { Err(Vec::new()) }
        })
    }

    /// What there is of the next descriptor.
    fn so_far(&self) -> String {
        match self.stream.unread() {
            [] => String::new(),
            unread => format!("only {}, then ", summary(unread, SHOWN)),
        }
    }

    /// Takes all whole descriptors that come, until there are so many or no more come: for what
    /// comes in thousands.
    pub(super) fn take_many(&mut self, enough: usize) -> Verdict<Vec<Descriptor>> {
        let _ = self.stream.hear_until(|unread| count_whole(unread) >= enough)?;
        self.take_more()
    }

    /// Takes the whole descriptors that are there, and does not wait.
    pub(super) fn take_more(&mut self) -> Verdict<Vec<Descriptor>> {
        self.stream.take_in()?;
        let (all, rest) = Descriptor::all(self.stream.unread());
        let length = self.stream.unread().len() - rest.len();
        self.stream.take(length);
        Ok(all)
    }

    /// What has come and was not taken.
    pub(super) fn unread(&self) -> &[u8] {
        self.stream.unread()
    }

    /// How the program has ended the link, if it has.
    pub(super) fn ended(&self) -> Option<End> {
        self.stream.ended()
    }

    /// Takes in what is there, and does not wait.
    pub(super) fn take_in(&mut self) -> Verdict {
        self.stream.take_in()
    }

    /// Expects that nothing comes, and that the link stays, when the program has come to rest;
    /// `cause` is why something may come.
    pub(super) fn expect_silence(&mut self, cause: &str) -> Verdict {
        let _ = self.trial().settle(self.connection().running())?;
        self.expect_nothing_more(cause)
    }

    /// The same of a program that is known to be at rest.
    pub(super) fn expect_nothing_more(&mut self, cause: &str) -> Verdict {
        self.stream.expect_no_message("that was not for it", first_in_words, cause)
    }

    /// Expects that the program closes the connection, orderly or by a reset, with nothing before it.
    pub(super) fn expect_closed(&mut self, cause: &str) -> Verdict {
        self.stream.expect_closed(cause)
    }

    /// Expects these bytes next.
    pub(super) fn expect_bytes(&mut self, bytes: &[u8], cause: &str) -> Verdict {
        self.stream.expect_bytes(bytes, cause)
    }

    /// Expects a reply of HTTP with this body, and the end of the connection behind it.
    pub(super) fn expect_download(&mut self, body: &[u8], cause: &str) -> Verdict {
        let seen = self.stream.read_all_until(|_| false)?;
        let head = seen.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, seen_body) = seen.split_at(head.map_or(seen.len(), |end| end + 4));
        let (name, program) = (self.name(), self.stream.program());
        if head.starts_with(b"HTTP/1.0 200 ") && seen_body == body && self.ended().is_some() {
            self.trial().note(format!("{name} got the file, {}", count(body.len())));
            return Ok(());
        }
        let then = self.ended().map_or("no end of the connection", |end| end.describe());
        Err(self
            .trial()
            .fail(format!("the {program} does not give {name} the file"))
            .expected(format!("HTTP/1.0 200 OK, a Content-Length, and {}", count(body.len())))
            .seen(format!("{}, then {then}", summary(&seen, SHOWN)))
            .cause(cause)
            .stop())
    }

    /// Ends its sending side (FIN), and goes on listening.
    pub(super) fn half_close(&mut self) -> Verdict {
        self.stream.end()
    }

    /// Closes the link.
    pub(super) fn close(self) {
        self.stream.close();
    }

    /// Tears the link down (RST): closes with something of the program's unread.
    pub(super) fn reset(self) -> Verdict {
        self.stream.reset()
    }
}

/// Expects that nothing comes on any of these links, and that they stay, when the program has come
/// to rest.
pub(super) fn expect_silence_on(links: &mut [&mut Link], cause: &str) -> Verdict {
    // What comes all the same is read on all of them before one is looked at. Then nothing is under
    // way any more, and what a failure says of the others is no matter of luck.
    for link in links.iter_mut() {
        let _ = link.trial().settle(link.connection().running())?;
        link.take_in()?;
    }
    links.iter_mut().try_for_each(|link| link.expect_silence(cause))
}

/// What stands at the beginning of what was not expected.
fn first_in_words(unread: &[u8]) -> String {
    Descriptor::first(unread)
        .map_or_else(|| summary(unread, SHOWN), |first| fields::in_words(&first))
}

/// How many whole descriptors stand in a stream.
fn count_whole(mut stream: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(length) = Descriptor::whole_length(stream) {
        stream = &stream[length..];
        whole += 1;
    }
    whole
}

/// The one that was most likely meant: of the same id and kind, or the first.
fn nearest<'a>(open: &'a [Descriptor], seen: &Descriptor) -> &'a Descriptor {
    let same = |one: &&Descriptor| (one.id, one.kind) == (seen.id, seen.kind);
    open.iter().find(same).unwrap_or(&open[0])
}
