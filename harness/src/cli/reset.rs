//! `lab reset STEP|LAB`: puts stubs back, after saving what was written.

use std::path::Path;

use super::{CliError, print, select};
use crate::labs::{LABS, Lab, Step};
use crate::root;
use crate::workspace::steps;

/// Puts the stub of a step back, or those of a whole lab.
pub(super) fn run(what: &str) -> Result<u8, CliError> {
    let (lab, steps): (&Lab, Vec<&Step>) = match LABS.iter().find(|lab| lab.name == what) {
        Some(lab) => (lab, lab.steps.iter().collect()),
        None => {
            let (lab, step) = select::step(what)?;
            (lab, vec![step])
        }
    };
    let root = root::find_root()?;
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    let names = names.join(", ");
    match steps::reset(&root, lab, &steps)? {
        Some(saved) => {
            let saved = shown(&root, &saved);
            print(&format!(
                "{}: back to the beginning: {names}\nYour file as it was is saved in {saved}\n",
                lab.name
            ))?;
        }
        None => print(&format!("{}: nothing is written yet: {names}\n", lab.name))?,
    }
    Ok(0)
}

/// A path as short as it can be said: from where the user is, or else from the root.
fn shown(root: &Path, path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(&here).or_else(|_| path.strip_prefix(root)).unwrap_or(path);
    short.display().to_string()
}
