//! A demonstration as text.

use crate::show::demo::{Demo, Shown};
use crate::term::Style;
use crate::term::layout::{hang, printable};

const WIDTH: usize = 96;

/// The misconception, what was done and seen, and the truth.
pub(crate) fn render(demo: &Demo, shown: &Shown, style: Style) -> String {
    let number = demo.number();
    let mut lines = hang(&format!("Misconception {number}: "), demo.claim, WIDTH);
    if let Some(first) = lines.first_mut() {
        *first = style.bold(first);
    }
    lines.push(String::new());
    for (index, step) in shown.steps.iter().enumerate() {
        lines.extend(hang(&format!("{:>3}. ", index + 1), &step.done, WIDTH));
        for seen in &step.seen {
            lines.push(format!("     → {}", printable(seen)));
        }
    }
    lines.push(String::new());
    match &shown.wrong {
        None => lines.extend(hang("Truth: ", demo.truth, WIDTH)),
        Some(wrong) => {
            lines.extend(hang("Not shown: ", wrong, WIDTH));
            lines.push("this run does not show what the book says: please report it".into());
        }
    }
    lines.join("\n") + "\n"
}
