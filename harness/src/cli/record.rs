//! `lab record`: makes the book's recordings anew; with `--check`, says what differs. For those
//! who write the course: the book never shows what was typed by hand.

mod book;
mod ports;

use std::path::Path;

use self::book::Recorded;
use super::{CliError, print};
use crate::root;
use crate::run::pool::Pool;

/// Where they are, below the course's root.
const FOLDER: &str = "book/recordings";

/// So often all is recorded before `--check` says that it differs.
const TRIES: u32 = 3;

/// Returns the exit status: 1 where `--check` has found a difference.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let check = match words {
        [] => false,
        ["--check"] => true,
        _ => return Err(CliError::Usage("lab record takes nothing, or --check".into())),
    };
    let pool = Pool::open()?;
    if !pool.notes.is_empty() {
        let why = pool.notes.join("; ");
        return Err(CliError::Trouble(format!("recordings need a network of their own ({why})")));
    }
    let folder = root::find_root()?.join(FOLDER);
    let (partial, recorded): (Vec<_>, Vec<_>) =
        book::record(&pool, &|_| {})?.into_iter().partition(Recorded::is_partial);
    for one in partial {
        eprintln!("note: {} can't be recorded on this system", one.file);
    }
    let differs = |one: &&Recorded| !book::is_same(&folder, one);
    let mut changed: Vec<_> = recorded.iter().filter(differs).collect();
    if check {
        // A client that asks again by its own clock may do so in the middle of a look at it, on a
        // busy machine: what differs is what differs each time.
        for _ in 1..TRIES {
            if changed.is_empty() {
                break;
            }
            let again = book::record(&pool, &|_| {})?;
            let still: Vec<_> = again.iter().filter(differs).map(|one| &one.file).collect();
            changed.retain(|one| still.contains(&&one.file));
        }
        tell(&folder, &changed, recorded.len())
    } else {
        changed.iter().try_for_each(|one| book::write(&folder, one))?;
        print(&format!("{} recordings, {} written\n", recorded.len(), changed.len()))?;
        Ok(0)
    }
}

fn tell(folder: &Path, changed: &[&Recorded], all: usize) -> Result<u8, CliError> {
    for one in changed {
        let file = folder.join(&one.file);
        print(&format!("{} differs from this run, which gives:\n{}\n", file.display(), one.text))?;
    }
    print(&format!("{all} recordings, {} differ\n", changed.len()))?;
    Ok(u8::from(!changed.is_empty()))
}
