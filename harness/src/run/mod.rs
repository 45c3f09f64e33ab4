//! One run of the harness: [`session`] has the labs built ([`build`]) and hands their checks to
//! a [`pool`] of [`worker`]s, each a process in an [`isolation`] of its own. The two sides speak
//! the [`protocol`].

mod bound;
pub mod build;
pub mod isolation;
mod outset;
pub mod pool;
pub mod protocol;
mod queue;
pub mod session;
pub mod worker;
