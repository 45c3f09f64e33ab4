//! A peer that can't start.

use std::rc::Rc;

use crate::net::causes;
use crate::program::describe_exit;
use crate::trial::{Progress, Running, StallKind, Trial, Verdict};
use crate::words::quote_short;

/// Expects that the program ends by itself, with status 1 and one line on standard error that has
/// `words` in it.
pub(super) fn expect_refusal(
    t: &Trial,
    running: &Rc<Running>,
    words: &str,
    cause: &str,
) -> Verdict {
    let name = &running.name;
    let expected = format!("one line on standard error, with {words}; exit status 1");
    let status = match t.wait_for_start(running, || Ok(Progress::<()>::Nothing))? {
        Err(stall) => match stall.kind {
            StallKind::Ended(status) => status,
            _ => {
                return Err(t
                    .fail(format!("the {name} goes on, although it can't"))
                    .expected(expected)
                    .seen(stall.stays(name))
                    .cause(cause)
                    .stop());
            }
        },
        Ok(()) => return Ok(()),
    };
    // Its streams are complete now.
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    let is_told = matches!(&lines[..], [line] if line.contains(words));
    if is_told && status.code() == Some(1) {
        t.note(format!("the {name} ended: {}", lines[0]));
        return Ok(());
    }
    let told = match &lines[..] {
        [] => "nothing on standard error".to_owned(),
        [one] => format!("one line on standard error: {}", quote_short(one.as_bytes(), 120)),
        lines => format!("{} lines on standard error", lines.len()),
    };
    Err(t
        .fail(format!("the {name} does not say in one line what is wrong"))
        .expected(expected)
        .seen(format!("{told}; {}", describe_exit(status)))
        .cause(causes::unhandled(&lines).unwrap_or(cause))
        .stop())
}
