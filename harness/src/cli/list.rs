//! `lab list`: labs, steps and checks.

use crate::course::LABS;

/// The whole course as text.
pub(super) fn text() -> String {
    let mut text = String::new();
    for lab in LABS {
        text += &format!("{} {}: {}\n", lab.number, lab.name, lab.title);
        for step in lab.steps {
            let chapter = step.chapter;
            text += &format!(
                "  step {} {}: {}   (book/src/{chapter}.md)\n",
                step.number, step.name, step.task
            );
            for check in lab.checks.iter().filter(|check| check.step == step.number) {
                text += &format!("    {:<42} {}\n", check.id(), check.title);
            }
        }
    }
    text
}
