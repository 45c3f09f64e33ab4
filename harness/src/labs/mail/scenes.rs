//! What the book shows of lab 5.

use crate::lab::Scene;

/// In the order of its chapters.
pub(super) const SCENES: &[Scene] = &[];
