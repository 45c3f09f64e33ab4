//! Text for a terminal: the one place that knows colours, and the one that knows columns.

pub(crate) mod layout;
pub mod style;

pub(crate) use layout::hang;
pub use style::Style;
