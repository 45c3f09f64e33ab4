//! The corpus: bodies for a lab's regions, wrong ones and right ones, each with a head that says
//! what the harness must make of it. `fixtures/README.md` describes the form.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sockets_lab::labs::{self, Lab};
use sockets_lab::region;

/// One file of the corpus.
pub(crate) struct Body {
    /// The file's name without `.rs`.
    pub(crate) name: String,
    /// The whole source of the lab with this body in the place of the solution.
    pub(crate) source: String,
    /// The ids of the checks that must fail.
    pub(crate) must: BTreeSet<String>,
    /// The ids of the checks that may fail, besides.
    pub(crate) may: BTreeSet<String>,
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

/// All bodies in a folder, by name.
pub(crate) fn bodies(folder: &Path, lab: &Lab) -> Vec<Body> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| body(file, lab)).collect()
}

fn body(file: &Path, lab: &Lab) -> Body {
    let complain = |what: String| -> ! { panic!("{}: {what}", file.display()) };
    let head = match Head::parse(&read(file)) {
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
    let source = match region::replace(&solution(lab), &head.region, &head.body) {
        Ok(source) => source,
        Err(error) => complain(error.to_string()),
    };
    let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    Body { name, source, must, may }
}

/// The ids that `LAB/CHECK`, or `LAB/STEP` for all of a step, stands for.
fn select(lab: &Lab, name: &str) -> Result<Vec<String>, String> {
    let step: Option<u8> =
        name.strip_prefix(lab.name).and_then(|rest| rest.strip_prefix('/')?.parse().ok());
    let checks = lab.checks().filter(|check| check.id() == name || Some(check.step) == step);
    let ids: Vec<_> = checks.map(labs::Check::id).collect();
    if ids.is_empty() { Err(format!("{} has no check {name}", lab.name)) } else { Ok(ids) }
}

/// A file as it stands: the comment at its top, and the body below it.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    region: String,
    must: Vec<String>,
    may: Vec<String>,
    body: String,
}

impl Head {
    fn parse(text: &str) -> Result<Self, String> {
        let mut head =
            Self { region: String::new(), must: Vec::new(), may: Vec::new(), body: String::new() };
        let mut said = String::new();
        for line in text.split_inclusive('\n') {
            // The body is indented, its comments too: only the head stands at the margin.
            let Some(words) = line.strip_prefix("//") else {
                head.body.push_str(line);
                continue;
            };
            if !head.body.is_empty() {
                return Err(format!("a line of the head below the body: {line}"));
            }
            let words = words.trim();
            let list = |ids: &str| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            if let Some(region) = words.strip_prefix("region:") {
                head.region = region.trim().to_owned();
            } else if let Some(ids) = words.strip_prefix("must fail:") {
                head.must.extend(list(ids));
            } else if let Some(ids) = words.strip_prefix("may fail:") {
                head.may.extend(list(ids));
            } else if head.region.is_empty() {
                said.push_str(words);
            } else {
                return Err(format!("neither `region:`, `must fail:` nor `may fail:`: {line}"));
            }
        }
        if !said.ends_with('.') {
            return Err("the head begins with a sentence that says what the author thinks".into());
        }
        if head.region.is_empty() || head.body.trim().is_empty() {
            return Err("a file has a line `// region: NAME` and a body".into());
        }
        Ok(head)
    }
}

#[test]
fn a_head_is_read_as_it_is_documented() {
    let text = "// A thought.\n// region: serve\n// must fail: l/a l/b\n// must fail: l/c\n\
                // may fail: l/d\n    // why\n    Ok(())\n";
    let head = Head::parse(text).unwrap();
    assert_eq!(head.region, "serve");
    assert_eq!(head.must, ["l/a", "l/b", "l/c"]);
    assert_eq!(head.may, ["l/d"]);
    assert_eq!(head.body, "    // why\n    Ok(())\n");
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
        assert!(Head::parse(text).is_err(), "{text}");
    }
}
