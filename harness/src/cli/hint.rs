//! `lab hint STEP`: one of the three hints for a step, each time the next one.

use std::path::Path;

use super::{CliError, print, select};
use crate::labs::{LABS, Lab, Step};
use crate::root;
use crate::term::hang;
use crate::workspace::hints::{self, LEVELS};
use crate::workspace::steps::{self, StepState};

/// Columns of a hint.
const WIDTH: usize = 80;

/// Prints the hint that was asked for, or the next one. Without a step: for the first that is
/// not written.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let root = root::find_root()?;
    let (lab, step, level) = match words {
        [] => {
            let (lab, step) = to_do(&root)?;
            (lab, step, None)
        }
        [what] => {
            let (lab, step) = select::step(what)?;
            (lab, step, None)
        }
        [what, level] => {
            let (lab, step) = select::step(what)?;
            (lab, step, Some(self::level(level)?))
        }
        _ => return Err(CliError::Usage("hint needs one step: `cargo lab hint server/2`".into())),
    };
    print(&text(&root, lab, step, level)?)?;
    Ok(0)
}

fn level(word: &str) -> Result<usize, CliError> {
    let level = word.parse().ok().filter(|level| (1..=LEVELS).contains(level));
    level.ok_or_else(|| CliError::Usage(format!("there are hints 1 to {LEVELS}, and no `{word}`")))
}

/// The first step of the course that is not written.
fn to_do(root: &Path) -> Result<(&'static Lab, &'static Step), CliError> {
    for lab in LABS {
        for (step, state) in lab.steps.iter().zip(steps::states(root, lab)?) {
            if state != StepState::Written {
                return Ok((lab, step));
            }
        }
    }
    Err(CliError::Refused(
        "every step is written: say which one, as in `cargo lab hint server/2`".into(),
    ))
}

/// The hint of this level, or the next one, and how to get a clearer one.
pub(super) fn text(
    root: &Path,
    lab: &Lab,
    step: &Step,
    level: Option<usize>,
) -> Result<String, CliError> {
    let hints = hints::of(root, lab, step)?;
    let level = level.unwrap_or_else(|| hints::next_level(root, lab, step));
    let hint = hints.get(level - 1).map_or("", String::as_str);
    let head =
        format!("hint {level} of {LEVELS} for {} step {}, {}: ", lab.name, step.number, step.name);
    let mut lines = vec![head.trim_end().to_owned()];
    lines.extend(hang("  ", hint, WIDTH));
    lines.push(if level < LEVELS {
        format!("  a clearer one: cargo lab hint {}", select::id(lab, step))
    } else {
        "  that was the last one".to_owned()
    });
    lines.push(format!("  the chapter: book/src/{}.md", step.chapter));
    Ok(lines.join("\n") + "\n")
}
