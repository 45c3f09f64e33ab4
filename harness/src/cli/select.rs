//! Labs, steps and checks as the user names them, everywhere alike: by number (`1`, `1/2`), by
//! name (`server`, `serve`, `half-close`), or by both (`server/2`, `1/serve`, `server/half-close`).

use super::CliError;
use super::nearest::nearest;
use crate::labs::{self, Check, LABS, Lab, Step};

/// What was named.
#[derive(Clone, Copy, Debug)]
pub(super) enum Selected {
    Lab(&'static Lab),
    Step(&'static Lab, &'static Step),
    Check(&'static Check),
}

impl Selected {
    /// `server`, `server/2`, `server/half-close`.
    fn id(&self) -> String {
        match self {
            Self::Lab(lab) => lab.name.to_owned(),
            Self::Step(lab, step) => id(lab, step),
            Self::Check(check) => check.id(),
        }
    }

    /// The checks that it stands for.
    pub(super) fn checks(&self) -> Vec<&'static Check> {
        match self {
            Self::Lab(lab) => lab.checks().collect(),
            Self::Step(lab, step) => lab.checks().filter(|one| one.step == step.number).collect(),
            Self::Check(check) => vec![check],
        }
    }
}

/// What this stands for: a lab, a step or a check.
pub(super) fn any(what: &str) -> Result<Selected, CliError> {
    let found = match what.split_once('/') {
        Some((name, "")) => vec![Selected::Lab(lab(name)?)],
        Some((name, part)) => parts(lab(name)?, part),
        None => match lab_of(what) {
            Some(lab) => vec![Selected::Lab(lab)],
            None => labs::parts().flat_map(|lab| parts_by_name(lab, what)).collect(),
        },
    };
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(CliError::Usage(format!("there is no {}", unknown(what)))),
        several => {
            let ids: Vec<_> = several.iter().map(Selected::id).collect();
            let last = ids.last().map_or("", String::as_str);
            Err(CliError::Usage(format!(
                "`{what}` can be {}: say which, as in `{last}`",
                ids.join(" or ")
            )))
        }
    }
}

/// Labs by their names or numbers, with commas between them.
pub(super) fn labs(names: &str) -> Result<Vec<&'static Lab>, CliError> {
    names.split(',').map(|name| lab(name.trim())).collect()
}

/// The lab of this name or number.
pub(super) fn lab(name: &str) -> Result<&'static Lab, CliError> {
    lab_of(name).ok_or_else(|| {
        let names: Vec<_> = labs::parts().map(|lab| lab.name).collect();
        let meant = meant(name, names.iter().copied());
        CliError::Usage(format!("there is no lab `{name}`{meant}; the labs: {}", names.join(", ")))
    })
}

fn lab_of(name: &str) -> Option<&'static Lab> {
    let number: Option<u8> = name.parse().ok();
    labs::parts().find(|lab| lab.name == name || (number.is_some() && lab.number == number))
}

/// The one step that this stands for.
pub(super) fn step(what: &str) -> Result<(&'static Lab, &'static Step), CliError> {
    // A name may be that of a step and of a check: here a step is meant.
    if !what.contains('/') && lab_of(what).is_none() {
        let steps = LABS.iter().flat_map(|lab| lab.steps.iter().map(move |step| (lab, step)));
        let found: Vec<_> = steps.filter(|(_, step)| is_named(step.name, what)).collect();
        match found.as_slice() {
            [only] => return Ok(*only),
            [] => {}
            several => {
                let ids: Vec<_> = several.iter().map(|(lab, step)| id(lab, step)).collect();
                let ids = ids.join(", ");
                return Err(CliError::Usage(format!("`{what}` is a step of several labs: {ids}")));
            }
        }
    }
    match any(what)? {
        Selected::Step(lab, step) if lab.is_lab() => Ok((lab, step)),
        Selected::Lab(lab) if lab.is_lab() => {
            let steps: Vec<_> =
                lab.steps.iter().map(|step| format!("{} ({})", id(lab, step), step.name)).collect();
            Err(CliError::Usage(format!("say which step of {}: {}", lab.name, steps.join(", "))))
        }
        Selected::Check(check) if check.lab().is_lab() => Ok((check.lab(), check.step())),
        other => Err(CliError::Usage(format!("there is no step `{}` to write", other.id()))),
    }
}

