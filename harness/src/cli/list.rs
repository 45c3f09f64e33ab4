//! `lab list`: labs, their steps, and how far each is; of one lab, its checks too.

use std::path::Path;

use super::{CliError, print, select};
use crate::labs::{LABS, Lab, TOGETHER};
use crate::root;
use crate::workspace::steps::{self, StepState};

/// Prints the course, or one lab with its checks.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let text = match words {
        [] => course(&root::find_root()?),
        [name] => lab_with_checks(select::lab(name)?),
        _ => return Err(CliError::Usage("list shows one lab, as in `lab list server`".into())),
    };
    print(&text)?;
    Ok(0)
}

fn course(root: &Path) -> String {
    let steps = LABS.iter().flat_map(|lab| lab.steps);
    let width = steps.map(|step| step.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for lab in LABS {
        text +=
            &format!("{}  {}  {}   ({}/README.md)\n", lab.number, lab.name, lab.title, lab.folder);
        let states = steps::states(root, lab);
        for (index, step) in lab.steps.iter().enumerate() {
            let state = match &states {
                Ok(states) => states.get(index).copied().map_or("", word),
                Err(_) => "?",
            };
            let (number, name, chapter) = (step.number, step.name, step.chapter);
            text += &format!("   {number} {name:<width$}  {state:<15}  book/src/{chapter}.md\n");
        }
        if let Err(error) = states {
            text += &format!("   {error}\n");
        }
    }
    text += &format!("   {}  {}\n", TOGETHER.name, TOGETHER.title);
    text + "\n`cargo lab list server` shows the checks of a lab, `cargo lab` what they say.\n"
}

/// How far a step is.
fn word(state: StepState) -> &'static str {
    match state {
        StepState::Unwritten => "not written yet",
        StepState::Begun => "begun",
        StepState::Written => "written",
    }
}

fn lab_with_checks(lab: &Lab) -> String {
    let number = if lab.is_lab() { format!("{}  ", lab.number) } else { String::new() };
    let mut text = format!("{number}{}  {}\n", lab.name, lab.title);
    for step in lab.steps {
        text += &format!("\nstep {}, {}: {}\n", step.number, step.name, step.task);
        for check in lab.checks().filter(|check| check.step == step.number) {
            text += &format!("  {:<42} {}\n", check.id(), check.title);
        }
    }
    text
}
