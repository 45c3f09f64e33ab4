//! Recording what really happens: the book shows nothing about sockets that was typed by hand.

pub mod book;
mod normal;

pub use normal::{mask, normalise};
