//! Building a lab's source, and what `lab check` says of the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sockets_lab::json::Json;
use sockets_lab::labs::Lab;
use tempfile::TempDir;

use super::corpus::{Program, Source};
use super::languages;

/// A built program, in a folder that goes with it.
pub(crate) struct Built {
    _folder: TempDir,
    /// The words that start it: of what rustc built, one.
    start: Vec<String>,
}

/// What `lab check --json` says of one check.
pub(crate) struct Result {
    pub(crate) id: String,
    /// `pass`, `fail`, `blocked`, `skipped` or `fault`.
    pub(crate) outcome: String,
    /// The whole record.
    pub(crate) record: Json,
}

/// What a lab allows, since an unwritten step leaves things unused; every other warning counts.
const FLAGS: [&str; 15] = [
    "--edition",
    "2024",
    "-C",
    "debuginfo=0",
    "-D",
    "warnings",
    "-A",
    "dead_code",
    "-A",
    "unused_imports",
    "-A",
    "unused_mut",
    "-A",
    "unused_variables",
    "-Funsafe_code",
];

impl Built {
    /// Builds the source of a lab, without cargo: one file, no dependencies. Panics with rustc's
    /// words where it does not build without a warning.
    pub(crate) fn new(lab: &Lab, what: &str, source: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("main.rs"), source).expect("the source");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .args(FLAGS)
            .args(["--crate-name", lab.name, "main.rs"])
            .current_dir(folder.path())
            .output()
            .expect("rustc");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what} does not build:\n{words}");
        let file = folder.path().join(lab.name).display().to_string();
        Self { _folder: folder, start: vec![file] }
    }

    /// Builds a program of the corpus. `None`, and a word about it, where its language is missing.
    pub(crate) fn of(lab: &Lab, program: &Program) -> Option<Self> {
        let file = match &program.source {
            Source::Text(source) => return Some(Self::new(lab, &program.name, source)),
            Source::File(file) => file,
        };
        let folder = tempfile::tempdir().expect("a folder");
        let language = languages::language(file).expect("the corpus has only what it knows");
        match language.build(file, folder.path()) {
            Ok(start) => Some(Self { _folder: folder, start }),
            Err(why) => {
                println!("skipped: {}: {why}", program.name);
                None
            }
        }
    }

    /// The program's file.
    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(&self.start[0])
    }

    /// Has it checked: `what` as in `lab check WHAT`.
    pub(crate) fn check(&self, lab: &Lab, what: &str) -> Run {
        let start: Vec<_> = self.start.iter().map(|word| format!("'{word}'")).collect();
        let program = format!("{} {{args}}", start.join(" "));
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_lab"));
        let option = format!("--{}", lab.name);
        command.args(["check", what, "--json", &option, &program]);
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
        let output = command.output().expect("lab");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8_lossy(&output.stdout);
        let document = Json::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}\n{stderr}"));
        let list = |name| document.get(name).and_then(Json::as_array).expect(name);
        let text = |json: &Json, name| {
            json.get(name).and_then(Json::as_str).map(str::to_owned).expect(name)
        };
        let result = |record: &Json| Result {
            id: text(record, "id"),
            outcome: text(record, "outcome"),
            record: record.clone(),
        };
        let isolated = list("notes").is_empty();
        Run { isolated, results: list("checks").iter().map(result).collect() }
    }
}

/// What `lab check` said.
pub(crate) struct Run {
    /// Whether each check had a network of its own. Without one, programs that take ports that
    /// they were not given get in each other's way.
    pub(crate) isolated: bool,
    pub(crate) results: Vec<Result>,
}

/// One test at a time has programs checked: each check has several workers as it is.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for its turn to have programs run.
pub(crate) fn turn() -> std::sync::MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the work on each item, two at a time, and collects what was complained of.
pub(crate) fn complaints<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> Vec<String> + Sync,
) -> Vec<String> {
    let _turn = turn();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let found = work(item);
                    all.lock().expect("no complaint panics").extend(found);
                }
            });
        }
    });
    let mut all = all.into_inner().expect("no complaint panics");
    all.sort();
    all
}

/// A skipped check is a matter of this system: it is told, and tolerated.
pub(crate) fn is_skipped(result: &Result) -> bool {
    if result.outcome == "skipped" {
        let why = result.record.get("reason").and_then(Json::as_str).unwrap_or_default();
        println!("note: {} was skipped: {why}", result.id);
    }
    result.outcome == "skipped"
}
