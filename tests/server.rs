//! Grades lab 1, the server: one test for each of its checks.
//!
//! `cargo test --test server` grades the lab, `cargo test half_close` one check.

#[macro_use]
mod grade;

const LAB: &str = "server";

sockets_lab::server_checks!(test_each);
