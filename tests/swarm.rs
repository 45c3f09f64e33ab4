//! Grades lab 9, the peer of a swarm: one test for each of its checks.
//!
//! `cargo test --test swarm` grades the lab, `cargo test serves_a_block` one check.

#[macro_use]
mod grade;

const LAB: &str = "swarm";

sockets_lab::swarm_checks!(test_each);
