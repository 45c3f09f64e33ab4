//! Programs that attack their judge: none gets a point that it has not earned, has a check skipped,
//! or is there when it is over. `fixtures/attacks/README.md` says what their heads mean.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sockets_lab::json::Json;

use super::counterparts::installed;
use super::runs::{side_by_side, turn};

/// Of each step of the way that a server goes: what it must do, what it must refuse. The others
/// come to the same: `attacks_in_source` has a whole lab judged.
const CHECKS: [&str; 3] =
    ["server/listens-on-the-given-address", "server/echoes", "server/refuses-a-privileged-port"];
/// Something that no program may get to know.
pub(crate) const SECRET: (&str, &str) = ("SOCKETS_LAB_TEST_SECRET", "LEAK of the environment");

struct Attack {
    name: String,
    file: PathBuf,
    /// What stops it, with namespaces and without.
    stopped_by: [String; 2],
    /// What it is judged by.
    checks: Vec<String>,
    points: u64,
    seconds: u64,
    patience: Option<String>,
    only_with_namespaces: bool,
}

impl Attack {
    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap();
        let head = |what: &str| {
            let line = text.lines().take_while(|line| line.starts_with("# "));
            line.into_iter().find_map(|line| line.strip_prefix(what).map(str::to_owned))
        };
        let checks = head("# checks: ").unwrap_or_else(|| CHECKS.join(" "));
        let said =
            |what: &str| head(what).unwrap_or_else(|| panic!("{}: no `{what}`", file.display()));
        let number = |what: &str| {
            let value = head(what)?;
            let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
            Some(digits.parse().expect("a number"))
        };
        Self {
            name: file.file_name().unwrap().to_string_lossy().into_owned(),
            stopped_by: ["# stopped by: ", "# without namespaces: "].map(said),
            checks: checks.split(' ').map(str::to_owned).collect(),
            points: number("# points: ").unwrap_or(0),
            seconds: number("# seconds: ").unwrap_or(30),
            patience: head("# patience: "),
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
        let mut command = mode.command(&self.checks);
        command.args(["--program", &program]);
        if let Some(patience) = &self.patience {
            command.env("LAB_PATIENCE", patience);
        }
        let output = command.output().unwrap();
        let elapsed = began.elapsed();
        let mut wrong = Vec::new();
        let text = String::from_utf8_lossy(&output.stdout);
        let Ok(document) = Json::parse(&text) else {
            return vec![format!("{}: no result: {}", self.name, words(&output))];
        };
        let number = |name| document.get(name).and_then(Json::as_u64);
        println!(
            "{} | {} | {} points | {:.1} s | {}",
            self.name,
            mode.name,
            number("score").unwrap_or_default(),
            elapsed.as_secs_f64(),
            self.stopped_by[usize::from(!mode.isolated)]
        );
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
    /// `lab check CHECKS`, without a program to be checked.
    fn command(&self, checks: &[String]) -> Command {
        let mut words: Vec<&str> = self.front.to_vec();
        words.extend([env!("CARGO_BIN_EXE_lab"), "check", "--json"]);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(checks).current_dir(root()).stdin(Stdio::null());
        command.env(SECRET.0, SECRET.1);
        if !self.isolated {
            command.env("LAB_ISOLATION", "off");
        }
        command
    }

    /// Whether the harness can do anything at all in this way.
    fn works(&self) -> bool {
        let mut command = self.command(&[CHECKS[0].to_owned()]);
        let output = command.args(["--program", "true {addr}"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let isolated = Json::parse(&text).ok();
        let isolated = isolated.and_then(|json| json.get("isolated")?.as_bool());
        if isolated != Some(self.isolated) {
            println!("skipped: {} is not possible here: {}", self.name, words(&output));
        }
        isolated == Some(self.isolated)
    }

    fn judge_all(&self) {
        // One mode after the other: what is left behind is looked for in the whole system.
        static MODES: Mutex<()> = Mutex::new(());
        let _mode = MODES.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = turn();
        if !self.works() {
            return;
        }
        let mut attacks = Attack::all();
        attacks.retain(|one| self.isolated || !one.only_with_namespaces);
        // Most of them wait for nothing until the harness has seen enough: side by side.
        let mut wrong = side_by_side(&attacks, |attack| attack.judge(self)).concat();
        wrong.extend(leftovers().into_iter().map(|line| format!("left behind: {line}")));
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

/// Processes that attacks have left: a file of theirs is on the command line, or the number of
/// seconds that only attacks sleep for. Those of another run beside this one end by themselves.
fn leftovers() -> Vec<String> {
    let is_left = |line: &String| {
        let file = line
            .split(' ')
            .nth(1)
            .filter(|_| line.starts_with("sh ") || line.starts_with("python3 "));
        line.contains("sleep 98765") || file.is_some_and(|file| file.contains("/fixtures/attacks/"))
    };
    let command_line = |entry: fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    };
    let look = || {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes.filter_map(command_line).filter(is_left).collect::<Vec<_>>()
    };
    let began = Instant::now();
    loop {
        let left = look();
        if left.is_empty() || began.elapsed() > Duration::from_secs(60) {
            return left;
        }
        thread::sleep(Duration::from_millis(50));
    }
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
