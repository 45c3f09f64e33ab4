//! Answers that the harness gives to the client under test: right ones, and such as it must
//! not take.

use super::message::{AA, HEADER, QR, RD, Record};

/// An answer in the making.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) id: [u8; 2],
    pub(super) flags: u16,
    /// How many questions it says that it has.
    pub(super) questions: u16,
    pub(super) question: Vec<u8>,
    /// Its records, one after the other, and how many it says that there are.
    pub(super) records: Vec<u8>,
    pub(super) count: u16,
    /// What stands behind the answer section, as additional records.
    pub(super) behind: Vec<u8>,
}

impl Reply {
    /// The answer to this query of the client, without a record.
    pub(super) fn to(query: &[u8]) -> Self {
        let (header, question) = query.split_at(HEADER.min(query.len()));
        let id = [0, 1].map(|at| header.get(at).copied().unwrap_or_default());
        Self {
            id,
            flags: QR | AA | RD,
            questions: 1,
            question: question.to_vec(),
            records: Vec::new(),
            count: 0,
            behind: Vec::new(),
        }
    }

    /// With one record more.
    pub(super) fn with(self, record: &Record) -> Self {
        self.with_bytes(&record.bytes())
    }

    /// With one record more, as it stands in the message.
    pub(super) fn with_bytes(mut self, record: &[u8]) -> Self {
        self.records.extend(record);
        self.count += 1;
        self
    }

    /// With these bits of its flags turned over.
    pub(super) fn turned(self, bits: u16) -> Self {
        Self { flags: self.flags ^ bits, ..self }
    }

    /// With this code.
    pub(super) fn code(self, code: u16) -> Self {
        Self { flags: self.flags & !0x000F | code, ..self }
    }

    /// Without its question.
    pub(super) fn without_question(self) -> Self {
        Self { questions: 0, question: Vec::new(), ..self }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let additional = u16::from(!self.behind.is_empty());
        let numbers = [self.flags, self.questions, self.count, 0, additional];
        let numbers = numbers.into_iter().flat_map(u16::to_be_bytes);
        let mut bytes: Vec<u8> = self.id.into_iter().chain(numbers).collect();
        for part in [&self.question, &self.records, &self.behind] {
            bytes.extend(part);
        }
        bytes
    }
}
