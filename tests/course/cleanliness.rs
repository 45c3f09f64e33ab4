//! Nothing is left running and no file is left behind, however a run ends; and each strange
//! program gets one clear line on what happened.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Carries a mark in its environment, which everything that is started below it inherits, and a
/// folder of its own for temporary files.
///
/// Of the environment programs under test keep little, but all that says which language is spoken:
/// so the mark looks like that.
struct Marked {
    mark: String,
    folder: tempfile::TempDir,
}

const MARK: &str = "LC_LAB_TEST_MARK";

impl Marked {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{number}", std::process::id());
        Self { mark, folder: tempfile::tempdir().unwrap() }
    }

    fn lab(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.args(arguments).env(MARK, &self.mark).env("NO_COLOR", "1");
        command.env("TMPDIR", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn check(&self, program: &str) -> Output {
        let what = ["check", "server/echoes", "--program", program];
        self.lab(&what).output().unwrap()
    }

    /// Processes that carry the mark.
    fn processes(&self) -> Vec<String> {
        let mark = format!("{MARK}={}", self.mark);
        let has_mark = |folder: &Path| {
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let numbers =
            all.filter(|path| path.file_name().unwrap().to_string_lossy().parse::<u32>().is_ok());
        let marked = numbers.filter(|path| has_mark(path));
        marked.map(|path| fs::read_to_string(path.join("cmdline")).unwrap_or_default()).collect()
    }

    /// Waits until no marked process is left: they end by themselves, or the test fails.
    fn expect_nothing_left(&self) {
        let began = Instant::now();
        while !self.processes().is_empty() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "left running: {:?}",
                self.processes()
            );
            thread::sleep(Duration::from_millis(5));
        }
        let files: Vec<_> = fs::read_dir(self.folder.path()).unwrap().flatten().collect();
        assert!(files.is_empty(), "left behind: {files:?}");
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Checks a strange program: the exit status, the words that the user reads, and that nothing
/// is left.
fn strange(program: &str, status: i32, words: &str) {
    let marked = Marked::new();
    let output = marked.check(program);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
    marked.expect_nothing_left();
}

#[test]
fn nothing_is_left_after_success() {
    let marked = Marked::new();
    let output = marked.lab(&["check", "server"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    marked.expect_nothing_left();
}

#[test]
fn nothing_is_left_after_a_panic_in_the_program() {
    strange("sh -c 'echo oops >&2; exit 101' {addr}", 1, "exit status 101 (a panic)");
}

#[test]
fn a_program_that_exits_at_once_is_told_so() {
    strange("true {addr}", 1, "the server ended instead of listening");
}

#[test]
fn a_program_that_does_not_exist_is_wrong_usage() {
    strange("./no-such-program {addr}", 2, "there is no program `./no-such-program`");
}

#[test]
fn a_program_that_may_not_be_run_is_wrong_usage() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let name = file.path().display();
    strange(&format!("{name} {{addr}}"), 2, &format!("`{name}` may not be run"));
}

#[test]
fn a_file_that_is_no_program_is_told_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text");
    fs::write(&file, "neither a program nor a script\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    strange(&format!("{} {{addr}}", file.display()), 1, "the program can't be started");
}

#[test]
fn a_program_that_forks_leaves_no_child() {
    strange(
        "sh -c 'sleep 1000 & setsid sleep 1000 & sleep 1000' {addr}",
        1,
        "the server neither listens nor ends",
    );
}

#[test]
fn a_program_that_ignores_its_stdin_and_sigterm_is_ended() {
    strange(
        "sh -c 'trap \"\" TERM INT HUP; sleep 1000; sleep 1000' {addr}",
        1,
        "the server neither listens nor ends",
    );
}

#[test]
fn a_program_that_prints_without_end_is_told_so() {
    let endless = "the server prints without end and does not listen";
    strange("yes {addr}", 1, endless);
    strange("sh -c 'head -c 1073741824 /dev/zero; exec sleep 1000' {addr}", 1, endless);
}

/// Starts a long run, ends the harness in some way in the middle of it, and expects that
/// everything goes with it.
fn ended_by(signal: &str, isolation: &str) {
    let marked = Marked::new();
    let what =
        ["check", "server/echoes", "--program", "sh -c 'sleep 1000 & exec sleep 1000' {addr}"];
    let mut command = marked.lab(&what);
    command.env("LAB_PATIENCE", "1000").env("LAB_ISOLATION", isolation);
    let mut lab = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let sleeping = |processes: Vec<String>| processes.iter().any(|line| line.starts_with("sleep"));
    let began = Instant::now();
    while !sleeping(marked.processes()) {
        assert!(began.elapsed() < Duration::from_secs(60), "the program was not started");
        thread::sleep(Duration::from_millis(5));
    }
    end(&mut lab, signal);
    marked.expect_nothing_left();
}

fn end(lab: &mut Child, signal: &str) {
    let pid = lab.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    lab.wait().unwrap();
}

#[test]
fn nothing_is_left_after_ctrl_c() {
    const SIGINT: u32 = 2;
    if sockets_lab::kernel::ignores_signal(std::process::id(), SIGINT).unwrap_or(false) {
        println!("skipped: who started this test ignores SIGINT, and so does all that it starts");
        return;
    }
    ended_by("-INT", "on");
    ended_by("-INT", "off");
}

#[test]
fn nothing_is_left_when_the_harness_is_killed() {
    ended_by("-KILL", "on");
    ended_by("-KILL", "off");
}
