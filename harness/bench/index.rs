//! Lab 7's solution beside what one would take instead: a web server to give a file, and curl to go on
//! with one. And how many finds a second the index answers among many files.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, Spread, race};
use super::web::configuration;

/// The small file, and how long small files are fetched in a turn.
const SMALL: (&str, usize) = ("small.bin", 1000);
const TURN: Duration = Duration::from_millis(500);
/// The large one.
const LARGE: (&str, usize) = ("large.bin", 64 << 20);
/// How much of it is there when somebody goes on with it.
const PART: usize = LARGE.1 / 2;
/// Files that the index knows of while it is asked.
const KNOWN: usize = 10_000;

/// A peer of the solution: it stays until its standard input ends.
struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it prints. Somebody has to read it: it says something of each upload.
    lines: Receiver<String>,
    address: SocketAddr,
    folder: PathBuf,
}

/// Prints what each program does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    let folder = TempDir::new()?;
    let program = solution.to_string_lossy();
    let Some(index) = Server::start(&program, &["serve", "{addr}"]) else {
        return Err(io::Error::other("lab 7 can't be started"));
    };
    let shared = folder.path().join("bob");
    fs::create_dir(&shared)?;
    for (name, length) in [SMALL, LARGE] {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        fs::write(shared.join(name), bytes)?;
    }
    let bob = Peer::join(solution, &index, "bob", shared)?;
    uploads(folder.path(), &bob)?;
    resumed(solution, folder.path(), &index, &bob)?;
    finds(&index)
}

impl Peer {
    fn join(solution: &Path, index: &Server, name: &str, folder: PathBuf) -> io::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(solution);
        command.args(["share", name, &index.address.to_string(), &address.to_string()]);
        command.arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (stdin, lines) = (child.stdin.take(), lines_of(stdout));
        let mut peer = Self { child, stdin, lines, address, folder };
        peer.says("joined ")?;
        Ok(peer)
    }

    fn types(&mut self, line: &str) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        stdin.write_all(format!("{line}\n").as_bytes())
    }

    /// Waits for a line that begins like this; others are left out.
    fn says(&mut self, beginning: &str) -> io::Result<()> {
        for line in &self.lines {
            if line.starts_with(beginning) {
                return Ok(());
            }
            if line.starts_with("failed") {
                return Err(io::Error::other(line));
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of an output, which is read as they come.
fn lines_of(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut read = BufReader::new(output).lines().map_while(Result::ok);
        while let Some(line) = read.next()
            && sender.send(line).is_ok()
        {}
    });
    lines
}

/// Files that are given away whole, a connection each.
fn uploads(folder: &Path, bob: &Peer) -> io::Result<()> {
    println!(
        "index, uploads: medians of {ROUNDS} rounds, in which the programs take turns (least to most)"
    );
    let (root, nginx) = (bob.folder.to_string_lossy(), folder.join("nginx.conf"));
    let conf = nginx.to_string_lossy();
    let others: [(&str, Vec<&str>); 2] = [
        ("nginx", vec!["-e", "stderr", "-c", &conf]),
        ("python3", vec!["-m", "http.server", "-b", "{host}", "-d", &root, "{port}"]),
    ];
    let (mut addresses, mut running) = (vec![("lab 7", bob.address)], Vec::new());
    for (name, arguments) in others {
        let prepare = |address| fs::write(&nginx, configuration(address, folder, &root));
        match Server::start_with(name, &arguments, prepare) {
            Some(server) => {
                addresses.push((name, server.address));
                running.push(server);
            }
            None => println!("    {name:<8} skipped: it can't be started"),
        }
    }
    println!("  files of 1 kB a second, one after the other");
    race(&addresses, |address| {
        let (began, mut files) = (Instant::now(), 0_u32);
        while began.elapsed() < TURN {
            fetch(*address, SMALL)?;
            files += 1;
        }
        Ok(f64::from(files) / began.elapsed().as_secs_f64())
    })?;
    println!("  MiB/s of a file of 64 MiB");
    race(&addresses, |address| {
        let began = Instant::now();
        fetch(*address, LARGE)?;
        Ok((LARGE.1 >> 20) as f64 / began.elapsed().as_secs_f64())
    })
}

/// Fetches a file, and forgets it.
fn fetch(address: SocketAddr, (name, length): (&str, usize)) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!("GET /{name} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let (mut came, mut buffer) = (0, vec![0; 256 * 1024]);
    loop {
        match stream.read(&mut buffer)? {
            0 if came > length => return Ok(()),
            0 => return Err(io::Error::other(format!("{came} bytes of {name}, and its end"))),
            count => came += count,
        }
    }
}

/// The second half of a file, for somebody who has the first one: with curl, with curl and the hash
/// that says whether it is the right file, and with a peer, which always compares that.
fn resumed(solution: &Path, folder: &Path, index: &Server, bob: &Peer) -> io::Result<()> {
    println!("  ms for the second half of 64 MiB, from lab 7's upload, into a file");
    let mine = folder.join("ann");
    fs::create_dir(&mine)?;
    let mut ann = Peer::join(solution, index, "ann", mine)?;
    let (name, url) = (LARGE.0, format!("http://{}/{}", bob.address, LARGE.0));
    let half = &fs::read(bob.folder.join(name))?[..PART];
    let curl = folder.join(name);
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        fs::write(ann.folder.join(format!("{name}.part")), half)?;
        ann.types("find large")?;
        ann.says("found 1")?;
        let began = Instant::now();
        ann.types("get 1")?;
        ann.says("got ")?;
        times[0].push(began.elapsed().as_secs_f64());
        ann.types(&format!("drop {name}"))?;
        fs::remove_file(ann.folder.join(name))?;

        fs::write(&curl, half)?;
        let began = Instant::now();
        let mut command = Command::new("curl");
        command.args(["-sf", "-C", "-", "-o"]).arg(&curl).arg(&url);
        if !command.status().is_ok_and(|status| status.success()) {
            println!("    curl     skipped: it is not there, or says no");
            break;
        }
        times[1].push(began.elapsed().as_secs_f64());
        let summed = Command::new("sha1sum").arg(&curl).stdout(Stdio::null()).status();
        if summed.is_ok_and(|status| status.success()) {
            times[2].push(began.elapsed().as_secs_f64());
        }
    }
    let mut first = None;
    for (name, times) in ["lab 7", "curl", "curl and sha1sum"].into_iter().zip(times) {
        if !times.is_empty() {
            let spread = Spread::from(times);
            let ratio = spread.median / *first.get_or_insert(spread.median);
            println!("    {name:<17} {spread}   x{ratio:.3}");
        }
    }
    Ok(())
}

