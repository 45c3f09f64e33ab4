//! Lab 5's program dies in deliveries, at every system call of one that changes anything: whatever
//! it has said 250 to is there when it runs again, and nothing is there by half.

use std::path::Path;

use sockets_lab::labs::mail::{self, kill_in_deliveries};
use sockets_lab::program::Template;
use sockets_lab::run::build::{Built, build};
use sockets_lab::trial::{Addresses, Needs, Stop, Trial};

/// More than any delivery has calls.
const ALL: usize = 200;

#[test]
fn nothing_is_lost_wherever_the_program_dies() {
    let template = match build(Path::new(env!("CARGO_MANIFEST_DIR")), &mail::LAB).unwrap() {
        Built::Program(file) => Template::new(&file, mail::LAB.arguments, mail::LAB.name),
        Built::Broken(words) => panic!("{words}"),
    };
    let trial = Trial::new(vec![("mail".to_owned(), template)], Addresses::shared(), Needs::All);
    match kill_in_deliveries(&trial, ALL).and_then(|deaths| trial.end().map(|()| deaths)) {
        Ok(deaths) => {
            println!(
                "killed {} times before the 250 and {} times behind it",
                deaths.before, deaths.behind
            );
            println!(
                "at the calls {}",
                deaths.calls.iter().cloned().collect::<Vec<_>>().join(", ")
            );
            assert!(deaths.before > 0 && deaths.before + deaths.behind > 5, "{deaths:?}");
        }
        Err(Stop::Skip(why)) => println!("skipped: {why}"),
        Err(stop) => panic!("{stop:#?}"),
    }
}
