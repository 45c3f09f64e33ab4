//! `lab list`: labs, steps and checks.

use crate::course;

/// The whole course as text.
pub(super) fn text() -> String {
    let mut text = String::new();
    for lab in course::parts() {
        let number = if lab.number == 0 { String::new() } else { format!("{} ", lab.number) };
        text += &format!("{number}{}: {}\n", lab.name, lab.title);
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
