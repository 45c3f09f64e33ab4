//! Grades lab 10, the load balancer: one test for each of its checks.
//!
//! `cargo test --test balance` grades the lab, `cargo test turns` one check.

#[macro_use]
mod grade;

const LAB: &str = "balance";

sockets_lab::balance_checks!(test_each);
