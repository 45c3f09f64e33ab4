//! A model of peers: who is present, and who has heard what. Random joins, leaves and lines over
//! two to four real peers are compared with it: what each prints, in order, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use proptest::prelude::*;
use sockets_lab::labs;
use sockets_lab::labs::peer::Peer;
use sockets_lab::program::Template;
use sockets_lab::run::build::{Built, build};
use sockets_lab::trial::{Addresses, Needs, Stop, Trial, Verdict};

const NAMES: [&str; 4] = ["ann", "bob", "carol", "dave"];

/// What happens. The number stands for one of the peers that can do it.
#[derive(Clone, Debug)]
enum Deed {
    /// Somebody who is away starts, and calls all who are there.
    Join(usize),
    /// Somebody says a line.
    Say(usize, String),
    /// Somebody's user ends standard input.
    Leave(usize),
    /// Somebody is killed.
    Crash(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Deed::Join),
        4 => (0..4_usize, "[ -~é🦀]{0,30}").prop_map(|(who, text)| Deed::Say(who, text)),
        1 => (0..4_usize).prop_map(Deed::Leave),
        1 => (0..4_usize).prop_map(Deed::Crash),
    ]
}

/// The peers that run, by name, and where each listens.
struct World {
    trial: Trial,
    present: BTreeMap<&'static str, Peer>,
    addresses: BTreeMap<&'static str, SocketAddr>,
}

const MODEL: &str = "the model says so";

impl World {
    fn new(template: &Template, addresses: &Addresses) -> Self {
        let trial = Trial::new(
            vec![("peer".to_owned(), template.clone())],
            addresses.clone(),
            Needs::UpTo(4),
        );
        Self { trial, present: BTreeMap::new(), addresses: BTreeMap::new() }
    }

    fn pick(&self, who: usize) -> Option<&'static str> {
        let names: Vec<_> = self.present.keys().copied().collect();
        (!names.is_empty()).then(|| names[who % names.len()])
    }

    /// Carries out a deed, and waits until everybody has printed what the model says.
    fn carry_out(&mut self, deed: &Deed) -> Verdict {
        match deed {
            Deed::Join(who) => self.join(NAMES[*who]),
            Deed::Say(who, text) => {
                let Some(name) = self.pick(*who) else { return Ok(()) };
                self.present[name].types(text);
                self.expect_of_others(name, &format!("{name}: {text}"))
            }
            Deed::Leave(who) => {
                let Some(name) = self.pick(*who) else { return Ok(()) };
                self.present[name].stops_typing();
                self.expect_of_others(name, &format!("left {name}"))?;
                self.present[name].expect_exit(0)?;
                self.present.remove(name);
                Ok(())
            }
            Deed::Crash(who) => {
                let Some(name) = self.pick(*who) else { return Ok(()) };
                self.present[name].service.crash()?;
                self.expect_of_others(name, &format!("left {name}"))?;
                self.present.remove(name);
                Ok(())
            }
        }
    }

    fn join(&mut self, name: &'static str) -> Verdict {
        if self.present.contains_key(name) {
            return Ok(());
        }
        let others: Vec<_> = self.present.values().map(|peer| peer.address()).collect();
        // Who comes back comes back on the same port.
        let free = || self.trial.addresses().free_address();
        let address = *self.addresses.entry(name).or_insert_with(free);
        let peer = self.trial.peer_at(name, address, &others)?;
        self.expect_of_others(name, &format!("joined {name} * as server"))?;
        let greeted = self
            .present
            .values()
            .map(|other| format!("joined {} {} as client", other.name, other.address()));
        let greeted: Vec<_> = greeted.collect();
        let greeted: Vec<_> = greeted.iter().map(String::as_str).collect();
        peer.expect_events(&greeted, MODEL)?;
        self.present.insert(name, peer);
        Ok(())
    }

    fn expect_of_others(&self, name: &str, event: &str) -> Verdict {
        for other in self.present.values().filter(|other| other.name != name) {
            other.expect_event(event, MODEL)?;
        }
        Ok(())
    }

    /// Nobody has printed more than that.
    fn end(self) -> Verdict {
        for peer in self.present.values() {
            peer.expect_no_event(MODEL)?;
        }
        self.trial.end()
    }
}

fn told(stop: Stop) -> TestCaseError {
    TestCaseError::fail(format!("{stop:#?}"))
}

#[test]
fn peers_print_what_the_model_says() {
    let lab = labs::lab("peer").unwrap();
    let template = match build(Path::new(env!("CARGO_MANIFEST_DIR")), lab).unwrap() {
        Built::Program(file) => Template::new(&file, lab.arguments, lab.name),
        Built::Broken(words) => panic!("{words}"),
    };
    let addresses = Addresses::shared();
    let deeds = proptest::collection::vec(deed(), 1..24);
    let starts = 2..=4_usize;
    proptest!(ProptestConfig::with_cases(16), |(starts in starts, deeds in deeds)| {
        let mut world = World::new(&template, &addresses);
        let first = (0..starts).map(Deed::Join);
        for deed in first.chain(deeds) {
            world.carry_out(&deed).map_err(told)?;
        }
        world.end().map_err(told)?;
    });
}
