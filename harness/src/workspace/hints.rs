//! Hints: three for each step, from a question to the name of what is needed. They stand beside
//! the lab, in its `HINTS.md`: a heading for each step, and below it a numbered list.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Error, cannot, write_whole};
use crate::labs::{Lab, Step};

/// The file, in the lab's folder.
pub const FILE: &str = "HINTS.md";
/// Hints for each step.
pub const LEVELS: usize = 3;
/// Which hints were given, below the root. Of no importance: without it they begin anew.
const GIVEN: &str = ".lab/hints";

/// The hints for a step, the vaguest first.
pub fn of(root: &Path, lab: &Lab, step: &Step) -> Result<Vec<String>, Error> {
    let path = root.join(lab.folder).join(FILE);
    let text = fs::read_to_string(&path).map_err(cannot("read", &path))?;
    let hints = parse(&text, step.name);
    match hints.len() {
        LEVELS => Ok(hints),
        count => Err(Error::Refused(format!(
            "{} has {count} hints under `## {}`, not {LEVELS}: `cargo lab update` puts it right",
            path.display(),
            step.name
        ))),
    }
}

/// The numbered items below the heading of this name, each as one paragraph.
fn parse(text: &str, name: &str) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    let below = text.lines().skip_while(|line| line.trim_end() != format!("## {name}")).skip(1);
    for line in below.take_while(|line| !line.starts_with("## ")) {
        let item = line.split_once(". ").filter(|(number, _)| number.parse::<u8>().is_ok());
        match (item, hints.last_mut()) {
            (Some((_, first)), _) => hints.push(first.trim().to_owned()),
            (None, Some(hint)) if !line.trim().is_empty() => {
                hint.push(' ');
                hint.push_str(line.trim());
            }
            _ => {}
        }
    }
    hints
}

/// The level, from 1, of the hint that comes next for a step; it counts as given from then on.
/// After the last one it stays with that.
pub fn next_level(root: &Path, lab: &Lab, step: &Step) -> usize {
    let path = root.join(GIVEN);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut given: BTreeMap<String, usize> = text
        .lines()
        .filter_map(|line| {
            let (step, level) = line.split_once(' ')?;
            Some((step.to_owned(), level.parse().ok()?))
        })
        .collect();
    let level = given.entry(format!("{}/{}", lab.name, step.name)).or_default();
    *level = (*level + 1).min(LEVELS);
    let next = *level;
    let lines = given.iter().map(|(step, level)| format!("{step} {level}\n"));
    // Nobody needs to hear that it could not be noted.
    let _ = write_whole(&path, lines.collect::<String>().as_bytes());
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    const TEXT: &str = "# Hints\n\nOne at a time. Really.\n\n## listen\n\n1. A question?\n2. It has\n   \
                        two lines.\n\n3. `bind`.\n\n## serve\n\n1. Another.\n";

    #[test]
    fn hints_are_the_items_below_the_heading_of_their_step() {
        assert_eq!(parse(TEXT, "listen"), ["A question?", "It has two lines.", "`bind`."]);
        assert_eq!(parse(TEXT, "serve"), ["Another."]);
        assert!(parse(TEXT, "accept").is_empty());
    }

    #[test]
    fn each_time_the_next_hint_is_given_and_after_the_last_the_last() {
        let root = tempfile::tempdir().unwrap();
        let lab = labs::lab("server").unwrap();
        let levels = |step: usize| next_level(root.path(), lab, &lab.steps[step]);
        assert_eq!([levels(0), levels(0), levels(1), levels(0), levels(0)], [1, 2, 1, 3, 3]);
    }
}
