//! Grades lab 7, the index and its peers: one test for each of their checks.
//!
//! `cargo test --test index` grades the lab, `cargo test welcomes` one check.

#[macro_use]
mod grade;

const LAB: &str = "index";

sockets_lab::index_checks!(test_each);
