//! The corpus: programs, wrong ones and right ones, each with a head that says what the harness
//! must make of it. Most are bodies for one region of a lab's solution; some are whole programs,
//! in whatever language. `fixtures/README.md` describes the form.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sockets_lab::labs::{self, Lab, TOGETHER};
use sockets_lab::region;

use super::languages;

/// One file of the corpus.
pub(crate) struct Program {
    /// The file's name; of a body, without `.rs`.
    pub(crate) name: String,
    pub(crate) source: Source,
    /// The step whose region it is for; nothing of a whole program.
    pub(crate) region: Option<String>,
    /// The ids of the checks that must fail.
    pub(crate) must: BTreeSet<String>,
    /// The ids of the checks that may fail, besides.
    pub(crate) may: BTreeSet<String>,
    /// Those of the checks that must fail that the head names one by one.
    pub(crate) named: BTreeSet<String>,
}

/// Where a program comes from.
pub(crate) enum Source {
    /// The lab's source, whole, with a body in the place of a region.
    Text(String),
    /// A program of its own.
    File(PathBuf),
}

/// How much is run of what can be run: `LAB_CORPUS`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// One mistake for each check, and of what is right the steps that it changes.
    Sample,
    /// Every mistake by the checks that it must fail, and what is right by its step and some checks behind it.
    Proof,
    /// The other checks of the same step, too.
    Step,
    /// Every check of the lab.
    All,
}

/// A plain `cargo test` takes the sample; who asks for tests by name wants to know of all.
pub(crate) fn asked() -> Asked {
    let by_name = || std::env::args().skip(1).any(|word| !word.starts_with('-'));
    match std::env::var("LAB_CORPUS").unwrap_or_default().as_str() {
        "" if by_name() => Asked::Proof,
        "" | "sample" => Asked::Sample,
        "proof" => Asked::Proof,
        "step" => Asked::Step,
        "all" => Asked::All,
        other => panic!("LAB_CORPUS is sample, proof, step or all, not {other}"),
    }
}

/// The course's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lab's solution.
pub(crate) fn solution(lab: &Lab) -> String {
    read(&root().join(lab.folder).join("src/main.rs"))
}

/// The lab's fixtures of this kind: `fixtures/01-server/stubs`.
pub(crate) fn fixtures(kind: &str, lab: &Lab) -> PathBuf {
    root().join("fixtures").join(lab.fixtures()).join(kind)
}

/// Reads a text file of the course.
pub(crate) fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The files in a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The mistakes of a lab, by name.
pub(crate) fn mistakes(lab: &Lab) -> Vec<Program> {
    programs("mistakes", lab)
}

/// The programs in a folder of the lab's fixtures, by name.
pub(crate) fn programs(kind: &str, lab: &Lab) -> Vec<Program> {
    files(&fixtures(kind, lab)).iter().map(|file| program(file, lab)).collect()
}

fn program(file: &Path, lab: &Lab) -> Program {
    let complain = |what: String| -> ! { panic!("{}: {what}", file.display()) };
    let Some(language) = languages::language(file) else {
        complain("a program in a language that tests/course/languages.rs does not know".into())
    };
    let text = read(file);
    let head = match Head::parse(&text, language.comment) {
        Ok(head) => head,
        Err(what) => complain(what),
    };
    let ids = |names: &[String]| -> BTreeSet<String> {
        names.iter().flat_map(|name| select(lab, name).unwrap_or_else(|e| complain(e))).collect()
    };
    let (must, may) = (ids(&head.must), ids(&head.may));
    if let Some(both) = must.intersection(&may).next() {
        complain(format!("{both} both must and may fail"));
    }
    let named = head.must.iter().filter(|name| must.contains(*name)).cloned().collect();
    let full_name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let (name, source) = match &head.region {
        None => (full_name, Source::File(file.to_owned())),
        Some(region) => match region::replace(&solution(lab), region, &head.body) {
            Ok(source) => (full_name.replace(".rs", ""), Source::Text(source)),
            Err(error) => complain(error.to_string()),
        },
    };
    Program { name, source, region: head.region, must, may, named }
}

