//! Grades lab 8, the servent: one test for each of their checks.
//!
//! `cargo test --test flood` grades the lab, `cargo test answers_a_ping` one check.

#[macro_use]
mod grade;

const LAB: &str = "flood";

sockets_lab::flood_checks!(test_each);