/// Questions that the index answers, one after the other, among files of which one fits.
fn finds(index: &Server) -> io::Result<()> {
    let sum = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let mut carl = Member::join(index.address, "carl")?;
    let files: String = (0..KNOWN).map(|at| format!("HAVE {sum} 0 file {at:05}\n")).collect();
    carl.stream.write_all(files.as_bytes())?;
    // Answered when all that came before it is known.
    carl.ask("FIND x")?;
    let mut dora = Member::join(index.address, "dora")?;
    let rates: io::Result<Vec<f64>> = (0..ROUNDS)
        .map(|_| {
            let (began, mut asked) = (Instant::now(), 0_u32);
            while began.elapsed() < TURN {
                dora.ask("FIND file 04711")?;
                asked += 1;
            }
            Ok(f64::from(asked) / began.elapsed().as_secs_f64())
        })
        .collect();
    let Spread { least, median, most } = Spread::from(rates?);
    println!("  finds a second among {KNOWN} files   {median:.0}  ({least:.0} to {most:.0})\n");
    Ok(())
}

/// Somebody at the index.
struct Member {
    stream: TcpStream,
    lines: io::Lines<BufReader<TcpStream>>,
}

impl Member {
    fn join(index: SocketAddr, name: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(index)?;
        stream.set_nodelay(true)?;
        stream.write_all(format!("JOIN {name} 1\n").as_bytes())?;
        let mut member = Self { lines: BufReader::new(stream.try_clone()?).lines(), stream };
        member.hear("WELCOME ")?;
        Ok(member)
    }

    fn ask(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\n").as_bytes())?;
        self.hear("END ")
    }

    fn hear(&mut self, beginning: &str) -> io::Result<()> {
        for line in &mut self.lines {
            if line?.starts_with(beginning) {
                return Ok(());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