/// `server/2`: how a step is named in commands.
pub(super) fn id(lab: &Lab, step: &Step) -> String {
    format!("{}/{}", lab.name, step.number)
}

/// The steps and the checks of a lab that this stands for.
fn parts(lab: &'static Lab, part: &str) -> Vec<Selected> {
    let number: Option<u8> = part.parse().ok();
    match lab.steps.iter().find(|step| Some(step.number) == number) {
        Some(step) => vec![Selected::Step(lab, step)],
        None => parts_by_name(lab, part),
    }
}

/// The step of this name, or else the check.
fn parts_by_name(lab: &'static Lab, name: &str) -> Vec<Selected> {
    let step = lab.steps.iter().find(|step| is_named(step.name, name));
    let check = || lab.checks().find(|check| is_named(check.name, name)).map(Selected::Check);
    step.map(|step| Selected::Step(lab, step)).or_else(check).into_iter().collect()
}

/// `half-close` and `half_close` are the same name.
fn is_named(name: &str, typed: &str) -> bool {
    name == typed.replace('-', "_")
}

/// What is not there, what may have been meant, and where all names are shown.
fn unknown(what: &str) -> String {
    let (list, kind) = match what.split_once('/') {
        Some((name, _)) => (
            format!("cargo lab list {}", lab_of(name).map_or(name, |lab| lab.name)),
            "step or check",
        ),
        None => ("cargo lab list".to_owned(), "lab, step or check"),
    };
    let steps = labs::parts().flat_map(|lab| {
        lab.steps.iter().map(|step| (format!("{}/{}", lab.name, step.name), step.name.to_owned()))
    });
    let checks = labs::checks().map(|check| (check.id(), check.name.replace('_', "-")));
    let labs = labs::parts().map(|lab| (lab.name.to_owned(), lab.name.to_owned()));
    let names = labs.chain(steps).chain(checks);
    let both = what.contains('/');
    let names: Vec<_> = names.map(|(id, name)| if both { id } else { name }).collect();
    let meant = meant(what, names.iter().map(String::as_str));
    format!("{kind} `{what}`{meant}; `{list}` shows all")
}

/// ` (did you mean server/half-close?)`, where something is near enough.
pub(super) fn meant<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, names).map_or(String::new(), |name| format!(" (did you mean `{name}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(what: &str) -> Result<String, String> {
        any(what).map(|found| found.id()).map_err(|error| error.to_string())
    }

    #[test]
    fn labs_steps_and_checks_are_named_by_number_by_name_and_by_both() {
        for (what, id) in [
            ("1", "server"),
            ("server", "server"),
            ("together", "together"),
            ("1/2", "server/2"),
            ("server/2", "server/2"),
            ("1/accept_loop", "server/2"),
            ("server/accept-loop", "server/2"),
            ("receive", "peer/3"),
            ("read-request", "web/1"),
            ("half-close", "server/half-close"),
            ("half_close", "server/half-close"),
            ("1/half-close", "server/half-close"),
            ("together/2", "together/2"),
            ("server/", "server"),
        ] {
            assert_eq!(found(what).as_deref(), Ok(id), "{what}");
        }
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_may_have_been_meant() {
        for (what, meant) in [
            ("servr", "did you mean `server`"),
            ("half-clos", "did you mean `half-close`"),
            ("server/half-clsoe", "did you mean `server/half-close`"),
            ("acept_loop", "did you mean `accept_loop`"),
            ("servr/2", "did you mean `server`"),
            ("server/9", "`cargo lab list server` shows all"),
            ("0", "there is no lab, step or check `0`; `cargo lab list` shows all"),
            ("", "there is no lab, step or check"),
            ("/", "there is no lab ``"),
        ] {
            let error = found(what).expect_err(what);
            assert!(error.contains(meant), "{what}: {error}");
        }
    }

    #[test]
    fn a_name_that_several_have_is_asked_about() {
        let error = found("refuses-a-taken-port").expect_err("several labs have it");
        let both = "server/refuses-a-taken-port or peer/refuses-a-taken-port";
        assert!(error.contains(both) && error.contains(": say which"), "{error}");
    }

    #[test]
    fn where_a_step_is_asked_for_a_lab_is_not_enough() {
        let error = step("server").expect_err("it has three").to_string();
        assert!(error.contains("server/1 (listen)"), "{error}");
        assert!(step("together/1").is_err());
        assert!(step("1/2").is_ok_and(|(lab, step)| id(lab, step) == "server/2"));
    }
}
