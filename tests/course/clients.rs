//! Real clients that nobody here wrote talk to the labs' own solutions. What is typed and what
//! must come out stands in `fixtures/LAB/clients`, a text for each client.
//!
//! `fixtures/README.md` describes the form. Where a client is missing, the test says so.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::iter::Peekable;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

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

/// The file in a server's folder with what it says on its standard error.
const SAID: &str = "said";
/// What each command can call.
const FUNCTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/course/clients.sh");

/// What a row of the table of real programs begins with: a program, and what it does.
const ROW_HEAD: usize = 18;
const TABLE_HEAD: &str = "other        it        time  what ours has printed\n\n";

/// A lab's own program that listens; it is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    arguments: Vec<String>,
    doors: Vec<Door>,
    /// The first address where it listens.
    pub(crate) address: SocketAddr,
    /// Where another server of the text's own can listen.
    other: SocketAddr,
    /// Programs of other labs that the text starts itself, each by the name of its variable.
    besides: Vec<(String, PathBuf)>,
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
    /// Starts what a text says: the lab's name and its arguments, with `ROOT` for a new folder, and
    /// `OTHER` for an address where nobody listens yet. Waits for its ready lines: one for each
    /// port 0.
    pub(crate) fn start(line: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut words = line.split(' ');
        let program = built(words.next().unwrap());
        let (root, other) = (root.to_str().unwrap(), Addresses::shared().free_address());
        let arguments = words.map(|word| match word {
            "ROOT" => root.to_owned(),
            "OTHER" => other.to_string(),
            word => word.to_owned(),
        });
        let arguments: Vec<_> = arguments.collect();
        let ports = arguments.iter().filter(|argument| asks_for_a_port(argument)).count();
        let (child, doors) = run(&program, &arguments, ports, &folder.path().join(SAID));
        let address = doors[0].address;
        Self { child, program, arguments, address, other, doors, besides: Vec::new(), folder }
    }

    /// Kills it, and starts it again where it was: the same ports, the same folders.
    fn restart(&mut self) {
        self.kill();
        let mut doors = self.doors.iter();
        for argument in self.arguments.iter_mut().filter(|argument| asks_for_a_port(argument)) {
            *argument = doors.next().expect("a ready line for each address").address.to_string();
        }
        let (child, doors) = run(&self.program, &self.arguments, self.doors.len(), &self.said());
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

    /// The file of what it has said on its standard error.
    fn said(&self) -> PathBuf {
        self.folder.path().join(SAID)
    }

    /// Where a text writes rows of the table of real programs.
    fn table(&self) -> PathBuf {
        self.folder.path().join("table")
    }
}

fn asks_for_a_port(argument: &str) -> bool {
    argument.ends_with(":0")
}

/// A lab's own program.
fn built(name: &str) -> PathBuf {
    let lab = labs::lab(name).unwrap_or_else(|| panic!("a text names {name}, which is no lab"));
    match build::build(Path::new(env!("CARGO_MANIFEST_DIR")), lab).unwrap() {
        Built::Program(file) => file,
        Built::Broken(words) => panic!("{words}"),
    }
}

/// Starts a program, and waits until it listens at so many addresses.
fn run(program: &Path, arguments: &[String], ports: usize, said: &Path) -> (Child, Vec<Door>) {
    let said = File::options().create(true).append(true).open(said).unwrap();
    let mut command = Command::new(program);
    // The end of its standard input would be the end of a program that has a user.
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said);
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let doors = (0..ports).map(|_| {
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
    besides: Vec<String>,
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
            } else if let Some(labs) = words.strip_prefix("besides: ") {
                script.besides.extend(labs.split(' ').map(str::to_owned));
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

    /// What went wrong, and the rows of the table of real programs that it has written.
    fn play(&self) -> (Vec<String>, String) {
        let mut server = Server::start(&self.starts);
        let besides = self.besides.iter().map(|lab| (lab.to_uppercase(), built(lab)));
        server.besides.extend(besides);
        let work = server.folder.path().join("work");
        fs::create_dir(&work).unwrap();
        let turns = self.turns.iter();
        let wrong = turns.filter_map(|turn| turn.play(&mut server, &work).err()).collect();
        (wrong, fs::read_to_string(server.table()).unwrap_or_default())
    }
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
        command.envs(server.besides.iter().map(|(name, program)| (name, program)));
        command.env("PROGRAM", &server.program).env("OTHER", server.other.to_string());
        command.env("SAID", server.said()).env("TABLE", server.table()).env("BASH_ENV", FUNCTIONS);
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
    let files = corpus::files(&folder);
    let texts = files.iter().map(|file| (file, Script::parse(&corpus::read(file))));
    let (there, missing): (Vec<_>, Vec<_>) = texts.partition(|(_, it)| it.missing().is_none());
    for (file, script) in &missing {
        println!("skipped: {}: {}", file.display(), script.missing().unwrap_or_default());
    }
    // All at once: some real programs wait for seconds, and do nothing meanwhile.
    let played: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = there.iter().map(|(_, it)| scope.spawn(|| it.play())).collect();
        started.into_iter().map(|it| it.join().expect("a text that is played")).collect()
    });
    let (mut wrong, mut rows) = (Vec::new(), String::new());
    for ((file, _), (failed, more)) in there.iter().zip(played) {
        wrong.extend(failed.into_iter().map(|it| format!("{}: {it}", file.display())));
        rows += &more;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if missing.is_empty() && !rows.is_empty() {
        is_the_table_of_the_book(lab, &rows);
    }
}

/// The book's table has the same rows as this run. Its times, and what was said where a program has the
/// choice, are those of the run that wrote it.
fn is_the_table_of_the_book(lab: &Lab, rows: &str) {
    let name = format!("book/recordings/harness/{}-with-others.txt", lab.name);
    let file = corpus::root().join(&name);
    let table = format!("{TABLE_HEAD}{rows}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let heads = |table: &str| -> Vec<String> {
        table.lines().map(|line| line.chars().take(ROW_HEAD).collect()).collect()
    };
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let how = "UPDATE_GOLDEN=1 cargo test --test course every_real_client";
    assert_eq!(heads(&recorded), heads(&table), "{name} has other rows ({how})");
}

sockets_lab::each_lab! { test_each_lab every_real_client_is_served super::all_are_served }

#[test]
fn a_text_is_read_as_it_is_documented() {
    let text = "# nc, by hand.\n# needs: nc sed\n# only where: true\n# starts: web 127.0.0.1:0 ROOT\n\
                # besides: server client\n\n$ cat <<'END'\n> a\n>\n> END\na\n\nSaid to the reader.\n\n$ false\n(exit status 1)\n$ :\n";
    let turn =
        |command: &str, output: &str| Turn { command: command.into(), output: output.into() };
    let script = Script::parse(text);
    assert_eq!(script.needs, ["nc", "sed"]);
    assert_eq!(script.only_where.as_deref(), Some("true"));
    assert_eq!(script.starts, "web 127.0.0.1:0 ROOT");
    assert_eq!(script.besides, ["server", "client"]);
    let turns =
        [turn("cat <<'END'\na\n\nEND", "a\n"), turn("false", "(exit status 1)\n"), turn(":", "")];
    assert_eq!(script.turns, turns);
}
