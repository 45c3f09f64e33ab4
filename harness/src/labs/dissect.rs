//! A message of a binary protocol, taken apart: its fields in order, what each says, and where two messages
//! differ. Which fields there are each lab knows for itself.

use std::net::Ipv4Addr;

use crate::words::{count, quote_short};

/// The most fields that a failure shows: of two different messages there is no end.
const MOST: usize = 6;
/// How much of a text is shown, in bytes.
pub(super) const TEXT: usize = 40;
/// How many bytes of a field are shown in hexadecimal digits.
const HEX: usize = 16;

/// A field: where it stands, and what it says.
#[derive(Debug)]
pub(super) struct Part {
    at: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) name: String,
    says: Says,
}

/// How the bytes of a field are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// As a number of one byte, or of several, the lowest first.
    LowestFirst,
    /// The same with the highest first.
    HighestFirst,
    /// As the address of a machine.
    Ip,
    /// As a text.
    Text,
    /// As what they are.
    Bytes,
}

impl Part {
    /// `bytes 19-22 payload length: 02 01 00 00 = 258 little-endian`
    pub(super) fn told(&self) -> String {
        let Self { at, bytes, name, says } = self;
        let place = match bytes.len() {
            0 => format!("at byte {at}"),
            1 => format!("byte {at}"),
            length => format!("bytes {at}-{}", at + length - 1),
        };
        let order = match says {
            Says::LowestFirst if bytes.len() > 1 => " little-endian",
            _ => "",
        };
        format!("{place} {name}: {}{order}", self.value())
    }

    /// In bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// `02 01 00 00 = 258`
    pub(super) fn value(&self) -> String {
        let bytes = &self.bytes;
        let hex: Vec<_> = bytes.iter().take(HEX).map(|byte| format!("{byte:02x}")).collect();
        let hex = hex.join(" ");
        match self.says {
            Says::LowestFirst | Says::HighestFirst => {
                let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
                let number = match self.says {
                    Says::LowestFirst => bytes.iter().rev().fold(0, add),
                    _ => bytes.iter().fold(0, add),
                };
                if bytes.len() > 1 { format!("{hex} = {number}") } else { number.to_string() }
            }
            Says::Ip => match <[u8; 4]>::try_from(&bytes[..]) {
                Ok(ip) => format!("{hex} = {}", Ipv4Addr::from(ip)),
                Err(_) => hex,
            },
            Says::Text => quote_short(bytes, TEXT),
            Says::Bytes if bytes.is_empty() => "nothing".into(),
            Says::Bytes if bytes.len() > HEX => format!("{hex}… ({})", count(bytes.len())),
            Says::Bytes => hex,
        }
    }
}

/// Where two of them differ, a sentence for each field:
/// `bytes 23-24 port: 1b 59 = 22811 little-endian, expected 59 1b = 7001`.
///
/// Where the field `kind` differs, the others are those of another message, and are not compared.
pub(super) fn differences(expected: &[Part], seen: &[Part], kind: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (index, part) in seen.iter().enumerate() {
        match expected.get(index) {
            Some(wanted) if wanted.bytes == part.bytes && wanted.name == part.name => {}
            Some(wanted) if wanted.name == part.name => {
                let reversed = part.bytes.iter().rev().eq(&wanted.bytes);
                let turned = if reversed { ": its bytes stand the other way round" } else { "" };
                told.push(format!("{}, expected {}{turned}", part.told(), wanted.value()));
                if part.name == kind {
                    break;
                }
            }
            _ => {
                told.push(format!("{}, and it should not be there", part.told()));
                break;
            }
        }
    }
    if let Some(missing) = expected.get(seen.len())
        && told.is_empty()
    {
        told.push(format!("it ends where {} should stand", missing.name));
    }
    told.truncate(MOST);
    told
}

/// What is not taken apart yet.
pub(super) struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
    parts: Vec<Part>,
}

impl<'a> Rest<'a> {
    /// All of a message.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, parts: Vec::new() }
    }

    /// The next byte, if there is one.
    pub(super) fn next(&self) -> Option<&'a u8> {
        self.bytes.get(self.at)
    }

    /// The next field, of this length, or as much of it as there is; none where there is nothing.
    pub(super) fn take(&mut self, name: &str, length: usize, says: Says) {
        let end = self.bytes.len().min(self.at + length);
        let bytes = self.bytes[self.at..end].to_vec();
        if !bytes.is_empty() {
            self.parts.push(Part { at: self.at, bytes, name: name.to_owned(), says });
        }
        self.at = end;
    }

    /// The next field, up to this byte, be it empty.
    pub(super) fn take_until(&mut self, name: &str, end: u8, says: Says) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == end).unwrap_or(rest.len());
        if length == 0 && !rest.is_empty() {
            let name = name.to_owned();
            self.parts.push(Part { at: self.at, bytes: Vec::new(), name, says });
        }
        self.take(name, length, says);
    }

    /// All fields, and what is left as one more of this name.
    pub(super) fn end(mut self, name: &str) -> Vec<Part> {
        self.take(name, self.bytes.len() - self.at, Says::Bytes);
        self.parts
    }
}
