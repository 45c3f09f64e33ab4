//! Grades lab 6, the name server and its client: one test for each of their checks.
//!
//! `cargo test --test names` grades the lab, `cargo test answers_a_question` one check.

#[macro_use]
mod grade;

const LAB: &str = "names";

sockets_lab::names_checks!(test_each);
