//! JSON, as much of it as a record needs: one value type, a strict parser, two printers.
//!
//! The harness depends on nothing but std, and it must read what another process wrote. So the
//! parser takes RFC 8259 and not a character more, never panics, and refuses nesting that
//! could exhaust the stack.

mod parse;

use std::fmt;
use std::fmt::Write;

pub use parse::ParseError;

/// A JSON value. Objects keep the order of their members.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number. Whole numbers are exact below 2^53; what JSON can't write (an infinity or
    /// not-a-number) prints as `null`.
    Number(f64),
    /// Text.
    String(String),
    /// Values in order.
    Array(Vec<Json>),
    /// Named values in order.
    Object(Vec<(String, Json)>),
}

/// Below this every whole number has an `f64` of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Json {
    /// Reads one JSON document.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, is nested deeper than 128 levels, or holds a number outside
    /// the range of `f64`.
    ///
    /// ```
    /// use sockets_lab::json::Json;
    /// let record = Json::parse(r#"{"score": 2}"#)?;
    /// assert_eq!(record.get("score").and_then(Json::as_u64), Some(2));
    /// # Ok::<(), sockets_lab::json::ParseError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Json, ParseError> {
        parse::document(text)
    }

    /// An object with these members.
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        Json::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The member of that name, if this is an object that has it; of several, the last.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is whole, not negative, and below 2^53.
    pub fn as_u64(&self) -> Option<u64> {
        let value = self.as_f64()?;
        // Within these bounds the cast is exact.
        ((0.0..EXACT).contains(&value) && value.fract() == 0.0).then_some(value as u64)
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(value) => Some(value),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The value over several lines, indented by two spaces, for people; ends with a newline.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut out, Some(0));
        out.push('\n');
        out
    }

    /// Writes the value: on one line, or over several from this depth on.
    fn write(&self, out: &mut impl Write, depth: Option<usize>) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Number(value) if value.is_finite() => write!(out, "{value}"),
            Json::Number(_) => out.write_str("null"),
            Json::String(value) => write_string(out, value),
            Json::Array(values) => {
                write_list(out, depth, ['[', ']'], values, |out, value, below| {
                    value.write(out, below)
                })
            }
            Json::Object(members) => {
                write_list(out, depth, ['{', '}'], members, |out, (name, value), below| {
                    write_string(out, name)?;
                    out.write_str(if below.is_some() { ": " } else { ":" })?;
                    value.write(out, below)
                })
            }
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Json::Number(value.into())
    }
}

impl From<usize> for Json {
    /// Exact below 2^53, which no length in memory exceeds.
    fn from(value: usize) -> Self {
        Json::Number(value as f64)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Json::String(value.to_owned())
    }
}

impl From<&[String]> for Json {
    fn from(values: &[String]) -> Self {
        Json::Array(values.iter().map(|value| Json::from(value.as_str())).collect())
    }
}

fn write_list<T, W: Write>(
    out: &mut W,
    depth: Option<usize>,
    [open, close]: [char; 2],
    items: &[T],
    each: impl Fn(&mut W, &T, Option<usize>) -> fmt::Result,
) -> fmt::Result {
    let below = depth.map(|depth| depth + 1);
    out.write_char(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        new_line(out, below)?;
        each(out, item, below)?;
    }
    if !items.is_empty() {
        new_line(out, depth)?;
    }
    out.write_char(close)
}

fn new_line(out: &mut impl Write, depth: Option<usize>) -> fmt::Result {
    match depth {
        Some(depth) => write!(out, "\n{}", "  ".repeat(depth)),
        None => Ok(()),
    }
}

fn write_string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            // DEL and the C1 controls are legal, and no terminal should get them.
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_read_with_its_order_kept() {
        let json =
            Json::parse(" {\"b\" : [1, -2.5e1, true, null], \"a\":\"x\"} ").expect("it is JSON");
        assert_eq!(json.to_string(), r#"{"b":[1,-25,true,null],"a":"x"}"#);
        assert_eq!(json.get("a").and_then(Json::as_str), Some("x"));
        assert_eq!(json.get("b").and_then(Json::as_array).map(<[_]>::len), Some(4));
        assert_eq!(json.get("c"), None);
    }

    #[test]
    fn the_pretty_form_is_indented_and_leaves_empty_lists_closed() {
        let json = Json::parse(r#"{"a":[1,{"b":[]}],"c":{}}"#).expect("it is JSON");
        let lines = ["{", "  \"a\": [", "    1,", "    {", "      \"b\": []", "    }", "  ],"];
        assert_eq!(json.pretty(), format!("{}\n  \"c\": {{}}\n}}\n", lines.join("\n")));
    }

    #[test]
    fn escapes_are_read_and_written() {
        let json = Json::parse(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#).expect("it is JSON");
        assert_eq!(json, Json::from("\"\\/\u{8}\u{c}\n\r\té😀"));
        assert_eq!(json.to_string(), r#""\"\\/\u0008\u000c\n\r\té😀""#);
    }

    #[test]
    fn only_whole_numbers_in_the_exact_range_are_counts() {
        let count = |text| Json::parse(text).expect("it is JSON").as_u64();
        assert_eq!(count("9007199254740991"), Some((1 << 53) - 1));
        assert_eq!(count("9007199254740993"), None);
        assert_eq!(count("-1"), None);
        assert_eq!(count("1.5"), None);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            proptest::num::f64::NORMAL.prop_map(Json::Number),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                proptest::collection::vec((any::<String>(), inner), 0..4).prop_map(Json::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_printed_reads_back_the_same(json in any_json()) {
            let line = json.to_string();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(Json::parse(&line).expect("it is JSON"), json.clone());
            prop_assert_eq!(Json::parse(&json.pretty()).expect("it is JSON"), json);
        }
    }
}
