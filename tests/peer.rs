//! Grades lab 3, the peer: one test for each of its checks.
//!
//! `cargo test --test peer` grades the lab, `cargo test keeps_speakers_apart` one check.

#[macro_use]
mod grade;

const LAB: &str = "peer";

sockets_lab::peer_checks!(test_each);
