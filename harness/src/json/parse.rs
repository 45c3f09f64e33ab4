//! The parser: RFC 8259, strictly.

use std::fmt;

use super::Json;

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where it stopped being JSON: an offset into the text, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON at byte {}: {}", self.offset, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Reads a text that is one JSON document.
pub(super) fn document(text: &str) -> Result<Json, ParseError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error("more text after the value"));
    }
    Ok(value)
}

/// Each level costs a frame of the stack; no record needs more than ten.
const DEEPEST: usize = 128;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, what: &'static str) -> ParseError {
        ParseError { offset: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over this byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, ParseError> {
        if depth > DEEPEST {
            return Err(self.error("nested too deep"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("the text ends where a value should be")),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, ParseError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("expected true, false or null"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut values = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Json::Array(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Json::Array(values));
            }
            if !self.take(b',') {
                return Err(self.error("expected , or ] in an array"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, ParseError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a name in quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("expected : behind a name"));
            }
            members.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(self.error("expected , or } in an object"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, ParseError> {
        let start = self.at;
        self.take(b'-');
        // A zero stands alone: JSON has no 007.
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let out_of_range = ParseError { offset: start, what: "number out of range" };
        match self.text[start..self.at].parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Json::Number(value)),
            _ => Err(out_of_range),
        }
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            // Only ASCII bytes end a run, so the run is whole characters.
            let start = self.at;
            while matches!(self.peek(), Some(b) if b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.error("a control character in a string")),
                None => return Err(self.error("the text ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let lone = ParseError { offset: start, what: "half of a surrogate pair" };
                return self.unicode()?.ok_or(lone);
            }
            _ => return Err(self.error("unknown escape")),
        };
        self.at += 1;
        Ok(c)
    }

    /// Reads `uXXXX`, and its second half where the first is a high surrogate; `None` when
    /// one of the two is missing.
    fn unicode(&mut self) -> Result<Option<char>, ParseError> {
        let high = self.hex4()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high));
        }
        if !(self.take(b'\\') && self.peek() == Some(b'u')) {
            return Ok(None);
        }
        let low = self.hex4()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Ok(None);
        }
        Ok(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
    }

    /// Steps over `u` and reads the four digits behind it.
    fn hex4(&mut self) -> Result<u32, ParseError> {
        self.at += 1;
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            value = value * 16 + digit.ok_or(self.error("expected four hex digits"))?;
            self.at += 1;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> String {
        Json::parse(text).expect_err("it is not JSON").to_string()
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        assert_eq!(refused(""), "not JSON at byte 0: the text ends where a value should be");
        assert_eq!(refused("[1,]"), "not JSON at byte 3: expected a value");
        assert_eq!(refused("[1 2]"), "not JSON at byte 3: expected , or ] in an array");
        assert_eq!(refused("{\"a\" 1}"), "not JSON at byte 5: expected : behind a name");
        assert_eq!(refused("{a:1}"), "not JSON at byte 1: expected a name in quotes");
        assert_eq!(refused("007"), "not JSON at byte 1: more text after the value");
        assert_eq!(refused("-"), "not JSON at byte 1: expected a digit");
        assert_eq!(refused("1e999"), "not JSON at byte 0: number out of range");
        assert_eq!(refused("\"a"), "not JSON at byte 2: the text ends inside a string");
        assert_eq!(refused("\"\n\""), "not JSON at byte 1: a control character in a string");
        assert_eq!(refused(r#""\ud800""#), "not JSON at byte 1: half of a surrogate pair");
        assert_eq!(refused(r#""\udc00""#), "not JSON at byte 1: half of a surrogate pair");
        assert_eq!(refused(r#""\ud800A""#), "not JSON at byte 1: half of a surrogate pair");
        assert_eq!(refused(r#""\u12é""#), "not JSON at byte 5: expected four hex digits");
        assert_eq!(refused("nul"), "not JSON at byte 0: expected true, false or null");
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        let depth = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(&depth(DEEPEST)).is_ok());
        assert!(refused(&depth(1_000_000)).contains("nested too deep"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Json::parse(&text);
        }

        #[test]
        fn no_nearly_json_text_makes_the_parser_panic(
            text in r#"[\[\]{}:,"\\a-u0-9eE.+ -]{0,40}"#
        ) {
            let _ = Json::parse(&text);
        }
    }
}
