//! Properties of lab 1's solution: random payloads, cuts and numbers of clients. A failure is
//! shrunk to the smallest conversation that still shows it.

use std::path::Path;

use proptest::prelude::*;
use sockets_lab::labs;
use sockets_lab::labs::server::Flow;
use sockets_lab::net::Cut;
use sockets_lab::program::Template;
use sockets_lab::run::build::{Built, build};
use sockets_lab::trial::{Addresses, Needs, Stop, Trial, Verdict};

fn solution() -> Template {
    let lab = labs::lab("server").unwrap();
    match build(Path::new(env!("CARGO_MANIFEST_DIR")), lab).unwrap() {
        Built::Program(file) => Template::new(&file, lab.arguments, lab.name),
        Built::Broken(words) => panic!("{words}"),
    }
}

/// What one client says, message by message.
type Script = Vec<(Vec<u8>, Cut)>;

fn script() -> impl Strategy<Value = Script> {
    let cut = prop_oneof![Just(Cut::Whole), Just(Cut::Bytes), any::<u64>().prop_map(Cut::Seed)];
    let message = (proptest::collection::vec(any::<u8>(), 1..40), cut);
    proptest::collection::vec(message, 0..4)
}

/// All clients connect, and speak in the given order: the order in which they are served.
fn converse(template: &Template, addresses: &Addresses, scripts: &[Script]) -> Verdict {
    let trial = Trial::new(
        vec![("server".to_owned(), template.clone())],
        addresses.clone(),
        Needs::UpTo(3),
    );
    let server = trial.server()?;
    let clients = server.connect_many(scripts.len())?;
    for (mut client, script) in clients.into_iter().zip(scripts) {
        for (message, cut) in script {
            client.send_cut(message, *cut)?;
            client.expect(message)?;
        }
        client.half_close()?;
        client.expect_end()?;
    }
    server.settle()?;
    trial.end()
}

fn told(stop: Stop) -> TestCaseError {
    TestCaseError::fail(format!("{stop:#?}"))
}

#[test]
fn every_conversation_comes_back_unchanged() {
    let (template, addresses) = (solution(), Addresses::shared());
    proptest!(ProptestConfig::with_cases(24), |(scripts in proptest::collection::vec(script(), 1..4))| {
        converse(&template, &addresses, &scripts).map_err(told)?;
    });
}

#[test]
fn every_stream_comes_back_unchanged_whoever_reads_first() {
    let (template, addresses) = (solution(), Addresses::shared());
    let flow = prop_oneof![Just(Flow::Together), Just(Flow::WriteFirst)];
    proptest!(ProptestConfig::with_cases(12), |(seed: u64, length in 0_usize..600_000, flow in flow)| {
        let trial = Trial::new(vec![("server".to_owned(), template.clone())], addresses.clone(), Needs::UpTo(3));
        let payload = sockets_lab::net::noise(seed, length);
        let exchange = || -> Verdict {
            let mut client = trial.server()?.connect()?;
            if length > 0 {
                client.exchange(&payload, &payload, flow)?;
            }
            client.half_close()?;
            client.expect_end()?;
            trial.end()
        };
        exchange().map_err(told)?;
    });
}
