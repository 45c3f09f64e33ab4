//! The checks, one file a lab. A file opens with the table of its checks, in the order of the
//! board; below stands a function for each, under the requirement that it enforces.

/// Declares the checks of a lab: the constant `CHECKS`, and a macro by the given name that
/// hands all of the checks' names to another macro. The tests are generated with it, so that
/// there is one `#[test]` for each check and no list that could drift.
///
/// The leading `$` is passed in because a macro that writes a macro can't write it itself.
macro_rules! checks {
    ($d:tt $lab:literal, $each:ident: $(
        $name:ident, step $step:literal, $points:literal $(point)? $(points)?: $title:literal;
        $requirement:literal
    )*) => {
        /// All checks of this lab, in the order in which they build on each other.
        pub const CHECKS: &[$crate::lab::Check] = &[$(
            $crate::lab::Check {
                lab: $lab,
                name: stringify!($name),
                title: $title,
                step: $step,
                points: $points,
                requirement: $requirement,
                run: $name,
            },
        )*];

        /// Calls the given macro with the name of each check of this lab.
        #[macro_export]
        macro_rules! $each {
            ($d with:ident) => { $d with! { $($name)* } };
        }
    };
}

pub mod client;
pub mod peer;
pub mod server;
pub mod together;
