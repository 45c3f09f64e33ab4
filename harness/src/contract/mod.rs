//! What every program of the course owes, whatever its protocol: checks that several labs share.

mod descriptors;
mod growth;
mod memory;
mod silence;

pub(crate) use memory::MORE;
