//! How the checks of a lab are declared: a file for each step opens with the table of its checks,
//! in the order of the board; below stands a function for each, under the requirement that it
//! enforces.

/// Declares the checks of a step: the constant `CHECKS`, and a macro by the given name that hands
/// the checks' names to another macro. The tests are generated with it, so that there is one
/// `#[test]` for each check and no list that could drift.
///
/// `exotic` behind the points marks a check of what a beginner meets last (see
/// [`crate::lab::Check::exotic`]): `survives_few_descriptors, 2 points, exotic: "recovers …"`.
///
/// `patient` marks one that has to let time pass (see [`crate::lab::Check::patient`]).
///
/// The leading `$` is passed in because a macro that writes a macro can't write it itself.
macro_rules! checks {
    ($d:tt $each:ident, $lab:literal step $step:literal: $(
        $name:ident, $points:literal $(point)? $(points)? $(, $mark:ident)*: $title:literal;
        $requirement:literal
    )*) => {
        /// The checks of this step, in the order in which they build on each other.
        pub(super) const CHECKS: &[$crate::lab::Check] = &[$(
            $crate::lab::Check {
                lab: $lab,
                name: stringify!($name),
                title: $title,
                step: $step,
                points: $points,
                exotic: is_exotic!($($mark)*),
                patient: is_patient!($($mark)*),
                requirement: $requirement,
                run: $name,
            },
        )*];

        /// Calls the given macro with the name of each check of this step.
        #[macro_export]
        #[doc(hidden)]
        macro_rules! $each {
            ($d with:ident) => { $d with! { $($name)* } };
        }
    };
}

/// Whether a check has the mark `exotic`. A misspelt mark does not compile.
macro_rules! is_exotic {
    () => {
        false
    };
    (exotic $($rest:ident)*) => {
        true
    };
    (patient $($rest:ident)*) => {
        is_exotic!($($rest)*)
    };
}

/// Whether a check has the mark `patient`.
macro_rules! is_patient {
    () => {
        false
    };
    (patient $($rest:ident)*) => {
        true
    };
    (exotic $($rest:ident)*) => {
        is_patient!($($rest)*)
    };
}

/// Puts the steps of a lab together: the constant `CHECKS`, and a macro by the given name that
/// hands the names of all checks to another macro.
macro_rules! steps {
    ($d:tt $all:ident: $($step:ident $each:ident),*) => {
        /// All checks of this lab, by step.
        const CHECKS: &[&[$crate::lab::Check]] = &[$($step::CHECKS),*];

        /// Calls the given macro with the name of each check of this lab.
        #[macro_export]
        macro_rules! $all {
            ($d with:ident) => { $($d crate::$each! { $d with })* };
        }
    };
}
