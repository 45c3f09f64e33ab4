//! `lab ports`: the ports that the lab's programs have in use.

use std::ffi::OsStr;
use std::path::Path;

use super::{CliError, print};
use crate::kernel::{self, Process};
use crate::labs;
use crate::show::ports;
use crate::term::Style;

/// Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let all = match words {
        [] => false,
        ["--all"] => true,
        _ => return Err(CliError::Usage("lab ports takes nothing, or --all".into())),
    };
    kernel::available().map_err(CliError::Trouble)?;
    let held = kernel::held(|process| all || is_of_the_lab(process), all)?;
    match (held.is_empty(), all) {
        (false, _) => print(&ports::render(&held, Style::for_stdout()))?,
        (true, true) => print("no program of yours has a socket open\n")?,
        (true, false) => print(NONE)?,
    }
    Ok(0)
}

const NONE: &str = "\
no program of the lab has a socket open now
start one in another terminal, `cargo run -p server 127.0.0.1:7007`, and look again;
`cargo lab ports --all` shows the ports of all your programs
";

/// Whether it runs the file of a lab, from where cargo puts what it builds.
fn is_of_the_lab(process: &Process) -> bool {
    kernel::program_of(process.pid).is_some_and(|file| is_built_lab(&file))
}

fn is_built_lab(file: &Path) -> bool {
    // The kernel adds a note when the file was built anew since.
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let name = name.trim_end_matches(" (deleted)");
    let profile = file.parent().and_then(Path::file_name);
    labs::lab(name).is_some()
        && profile.is_some_and(|folder| folder == "debug" || folder == "release")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_lab_is_known_by_its_file() {
        for (file, known) in [
            ("/x/target/debug/server", true),
            ("/x/target/release/peer (deleted)", true),
            ("/usr/bin/server", false),
            ("/x/target/debug/lab", false),
        ] {
            assert_eq!(is_built_lab(Path::new(file)), known, "{file}");
        }
    }
}
