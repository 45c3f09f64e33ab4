//! Which process may die: a name with two addresses, two balancers, three web servers, and clients that
//! load a page all the time. One process is killed, at an instant that has nothing to do with what the
//! clients are doing, and what each of them notices is counted: with the reader's own balancer, and with
//! real ones in its place.

mod client;
mod front;
mod round;
mod site;
mod table;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::net::noise;

use self::client::Ending;
use self::site::Site;
pub use front::Front;
pub use table::table;

/// Bytes of the page: so many that somebody is always in the middle of it.
const SIZE: usize = 1 << 20;
/// How many load it at the same time.
const CLIENTS: usize = 8;
/// How often each of them loads it once a process is gone.
const AFTER: usize = 2;
/// The kill comes at most so many milliseconds after the clients begin.
const LATEST: u64 = 200;

/// After so many kills the one who waits is told again how far it is.
const TOLD: usize = 10;

/// The reader's own programs, besides the balancer.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Of lab 6.
    pub names: PathBuf,
    /// Of lab 4.
    pub web: PathBuf,
    /// Of lab 2.
    pub client: PathBuf,
}

/// How much is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How often.
    pub kills: usize,
    /// Whom, and when: the same seed, the same choice.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { kills: 100, seed: 29 }
    }
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Web,
    Balancer,
    Names,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Web, Self::Balancer, Self::Names];

    fn name(self) -> &'static str {
        match self {
            Self::Web => "a web server",
            Self::Balancer => "a balancer",
            Self::Names => "the name server",
        }
    }
}

/// What came of all kills with one kind of balancer.
#[derive(Debug)]
pub struct Count {
    name: &'static str,
    rows: Vec<Row>,
}

/// What came of all kills of one kind of process.
#[derive(Debug)]
struct Row {
    victim: Victim,
    kills: usize,
    under_way: Vec<Ending>,
    afterwards: Vec<Ending>,
}

/// Kills one process after another, each time with all others alive. `progress` is told now and then.
///
/// # Errors
/// A program that does not start, or a client that does not come to an end.
pub fn measure(
    programs: &Programs,
    front: &Front,
    plan: Plan,
    progress: &dyn Fn(&str),
) -> io::Result<Count> {
    let page = Arc::new(noise(29, SIZE));
    let mut site = Site::start(programs, front, &page)?;
    let mut rows = Victim::ALL.map(|victim| Row {
        victim,
        kills: 0,
        under_way: Vec::new(),
        afterwards: Vec::new(),
    });
    let chances = noise(plan.seed, 16 * plan.kills);
    for (number, chance) in chances.chunks_exact(16).enumerate() {
        if number % TOLD == 0 {
            progress(&format!("{}: kill {} of {}", front.name(), number + 1, plan.kills));
        }
        let (who, when) = chance.split_at(8);
        let which = below(who, site.victims() as u64) as usize;
        let after = Duration::from_micros(below(when, 1000 * LATEST));
        let round = round::run(&mut site, &page, which, after)?;
        let row = rows.iter_mut().find(|row| row.victim == round.victim);
        if let Some(row) = row {
            row.kills += 1;
            row.under_way.extend(round.under_way);
            row.afterwards.extend(round.afterwards);
        }
        site.revive(which)?;
    }
    Ok(Count { name: front.name(), rows: rows.into() })
}

/// A number below `limit` from eight bytes of chance.
fn below(chance: &[u8], limit: u64) -> u64 {
    chance.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)) % limit
}
