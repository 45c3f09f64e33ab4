//! Grades lab 2, the client: one test for each of its checks.
//!
//! `cargo test --test client` grades the lab, `cargo test connects_once` one check.

#[macro_use]
mod grade;

const LAB: &str = "client";

sockets_lab::client_checks!(test_each);
