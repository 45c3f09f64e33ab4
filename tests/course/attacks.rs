//! Programs that attack their judge: none gets a point that it has not earned, has a check skipped,
//! or is there when it is over. `fixtures/attacks/README.md` says what their heads mean.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sockets_lab::json::Json;

use super::counterparts::installed;
use super::runs::{side_by_side, turn};

/// Of each step of the way that a server goes: what it must do, what it must refuse.
const CHECKS: [&str; 3] =
    ["server/listens-on-the-given-address", "server/echoes", "server/refuses-a-privileged-port"];
/// Something that no program may get to know.
const SECRET: (&str, &str) = ("SOCKETS_LAB_TEST_SECRET", "LEAK of the environment");

struct Attack {
    name: String,
    file: PathBuf,
    points: u64,
    seconds: u64,
    only_with_namespaces: bool,
}

impl Attack {
    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap();
        let head = |what: &str| {
            let line = text.lines().take_while(|line| line.starts_with("# "));
            line.into_iter().find_map(|line| line.strip_prefix(what).map(str::to_owned))
        };
        let number = |what: &str| {
            let value = head(what)?;
            let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
            Some(digits.parse().expect("a number"))
        };
        Self {
            name: file.file_name().unwrap().to_string_lossy().into_owned(),
            points: number("# points: ").unwrap_or(0),
            seconds: number("# seconds: ").unwrap_or(30),
            only_with_namespaces: head("# only: ").is_some_and(|only| only == "with namespaces"),
            file,
        }
    }

    fn all() -> Vec<Self> {
        let folder = root().join("fixtures/attacks");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind != "md"));
        files.sort();
        assert!(files.len() >= 40, "the attacks are gone");
        files.into_iter().map(Self::read).collect()
    }

    fn command(&self) -> Option<String> {
        let language = match self.file.extension()?.to_str()? {
            "sh" => "sh",
            "py" => "python3",
            other => panic!("{}: nothing runs .{other}", self.name),
        };
        installed(language).then(|| format!("{language} {} {{addr}}", self.file.display()))
    }

    /// What is wrong with how it was judged.
    fn judge(&self, mode: &Mode) -> Vec<String> {
        let Some(program) = self.command() else { return Vec::new() };
        let began = Instant::now();
        let output = mode.check(&["--program", &program]);
        let elapsed = began.elapsed();
        let mut wrong = Vec::new();
        let text = String::from_utf8_lossy(&output.stdout);
        let Ok(document) = Json::parse(&text) else {
            return vec![format!("{}: no result: {}", self.name, words(&output))];
        };
        let number = |name| document.get(name).and_then(Json::as_u64);
        // Without a cell its orphans are not known to be its own.
        let right = |score| score == self.points || (!mode.isolated && score < self.points);
        if !number("score").is_some_and(right) {
            wrong.push(format!("{:?} points, not {}", number("score"), self.points));
        }
        if number("skipped") != Some(0) {
            wrong.push(format!("{:?} checks skipped", number("skipped")));
        }
        if document.get("isolated").and_then(Json::as_bool) != Some(mode.isolated) {
            wrong.push("the record does not say whether it was isolated".into());
        }
        if text.contains("LEAK") {
            wrong.push("it succeeded, and says so".into());
        }
        if mode.isolated && elapsed > Duration::from_secs(self.seconds) * 3 {
            wrong.push(format!("it took {} s", elapsed.as_secs()));
        }
        wrong.extend(leftovers(&program));
        let name = format!("{}, {}", self.name, mode.name);
        wrong.into_iter().map(|what| format!("{name}: {what}\n{text}")).collect()
    }
}

/// How the harness is started.
struct Mode {
    name: &'static str,
    isolated: bool,
    /// In front of the harness.
    front: &'static [&'static str],
}

impl Mode {
    fn check(&self, more: &[&str]) -> Output {
        let lab = env!("CARGO_BIN_EXE_lab");
        let mut words: Vec<&str> = self.front.to_vec();
        words.extend([lab, "check", "--json"].iter().chain(&CHECKS).chain(more));
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(root()).env(SECRET.0, SECRET.1).stdin(Stdio::null());
        if !self.isolated {
            command.env("LAB_ISOLATION", "off");
        }
        command.output().unwrap()
    }

    /// Whether the harness can do anything at all in this way.
    fn works(&self) -> bool {
        let output = self.check(&["--program", "true {addr}"]);
        let text = String::from_utf8_lossy(&output.stdout);
        let isolated = Json::parse(&text).ok();
        let isolated = isolated.and_then(|json| json.get("isolated")?.as_bool());
        if isolated != Some(self.isolated) {
            println!("skipped: {} is not possible here: {}", self.name, words(&output));
        }
        isolated == Some(self.isolated)
    }

    fn judge_all(&self) {
        let _turn = turn();
        if !self.works() {
            return;
        }
        let mut attacks = Attack::all();
        attacks.retain(|one| self.isolated || !one.only_with_namespaces);
        // Most of them wait for nothing until the harness has seen enough: side by side.
        let wrong = side_by_side(&attacks, |attack| attack.judge(self)).concat();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let canary = root().join("fixtures/attacks/canary");
        assert!(!canary.exists(), "an attack has written to the course");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// Processes that an attack has left: its own file is on their command line, or the number of
/// seconds that only attacks sleep for.
fn leftovers(program: &str) -> Option<String> {
    let file = program.split(' ').nth(1).unwrap_or_default();
    let processes = fs::read_dir("/proc").ok()?;
    let left = processes.flatten().find_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let is_its = line.contains("sleep 98765") || (line.contains(file) && !line.contains("lab"));
        is_its.then_some(line)
    });
    left.map(|line| format!("left behind: {line}"))
}

#[test]
fn with_namespaces_no_attack_gains_anything() {
    Mode { name: "with namespaces", isolated: true, front: &[] }.judge_all();
}

#[test]
fn without_namespaces_the_attacks_that_can_be_stopped_are() {
    Mode { name: "without namespaces", isolated: false, front: &[] }.judge_all();
}

/// As somebody who has no privilege to lose. Only root can become somebody else.
#[test]
fn for_an_ordinary_user_no_attack_gains_anything() {
    const NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    Mode { name: "as an ordinary user", isolated: true, front: NOBODY }.judge_all();
}
