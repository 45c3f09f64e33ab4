//! The harness of the sockets lab.
//!
//! It runs the students' programs as processes, against itself, against each other and against
//! hostile peers, and judges them from outside: by what they do on their sockets and streams,
//! and by what the kernel shows of them. It looks at the kernel, not at the clock.
//!
//! The way of one check, left to right:
//!
//! [`course`] (which labs, steps and checks) → [`session`] and [`build`] (cargo, one lab at a
//! time) → [`pool`] and [`worker`] (processes that carry out checks, each in an [`isolation`] of
//! its own) → [`trial`] (one check) on a [`program`], [`drive`] (conversations) and [`watch`]
//! (socket tables, threads) → [`verdict`] → [`report`].
//!
//! [`workspace`] is beside that way: what a student gets, and keeps.
//!
//! To add a check, copy one in [`checks`]: a row of the table and a function of about ten lines.

pub mod build;
pub mod checks;
pub mod cli;
pub mod conversation;
pub mod course;
pub mod demo;
pub mod drive;
pub mod isolation;
pub mod json;
pub mod lab;
mod mover;
pub mod pool;
pub mod program;
pub mod protocol;
pub mod record;
pub mod region;
pub mod report;
pub mod root;
pub mod session;
mod sync;
pub mod trial;
pub mod verdict;
pub mod watch;
pub mod words;
pub mod worker;
pub mod workspace;
