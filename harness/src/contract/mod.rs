//! What every listening program owes.
