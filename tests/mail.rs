//! Grades lab 5, the mail server: one test for each of its checks.
//!
//! `cargo test --test mail` grades the lab, `cargo test answers_ehlo` one check.

#[macro_use]
mod grade;

const LAB: &str = "mail";

sockets_lab::mail_checks!(test_each);
