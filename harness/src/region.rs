//! The marked regions of a lab's source: the bodies that the student writes.
//!
//! A region stands between mdBook's own markers, each alone on its line:
//!
//! ```text
//! // ANCHOR: listen
//! …
//! // ANCHOR_END: listen
//! ```
//!
//! One region has four uses: it is the solution, its place holds the stub in a workspace, the
//! book includes it, and a mistake of the corpus replaces it.

use std::fmt;
use std::ops::Range;

/// A region of a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name: the step's.
    pub name: String,
    /// The bytes between the two marker lines, line ends included.
    pub body: Range<usize>,
}

/// Markers that are not in order. Lines are counted from 1; `name` is the region's.
#[expect(missing_docs, reason = "the fields are the places and names that the variants speak of")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// A region that begins inside another.
    Nested { line: usize, name: String, inside: String },
    /// An end without a beginning, or of another region.
    StrayEnd { line: usize, name: String },
    /// A region that does not end.
    Open { line: usize, name: String },
    /// The same name twice.
    Twice { line: usize, name: String },
    /// A region that should be there and is not.
    Missing { name: String },
    /// A region that nobody knows.
    Unknown { name: String },
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nested { line, name, inside } => {
                write!(f, "line {line}: the region `{name}` begins inside the region `{inside}`")
            }
            Self::StrayEnd { line, name } => {
                write!(f, "line {line}: the region `{name}` ends without having begun")
            }
            Self::Open { line, name } => {
                write!(
                    f,
                    "line {line}: the region `{name}` does not end: `// ANCHOR_END: {name}` is missing"
                )
            }
            Self::Twice { line, name } => {
                write!(f, "line {line}: there is a region `{name}` already")
            }
            Self::Missing { name } => {
                write!(
                    f,
                    "the region `{name}` is missing: `// ANCHOR: {name}` … `// ANCHOR_END: {name}`"
                )
            }
            Self::Unknown { name } => write!(f, "the region `{name}` is not a step of this lab"),
        }
    }
}

impl std::error::Error for RegionError {}

/// The regions of a source, in order; all in balance. The source is bytes: what a student saved
/// need not be UTF-8, and its lines may end in CRLF.
pub fn parse(source: impl AsRef<[u8]>) -> Result<Vec<Region>, RegionError> {
    let mut regions: Vec<Region> = Vec::new();
    let mut open: Option<(usize, String, usize)> = None;
    let mut offset = 0;
    for (index, text) in source.as_ref().split_inclusive(is_lf).enumerate() {
        let line = index + 1;
        let end = offset + text.len();
        match marker(text) {
            Some((true, name)) => {
                if let Some((_, inside, _)) = open {
                    return Err(RegionError::Nested { line, name, inside });
                }
                if regions.iter().any(|region| region.name == name) {
                    return Err(RegionError::Twice { line, name });
                }
                open = Some((line, name, end));
            }
            Some((false, name)) => match open.take() {
                Some((_, opened, from)) if opened == name => {
                    regions.push(Region { name, body: from..offset });
                }
                _ => return Err(RegionError::StrayEnd { line, name }),
            },
            None => {}
        }
        offset = end;
    }
    match open {
        Some((line, name, _)) => Err(RegionError::Open { line, name }),
        None => Ok(regions),
    }
}

/// The regions, which must be exactly those with these names, in this order.
pub fn parse_exactly(source: impl AsRef<[u8]>, names: &[&str]) -> Result<Vec<Region>, RegionError> {
    let regions = parse(source)?;
    for name in names {
        if !regions.iter().any(|region| region.name == *name) {
            return Err(RegionError::Missing { name: (*name).to_owned() });
        }
    }
    match regions.iter().find(|region| !names.contains(&region.name.as_str())) {
        Some(unknown) => Err(RegionError::Unknown { name: unknown.name.clone() }),
        None => Ok(regions),
    }
}

