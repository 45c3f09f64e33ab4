//! Grades lab 6, names: one test for each of its checks.
//!
//! `cargo test --test names` grades the lab, `cargo test answers_a_question` one check.

#[macro_use]
mod grade;

const LAB: &str = "names";

sockets_lab::names_checks!(test_each);
