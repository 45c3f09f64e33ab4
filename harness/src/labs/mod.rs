//! The course as data: the labs, their steps, and all checks. This registry is the denominator
//! of every score; what is not in it does not count, and what is in it and did not run failed.

#[macro_use]
mod declare;

pub mod balance;
pub mod client;
mod dissect;
pub mod flood;
pub mod index;
pub mod mail;
pub mod names;
pub mod peer;
pub mod server;
pub mod swarm;
pub mod together;
pub mod web;

pub use crate::lab::{Check, Lab, Scene, Step};
use crate::trial::Needs;
pub(crate) use together::PORTS;

impl Check {
    /// Stable id: `server/half-close`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.lab, self.name.replace('_', "-"))
    }

    /// The part of the course that it belongs to.
    pub fn lab(&self) -> &'static Lab {
        let lab = lab(self.lab);
        lab.expect("the registry's own test proves that each check is in its lab")
    }

    /// What must be written for it to pass: of its own lab the steps up to its own, or every lab
    /// whose program it runs.
    pub(crate) fn needs(&self) -> Needs {
        if self.lab().is_lab() { Needs::UpTo(self.step) } else { Needs::All }
    }

    /// The step that it exercises.
    pub fn step(&self) -> &'static Step {
        let step = self.lab().steps.iter().find(|step| step.number == self.step);
        step.expect("the registry's own test proves that each check's step exists")
    }
}

/// Declares the labs, each by its folder below `labs/` and `fixtures/` and by its module here.
/// `each_lab! { with ARGUMENTS }` hands all of them to another macro, after the arguments: so
/// the tests of the kit need no list of labs.
macro_rules! labs {
    ($d:tt $($folder:literal $lab:ident),*) => {
        /// All labs, in the order of the course.
        pub static LABS: &[Lab] = &[$($lab::LAB),*];

        /// Calls the given macro with the given arguments, and the folder and the name of each lab.
        #[macro_export]
        macro_rules! each_lab {
            ($d with:ident $d($d arguments:tt)*) => {
                $d with! { ($d($d arguments)*) $($folder $lab)* }
            };
        }
    };
}

labs! { $ "01-server" server, "02-client" client, "03-peer" peer, "04-web" web, "05-mail" mail, "06-names" names, "07-index" index,
"08-flood" flood, "09-swarm" swarm, "10-balance" balance }

/// What is not a lab: the programs that a student wrote, against each other.
pub static TOGETHER: Lab = together::PART;

/// All that is checked, in the order of the board: the labs, then what they do together.
pub fn parts() -> impl Iterator<Item = &'static Lab> {
    LABS.iter().chain([&TOGETHER])
}

/// The lab of this name, or `together`.
pub fn lab(name: &str) -> Option<&'static Lab> {
    parts().find(|lab| lab.name == name)
}

/// The check with this id.
pub fn check(id: &str) -> Option<&'static Check> {
    let (part, name) = id.split_once('/')?;
    let name = name.replace('-', "_");
    lab(part)?.checks().find(|check| check.name == name).filter(|check| check.id() == id)
}

/// All checks of all parts, in order.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    parts().flat_map(Lab::checks)
}

/// The scenes of all labs, in the order of the course.
pub fn scenes() -> impl Iterator<Item = &'static Scene> {
    parts().flat_map(|lab| lab.scenes)
}

/// The scene of this name.
pub fn scene(name: &str) -> Option<&'static Scene> {
    scenes().find(|scene| scene.name == name)
}