/// The source with another body for one region. `body` should end with a line end.
pub fn replace(source: &str, name: &str, body: &str) -> Result<String, RegionError> {
    let regions = parse(source)?;
    let Some(region) = regions.iter().find(|region| region.name == name) else {
        return Err(RegionError::Missing { name: name.to_owned() });
    };
    let (before, after) = (&source[..region.body.start], &source[region.body.end..]);
    let newline = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{before}{body}{newline}{after}"))
}

/// The source with other bodies: for each region the one that `body` has for its name, and its
/// own where that is none. All other bytes stay as they are.
pub fn fill<'a>(
    source: &[u8],
    body: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<u8>, RegionError> {
    let mut filled = Vec::with_capacity(source.len());
    let mut rest = 0;
    for region in parse(source)? {
        if let Some(body) = body(&region.name) {
            filled.extend_from_slice(&source[rest..region.body.start]);
            filled.extend_from_slice(body);
            rest = region.body.end;
        }
    }
    filled.extend_from_slice(&source[rest..]);
    Ok(filled)
}

fn is_lf(byte: &u8) -> bool {
    *byte == b'\n'
}

/// `(is it a beginning, the name)` of a marker line.
fn marker(line: &[u8]) -> Option<(bool, String)> {
    let comment = line.trim_ascii().strip_prefix(b"//")?.trim_ascii_start();
    let (begins, rest) = match comment.strip_prefix(b"ANCHOR_END:") {
        Some(rest) => (false, rest),
        None => (true, comment.strip_prefix(b"ANCHOR:")?),
    };
    Some((begins, String::from_utf8_lossy(rest.trim_ascii()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "a\n// ANCHOR: one\nbody\n// ANCHOR_END: one\nz\n";

    #[test]
    fn a_region_is_what_stands_between_its_markers() {
        let regions = parse(SOURCE).unwrap();
        assert_eq!(&SOURCE[regions[0].body.clone()], "body\n");
    }

    #[test]
    fn a_replaced_region_leaves_all_else_as_it_is() {
        let expected = "a\n// ANCHOR: one\nnew\n// ANCHOR_END: one\nz\n";
        assert_eq!(replace(SOURCE, "one", "new").unwrap(), expected);
        assert!(replace(SOURCE, "two", "new").is_err());
    }

    #[test]
    fn filling_keeps_every_byte_that_is_not_of_a_region_that_is_filled() {
        let source = b"\xff\r\n  // ANCHOR: one\r\n\xfe\r\n  // ANCHOR_END: one\r\n// ANCHOR: two\nb\n// ANCHOR_END: two";
        let filled = fill(source, |name| (name == "two").then_some(b"x\r\n")).unwrap();
        let expected = b"\xff\r\n  // ANCHOR: one\r\n\xfe\r\n  // ANCHOR_END: one\r\n// ANCHOR: two\nx\r\n// ANCHOR_END: two";
        assert_eq!(filled, expected);
        assert!(fill(b"// ANCHOR: one\n", |_| None).is_err());
    }

    #[test]
    fn markers_out_of_order_are_errors_that_name_the_line() {
        for (source, words) in [
            ("// ANCHOR: a\n// ANCHOR: b\n", "line 2: the region `b` begins inside the region `a`"),
            ("// ANCHOR_END: a\n", "line 1: the region `a` ends without having begun"),
            (
                "// ANCHOR: a\n// ANCHOR_END: b\n",
                "line 2: the region `b` ends without having begun",
            ),
            (
                "// ANCHOR: a\n",
                "line 1: the region `a` does not end: `// ANCHOR_END: a` is missing",
            ),
            (
                "// ANCHOR: a\n// ANCHOR_END: a\n// ANCHOR: a\n",
                "line 3: there is a region `a` already",
            ),
        ] {
            assert_eq!(parse(source).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn missing_and_unknown_regions_are_errors() {
        assert!(parse_exactly(SOURCE, &["one"]).is_ok());
        let missing = parse_exactly(SOURCE, &["one", "two"]).unwrap_err();
        assert_eq!(missing, RegionError::Missing { name: "two".into() });
        let unknown = parse_exactly(SOURCE, &[]).unwrap_err();
        assert_eq!(unknown, RegionError::Unknown { name: "one".into() });
    }
}
