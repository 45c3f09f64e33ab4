//! Instruments: what a program and the kernel do, made visible, for the book and for the
//! curious. No verdict comes from here; who follows how a check is judged can pass by.
//!
//! [`trace`] records a check or a scene, [`ladder`] and [`svg`] draw the recording, [`demo`]
//! shows what is untrue about a misconception, [`ports`] which ports are in use, [`measure`] how
//! long things take, [`kills`] what is noticed when a process dies.

pub mod demo;
pub mod kills;
pub mod ladder;
pub mod measure;
pub mod ports;
pub mod svg;
pub mod trace;
