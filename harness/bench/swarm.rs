//! Lab 9's solution beside those that one would take instead: a file of 64 MiB, from three seeds of the
//! solution, whom everybody hears of by its tracker.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, race};

/// The file's length, in MiB, and its name.
const SIZE: usize = 64;
const NAME: &str = "file.bin";
/// The length of a file that is nothing, in bytes.
const BLOCK: usize = 16 << 10;
/// Who has it from the start.
const SEEDS: usize = 3;

/// A program that gets the file: it says `complete` then, and goes on, or it ends.
struct Leech {
    program: String,
    /// `{torrent}` and `{dir}` stand for what it gets, and where.
    arguments: Vec<&'static str>,
}

/// A program that runs until its standard input ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Prints how fast each program gets the file, and its ratio to the solution. Then the same of a file that
/// is nothing: what a program waits before it dials anybody is not what it takes to get bytes.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    let folder = TempDir::new()?;
    let program = solution.to_string_lossy().into_owned();
    let Some(tracker) = Server::start(&program, &["track", "{addr}"]) else {
        return Err(io::Error::other("lab 9's tracker can't be started"));
    };
    let url = format!("http://{}/announce", tracker.address);
    let leeches = leeches(program, folder.path());
    println!(
        "swarm, {SIZE} MiB from {SEEDS} seeds, MiB/s: medians of {ROUNDS} rounds, in which the programs \
         take turns (least to most)"
    );
    let large = Shared::new(solution, &url, SIZE << 20)?;
    race(&leeches, |leech| Ok(SIZE as f64 / large.time(leech)?))?;
    println!("  one block from {SEEDS} seeds, files a minute:");
    let small = Shared::new(solution, &url, BLOCK)?;
    race(&leeches, |leech| Ok(60.0 / small.time(leech)?))?;
    println!();
    Ok(())
}

/// A file, its torrent, and those who have it.
struct Shared {
    folder: TempDir,
    bytes: Vec<u8>,
    torrent: PathBuf,
    _seeds: Vec<Running>,
}

impl Shared {
    fn new(solution: &Path, url: &str, length: usize) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let (file, torrent) = (folder.path().join(NAME), folder.path().join("file.torrent"));
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ (at >> 14) as u8).collect();
        fs::write(&file, &bytes)?;
        let made = Command::new(solution).arg("make").arg(&file).arg(url).arg(&torrent).status()?;
        if !made.success() {
            return Err(io::Error::other("lab 9 does not make the torrent"));
        }
        let mut seeds = Vec::new();
        for number in 1..=SEEDS {
            let dir = folder.path().join(format!("seed-{number}"));
            fs::create_dir(&dir)?;
            fs::hard_link(&file, dir.join(NAME))?;
            seeds.push(seed(solution, &torrent, &dir)?);
        }
        Ok(Self { folder, bytes, torrent, _seeds: seeds })
    }

    /// How long a program takes to get it, in seconds.
    fn time(&self, leech: &Leech) -> io::Result<f64> {
        let dir = TempDir::new_in(self.folder.path())?;
        let began = Instant::now();
        leech.get(&self.torrent, dir.path())?;
        let seconds = began.elapsed().as_secs_f64();
        if fs::read(dir.path().join(NAME))? != self.bytes {
            return Err(io::Error::other(format!("{} has got another file", leech.program)));
        }
        Ok(seconds)
    }
}

/// Starts a seed, and waits until it has looked through its file.
fn seed(solution: &Path, torrent: &Path, dir: &Path) -> io::Result<Running> {
    let mut command = Command::new(solution);
    command.arg(torrent).arg(dir).arg("127.0.0.1:0");
    // The end of its standard input would be its own end.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut seed = Running(command.spawn()?);
    let stdout = seed.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut lines = BufReader::new(stdout).lines();
    let has = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("have ")));
    has.ok_or(io::ErrorKind::UnexpectedEof)??;
    // Somebody has to read what it says of its peers.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Ok(seed)
}

/// The solution, the corpus's program in Go, and aria2, as far as they are there.
fn leeches(solution: String, folder: &Path) -> Vec<(&'static str, Leech)> {
    let ours = vec!["{torrent}", "{dir}", "127.0.0.1:0"];
    let mut leeches = vec![("lab 9", Leech { program: solution, arguments: ours.clone() })];
    let go: PathBuf = folder.join("go");
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/09-swarm/right/goroutines.go");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&go).arg(source);
    if succeeds(build) {
        leeches.push(("go", Leech { program: go.to_string_lossy().into_owned(), arguments: ours }));
    } else {
        println!("  go       skipped: it can't be built");
    }
    let mut version = Command::new("aria2c");
    version.arg("--version");
    if succeeds(version) {
        let arguments = vec![
            "--quiet",
            "--no-conf",
            "--enable-dht=false",
            "--enable-dht6=false",
            "--enable-peer-exchange=false",
            "--bt-enable-lpd=false",
            "--file-allocation=none",
            "--seed-time=0",
            "--dir={dir}",
            "{torrent}",
        ];
        leeches.push(("aria2", Leech { program: "aria2c".into(), arguments }));
    } else {
        println!("  aria2    skipped: it is not installed");
    }
    leeches
}

fn succeeds(mut command: Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Leech {
    /// Gets the file into this folder.
    fn get(&self, torrent: &Path, dir: &Path) -> io::Result<()> {
        let fill = |word: &&str| {
            let word = word.replace("{torrent}", &torrent.to_string_lossy());
            word.replace("{dir}", &dir.to_string_lossy())
        };
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(fill));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn()?);
        let stdout = running.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        for line in BufReader::new(stdout).lines() {
            if line? == "complete" {
                return Ok(());
            }
        }
        let status = running.0.wait()?;
        let why = || io::Error::other(format!("{}: {status}", self.program));
        status.success().then_some(()).ok_or_else(why)
    }
}
