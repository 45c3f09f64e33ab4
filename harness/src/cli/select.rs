//! Labs and steps as the user names them.

use super::CliError;
use crate::labs::{self, LABS, Lab, Step};

/// The lab of this name.
pub(super) fn lab(name: &str) -> Result<&'static Lab, CliError> {
    labs::lab(name).ok_or_else(|| {
        let labs: Vec<_> = labs::parts().map(|lab| lab.name).collect();
        CliError::Usage(format!("there is no lab `{name}`; the labs: {}", labs.join(", ")))
    })
}

/// The step that `server/2`, `server/accept_loop` or `accept_loop` stands for.
pub(super) fn step(what: &str) -> Result<(&'static Lab, &'static Step), CliError> {
    let fits = |lab: &Lab, step: &Step| match what.split_once('/') {
        Some((name, part)) => {
            lab.name == name && (part == step.name || part == step.number.to_string())
        }
        None => what == step.name,
    };
    let steps = LABS.iter().flat_map(|lab| lab.steps.iter().map(move |step| (lab, step)));
    let found: Vec<_> = steps.filter(|(lab, step)| fits(lab, step)).collect();
    the_only(&found, what)
}

/// The one that fits, or why it is not clear which step was meant.
fn the_only(
    found: &[(&'static Lab, &'static Step)],
    what: &str,
) -> Result<(&'static Lab, &'static Step), CliError> {
    match found {
        [only] => Ok(*only),
        [] => Err(CliError::Usage(none(what))),
        several => {
            let ids: Vec<_> = several.iter().map(|(lab, step)| id(lab, step)).collect();
            Err(CliError::Usage(format!("`{what}` is a step of several labs: {}", ids.join(", "))))
        }
    }
}

/// `server/2`: how a step is named in commands.
pub(super) fn id(lab: &Lab, step: &Step) -> String {
    format!("{}/{}", lab.name, step.number)
}

/// That there is no such step, and which there are.
fn none(what: &str) -> String {
    let name = what.split_once('/').map_or(what, |(name, _)| name);
    match LABS.iter().find(|lab| lab.name == name) {
        Some(lab) => {
            let steps = lab.steps.iter().map(|step| format!("{} ({})", id(lab, step), step.name));
            let steps: Vec<_> = steps.collect();
            if name == what {
                format!("say which step of {name}: {}", steps.join(", "))
            } else {
                format!("there is no step `{what}`; the steps: {}", steps.join(", "))
            }
        }
        None => format!("there is no step `{what}`; `lab list` shows all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(what: &str) -> Option<String> {
        step(what).ok().map(|(lab, step)| id(lab, step))
    }

    #[test]
    fn a_step_is_named_by_its_number_or_its_function() {
        for what in ["server/2", "server/accept_loop", "accept_loop"] {
            assert_eq!(found(what).as_deref(), Some("server/2"), "{what}");
        }
        for what in ["server", "server/9", "2", "serv/2", "", "/", "server/"] {
            assert_eq!(found(what), None, "{what}");
        }
    }

    #[test]
    fn a_name_that_two_labs_have_is_asked_about() {
        let same = ["server/1", "peer/3"].map(|id| step(id).unwrap());
        let error = the_only(&same, "same").unwrap_err().to_string();
        assert!(error.contains("server/1, peer/3"), "{error}");
    }
}
