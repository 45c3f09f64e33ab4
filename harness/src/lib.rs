//! The harness of the sockets lab.
//!
//! It runs the students' programs as processes, against itself, against each other and against
//! hostile peers, and judges them from outside: by what they do on their sockets and streams,
//! and by what the kernel shows of them. It looks at the kernel, not at the clock.
//!
//! The house has one way down: a module uses only modules that stand below it here, and a test
//! in `tests/course` fails on a cycle.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`cli`] | the commands that a user types |
//! | [`grade`] | a class: submissions, a gradebook, feedback |
//! | [`workspace`] | what a student gets, and keeps |
//! | [`report`] | the records of a run as text, JSON and JUnit |
//! | [`run`] | builds the labs, and has workers carry out their checks |
//! | [`show`] | instruments for the book and the curious: traces, ladders, demonstrations, ports |
//! | [`labs`] | the registry, and a room for each lab: its row, its checks, its scenes |
//! | [`contract`] | the checks that every listening program owes |
//! | [`lab`] | what a lab, a step and a check are |
//! | [`script`] | conversations written as text |
//! | [`net`] | the harness's own ends of connections, listeners and wires |
//! | [`trial`] | one check on freshly started programs: waiting, stalls, failures |
//! | [`verdict`] | what came of a check |
//! | [`program`] | a program under test as a process: its command line, its streams, its end |
//! | [`kernel`] | socket tables, threads, and what they are blocked in |
//! | [`archive`], [`term`], [`words`], [`json`], [`region`], [`root`] | text, documents, marked regions, folders |
//!
//! To follow one check from the command to its verdict, read [`run::session`], [`run::worker`],
//! [`trial`] and any file in a lab's room. To add a check, copy one there: a row of the table and
//! a function of about ten lines.

pub mod archive;
mod calendar;
pub mod cli;
pub mod contract;
pub mod grade;
pub mod json;
pub mod lab;
pub mod labs;
pub mod net;
pub mod program;
pub mod region;
pub mod report;
pub mod root;
pub mod run;
pub mod script;
pub mod show;
mod sync;
pub mod term;
pub mod trial;
pub mod verdict;
pub mod words;
pub mod workspace;

pub use sockets_kernel as kernel;
