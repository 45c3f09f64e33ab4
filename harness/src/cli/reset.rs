//! `lab reset STEP|LAB`: puts stubs back, after saving what was written.

use std::path::Path;

use super::select::{self, Selected};
use super::{CliError, print};
use crate::labs::{Lab, Step};
use crate::root;
use crate::workspace::steps;

/// Puts the stub of a step back, or those of a whole lab.
pub(super) fn run(what: &str) -> Result<u8, CliError> {
    let (lab, steps): (&Lab, Vec<&Step>) = match select::any(what) {
        Ok(Selected::Lab(lab)) if lab.is_lab() => (lab, lab.steps.iter().collect()),
        _ => {
            let (lab, step) = select::step(what)?;
            (lab, vec![step])
        }
    };
    print(&put_back(&root::find_root()?, lab, &steps)?)?;
    Ok(0)
}

/// Puts the stubs of these steps back; what was done, in words.
pub(super) fn put_back(root: &Path, lab: &Lab, steps: &[&Step]) -> Result<String, CliError> {
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    let names = names.join(", ");
    Ok(match steps::reset(root, lab, steps)? {
        Some(saved) => {
            let saved = shown(root, &saved);
            format!(
                "{}: back to the beginning: {names}\nYour file as it was is saved in {saved}\n",
                lab.name
            )
        }
        None => format!("{}: nothing is written yet: {names}\n", lab.name),
    })
}

/// A path as short as it can be said: from where the user is, or else from the root.
fn shown(root: &Path, path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(&here).or_else(|_| path.strip_prefix(root)).unwrap_or(path);
    short.display().to_string()
}
