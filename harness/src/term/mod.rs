//! Text for a terminal: the one place that knows colours, and the one that knows columns.

pub(crate) mod layout;
mod progress;
pub mod style;

pub(crate) use layout::hang;
pub(crate) use progress::Progress;
pub use style::Style;
