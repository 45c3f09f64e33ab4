//! Grades the labs together: one test for each check of programs that meet.
//!
//! `cargo test --test together` grades all, `cargo test passes_a_line` one check.

#[macro_use]
mod grade;

const LAB: &str = "together";

sockets_lab::together_checks!(test_each);
