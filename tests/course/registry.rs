//! The registry of labs, steps and checks keeps what it promises.

use std::collections::BTreeSet;

use sockets_lab::labs::{Check, LABS, Lab};
use sockets_lab::{labs, region};

use super::corpus;

fn step_names(lab: &Lab) -> Vec<&'static str> {
    lab.steps.iter().map(|step| step.name).collect()
}

#[test]
fn ids_and_titles_are_unique() {
    let all = labs::checks().count();
    let ids: BTreeSet<_> = labs::checks().map(Check::id).collect();
    assert_eq!(ids.len(), all);
    let titles: BTreeSet<_> = labs::checks().map(|check| (check.lab, check.title)).collect();
    assert_eq!(titles.len(), all);
}

#[test]
fn every_check_has_its_lab_and_its_step_and_is_worth_something() {
    for lab in labs::parts() {
        assert!(!lab.checks.is_empty(), "{}", lab.name);
        for check in lab.checks() {
            assert_eq!(check.lab().name, lab.name, "{}", check.id());
            assert_eq!(check.step().number, check.step, "{}", check.id());
            assert!(check.points > 0, "{}", check.id());
            assert!(check.requirement.ends_with(['.', ')']), "{}", check.id());
        }
    }
}

#[test]
fn labs_stand_in_the_order_of_their_numbers_and_steps_are_numbered_from_one() {
    assert!(LABS[0].number == Some(1) && LABS.is_sorted_by(|one, next| one.number < next.number));
    for lab in labs::parts() {
        for (index, step) in lab.steps.iter().enumerate() {
            assert_eq!(usize::from(step.number), index + 1, "{} {}", lab.name, step.name);
            let exercised = lab.checks().any(|check| check.step == step.number);
            assert!(exercised, "no check exercises {} {}", lab.name, step.name);
        }
    }
}

#[test]
fn the_checks_of_a_lab_stand_in_the_order_of_its_steps() {
    for lab in labs::parts() {
        assert!(lab.checks().is_sorted_by_key(|check| check.step), "{}", lab.name);
    }
}

#[test]
fn every_chapter_that_is_referred_to_exists() {
    for step in labs::parts().flat_map(|lab| lab.steps) {
        let chapter = corpus::root().join(format!("book/src/{}.md", step.chapter));
        assert!(chapter.is_file(), "{}", chapter.display());
    }
}

#[test]
fn the_regions_of_a_lab_are_its_steps() {
    for lab in LABS {
        let regions = region::parse_exactly(corpus::solution(lab), &step_names(lab));
        let names: Vec<_> = regions.unwrap().into_iter().map(|region| region.name).collect();
        assert_eq!(names, step_names(lab));
    }
}

#[test]
fn every_stub_says_which_step_is_not_written_and_what_to_do() {
    for lab in LABS {
        for step in lab.steps {
            let file = corpus::fixtures("stubs", lab).join(format!("{}.rs", step.name));
            let words = format!("step {}, {}: {}", step.number, step.name, step.task);
            assert!(corpus::read(&file).contains(&words), "{}: {words}", file.display());
        }
    }
}

#[test]
fn every_lab_has_its_room_its_fixtures_and_its_tests() {
    for lab in LABS {
        for kind in ["golden", "mistakes", "right"] {
            let folder = corpus::fixtures(kind, lab);
            assert!(!corpus::files(&folder).is_empty(), "{} is empty", folder.display());
        }
        let stubs = corpus::files(&corpus::fixtures("stubs", lab));
        let stubs: BTreeSet<_> =
            stubs.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
        assert_eq!(stubs, step_names(lab).into_iter().collect(), "{}'s stubs", lab.name);
        let room = format!("harness/src/labs/{}/mod.rs", lab.name);
        let parts = ["Cargo.toml", "HINTS.md", "README.md", "src/main.rs"];
        for part in parts.map(|part| format!("{}/{part}", lab.folder)).into_iter().chain([room]) {
            assert!(corpus::root().join(&part).is_file(), "{part} is missing");
        }
        let tests = corpus::read(&corpus::root().join(format!("tests/{}.rs", lab.name)));
        let each = format!("sockets_lab::{}_checks!(test_each);", lab.name);
        assert!(tests.contains(&each), "tests/{}.rs has no test for each check", lab.name);
    }
}

#[test]
fn every_folder_of_a_lab_is_in_the_registry() {
    for place in ["labs", "fixtures"] {
        let folders = corpus::files(&corpus::root().join(place));
        let names = folders.iter().filter_map(|folder| folder.file_name()?.to_str());
        let numbered: Vec<_> = names.filter(|name| name.starts_with(char::is_numeric)).collect();
        assert_eq!(numbered.len(), LABS.len(), "{place}: {numbered:?}");
        for lab in LABS {
            assert!(numbered.contains(&lab.fixtures()), "{place} has no {}", lab.fixtures());
        }
    }
}

#[test]
fn a_step_of_a_lab_runs_the_labs_own_program_and_what_is_no_lab_runs_those_of_labs() {
    for lab in LABS {
        assert!(lab.steps.iter().all(|step| step.programs == [lab.name]), "{}", lab.name);
    }
    for name in labs::TOGETHER.steps.iter().flat_map(|step| step.programs) {
        assert!(LABS.iter().any(|lab| lab.name == *name), "{name}");
    }
}

#[test]
fn the_board_in_the_readme_is_that_of_the_solved_course() {
    // The columns are as wide as they must be.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = words(&corpus::read(&corpus::root().join("README.md")));
    let points = |lab: &Lab| lab.checks().map(|check| check.points).sum::<u32>();
    let mut lines = Vec::new();
    for lab in labs::parts() {
        let (checks, points) = (lab.checks().count(), points(lab));
        lines.push(format!("{} {} ■", lab.name, lab.title));
        lines.push(format!("● {checks} of {checks} {points} of {points} points"));
    }
    let (checks, all) = (labs::checks().count(), LABS.len());
    let points: u32 = labs::parts().map(points).sum();
    lines.push(format!("{checks} of {checks} checks {all} of {all} labs complete"));
    lines.push(format!("● {checks} passed {points} of {points} points"));
    for line in lines {
        assert!(readme.contains(&line), "the README's board has no {line:?}");
    }
}
