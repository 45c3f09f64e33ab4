//! A class is graded: what is taken of a submission, what is made of it, and what happens when the run
//! is stopped and started again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sockets_lab::json::Json;
use sockets_lab::labs;
use tempfile::TempDir;

use super::counterparts::installed;
use super::workspace::{Workspace, lab, text};
use super::{corpus, runs};

/// A server in a student's own words, which is wrong in what it sends.
const SAYS_NO: &str = r#"
use std::io::{Read, Write};
fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap();
    let listener = std::net::TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for guest in listener.incoming() {
        let (mut guest, mut bytes) = (guest?, [0; 512]);
        while guest.read(&mut bytes).is_ok_and(|count| count > 0) {
            let _ = guest.write_all(b"no");
        }
    }
    Ok(())
}
"#;

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
        self.lab(&["grade", "handed in", "--out", "results", "--labs", "server"])
    }

    fn lab(&self, arguments: &[&str]) -> Output {
        let mut command = lab(corpus::root());
        // The course is not here, but where this harness was built from.
        command.args(arguments).current_dir(self.folder.path());
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

/// That python's csv reads the gradebook, with these first cells, and as many in each line.
fn expect_read_by_python(class: &Class, first_cells: &str) {
    const READ: &str = "import csv, sys\n\
        lines = list(csv.reader(open(sys.argv[1], newline='')))\n\
        assert {len(line) for line in lines} == {len(lines[0])}, lines\n\
        print('|'.join(line[0] for line in lines), end='')";
    if !installed("python3") {
        println!("skipped: python3 is not installed");
        return;
    }
    let file = class.folder.path().join("results/gradebook.csv");
    let read = Command::new("python3").args(["-c", READ]).arg(file).output().unwrap();
    assert_eq!(text(&read), first_cells);
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
    class.hand_in("erin/server.rs", SAYS_NO);
    class.hand_in("late.zip", "PK");
    let graded = class.grade();
    let said = text(&graded);
    if !class.is_there("records/ann.json") && said.contains("isolation") {
        println!("skipped: this system refuses namespaces, so nothing is graded: {said}");
        return;
    }
    assert_eq!(graded.status.code(), Some(0), "{said}");
    assert!(
        said.contains("5 submissions judged") && said.contains("late.zip: unpack it"),
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
    expect_read_by_python(&class, "submission|Bob, _B|ann|carol|dave|erin");

    let ann = class.result("feedback/ann.md");
    assert!(ann.contains("my sockets/harness/src/worker.rs") && ann.contains("build.rs"), "{ann}");
    assert!(!ann.contains("Cargo.toml") && !ann.contains("first failure"), "{ann}");
    assert!(class.result("feedback/Bob, _B.html").contains("does not build"));
    let erin = ["md", "html"].map(|kind| class.result(&format!("feedback/erin.{kind}")));
    assert!(erin[0].contains("write 2 bytes \"no\""), "{}", erin[0]);
    assert!(erin[1].contains("<svg") && erin[1].contains("step by step"), "{}", erin[1]);
    assert!(class.result("class.html").contains("The class"));
    // These two have the same solution, and nobody else has.
    assert!(class.result("likeness.txt").contains("Bob, _B and ann: server step 2, server step 3"));
    assert!(is_isolated(&class, "carol"));
    assert!(!class.is_there(".trees"), "what was made to judge in is gone");

    // By a scheme, without judging anything again; and the same of the records alone.
    fs::write(class.folder.path().join("scheme"), "server 50\nserver/1 0  # given\n").unwrap();
    let weighed = class.lab(&["grade", "handed in", "--out", "results", "--scheme", "scheme"]);
    let said = text(&weighed);
    assert!(said.contains("5 of 5 had been judged before"), "{said}");
    let weighed = class.result("gradebook.csv");
    let rest = most - first;
    for begin in [format!("ann,50,50,{rest},{rest},"), format!("carol,0,50,0,{rest},")] {
        assert!(weighed.contains(&begin), "{weighed}");
    }
    let carol = class.result("feedback/carol.md");
    assert!(
        carol.contains("**0 of 50 points**") && carol.contains("as your instructor"),
        "{carol}"
    );
    let merge = ["gradebook", "results/records", "--out", "merged", "--scheme", "scheme"];
    let merged = class.lab(&merge);
    assert_eq!(merged.status.code(), Some(0), "{}", text(&merged));
    for file in ["gradebook.csv", "feedback/Bob, _B.html", "class.txt"] {
        let other = fs::read_to_string(class.folder.path().join("merged").join(file)).unwrap();
        assert_eq!(class.result(file), other, "{file}");
    }
    // Into Moodle's worksheet, by the number that Moodle has put into the folder's name.
    let sheet = "\u{feff}Identifier,\"Full name\",Grade,\"Maximum Grade\"\r\n\
        \"Participant 4711\",\"Bob, =B\",-,20.00\r\n\"Participant 9\",Zoe,-,20.00\r\n";
    fs::write(class.folder.path().join("sheet.csv"), sheet).unwrap();
    let moodle = ["gradebook", "results/records", "--out", "moodle", "--worksheet", "sheet.csv"];
    let said = text(&class.lab(&moodle));
    assert!(said.contains("note: ann is not in the worksheet\n"), "{said}");
    assert!(!said.contains("Bob, _B") && !said.contains("passed over"), "{said}");
    let filled = fs::read_to_string(class.folder.path().join("moodle/worksheet.csv")).unwrap();
    let expected = "Identifier,Full name,Grade,Maximum Grade\r\n\
        Participant 4711,\"Bob, =B\",0.00,20.00\r\nParticipant 9,Zoe,-,20.00\r\n";
    assert_eq!(filled, expected);
    // Nobody is asked which one of two submissions counts, and nobody is left to guess.
    let record = class.result("records/Bob, _B.json");
    fs::write(class.folder.path().join("results/records/Bob, _B-2.json"), record).unwrap();
    let said = text(&class.lab(&moodle));
    let words = "2 submissions, Bob, _B and Bob, _B-2: the grade is that of Bob, _B-2\n";
    assert!(said.contains(words), "{said}");
    fs::remove_file(class.folder.path().join("results/records/Bob, _B-2.json")).unwrap();

    let twice =
        class.lab(&["gradebook", "results/records", "results/records/ann.json", "--out", "x"]);
    assert!(twice.status.code() == Some(2) && text(&twice).contains("two records of ann"));

    // A part of the class, where nobody else is judged.
    let part = ["grade", "handed in", "--out", "part", "--labs", "server", "--part", "4/5"];
    assert!(text(&class.lab(&part)).contains("1 submission judged"));
    let records = fs::read_dir(class.folder.path().join("part/records")).unwrap();
    let names: Vec<_> = records.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["dave.json"]);

    // A part that has nobody in it is no mistake of whoever has started all parts.
    let part = ["grade", "handed in", "--out", "none", "--labs", "server", "--part", "6/6"];
    let empty = class.lab(&part);
    assert!(
        empty.status.success() && text(&empty).contains("no submission to judge"),
        "{}",
        text(&empty)
    );

    // Only what has changed, and what is missing, is judged again.
    let before = class.result("records/ann.json");
    class.hand_in("carol.rs", &solution);
    fs::remove_file(class.folder.path().join("results/records/dave.json")).unwrap();
    let said = text(&class.grade());
    assert!(said.contains("3 of 5 had been judged before"), "{said}");
    assert_eq!(class.result("records/ann.json"), before);
    let gradebook = class.result("gradebook.csv");
    assert!(gradebook.contains(&format!("carol,{most},{most},")), "{gradebook}");
}

#[test]
fn what_can_not_be_graded_is_wrong_usage() {
    let empty = tempfile::tempdir().unwrap();
    let (workspace, touched) = (Workspace::start(), Workspace::start());
    let server = labs::lab("server").unwrap();
    workspace.write_steps(server, 3);
    let readme = touched.root.join(server.folder).join("README.md");
    fs::write(readme, "Nothing to do.\n").unwrap();
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
        (corpus::root(), &[nothing, "--out", nothing, "--part", "4/3"], "as 2/3, not `4/3`"),
        (corpus::root(), &[nothing, "--out", nothing], "there is no submission"),
        (corpus::root(), &[nothing, nothing, "--format", "json"], "of one submission"),
        (corpus::root(), &[nothing, "--format", "json", "--jobs", "2"], "writes no file"),
        // A workspace judges as well as the course, as long as it is what the course has made.
        (&workspace.root, &[nothing, "--out", nothing], "there is no submission"),
        (&touched.root, &[nothing, "--out", nothing], "is not as it was given"),
    ] {
        let (status, said) = grade(folder, arguments);
        assert!(status == Some(2) && said.contains(words), "{arguments:?}: {status:?} {said}");
    }
    let scheme = empty.path().join("scheme");
    for (lines, words) in [
        ("server 25\nsever 3\n", "line 2: there is no"),
        ("server many\n", "`many` is no number"),
        ("server 20\nserver 30\n", "has a share already"),
        ("server\n", "`server` makes no sense: a line is `server 25`"),
        ("server 0\n", "leave server out"),
        ("conversations server .\n", "lab server has no conversations"),
        ("conversations peer .\n", "there is no conversation in"),
        ("conversations peer none\n", "cannot read"),
    ] {
        fs::write(&scheme, lines).unwrap();
        let arguments = [nothing, "--out", nothing, "--scheme", scheme.to_str().unwrap()];
        let (status, said) = grade(corpus::root(), &arguments);
        assert!(status == Some(2) && said.contains(words), "{lines}: {status:?} {said}");
    }
    let (status, said) = grade(corpus::root(), &["no-such-folder", "--out", nothing]);
    assert!(status == Some(3) && said.contains("no-such-folder"), "{said}");
}
