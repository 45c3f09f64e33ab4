//! Bencoding (BEP 3): how torrents and a tracker's answers are written. There are integers `i42e`,
//! strings of bytes `4:spam`, lists `l…e`, and dictionaries `d…e`, whose keys are strings.

/// The most levels of lists and dictionaries in each other. Without a limit a few thousand bytes of
/// `l` would use up the stack of this program.
const DEEPEST: usize = 32;

/// A value, with what it is made of where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// What it says.
    pub kind: Kind<'a>,
    /// Its own bytes, from the first to the last.
    pub raw: &'a [u8],
}

/// What a value says.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `i42e`
    Integer(i64),
    /// `4:spam`: any bytes, and not always text.
    Bytes(&'a [u8]),
    /// `li1ei2ee`
    List(Vec<Value<'a>>),
    /// `d3:key5:valuee`
    Dictionary(Vec<(&'a [u8], Value<'a>)>),
}

impl<'a> Value<'a> {
    /// Reads a value. What follows it is not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, &'static str> {
        Parser { rest: bytes }.value(DEEPEST)
    }

    /// The value of this key, where this is a dictionary that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Dictionary(entries) = &self.kind else { return None };
        entries.iter().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }

    /// The integer that stands under this key.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)?.kind {
            Kind::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// The bytes that stand under this key.
    pub fn bytes(&self, key: &str) -> Option<&'a [u8]> {
        match self.get(key)?.kind {
            Kind::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text that stands under this key.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        str::from_utf8(self.bytes(key)?).ok()
    }
}

/// A string of bytes, as it is written: its length, a colon, and the bytes.
pub fn string(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes].concat()
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    /// The next value, in which so many levels may still begin.
    fn value(&mut self, levels: usize) -> Result<Value<'a>, &'static str> {
        let begin = self.rest;
        let kind = match begin.first() {
            Some(b'0'..=b'9') => Kind::Bytes(self.string()?),
            Some(b'i') => {
                self.skip(1);
                let digits = self.up_to(b'e')?;
                // `parse` takes a `+`, too.
                let integer = digits.parse().ok().filter(|_| !digits.starts_with('+'));
                Kind::Integer(integer.ok_or("a malformed integer")?)
            }
            Some(b'l' | b'd') if levels == 0 => return Err("it is nested deeper than 32 levels"),
            Some(b'l') => {
                self.skip(1);
                let mut list = Vec::new();
                while !self.is_at_the_end()? {
                    list.push(self.value(levels - 1)?);
                }
                Kind::List(list)
            }
            Some(b'd') => {
                self.skip(1);
                let mut entries = Vec::new();
                while !self.is_at_the_end()? {
                    entries.push((self.string()?, self.value(levels - 1)?));
                }
                Kind::Dictionary(entries)
            }
            Some(_) => return Err("it is not bencoded"),
            None => return Err("a value is cut off"),
        };
        Ok(Value { kind, raw: &begin[..begin.len() - self.rest.len()] })
    }

    fn string(&mut self) -> Result<&'a [u8], &'static str> {
        let digits = self.up_to(b':')?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let length: usize =
            digits.parse().ok().filter(|_| is_number).ok_or("a malformed length")?;
        // Compared before anything is made of it.
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or("a string is cut off")?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The text up to this byte, which is skipped.
    fn up_to(&mut self, end: u8) -> Result<&'a str, &'static str> {
        let at = self.rest.iter().position(|byte| *byte == end).ok_or("a value is cut off")?;
        let text = str::from_utf8(&self.rest[..at]).map_err(|_| "a malformed number")?;
        self.skip(at + 1);
        Ok(text)
    }

    /// Whether an `e` is next, which is then skipped.
    fn is_at_the_end(&mut self) -> Result<bool, &'static str> {
        let is_end = *self.rest.first().ok_or("a value is cut off")? == b'e';
        self.skip(usize::from(is_end));
        Ok(is_end)
    }

    fn skip(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Kind<'_> {
        Value::parse(bytes).map(|value| value.kind).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_four_kinds_of_values() {
        assert_eq!(of(b"i-42e"), Kind::Integer(-42));
        assert_eq!(of(b"i9223372036854775807e"), Kind::Integer(i64::MAX));
        assert_eq!(of(b"4:\x00\xff:e"), Kind::Bytes(b"\x00\xff:e"));
        assert_eq!(of(b"0:"), Kind::Bytes(b""));
        assert!(matches!(of(b"li1e1:ae"), Kind::List(list) if list.len() == 2));
        assert_eq!(of(b"de"), Kind::Dictionary(vec![]));
    }

    #[test]
    fn a_dictionary_gives_what_stands_under_a_key_if_it_has_the_kind() {
        let value = Value::parse(b"d8:intervali60e5:peers6:\x7f\x00\x00\x01\x1a\xe1e").unwrap();
        assert_eq!(value.integer("interval"), Some(60));
        assert_eq!(value.bytes("peers"), Some(b"\x7f\x00\x00\x01\x1a\xe1".as_slice()));
        assert_eq!(value.bytes("interval"), None);
        assert_eq!(value.integer("other"), None);
    }

    #[test]
    fn a_value_knows_its_own_bytes() {
        let value = Value::parse(b"d1:ai1e4:infod3:key5:valuee1:zlee and more").unwrap();
        assert_eq!(value.get("info").map(|info| info.raw), Some(b"d3:key5:valuee".as_slice()));
    }

    #[test]
    fn what_is_broken_is_an_error_and_never_a_panic() {
        for bad in [
            "",
            "i",
            "ie",
            "i1",
            "i--1e",
            "i+1e",
            "i9223372036854775808e",
            "5:spam",
            "99999999999999999999:a",
            "-1:a",
            "l",
            "li1e",
            "d",
            "d1:a",
            "d1:ae",
            "di1ei2ee",
            "x",
            "4",
            "e",
        ] {
            assert!(Value::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn there_are_32_levels_and_not_one_more() {
        let nested = |levels| "l".repeat(levels) + &"e".repeat(levels);
        assert!(Value::parse(nested(32).as_bytes()).is_ok());
        assert!(Value::parse(nested(33).as_bytes()).is_err());
        assert!(Value::parse(nested(100_000).as_bytes()).is_err());
    }
}
