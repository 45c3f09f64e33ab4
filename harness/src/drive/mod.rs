//! Driving a program: the harness's own end of a conversation.
//!
//! Every verb notes what it did in the trial's story, waits only for a state of the kernel, and
//! ends the check by itself when the program does not do its part.

mod connection;
mod exchange;
mod likely;
mod payload;
mod server;

pub use connection::{Connection, End};
pub use exchange::Flow;
pub use payload::{Cut, noise, pattern};
pub use server::{Server, Started};
