//! The kit's tests of itself: the harness is tested by mistakes that beginners make, the stubs
//! by what they leave unjudged, the registry by what it promises. Not in a student's workspace.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod book;
mod cleanliness;
mod commands;
mod corpus;
mod counterparts;
mod demos;
mod golden;
mod mistakes;
mod parsers;
mod peer_model;
mod ports;
mod properties;
mod recordings;
mod registry;
mod right;
mod runs;
mod stubs;
mod together;
mod update;
mod watching;
mod workspace;
mod world;
