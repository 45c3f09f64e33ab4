//! A class is graded: what is taken of a submission, what is made of it, and what happens when the run
//! is stopped and started again.

use std::fs;
use std::path::Path;
use std::process::Output;

use sockets_lab::json::Json;
use sockets_lab::labs;
use tempfile::TempDir;

use super::workspace::{Workspace, lab, text};
use super::{corpus, runs};

/// A class that has handed in, and where its results go.
struct Class {
    folder: TempDir,
}

impl Class {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn hand_in(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let file = self.folder.path().join("handed in").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn grade(&self) -> Output {
        let mut command = lab(corpus::root());
        command.args(["grade", "handed in", "--out", "results", "--labs", "server"]);
        command.current_dir(self.folder.path());
        // The course is not here, but where this harness was built from.
        command.output().unwrap()
    }

    fn result(&self, name: &str) -> String {
        let file = self.folder.path().join("results").join(name);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    fn is_there(&self, name: &str) -> bool {
        self.folder.path().join("results").join(name).exists()
    }
}

fn is_isolated(class: &Class, name: &str) -> bool {
    let record = Json::parse(&class.result(&format!("records/{name}.json"))).unwrap();
    record.get("isolated").and_then(Json::as_bool) == Some(true)
}

#[test]
fn a_class_is_graded_from_sources_alone_and_goes_on_where_it_was() {
    let _turn = runs::turn();
    let server = labs::lab("server").unwrap();
    let solution = corpus::solution(server);
    let class = Class::new();
    class.hand_in("ann/my sockets/labs/01-server/src/main.rs", &solution);
    // Nothing else of hers is used, and what is as in the course is not even told.
    class.hand_in("ann/my sockets/labs/01-server/build.rs", "fn main() { panic!() }\n");
    class.hand_in("ann/my sockets/harness/src/worker.rs", "fn main() { panic!() }\n");
    let cargo = corpus::root().join("labs/01-server/Cargo.toml");
    class.hand_in("ann/my sockets/labs/01-server/Cargo.toml", fs::read(cargo).unwrap());
    let name = "Bob, =B_4711_assignsubmission_file/server.rs";
    class.hand_in(name, format!("{solution}\nfn x( {{\n"));
    class.hand_in("carol.rs", super::stubs::written_up_to(server, 1));
    class.hand_in("dave/notes.txt", "I was ill.\n");
    class.hand_in("late.zip", "PK");
    let graded = class.grade();
    let said = text(&graded);
    if !class.is_there("records/ann.json") && said.contains("isolation") {
        println!("skipped: this system refuses namespaces, so nothing is graded: {said}");
        return;
    }
    assert_eq!(graded.status.code(), Some(0), "{said}");
    assert!(
        said.contains("4 submissions judged") && said.contains("late.zip: unpack it"),
        "{said}"
    );

    let most = server.checks().map(|check| check.points).sum::<u32>();
    let first = server.checks().filter(|check| check.step == 1).map(|check| check.points);
    let first = first.sum::<u32>();
    let gradebook = class.result("gradebook.csv");
    let line = |name: &str| {
        let line = gradebook.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{gradebook}")).to_owned()
    };
    let points = |name: &str, score: u32| {
        let begin = format!("{name},{score},{most},{score},{most},");
        assert!(line(name).starts_with(&begin), "{gradebook}");
    };
    points("ann", most);
    points("\"Bob, _B\"", 0);
    points("carol", first);
    points("dave", 0);
    assert!(line("dave").ends_with("no source of a lab was found"), "{gradebook}");

    let ann = class.result("feedback/ann.md");
    assert!(ann.contains("my sockets/harness/src/worker.rs") && ann.contains("build.rs"), "{ann}");
    assert!(!ann.contains("Cargo.toml") && !ann.contains("first failure"), "{ann}");
    assert!(class.result("feedback/Bob, _B.html").contains("does not build"));
    assert!(class.result("class.html").contains("The class"));
    // These two have the same solution, and nobody else has.
    assert!(class.result("likeness.txt").contains("Bob, _B and ann: server step 2, server step 3"));
    assert!(is_isolated(&class, "carol"));
    assert!(!class.is_there(".trees"), "what was made to judge in is gone");

    // Only what has changed, and what is missing, is judged again.
    let before = class.result("records/ann.json");
    class.hand_in("carol.rs", &solution);
    fs::remove_file(class.folder.path().join("results/records/dave.json")).unwrap();
    let said = text(&class.grade());
    assert!(said.contains("2 of 4 had been judged before"), "{said}");
    assert_eq!(class.result("records/ann.json"), before);
    let gradebook = class.result("gradebook.csv");
    assert!(gradebook.contains(&format!("carol,{most},{most},")), "{gradebook}");
}

#[test]
fn what_can_not_be_graded_is_wrong_usage() {
    let empty = tempfile::tempdir().unwrap();
    let workspace = Workspace::start();
    let grade = |folder: &Path, arguments: &[&str]| {
        let output = lab(folder).arg("grade").args(arguments).output().unwrap();
        (output.status.code(), text(&output))
    };
    let nothing = empty.path().to_str().unwrap();
    for (folder, arguments, words) in [
        (corpus::root(), &["--out", nothing][..], "grade needs submissions"),
        (corpus::root(), &[nothing], "--out DIR"),
        (corpus::root(), &[nothing, "--out", nothing, "--jobs", "0"], "a number from 1 on"),
        (corpus::root(), &[nothing, "--out", nothing, "--labs", "sever"], "`server`"),
        (corpus::root(), &[nothing, "--out", nothing], "there is no submission"),
        (&workspace.root, &[nothing, "--out", nothing], "is not the course but a workspace"),
    ] {
        let (status, said) = grade(folder, arguments);
        assert!(status == Some(2) && said.contains(words), "{arguments:?}: {status:?} {said}");
    }
    let (status, said) = grade(corpus::root(), &["no-such-folder", "--out", nothing]);
    assert!(status == Some(3) && said.contains("no-such-folder"), "{said}");
}
