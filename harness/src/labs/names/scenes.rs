//! What the book shows of names.

use crate::lab::Scene;

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[];
