//! An instructor's scheme of marks, as a file: a line for what counts, and how much.

use std::fs;
use std::path::Path;

use super::CliError;
use super::select::{self, Selected};
use crate::grade::Scheme;
use crate::labs::Lab;
use crate::root;

/// What a line may look like.
const LINES: &str = "a line is `server 25` (a lab's share of the marks), `web/5 0` or \
                     `peer/talks 4` (the points of each check), or \
                     `conversations peer FOLDER`";

/// Reads a scheme.
pub(super) fn read(file: &Path) -> Result<Scheme, CliError> {
    let text = fs::read_to_string(file)
        .map_err(|error| CliError::Usage(format!("cannot read {}: {error}", file.display())))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut scheme = Scheme::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        add(&mut scheme, folder, line).map_err(|error| match error {
            CliError::Usage(words) | CliError::Refused(words) | CliError::Trouble(words) => {
                CliError::Usage(format!("{}, line {number}: {words}", file.display()))
            }
        })?;
    }
    Ok(scheme)
}

fn add(scheme: &mut Scheme, folder: &Path, line: &str) -> Result<(), CliError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["conversations", lab, from] => conversations(scheme, lab, &folder.join(from)),
        [what, number] => {
            let number: u32 =
                number.parse().ok().filter(|number| *number <= 1000).ok_or_else(|| {
                    CliError::Usage(format!("`{number}` is no number up to 1000"))
                })?;
            match select::any(what)? {
                Selected::Lab(lab) if number == 0 => {
                    Err(CliError::Usage(format!("leave {} out, and it does not count", lab.name)))
                }
                Selected::Lab(lab) if scheme.shares.iter().any(|(one, _)| one.name == lab.name) => {
                    Err(CliError::Usage(format!("{} has a share already", lab.name)))
                }
                Selected::Lab(lab) => {
                    scheme.shares.push((lab, number));
                    Ok(())
                }
                several => {
                    for check in several.checks() {
                        scheme.points.insert(check.id(), number);
                    }
                    Ok(())
                }
            }
        }
        _ => Err(CliError::Usage(format!("`{line}` makes no sense: {LINES}"))),
    }
}

/// Every conversation of a folder, beside those of the lab.
fn conversations(scheme: &mut Scheme, lab: &str, from: &Path) -> Result<(), CliError> {
    let lab = select::lab(lab)?;
    let cannot = |error| CliError::Usage(format!("cannot read {}: {error}", from.display()));
    let inside = format!("fixtures/{}/conversations", lab.fixtures());
    if !root::find_root()?.join(&inside).is_dir() {
        return Err(CliError::Usage(format!("lab {} has no conversations", lab.name)));
    }
    let before = scheme.conversations.len();
    for entry in fs::read_dir(from).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|kind| kind == "txt") {
            let bytes = fs::read(&path).map_err(cannot)?;
            scheme.conversations.insert(format!("{inside}/{name}"), bytes);
        }
    }
    if scheme.conversations.len() > before {
        Ok(())
    } else {
        Err(CliError::Usage(format!("there is no conversation in {}", from.display())))
    }
}

/// Only one can say which labs count: the scheme, where it has shares, or the command line.
pub(super) fn expect_one_list(labs: &[&'static Lab], has_shares: bool) -> Result<(), CliError> {
    if labs.is_empty() || !has_shares {
        return Ok(());
    }
    Err(CliError::Usage("the scheme says which labs count: leave out --labs".into()))
}