/// The ids that `LAB/CHECK`, or `LAB/STEP` for all of a step, stands for.
fn select(lab: &Lab, name: &str) -> Result<Vec<String>, String> {
    let step: Option<u8> =
        name.strip_prefix(lab.name).and_then(|rest| rest.strip_prefix('/')?.parse().ok());
    let checks = lab.checks().chain(TOGETHER.checks());
    let checks = checks
        .filter(|check| check.id() == name || (check.lab == lab.name && Some(check.step) == step));
    let ids: Vec<_> = checks.map(labs::Check::id).collect();
    if ids.is_empty() { Err(format!("{} has no check {name}", lab.name)) } else { Ok(ids) }
}

/// A file as it stands: the comment at its top, and what stands below it.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    /// The region that the body is for; nothing where the file is a whole program.
    region: Option<String>,
    must: Vec<String>,
    may: Vec<String>,
    body: String,
}

impl Head {
    fn parse(text: &str, comment: &str) -> Result<Self, String> {
        let mut head =
            Self { region: None, must: Vec::new(), may: Vec::new(), body: String::new() };
        let mut said = String::new();
        let mut is_listed = false;
        let lines = text.split_inclusive('\n');
        for line in lines.skip_while(|line| line.starts_with("#!")) {
            // A body is indented, its comments too: only the head stands at the margin.
            let words = line.strip_prefix(comment);
            let Some(words) = words.filter(|_| head.body.is_empty() || head.region.is_some())
            else {
                head.body.push_str(line);
                continue;
            };
            if !head.body.is_empty() {
                return Err(format!("a line of the head below the body: {line}"));
            }
            let words = words.trim();
            let list = |ids: &str| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            if let Some(region) = words.strip_prefix("region:") {
                head.region = Some(region.trim().to_owned());
            } else if let Some(ids) = words.strip_prefix("must fail:") {
                head.must.extend(list(ids));
            } else if let Some(ids) = words.strip_prefix("may fail:") {
                head.may.extend(list(ids));
            } else if !is_listed {
                said.push_str(words);
                continue;
            } else {
                return Err(format!("neither `region:`, `must fail:` nor `may fail:`: {line}"));
            }
            is_listed = true;
        }
        if !said.ends_with('.') {
            return Err("the head begins with a sentence that says what the author thinks".into());
        }
        if head.body.trim().is_empty() {
            return Err("nothing stands below the head".into());
        }
        if head.region.is_none() && head.body.starts_with("    ") {
            return Err("a body needs a line `// region: NAME`".into());
        }
        Ok(head)
    }
}

#[test]
fn a_head_is_read_as_it_is_documented() {
    let text = "// A thought.\n// region: serve\n// must fail: l/a l/b\n// must fail: l/c\n\
                // may fail: l/d\n    // why\n    Ok(())\n";
    let head = Head::parse(text, "//").unwrap();
    assert_eq!(head.region.as_deref(), Some("serve"));
    assert_eq!(head.must, ["l/a", "l/b", "l/c"]);
    assert_eq!(head.may, ["l/d"]);
    assert_eq!(head.body, "    // why\n    Ok(())\n");
}

#[test]
fn a_whole_program_has_a_head_in_its_own_comments() {
    let text = "#!/usr/bin/env python3\n# A thought.\n# must fail: l/a\n\nimport os\n# So:\nx()\n";
    let head = Head::parse(text, "#").unwrap();
    assert_eq!((head.region, head.must), (None, vec!["l/a".to_owned()]));
    assert_eq!(head.body, "\nimport os\n# So:\nx()\n");
}

#[test]
fn a_malformed_head_is_an_error() {
    for text in [
        "",
        "// region: serve\n    Ok(())\n",
        "// A thought.\n    Ok(())\n",
        "// A thought.\n// region: serve\n",
        "// A thought.\n// region: serve\n// must fial: l/a\n    Ok(())\n",
        "// A thought.\n// region: serve\n    Ok(())\n// must fail: l/a\n",
    ] {
        assert!(Head::parse(text, "//").is_err(), "{text}");
    }
}
