//! Grades lab 4, the web server: one test for each of its checks.
//!
//! `cargo test --test web` grades the lab, `cargo test sends_a_file` one check.

#[macro_use]
mod grade;

const LAB: &str = "web";

sockets_lab::web_checks!(test_each);
