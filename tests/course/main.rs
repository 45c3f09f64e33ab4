//! The kit's tests of itself: the harness is tested by mistakes that beginners make, the stubs
//! by what they leave unjudged, the registry by what it promises. Not in a student's workspace.
//!
//! No file here knows the labs by name to demand something of them: what every lab owes is
//! demanded of each lab of the registry, with [`test_each_lab`].

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

/// A module of tests, one for each lab of the registry: `test_each_lab! { NAME FUNCTION }` through
/// [`sockets_lab::each_lab`], where `FUNCTION` takes the lab.
macro_rules! test_each_lab {
    (($name:ident $test:path) $($folder:literal $lab:ident)*) => {
        mod $name {
            $(
                #[test]
                fn $lab() {
                    $test(sockets_lab::labs::lab(stringify!($lab)).expect("a lab"));
                }
            )*
        }
    };
}

mod attacks;
mod attacks_in_source;
mod book;
mod builds;
mod built_once;
mod class;
mod cleanliness;
mod clients;
mod commands;
mod conversations;
mod corpus;
mod counterparts;
mod datagrams;
mod demos;
mod doors;
mod golden;
mod grade;
mod handover;
mod languages;
mod mail_crash;
mod mistakes;
mod names_messages;
mod parsers;
mod peer_model;
mod platforms;
mod ports;
mod properties;
mod recordings;
mod registry;
mod right;
mod runs;
mod specimens;
mod stubs;
mod tidy;
mod update;
mod watching;
mod web_cases;
mod wires;
mod workspace;
mod world;
