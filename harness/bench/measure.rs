//! Times of several runs.

use std::fmt;
use std::io;
use std::time::Instant;

/// The least, the middle and the most of several runs: seconds of wall time, or a rate.
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of `runs` runs, after one that does not count.
    pub(crate) fn of(runs: usize, mut run: impl FnMut() -> io::Result<()>) -> io::Result<Self> {
        run()?;
        let times: io::Result<Vec<f64>> = (0..runs).map(|_| time(&mut run)).collect();
        Ok(Self::from(times?))
    }

    pub(crate) fn from(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
        Self { least: at(0), median: at(times.len() / 2), most: at(times.len().saturating_sub(1)) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, median, most) = (self.least * 1e3, self.median * 1e3, self.most * 1e3);
        write!(f, "{median:6.0} ms  ({least:.0} to {most:.0})")
    }
}

/// Two things in turn, so that a machine that gets slower meets both.
pub(crate) fn compare(
    runs: usize,
    mut a: impl FnMut() -> io::Result<()>,
    mut b: impl FnMut() -> io::Result<()>,
) -> io::Result<(Spread, Spread)> {
    a()?;
    b()?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        first.push(time(&mut a)?);
        second.push(time(&mut b)?);
    }
    Ok((Spread::from(first), Spread::from(second)))
}

/// Rounds of a race, in each of which every server has its turn.
pub(crate) const ROUNDS: usize = 5;

/// Prints how many of something a second each server does, and its ratio to the first one.
pub(crate) fn race<S>(
    servers: &[(&str, S)],
    mut rate: impl FnMut(&S) -> io::Result<f64>,
) -> io::Result<()> {
    let mut rates = vec![Vec::new(); servers.len()];
    for _ in 0..ROUNDS {
        for ((_, server), rates) in servers.iter().zip(&mut rates) {
            rates.push(rate(server)?);
        }
    }
    let mut first = None;
    for ((name, _), rates) in servers.iter().zip(rates) {
        let spread = Spread::from(rates);
        let ratio = spread.median / *first.get_or_insert(spread.median);
        let Spread { least, median, most } = spread;
        println!("    {name:<8} {median:8.0}  ({least:.0} to {most:.0})   x{ratio:.3}");
    }
    Ok(())
}

/// The middle of many short runs, in seconds.
pub(crate) fn median(runs: usize, run: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    Spread::of(runs, run).map(|spread| spread.median)
}

fn time(run: &mut impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed().as_secs_f64())
}
