//! `lab judge LANES [--ladders] WHAT ...`: what `lab grade` starts in the tree of a submission. Not for
//! users.

use super::{CliError, print, select};
use crate::grade;
use crate::run::worker::end_with_stdin;

/// Returns the exit status: that something failed is a result.
pub(super) fn run(lanes: &str, words: &[&str]) -> Result<u8, CliError> {
    let lanes = lanes.parse().map_err(|_| CliError::Usage(format!("`{lanes}` is no number")))?;
    let (with_ladders, what) = match words {
        ["--ladders", what @ ..] => (true, what),
        what => (false, what),
    };
    let mut checks = Vec::new();
    for what in what {
        checks.extend(select::any(what)?.checks());
    }
    // Whoever grades holds the other end, and hears what is printed.
    end_with_stdin();
    print(&grade::judge_here(&checks, lanes, with_ladders)?.to_string())?;
    Ok(0)
}
