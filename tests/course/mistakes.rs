//! The harness is tested by mistakes: each must be caught by the checks that its head names, and
//! every check must catch at least one.
//!
//! A plain `cargo test` has each check catch one mistake. Where these tests are asked for by name, and
//! with `LAB_CORPUS=proof`, each mistake is tried by all checks that it must fail. That it fails no
//! others, but for those that it may fail, is proven with `LAB_CORPUS=step`, all checks of the same
//! step, and with `LAB_CORPUS=all`, every check of its lab: run them after a change of a check.

use std::collections::{BTreeMap, BTreeSet};

use sockets_lab::labs::{Check, LABS, Lab, TOGETHER};
use sockets_lab::verdict::Outcome;

use super::corpus::{self, Asked, Program};
use super::runs::{self, Result, is_skipped};

/// Which checks are run on a mistake.
fn checks(lab: &Lab, mistake: &Program) -> Vec<&'static Check> {
    let must_fail = |check: &Check| mistake.must.contains(&check.id());
    let same_step = |check: &Check| {
        mistake.region.is_none() || mistake.region.as_deref() == Some(check.step().name)
    };
    let is_asked = |check: &Check| match corpus::asked() {
        Asked::Sample | Asked::Proof => false,
        Asked::Step => same_step(check),
        Asked::All => true,
    };
    let own = lab.checks().filter(|check| is_asked(check) || must_fail(check));
    own.chain(TOGETHER.checks().filter(|check| must_fail(check))).collect()
}

/// What is wrong with the outcome of a check of a mistake.
fn complaint(lab: &Lab, mistake: &Program, isolated: bool, result: &Result) -> Option<String> {
    let (name, id) = (&mistake.name, &result.id);
    let what = match (&result.outcome, mistake.must.contains(id)) {
        _ if is_skipped(result) => return None,
        (Outcome::Pass, false) => return None,
        (Outcome::Fail(failure), true) => {
            let wrong = !lays_blame(lab, result.check, &failure.headline);
            return wrong
                .then(|| format!("{name}: {id}: blames another one: {}", failure.headline));
        }
        (Outcome::Fail(_), false) if mistake.may.contains(id) || !isolated => return None,
        (_, true) => "must fail",
        (_, false) => "must not fail",
    };
    Some(format!("{name}: {id} {what}, and the outcome was {:?}", result.outcome))
}

/// Whether the failure of a check in which the lab's program meets another one begins with that
/// other one being right: `the client is right; …`. Where peers meet, each is both; and lab 6's
/// program is `the name server` in one of its modes, and `the client` in the other.
fn lays_blame(lab: &Lab, check: &Check, headline: &str) -> bool {
    let programs = check.step().programs;
    if programs.iter().all(|name| *name == lab.name) {
        return true;
    }
    // Lab 4's program is `web`, and the reader's word for it is `the web server`.
    let right = headline.split_once(" is right; ").map(|(who, _)| who);
    let is_it =
        |who: &str, name: &str| who == format!("the {name}") || who == format!("the {name} server");
    let other = programs.iter().filter(|name| **name != lab.name);
    let mut other = other.copied().chain((lab.name == "names").then_some("name"));
    right.is_some_and(|who| other.any(|name| is_it(who, name)))
}

/// What is wrong, by the mistake's name and the check's id.
type Complaints = BTreeMap<(String, String), String>;

fn complaints(
    lab: &'static Lab,
    mistakes: &[Program],
    checks: impl Fn(&Program) -> Vec<&'static Check>,
) -> Complaints {
    let mut found = Complaints::new();
    for (mistake, run) in runs::of_corpus(lab, mistakes, checks) {
        for result in &run.results {
            let what = complaint(lab, mistake, run.isolated, result);
            let key = || (mistake.name.clone(), result.id.clone());
            found.extend(what.map(|what| (key(), what)));
        }
    }
    found
}

/// One mistake for each check that mistakes name, and as few of them as that takes, or nearly: the one
/// that proves the most is taken first. Of each that is left, `must` is what it proves.
fn sample(mut mistakes: Vec<Program>) -> Vec<Program> {
    let mut taken: Vec<Program> = Vec::new();
    let mut proven = BTreeSet::new();
    loop {
        for mistake in &mut mistakes {
            mistake.named.retain(|id| !proven.contains(id));
        }
        let most = mistakes.iter().enumerate().max_by_key(|(_, mistake)| mistake.named.len());
        let Some((index, most)) = most else { return taken };
        if most.named.is_empty() {
            return taken;
        }
        let mut next = mistakes.swap_remove(index);
        next.must.clone_from(&next.named);
        proven.extend(next.named.iter().cloned());
        taken.push(next);
    }
}

fn all_are_caught(lab: &'static Lab) {
    let mut mistakes = corpus::mistakes(lab);
    if corpus::asked() == Asked::Sample {
        mistakes = sample(mistakes);
    }
    let first = complaints(lab, &mistakes, |mistake| checks(lab, mistake));
    if first.is_empty() {
        return;
    }
    // Of a wrong program the scheduler may decide what is seen of it, once in a hundred runs. So
    // what surprises is looked at twice more, and told of; what comes again is wrong.
    for what in first.values() {
        println!("looked at again: {what}");
    }
    mistakes.retain(|mistake| first.keys().any(|(name, _)| *name == mistake.name));
    let doubted = |mistake: &Program| {
        let mut doubted = checks(lab, mistake);
        doubted.retain(|check| first.contains_key(&(mistake.name.clone(), check.id())));
        doubted
    };
    let mut found = complaints(lab, &mistakes, doubted);
    found.extend(complaints(lab, &mistakes, doubted));
    let found: Vec<_> = found.into_values().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn each_check_catches_one(lab: &Lab) {
    let caught: BTreeSet<_> = corpus::mistakes(lab).into_iter().flat_map(|it| it.named).collect();
    let all = lab.checks().map(Check::id);
    let idle: Vec<_> = all.filter(|id| !caught.contains(id)).collect();
    assert!(idle.is_empty(), "no mistake names these checks: {}", idle.join(" "));
}

fn each_must_be_caught(lab: &Lab) {
    for mistake in corpus::mistakes(lab) {
        assert!(!mistake.must.is_empty(), "{} must fail nothing", mistake.name);
    }
}

sockets_lab::each_lab! { test_each_lab every_mistake_is_caught super::all_are_caught }
sockets_lab::each_lab! { test_each_lab every_check_catches_a_mistake super::each_check_catches_one }
sockets_lab::each_lab! { test_each_lab every_mistake_must_be_caught super::each_must_be_caught }

#[test]
fn every_check_of_programs_that_meet_catches_a_mistake() {
    let mistakes = LABS.iter().flat_map(corpus::mistakes);
    let caught: BTreeSet<_> = mistakes.flat_map(|mistake| mistake.named).collect();
    let idle: Vec<_> = TOGETHER.checks().map(Check::id).filter(|id| !caught.contains(id)).collect();
    assert!(idle.is_empty(), "no mistake names these checks: {}", idle.join(" "));
}
