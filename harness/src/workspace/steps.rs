//! The steps of a lab in a workspace: which are written, and how a stub gets back into its place.

use std::fs;
use std::path::{Path, PathBuf};

use super::contents::source_of;
use super::{Error, backup, cannot, given, marks, write_whole};
use crate::labs::{Lab, Step};
use crate::region;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// The stub stands in its place, as it was given.
    Unwritten,
    /// Something was changed, but the stub's own words are still there.
    Begun,
    /// Something else stands in its place.
    Written,
}

/// What the stubs of a lab say, by step.
pub fn stubs(root: &Path, lab: &Lab) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
    let stub = |step: &Step| {
        let file = root.join(stub_of(lab, step));
        let mut stub = fs::read(&file).map_err(cannot("read", &file))?;
        if !stub.ends_with(b"\n") {
            stub.push(b'\n');
        }
        Ok((step.name, stub))
    };
    lab.steps.iter().map(stub).collect()
}

/// What stands in the places of steps that are not written: the stubs as the workspace has them
/// now, and as it was given them. Where an update was cut short these are not the same.
#[derive(Default)]
pub(super) struct Stubs {
    now: Vec<(&'static str, Vec<u8>)>,
    /// Fingerprints.
    given: Vec<(&'static str, u64)>,
}

impl Stubs {
    pub(super) fn of(root: &Path, lab: &Lab) -> Result<Self, Error> {
        let record = given::read(root)?.unwrap_or_default();
        let given = |step: &Step| Some((step.name, *record.get(&stub_of(lab, step))?));
        let given = lab.steps.iter().filter_map(given).collect();
        Ok(Self { now: stubs(root, lab)?, given })
    }

    /// Whether this is the stub of a step.
    pub(super) fn has(&self, step: &str, body: &[u8]) -> bool {
        let print = given::of_bytes(body);
        self.now.iter().any(|(name, stub)| *name == step && is_stub(body, stub))
            || self.given.iter().any(|(name, given)| *name == step && *given == print)
    }
}

/// The file of a stub, from the root.
fn stub_of(lab: &Lab, step: &Step) -> String {
    format!("fixtures/{}/stubs/{}.rs", lab.fixtures(), step.name)
}

/// The state of each step of a lab, in order.
pub fn states(root: &Path, lab: &Lab) -> Result<Vec<StepState>, Error> {
    let path = source_of(root, lab);
    let source = fs::read(&path).map_err(cannot("read", &path))?;
    let names: Vec<_> = lab.steps.iter().map(|step| step.name).collect();
    let regions = region::parse_exactly(&source, &names).map_err(marks(&path))?;
    let stubs = Stubs::of(root, lab)?;
    let state = |step: &Step| {
        let region = regions.iter().find(|region| region.name == step.name);
        let body = region.map_or(&[][..], |region| &source[region.body.clone()]);
        let words = format!("step {}, {}: ", step.number, step.name);
        if stubs.has(step.name, body) {
            StepState::Unwritten
        } else if String::from_utf8_lossy(body).contains(&words) {
            StepState::Begun
        } else {
            StepState::Written
        }
    };
    Ok(lab.steps.iter().map(state).collect())
}

/// Whether a body is the stub, but for its line ends.
pub fn is_stub(body: &[u8], stub: &[u8]) -> bool {
    with_lf(body) == with_lf(stub)
}

/// What a step asks for: the documentation of its function, in the lab's source.
pub fn task(root: &Path, lab: &Lab, step: &Step) -> Option<String> {
    let source = fs::read_to_string(source_of(root, lab)).ok()?;
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mark = format!("// ANCHOR: {}", step.name);
    let above = &lines[..lines.iter().position(|line| *line == mark)?];
    let end = above.iter().rposition(|line| line.starts_with("///"))?;
    let begin =
        above[..end].iter().rposition(|line| !line.starts_with("///")).map_or(0, |at| at + 1);
    let text = above[begin..=end].iter().map(|line| line.trim_start_matches('/').trim());
    // Lines of a paragraph belong together, and an empty one stands between two of them.
    let mut paragraphs = vec![String::new()];
    for line in text {
        match (line, paragraphs.last_mut()) {
            ("", _) => paragraphs.push(String::new()),
            (line, Some(last)) if !last.is_empty() => *last += &format!(" {line}"),
            (line, last) => *last? = line.to_owned(),
        }
    }
    Some(paragraphs.join("\n\n"))
}

/// Puts the stubs of these steps back. Returns where the file as it was is saved, `None` when
/// there was nothing to do.
pub fn reset(root: &Path, lab: &Lab, steps: &[&Step]) -> Result<Option<PathBuf>, Error> {
    let path = source_of(root, lab);
    let source = fs::read(&path).map_err(cannot("read", &path))?;
    let names: Vec<_> = lab.steps.iter().map(|step| step.name).collect();
    region::parse_exactly(&source, &names).map_err(marks(&path))?;
    let stubs: Vec<_> = stubs(root, lab)?
        .into_iter()
        .filter(|(name, _)| steps.iter().any(|step| step.name == *name))
        .map(|(name, stub)| (name, with_line_ends_of(&source, &stub)))
        .collect();
    let stub = |name: &str| stubs.iter().find(|(step, _)| *step == name).map(|(_, stub)| &**stub);
    let new = region::fill(&source, stub).map_err(marks(&path))?;
    if new == source {
        return Ok(None);
    }
    let file = format!("{}/{}", lab.folder, super::contents::SOURCE);
    let saved = backup::save(root, &[&file])?;
    write_whole(&path, &new)?;
    Ok(Some(saved.join(file)))
}

/// The text with the line ends of a sample: CRLF where the sample's first line has it.
pub fn with_line_ends_of(sample: &[u8], text: &[u8]) -> Vec<u8> {
    let first = sample.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = with_lf(text);
    if !first.ends_with(b"\r\n") {
        return text;
    }
    let mut with_crlf = Vec::with_capacity(text.len() + text.len() / 20);
    for byte in text {
        if byte == b'\n' {
            with_crlf.push(b'\r');
        }
        with_crlf.push(byte);
    }
    with_crlf
}

/// The text with every CRLF turned into LF.
pub fn with_lf(text: &[u8]) -> Vec<u8> {
    let mut lf = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                lf.extend_from_slice(line);
                lf.push(b'\n');
            }
            None => lf.extend_from_slice(line),
        }
    }
    lf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_follow_the_first_line_of_the_sample() {
        assert_eq!(with_line_ends_of(b"a\r\nb", b"x\ny\r\nz"), b"x\r\ny\r\nz");
        assert_eq!(with_line_ends_of(b"a\nb\r\n", b"x\ny\r\n"), b"x\ny\n");
        assert_eq!(with_line_ends_of(b"", b"x\n"), b"x\n");
    }

    #[test]
    fn a_stub_is_known_whatever_its_line_ends() {
        assert!(is_stub(b"    todo!()\r\n", b"    todo!()\n"));
        assert!(!is_stub(b"    Ok(())\n", b"    todo!()\n"));
    }
}
