//! `cargo bench`: how long the ways take that a student walks again and again. All figures of
//! one run are of one machine at one time: it is the ratios that can be compared.

mod balance;
mod echo;
mod flood;
mod index;
mod mail;
mod measure;
mod names;
mod swarm;
mod web;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs, io};

use measure::{Spread, compare, median};
use sockets_lab::kernel;
use sockets_lab::labs::LABS;

/// Runs that are measured of each.
const RUNS: usize = 7;

/// A part of the bench: what it is asked for by, and what it does.
type Part = (&'static str, fn() -> io::Result<()>);

const PARTS: [Part; 11] = [
    ("edit", edit_to_verdict),
    ("checks", checks),
    ("snapshots", snapshots),
    ("echo", || echo::throughput(&built("server", "dev")?)),
    ("web", || web::throughput(&built("web", "release")?)),
    ("mail", || mail::throughput(&built("mail", "release")?)),
    ("names", || names::throughput(&built("names", "release")?)),
    ("index", || index::throughput(&built("index", "release")?)),
    ("flood", || flood::throughput(&built("flood", "release")?)),
    ("swarm", || swarm::throughput(&built("swarm", "release")?)),
    ("balance", || balance::throughput(&built("balance", "release")?)),
];

/// `cargo bench` measures everything, `cargo bench -- web names` what is named.
fn main() -> io::Result<()> {
    let (flags, asked): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|argument| argument.starts_with('-'));
    // `cargo test --benches` runs this too, and only wants to know that it starts.
    if !flags.iter().any(|flag| flag == "--bench") {
        return Ok(());
    }
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = asked.iter().find(|it| !names.contains(&it.as_str())) {
        let names = names.join(", ");
        return Err(io::Error::other(format!("there is no part {unknown}; there are {names}")));
    }
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|it| it == name);
    PARTS.iter().filter(|(name, _)| is_asked(name)).try_for_each(|(_, measure)| measure())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn succeed(mut command: Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

/// The lab's own program, built as this profile says.
fn built(name: &str, profile: &str) -> io::Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--package", name, "--profile", profile]);
    succeed(build)?;
    let built = if profile == "dev" { "debug" } else { profile };
    let folder = Path::new(env!("CARGO_BIN_EXE_lab")).parent();
    let target = folder.and_then(Path::parent).unwrap_or(Path::new("target"));
    Ok(target.join(built).join(name))
}

/// From a saved edit to the verdict on all checks of lab 1, beside cargo's build of the same
/// edit alone: with a command for it, and in a `lab watch` that runs.
fn edit_to_verdict() -> io::Result<()> {
    println!("edit to verdict, lab 1 ({RUNS} runs each, in turn)");
    let (build, verdict) = compare(RUNS, build_edit, || {
        edit()?;
        succeed(lab(&["check", "server"]))
    })?;
    println!("  cargo build -p server        {build}");
    println!("  lab check server             {verdict}");
    println!(
        "  ratio of the medians         {:.2}   (goal: at most 2)\n",
        verdict.median / build.median
    );
    // Not in turn: a watch would see the other's edit, too.
    let build = Spread::of(RUNS, build_edit)?;
    let mut watch = Watch::start()?;
    let verdict = Spread::of(RUNS, || {
        edit()?;
        watch.next_screen()
    })?;
    println!("  cargo build -p server        {build}");
    println!("  lab watch server             {verdict}");
    println!(
        "  more than the build          {:6.0} ms  (goal: at most 500)\n",
        (verdict.median - build.median) * 1e3
    );
    Ok(())
}

/// The file's bytes stay as they are: a new modification time is an edit to cargo.
fn edit() -> io::Result<()> {
    let source = root().join("labs/01-server/src/main.rs");
    fs::File::options().append(true).open(source)?.set_modified(std::time::SystemTime::now())
}

fn build_edit() -> io::Result<()> {
    edit()?;
    let mut build = cargo();
    build.args(["build", "--package", "server"]);
    succeed(build)
}

/// A `lab watch` that runs; it ends with this.
struct Watch {
    child: Child,
    screens: io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start() -> io::Result<Self> {
        let mut command = lab(&["watch", "server"]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut watch = Self { child, screens: BufReader::new(stdout).lines() };
        watch.next_screen()?;
        Ok(watch)
    }

    /// Until the last line of a screen is there.
    fn next_screen(&mut self) -> io::Result<()> {
        for line in &mut self.screens {
            if line?.ends_with("q quit") {
                return Ok(());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a check costs: the whole run divided by their number, and one alone.
fn checks() -> io::Result<()> {
    for name in LABS.iter().map(|lab| lab.name) {
        let count = LABS.iter().find(|lab| lab.name == name).map_or(1, |lab| lab.checks().count());
        let all = Spread::of(RUNS, || succeed(lab(&["check", name])))?;
        println!(
            "all {count} checks of {name:<10}      {all}   {:.1} ms a check",
            all.median * 1e3 / count as f64
        );
    }
    let one = Spread::of(RUNS, || succeed(lab(&["check", "server/echoes"])))?;
    println!("server/echoes alone          {one}\n");
    Ok(())
}

/// What one look costs, here in the system's own network: in a worker's namespace the tables
/// are shorter.
fn snapshots() -> io::Result<()> {
    let table = median(200, || kernel::socket_table().map(drop))?;
    let look = median(200, || kernel::Snapshot::take(std::process::id()).map(drop))?;
    println!("socket tables, one reading   {:.0} µs", table * 1e6);
    println!("snapshot of one process      {:.0} µs\n", look * 1e6);
    Ok(())
}
