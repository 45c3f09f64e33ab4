//! The harness as a client of a name server: what it asks over UDP, and which answers are right.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use super::fields;
use super::message::{
    AA, FORMERR, HEADER, NOERROR, NOTIMP, OPCODE, QR, Query, RD, REFUSED, Record, Reply, compare,
};
use super::shown::code_name;
use crate::net::Asker;
use crate::trial::{Running, Trial, Verdict};
use crate::words::count;

/// One that asks over UDP.
#[derive(Debug)]
pub(super) struct Inquirer {
    asker: Asker,
}

/// RD, and the bits that are nobody's here: RA, Z, AD and CD.
const COPIED_OR_ZERO: u16 = RD | 0x00F0;
/// The bits of the code.
const RCODE: u16 = 0x000F;

/// Which answer is right.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    code: u16,
    /// Bits of the flags besides QR, the opcode, RD and the code.
    flags: u16,
    /// Bits that may be as they like.
    free: u16,
    records: Vec<Record>,
    /// Whether the question may be left out.
    bare: bool,
}

impl Wanted {
    /// These records, in any order, and the word of the server that the zone belongs to.
    pub(super) fn records(records: Vec<Record>) -> Self {
        Self { code: NOERROR, flags: AA, free: AA | COPIED_OR_ZERO, records, bare: false }
    }

    /// No record, and this code, about a name of the zone.
    pub(super) fn no_record(code: u16) -> Self {
        Self { code, ..Self::records(Vec::new()) }
    }

    /// No record, and any code, about a name of the zone.
    pub(super) fn nothing() -> Self {
        Self { free: AA | COPIED_OR_ZERO | RCODE, ..Self::records(Vec::new()) }
    }

    /// No record, and this code, from a server that says nothing about the name.
    pub(super) fn refusal(code: u16) -> Self {
        // Who has not understood a question need not repeat it.
        let bare = [FORMERR, NOTIMP].contains(&code);
        Self { code, flags: 0, free: COPIED_OR_ZERO, records: Vec::new(), bare }
    }

    pub(super) fn refused() -> Self {
        Self::refusal(REFUSED)
    }

    /// The same with this code.
    pub(super) fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }

    /// The same; these bits of the flags, too, may be as they like.
    pub(super) fn whatever(self, free: u16) -> Self {
        Self { free: self.free | free, ..self }
    }

    /// The same; no bit of the flags may be as it likes. One mistake in them shall not cost the
    /// points of each check that looks at an answer.
    pub(super) fn with_exact_flags(self) -> Self {
        Self { free: 0, ..self }
    }

    /// As a noun: `an answer with NOERROR, AA and 1 record: …`.
    pub(super) fn describe(&self) -> String {
        if self.free & RCODE != 0 {
            return "an answer without a record".into();
        }
        let aa = if self.flags & AA != 0 { " and AA" } else { "" };
        let mut text = format!("an answer with {}{aa}", code_name(self.code));
        match &self.records[..] {
            [] if self.code == NOERROR => text += ", and no record",
            [] => {}
            [one] => text += &format!(": {one}"),
            [first, rest @ ..] => text += &format!(": {first}, and {} more", rest.len()),
        }
        text
    }

    /// What is wrong with this answer to this query, in a sentence.
    pub(super) fn judge(&self, query: &Query, bytes: &[u8]) -> Result<(), String> {
        identified(query, bytes)?;
        let flags = u16::from_be_bytes([bytes[2], bytes[3]]);
        let expected = (QR | (query.flags & (OPCODE | RD)) | self.flags | self.code) & !self.free;
        if let Some(wrong) = fields::flags(expected, flags & !self.free) {
            return Err(wrong);
        }
        // A question that can't be taken apart may come back as it was, or not at all.
        if self.bare && query.bytes()[HEADER..].starts_with(&bytes[HEADER..]) {
            return Ok(());
        }
        let reply = Reply::read(bytes)?;
        let [questions, answers, authorities, additional] = reply.counts;
        if reply.question != query.question() {
            let (asked, came) = (query.question(), &reply.question);
            let at = asked.iter().zip(came).take_while(|(a, b)| a == b).count();
            return Err(match questions {
                1 => format!(
                    "the question has come back changed, from byte {} on ({})",
                    HEADER + at,
                    fields::field_at(query, HEADER + at)
                ),
                n => format!("bytes 4 and 5: QDCOUNT = {n}, expected 1: the question comes back"),
            });
        }
        for (at, name, count) in [(8, "NSCOUNT", authorities), (10, "ARCOUNT", additional)] {
            if count != 0 {
                return Err(format!("bytes {at} and {}: {name} = {count}, expected 0", at + 1));
            }
        }
        if reply.behind > 0 {
            return Err(format!(
                "behind the last of {answers} records stand {} more",
                count(reply.behind)
            ));
        }
        let [missing, surplus] = compare(&self.records, &reply.records);
        match (&missing[..], &surplus[..]) {
            ([], []) => Ok(()),
            ([missing, ..], []) => Err(format!("this record is missing: {missing}")),
            ([], [surplus, ..]) => Err(format!("this record should not be there: {surplus}")),
            ([missing, ..], [surplus, ..]) => Err(format!(
                "this record should not be there: {surplus}; and this one is missing: {missing}"
            )),
        }
    }
}

