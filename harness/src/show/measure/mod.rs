//! What it takes some time to find out: measured with the reader's own program of a lab, told as a table,
//! and drawn as a chart beside a formula.

mod chart;
mod line;
mod pays;
mod pipelining;
mod programs;

use std::io;
use std::time::Duration;

use crate::program::Template;

/// How often each figure is measured; the median counts.
const RUNS: usize = 3;
/// Bytes of the file that is given.
const SIZE: usize = 4 << 20;
/// Bytes that a line carries in a second.
const RATE: u32 = 4 << 20;

/// Measures a program, and tells what it is doing.
type Run = fn(&Template, &dyn Fn(&str)) -> io::Result<Measured>;

/// A measurement.
#[derive(Debug)]
pub struct Measure {
    /// What the command line calls it: `who-pays`.
    pub name: &'static str,
    /// What it finds out, and for how long it runs.
    pub what: &'static str,
    /// The lab whose program is measured.
    pub lab: &'static str,
    run: Run,
}

/// What one has given.
#[derive(Clone, Debug)]
pub struct Measured {
    /// A table, as text.
    pub table: String,
    /// An inline SVG.
    pub chart: String,
}

/// All of them.
pub static MEASURES: &[Measure] = &[pipelining::PIPELINING, pays::WHO_PAYS];

/// The measurement of this name.
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

impl Measure {
    /// Measures this program. `progress` is told before each run.
    ///
    /// # Errors
    /// A program that does not start, or does not give the file in time.
    pub fn run(&self, program: &Template, progress: &dyn Fn(&str)) -> io::Result<Measured> {
        (self.run)(program, progress)
    }
}

/// The run in the middle of several, by what `time` says of it.
fn median<T>(
    mut run: impl FnMut(usize) -> io::Result<T>,
    time: impl Fn(&T) -> Duration,
) -> io::Result<T> {
    let mut runs = (1..=RUNS).map(&mut run).collect::<io::Result<Vec<T>>>()?;
    runs.sort_by_key(time);
    Ok(runs.swap_remove(RUNS / 2))
}

/// Cells, each at the right of a column as wide as this one's place says.
fn line(widths: &[usize], cells: &[&str]) -> String {
    let cells = cells.iter().zip(widths);
    cells.map(|(cell, &width)| format!("{cell:>width$}")).collect::<String>() + "\n"
}
