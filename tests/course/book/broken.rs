//! What the book shows of broken programs is what the corpus has and what the harness said of it:
//! `book/recordings/broken/LAB/NAME.rs` the changed lines of a mistake, `NAME.txt` the golden text.
//! They are copies, since a student's workspace has the book without the corpus.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sockets_lab::labs::{LABS, Lab};
use sockets_lab::region;

use super::{compare, corpus, pages};

const BROKEN: &str = "recordings/broken";
/// Of lines up to this length nobody learns a solution: `loop {`, `Ok(())`.
const SHORT: usize = 20;
/// Bodies of more lines are shown by their wrong lines alone.
const LONG: usize = 32;
/// Lines of solutions that every program with sockets has, and that give nothing away.
const EVERYWHERE: [&str; 6] = [
    "TcpListener::bind(address)",
    "let mut reader = BufReader::new(stream);",
    "TcpStream::connect(address)",
    "match listener.accept() {",
    "match stream.read(&mut buffer) {",
    "thread::spawn(move || {",
];

/// The lines of a lab's regions that are long enough to give something away.
fn telling_lines(solution: &str) -> BTreeSet<&str> {
    let regions = region::parse(solution).unwrap().into_iter();
    let lines = regions.flat_map(|region| solution[region.body].lines()).map(str::trim);
    lines.filter(|line| line.len() > SHORT && !EVERYWHERE.contains(line)).collect()
}

/// The files below `book/recordings/broken` that a page includes, as `LAB/NAME.rs`.
fn included(page: &str) -> BTreeSet<String> {
    let start = format!("{{{{#include ../{BROKEN}/");
    let found = page.split(&start).skip(1).filter_map(|rest| rest.split_once("}}"));
    found.map(|(name, _)| name.to_owned()).collect()
}

fn lab_in(folder: &str) -> &'static Lab {
    let path = format!("labs/{folder}");
    LABS.iter().find(|lab| lab.folder == path).unwrap_or_else(|| panic!("no lab has {path}"))
}

/// What a copy has to contain.
fn original(name: &str) -> String {
    let (folder, file) = name.split_once('/').expect("LAB/FILE");
    let lab = lab_in(folder);
    match file.strip_suffix(".rs") {
        Some(mistake) => changed_lines(lab, mistake),
        None => corpus::read(&corpus::fixtures("golden", lab).join(file)),
    }
}

/// The mistake as a reader needs it: what its author believes, and the lines that only it has.
fn changed_lines(lab: &Lab, mistake: &str) -> String {
    let folder = corpus::fixtures("mistakes", lab);
    let text = corpus::read(&folder.join(format!("{mistake}.rs")));
    let (belief, body) = belief_and_body(&text);
    let solution = corpus::solution(lab);
    let common = common_lines(&folder, &text);
    let telling = telling_lines(&solution);
    // In a long body even short lines are in the way of the one that is meant.
    let right: BTreeSet<&str> = match body.len() {
        ..=LONG => BTreeSet::new(),
        _ => solution.lines().map(str::trim).collect(),
    };
    let is_known = |line: &str| {
        let is_told = common.contains(line) || telling.iter().any(|right| line.contains(right));
        (line.len() > SHORT && is_told) || (right.contains(line) && !line.starts_with('}'))
    };
    format!("{belief}\n{}", elide(&body, is_known))
}

fn belief_and_body(text: &str) -> (&str, Vec<&str>) {
    let belief = text.lines().next().expect("a head");
    let body = text.lines().filter(|line| !line.starts_with("//")).map(|line| {
        // Indented as in a function.
        line.strip_prefix("    ").unwrap_or(line)
    });
    (belief, body.collect())
}

/// Lines that most of the mistakes in this region have: they are not what is wrong with this one.
fn common_lines(folder: &Path, text: &str) -> BTreeSet<String> {
    let region =
        |text: &str| text.lines().find(|line| line.starts_with("// region:")).map(str::to_owned);
    let all = fs::read_dir(folder).unwrap().map(|entry| corpus::read(&entry.unwrap().path()));
    let all: Vec<String> = all.filter(|other| region(other) == region(text)).collect();
    let is_common = |line: &&str| {
        let with = all.iter().filter(|other| other.lines().any(|one| one.trim() == *line));
        with.count() * 5 > all.len() * 3
    };
    text.lines().map(str::trim).filter(is_common).map(str::to_owned).collect()
}