/// Whether this is an answer to the query at all: by its id, and by saying so.
pub(super) fn identified(query: &Query, bytes: &[u8]) -> Result<(), String> {
    if bytes.len() < HEADER {
        return Err(format!("its header is cut off: it has 12 bytes, and {} came", bytes.len()));
    }
    let [[high, low], seen] = [query.id.to_be_bytes(), [bytes[0], bytes[1]]];
    if seen != [high, low] {
        let [its_high, its_low] = seen;
        return Err(format!(
            "bytes 0 and 1: ID = {its_high:02x} {its_low:02x}, expected {high:02x} {low:02x}"
        ));
    }
    match bytes[2] & 0x80 {
        0 => {
            Err(format!("byte 2: QR OPCODE AA TC RD = {:02x}: QR (an answer) is missing", bytes[2]))
        }
        _ => Ok(()),
    }
}

impl Inquirer {
    pub(super) fn new(t: &Trial, running: &Rc<Running>, to: SocketAddr) -> Verdict<Self> {
        Ok(Self { asker: t.asker(running, to)?.in_words(fields::in_words) })
    }

    /// Its own address.
    pub(super) fn here(&self) -> SocketAddr {
        self.asker.here()
    }

    /// Sends a query, and goes on at once.
    pub(super) fn ask(&self, query: &Query) -> Verdict {
        self.asker.send(&query.bytes())
    }

    /// Sends any bytes.
    pub(super) fn send(&self, bytes: &[u8]) -> Verdict {
        self.asker.send(bytes)
    }

    /// Expects an answer to this query, whatever it says: enough where nothing is written yet that
    /// could say more.
    pub(super) fn expect_some_answer(&self, query: &Query, cause: &str) -> Verdict {
        let [high, low] = query.id.to_be_bytes();
        let expected = format!("an answer with the id {high:02x}{low:02x}");
        self.asker.expect_one(&expected, cause, |bytes| identified(query, bytes)).map(drop)
    }

    /// Expects an answer to this query of whose flags `fits` approves.
    pub(super) fn expect_header(
        &self,
        query: &Query,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(u16) -> Result<(), String>,
    ) -> Verdict {
        let judge = |bytes: &[u8]| {
            identified(query, bytes)?;
            fits(u16::from_be_bytes([bytes[2], bytes[3]]))
        };
        self.asker.expect_one(expected, cause, judge).map(drop)
    }

    /// Expects this answer to this query.
    pub(super) fn expect(&self, query: &Query, wanted: &Wanted, cause: &str) -> Verdict {
        let expected = wanted.describe();
        self.asker.expect_one(&expected, cause, |bytes| wanted.judge(query, bytes)).map(drop)
    }

    /// Asks, and expects this answer.
    pub(super) fn expect_answer(&self, query: &Query, wanted: &Wanted, cause: &str) -> Verdict {
        self.ask(query)?;
        self.expect(query, wanted, cause)
    }

    /// Expects an answer to this query of which `fits` approves, and returns it, taken apart.
    pub(super) fn expect_fitting(
        &self,
        query: &Query,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&Reply) -> Result<(), String>,
    ) -> Verdict<Reply> {
        let reply = Cell::new(None);
        self.asker.expect_one(expected, cause, |bytes| {
            identified(query, bytes)?;
            let one = Reply::read(bytes)?;
            fits(&one)?;
            reply.set(Some(one));
            Ok::<_, String>(())
        })?;
        reply.take().ok_or_else(|| crate::trial::Stop::Fault("the answer is gone".into()))
    }

    /// Expects that nothing comes.
    pub(super) fn expect_nothing(&self, cause: &str) -> Verdict {
        self.asker.expect_nothing(cause)
    }
}
