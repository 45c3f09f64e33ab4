//! Real clients that nobody here wrote talk to the labs' own solutions. What is typed and what
//! must come out stands in `fixtures/LAB/clients`, a text for each client.
//!
//! `fixtures/README.md` describes the form. Where a client is missing, the test says so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::iter::Peekable;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sockets_lab::labs::{self, Lab};
use sockets_lab::run::build::{self, Built};
use sockets_lab::trial::Addresses;
use tempfile::TempDir;

use super::corpus;
use super::counterparts::installed;

/// For one command, in seconds: none takes so long on a machine that does anything at all.
const BACKSTOP: &str = "300";
/// The command that is no command: the server is killed with SIGKILL, and started again.
const RESTART: &str = "restart";

/// A lab's own program that listens; it is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    doors: Vec<Door>,
    /// The first address where it listens.
    pub(crate) address: SocketAddr,
    folder: TempDir,
}

/// What a ready line tells: where the program listens, and for what, if it says so.
struct Door {
    address: SocketAddr,
    name: Option<String>,
}

impl Door {
    fn parse(ready: &str) -> Option<Self> {
        let said = ready.trim_end().strip_prefix("listening on ")?;
        let (address, name) = match said.split_once(" for ") {
            Some((address, name)) => (address, Some(name.to_owned())),
            None => (said, None),
        };
        Some(Self { address: address.parse().ok()?, name })
    }
}

impl Server {
    /// Starts what a text says: the lab's name and its arguments, with `ROOT` for a new folder.
    /// Waits for its ready lines, one for each address.
    pub(crate) fn start(line: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut words = line.split(' ');
        let lab = labs::lab(words.next().unwrap()).expect("the lab that a text starts");
        let program = match build::build(Path::new(env!("CARGO_MANIFEST_DIR")), lab).unwrap() {
            Built::Program(file) => file,
            Built::Broken(words) => panic!("{words}"),
        };
        let root = root.to_str().unwrap();
        let arguments = words.map(|word| if word == "ROOT" { root } else { word }.to_owned());
        let arguments: Vec<_> = arguments.collect();
        let (child, doors) = run(&program, &arguments);
        Self { child, program, arguments, address: doors[0].address, doors, folder }
    }

    /// Kills it, and starts it again where it was: the same ports, the same folders.
    fn restart(&mut self) {
        self.kill();
        let mut doors = self.doors.iter();
        for argument in self.arguments.iter_mut().filter(|argument| asks_for_a_port(argument)) {
            *argument = doors.next().expect("a ready line for each address").address.to_string();
        }
        let (child, doors) = run(&self.program, &self.arguments);
        (self.child, self.doors) = (child, doors);
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The program that it runs.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }
}

fn asks_for_a_port(argument: &str) -> bool {
    argument.ends_with(":0")
}

/// Starts a program, and waits until it listens wherever it was told to.
fn run(program: &Path, arguments: &[String]) -> (Child, Vec<Door>) {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let addresses = arguments.iter().filter(|argument| argument.parse::<SocketAddr>().is_ok());
    let doors = addresses.map(|_| {
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        Door::parse(&ready).unwrap_or_else(|| panic!("{ready:?}"))
    });
    let doors = doors.collect();
    (child, doors)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One command of a text, and what must come out.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    command: String,
    output: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Script {
    needs: Vec<String>,
    only_where: Option<String>,
    starts: String,
    turns: Vec<Turn>,
}

impl Script {
    fn parse(text: &str) -> Self {
        let mut script = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next_if(|line| line.starts_with('#')) {
            let words = line.trim_start_matches(['#', ' ']);
            if let Some(programs) = words.strip_prefix("needs: ") {
                script.needs.extend(programs.split(' ').map(str::to_owned));
            } else if let Some(command) = words.strip_prefix("only where: ") {
                script.only_where = Some(command.to_owned());
            } else if let Some(line) = words.strip_prefix("starts: ") {
                line.clone_into(&mut script.starts);
            }
        }
        while let Some(line) = lines.next() {
            let Some(first) = line.strip_prefix("$ ") else { continue };
            let mut command = first.to_owned();
            for more in take_while(&mut lines, |line| line.starts_with("> ") || line == ">") {
                command += "\n";
                command += more.get(2..).unwrap_or_default();
            }
            let output = take_while(&mut lines, |line| !line.is_empty() && !line.starts_with("$ "));
            let output = output.iter().map(|line| format!("{line}\n")).collect();
            script.turns.push(Turn { command, output });
        }
        assert!(!script.starts.is_empty() && !script.needs.is_empty(), "a head without its lines");
        script
    }

    /// Why it can't be played here, if it can't.
    fn missing(&self) -> Option<String> {
        let missing = self.needs.iter().find(|program| !installed(program));
        if let Some(program) = missing {
            return Some(format!("{program} is not installed"));
        }
        let command = self.only_where.as_ref()?;
        let output = Command::new("bash").args(["-c", command]).output().unwrap();
        (!output.status.success()).then(|| format!("not so: {command}"))
    }

    fn play(&self) -> Vec<String> {
        let mut server = Server::start(&self.starts);
        let work = server.folder.path().join("work");
        fs::create_dir(&work).unwrap();
        let turns = self.turns.iter();
        turns.filter_map(|turn| turn.play(&mut server, &work).err()).collect()
    }
}

/// Where a server of the text's own can listen: the host is in nobody else's use.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(3 << 14);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Addresses::shared(std::process::id().wrapping_add(number)).free_address()
}