/// The lines, with `// …` in the place of those that are known. Where the line that opens a block
/// is left out, the one that closes it is, too.
fn elide(body: &[&str], is_known: impl Fn(&str) -> bool) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut opened_unseen: Vec<usize> = Vec::new();
    for line in body {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        let closes = text.starts_with('}') && opened_unseen.last() == Some(&indent);
        if closes {
            opened_unseen.pop();
        }
        let leave_out = closes || is_known(text);
        if leave_out && text.ends_with('{') {
            opened_unseen.push(indent);
        }
        let called_on = |last: &String| last.len() - last.trim_start().len() < indent;
        if leave_out && text.starts_with('.') && out.last().is_some_and(called_on) {
            // A chain of calls goes with what it is called on.
            out.pop();
        }
        let behind_a_gap = out.last().is_some_and(|last| last.trim() == "// …");
        match leave_out {
            true if behind_a_gap => {}
            true => out.push(format!("{:indent$}// …", "")),
            false if behind_a_gap && text.is_empty() => {}
            false => out.push((*line).to_owned()),
        }
    }
    out.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn broken_programs_in_the_book_are_those_of_the_corpus() {
    let folder = corpus::root().join("book").join(BROKEN);
    let wanted: BTreeSet<String> = pages().iter().flat_map(|(_, page)| included(page)).collect();
    assert!(!wanted.is_empty());
    let mut wrong = Vec::new();
    for name in &wanted {
        wrong.extend(compare(&format!("broken/{name}"), &original(name)));
    }
    for lab in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
        for file in fs::read_dir(lab.path()).unwrap().map(|entry| entry.unwrap().file_name()) {
            let name = format!("{}/{}", lab.file_name().display(), file.display());
            if !wanted.contains(&name) {
                wrong.push(format!("{name} is on no page"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_step_is_broken_in_two_ways_in_its_chapter() {
    for lab in LABS {
        let folder = Path::new(lab.folder).file_name().unwrap().display().to_string();
        for step in lab.steps {
            let file = corpus::root().join(format!("book/src/{}.md", step.chapter));
            let shown = included(&corpus::read(&file));
            let of_this_step = |name: &&String| {
                let file = Path::new(name).file_name().expect("a file has a name");
                let mistake = corpus::fixtures("mistakes", lab).join(file);
                let region = format!("// region: {}\n", step.name);
                name.starts_with(&folder)
                    && name.ends_with(".rs")
                    && corpus::read(&mistake).contains(&region)
            };
            let mistakes: Vec<_> = shown.iter().filter(of_this_step).collect();
            assert!(mistakes.len() >= 2, "{} {}: {mistakes:?}", lab.name, step.name);
            for mistake in mistakes {
                let verdict = mistake.replace(".rs", ".txt");
                assert!(shown.contains(&verdict), "{}: no {verdict}", file.display());
            }
        }
    }
}

#[test]
fn no_page_tells_a_solution() {
    let mut told = Vec::new();
    let mut texts = pages();
    for name in texts.iter().flat_map(|(_, page)| included(page)).collect::<BTreeSet<_>>() {
        texts.push((PathBuf::from(&name), original(&name)));
    }
    for lab in LABS {
        let readme = corpus::root().join(lab.folder).join("README.md");
        texts.push((readme.clone(), corpus::read(&readme)));
    }
    for solution in LABS.iter().map(corpus::solution) {
        for line in telling_lines(&solution) {
            let on = texts.iter().filter(|(_, text)| text.contains(line));
            told.extend(on.map(|(file, _)| format!("{}: {line}", file.display())));
        }
    }
    assert!(told.is_empty(), "lines of solutions:\n{}", told.join("\n"));
}

#[test]
fn a_chain_of_calls_is_left_out_as_a_whole() {
    let told = elide(&["stream", "    .known", "", "new"], |line| line == ".known");
    assert_eq!(told, "    // …\nnew\n");
}

#[test]
fn what_is_known_is_left_out_with_its_blocks() {
    let body = ["let a = 1;", "known {", "    known", "    new", "}", "loop {", "    known", "}"];
    let told = elide(&body, |line| line.starts_with("known"));
    assert_eq!(told, "let a = 1;\n// …\n    new\n// …\nloop {\n    // …\n}\n");
}
