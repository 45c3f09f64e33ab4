//! Attacks that stand in a lab's source: what attacks while it is compiled, and attacks of
//! `fixtures/attacks` as the lab's own program, which sees less than one that the user has named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sockets_lab::json::Json;
use sockets_lab::labs::{self, Lab};
use sockets_lab::workspace::contents::source_of;

use super::workspace::{Workspace, lab, text};
use super::{attacks, corpus};

/// A lab's source, whole, that attacks.
struct Attack {
    workspace: Workspace,
}

impl Attack {
    fn new() -> Self {
        Self { workspace: Workspace::start() }
    }

    fn lab() -> &'static Lab {
        labs::lab("server").unwrap()
    }

    fn source(&self) -> PathBuf {
        source_of(&self.workspace.root, Self::lab())
    }

    /// What the harness makes of this source.
    fn judge(&self, source: &str) -> Said {
        fs::write(self.source(), source).unwrap();
        self.judge_as_it_is(&["server/echoes"])
    }

    fn judge_as_it_is(&self, checks: &[&str]) -> Said {
        let mut command = lab(&self.workspace.root);
        command.args(["check", "--json"]).args(checks).env(attacks::SECRET.0, attacks::SECRET.1);
        // A tenth of a minute of processor time is enough for a compiler that is not attacked.
        let output = command.env("LAB_PATIENCE", "0.1").output().unwrap();
        let text = text(&output);
        let document = Json::parse(&String::from_utf8_lossy(&output.stdout))
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        Said { document, text }
    }
}

struct Said {
    document: Json,
    text: String,
}

impl Said {
    fn number(&self, name: &str) -> Option<u64> {
        self.document.get(name)?.as_u64()
    }

    /// Whether the compiler was kept away from everything else: without namespaces it can't be.
    fn is_isolated(&self) -> bool {
        self.document.get("isolated").and_then(Json::as_bool) == Some(true)
    }

    /// It has no points, and this is said.
    fn expect(&self, words: &str) {
        assert_eq!(
            (self.number("score"), self.number("skipped")),
            (Some(0), Some(0)),
            "{}",
            self.text
        );
        assert!(self.text.contains(words), "{words}: {}", self.text);
        assert!(!self.text.contains("LEAK"), "{}", self.text);
    }
}

#[test]
fn a_compiler_that_is_made_to_compute_for_ever_is_ended() {
    let source = "#![allow(long_running_const_eval)]\n\
        const fn never() -> u32 {\n    let mut n: u32 = 0;\n    loop {\n        n = n.wrapping_add(1);\n    }\n}\n\
        const NEVER: u32 = never();\nfn main() {\n    println!(\"{NEVER}\");\n}\n";
    Attack::new().judge(source).expect("the compiler was ended after 6 s of processor time");
}

#[test]
fn a_source_that_is_no_plain_file_is_refused_unread() {
    let attack = Attack::new();
    let source = attack.source();
    fs::remove_file(&source).unwrap();
    assert!(Command::new("mkfifo").arg(&source).status().unwrap().success());
    attack.judge_as_it_is(&["server/echoes"]).expect("is no regular file");
    fs::remove_file(&source).unwrap();
    std::os::unix::fs::symlink(source_of(corpus::root(), Attack::lab()), &source).unwrap();
    attack.judge_as_it_is(&["server/echoes"]).expect("is a link");
}

#[test]
fn a_compiler_reads_nothing_but_the_lab() {
    let attack = Attack::new();
    let secret = attack.workspace.root.join("grades.txt");
    fs::write(&secret, "LEAK of the grades").unwrap();
    let solution = source_of(corpus::root(), Attack::lab());
    let main = |says: &str| format!("fn main() {{\n    eprintln!(\"{{:?}}\", {says});\n}}\n");
    let said = attack.judge(&main("include_bytes!(\"/dev/zero\").len()"));
    if !said.is_isolated() {
        println!("skipped: without namespaces the compiler reads what its user may");
        return;
    }
    said.expect("couldn't read `/dev/zero`");
    let include = |file: &Path| main(&format!("include_str!({:?})", file.display().to_string()));
    attack.judge(&include(&secret)).expect("couldn't read");
    // An empty file stands in its place.
    attack.judge(&include(Path::new("/etc/shadow"))).expect(r#""\"\"""#);
    attack
        .judge(&format!("include!({:?});\n", solution.display().to_string()))
        .expect("couldn't read");
    attack.judge(&main(&format!("option_env!({:?})", attacks::SECRET.0))).expect("");
}

#[test]
fn nothing_of_a_lab_is_built_or_run_but_its_one_program() {
    let attack = Attack::new();
    let (root, folder) = (&attack.workspace.root, attack.workspace.root.join(Attack::lab().folder));
    let canary =
        format!("std::fs::write({:?}, \"\").unwrap();", root.join("canary").display().to_string());
    fs::write(folder.join("build.rs"), format!("fn main() {{\n    {canary}\n}}\n")).unwrap();
    let manifest = corpus::read(&folder.join("Cargo.toml"));
    let manifest =
        manifest.replace("build = false", "build = \"build.rs\"").replace("autobins = false\n", "");
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.join("src/bin")).unwrap();
    fs::write(folder.join("src/bin/lab.rs"), "fn main() {\n    println!(\"LEAK\");\n}\n").unwrap();
    let said = attack.judge_as_it_is(&["server/echoes"]);
    said.expect("blocked");
    assert!(!root.join("canary").exists(), "the build script was run");
    let built = root.join("target/labs/server/target/debug");
    assert!(built.join("server").is_file() && !built.join("lab").exists());
}

/// Some of the attacks as the lab's own program, judged by the whole lab: an empty workspace has
/// no point, and neither have they.
#[test]
fn as_a_labs_own_program_no_attack_passes_a_check() {
    let attack = Attack::new();
    for name in [
        "forges_the_answer.sh",
        "patches_the_judge.py",
        "kills_its_parent.sh",
        "rewrites_the_harness.sh",
    ] {
        let file = corpus::root().join("fixtures/attacks").join(name);
        fs::copy(&file, attack.source().with_file_name("attack.txt")).unwrap();
        let (shell, zeroth) =
            if name.ends_with(".py") { ("python3", "") } else { ("sh", "\"attack\", ") };
        let source = format!(
            "use std::os::unix::process::CommandExt;\n\nfn main() {{\n    \
             let mut attack = std::process::Command::new({shell:?});\n    \
             attack.args([\"-c\", include_str!(\"attack.txt\"), {zeroth}]).args(std::env::args().skip(1));\n    \
             panic!(\"{{}}\", attack.exec());\n}}\n"
        );
        fs::write(attack.source(), source).unwrap();
        let said = attack.judge_as_it_is(&["server"]);
        if !said.is_isolated() {
            println!("skipped: this system refuses namespaces");
            return;
        }
        said.expect("");
    }
}