fn take_while<'a>(
    lines: &mut Peekable<impl Iterator<Item = &'a str>>,
    is_part: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    std::iter::from_fn(|| lines.next_if(|line| is_part(line))).collect()
}

impl Turn {
    fn play(&self, server: &mut Server, work: &Path) -> Result<(), String> {
        if self.command == RESTART {
            server.restart();
            return Ok(());
        }
        let address = server.address;
        // `timeout` ends all that the command has started, not only the shell.
        let mut command = Command::new("timeout");
        command.args(["-k", "5", BACKSTOP, "bash", "-o", "pipefail", "-c"]);
        command.arg(format!("exec 2>&1\n{}", self.command)).current_dir(work).stdin(Stdio::null());
        command.env("URL", format!("http://{address}")).env("ADDR", address.to_string());
        command.env("HOST", address.ip().to_string()).env("PORT", address.port().to_string());
        for Door { address, name } in &server.doors {
            if let Some(name) = name {
                command.env(name, address.to_string());
            }
        }
        command.env("ROOT", server.root()).env("HOME", work);
        command.env("PROGRAM", &server.program).env("OTHER", free_address().to_string());
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let output = command.output().unwrap();
        let mut seen = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let end = if seen.is_empty() || seen.ends_with('\n') { "" } else { "\n" };
            let status = output.status.code().map_or("none".into(), |code| code.to_string());
            seen += &format!("{end}(exit status {status})\n");
        }
        if seen.trim_end() == self.output.trim_end() {
            return Ok(());
        }
        let Self { command, output } = self;
        Err(format!("$ {command}\nmust print:\n{output}and has printed:\n{seen}"))
    }
}

fn all_are_served(lab: &Lab) {
    let folder = corpus::fixtures("clients", lab);
    if !folder.is_dir() {
        return;
    }
    let mut wrong = Vec::new();
    for file in corpus::files(&folder) {
        let script = Script::parse(&corpus::read(&file));
        match script.missing() {
            Some(why) => println!("skipped: {}: {why}", file.display()),
            None => wrong
                .extend(script.play().into_iter().map(|it| format!("{}: {it}", file.display()))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

sockets_lab::each_lab! { test_each_lab every_real_client_is_served super::all_are_served }

#[test]
fn a_text_is_read_as_it_is_documented() {
    let text = "# nc, by hand.\n# needs: nc sed\n# only where: true\n# starts: web 127.0.0.1:0 ROOT\n\
                \n$ cat <<'END'\n> a\n>\n> END\na\n\nSaid to the reader.\n\n$ false\n(exit status 1)\n$ :\n";
    let turn =
        |command: &str, output: &str| Turn { command: command.into(), output: output.into() };
    let script = Script::parse(text);
    assert_eq!(script.needs, ["nc", "sed"]);
    assert_eq!(script.only_where.as_deref(), Some("true"));
    assert_eq!(script.starts, "web 127.0.0.1:0 ROOT");
    let turns =
        [turn("cat <<'END'\na\n\nEND", "a\n"), turn("false", "(exit status 1)\n"), turn(":", "")];
    assert_eq!(script.turns, turns);
}
