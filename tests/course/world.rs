//! The labs' programs among real ones that nobody here wrote: servers of the Internet's first
//! protocols, a web server, netcat in a person's hands. The other side is always the real thing.
//!
//! What a system does not have is told, and its test skipped.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use sockets_lab::labs;
use sockets_lab::net::Service;
use sockets_lab::program::{Given, Stdin, Template};
use sockets_lab::run::build::{Built, build};
use sockets_lab::trial::{Addresses, Needs, Progress, Running, Stop, Trial, Verdict};
use tempfile::TempDir;

use super::counterparts::installed;

/// The labs' own programs, and real ones beside them.
struct World {
    trial: Trial,
}

impl World {
    /// `None`, and a word about it, where `needs` is not installed.
    fn with(needs: &str) -> Option<Self> {
        if !installed(needs) {
            println!("skipped: {needs} is not installed");
            return None;
        }
        let labs = ["server", "client", "peer"];
        let programs = labs.map(|lab| (lab.to_owned(), template(lab))).into();
        Some(Self { trial: Trial::new(programs, Addresses::shared(), Needs::All) })
    }

    /// Starts a real program: words with spaces between them.
    fn start(&self, line: &str) -> Verdict<Rc<Running>> {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let mut command = Command::new(name);
        command.args(words);
        self.trial.start_command(name, command, line, Stdin::Piped)
    }

    /// The same of one that listens; waits until it does, on whatever port it has.
    fn serve(&self, line: &str) -> Verdict<Service> {
        let any = SocketAddr::new(self.trial.addresses().host().into(), 0);
        self.trial.listening(self.start(line)?, any)
    }

    fn host(&self) -> String {
        self.trial.addresses().host().to_string()
    }

    /// Waits until a real program has printed exactly this, since it was started.
    fn expect_output(&self, running: &Running, expected: &[u8]) -> Verdict {
        let printed = || running.program.stdout_since(0);
        let mut before = 0;
        let result = self.trial.wait(running, || {
            let now = printed().len();
            let moved = now > before;
            before = now;
            Ok(match now >= expected.len() {
                true => Progress::Done(()),
                false if moved => Progress::Moved,
                false => Progress::Nothing,
            })
        })?;
        if result.is_ok() && printed() == expected {
            return Ok(());
        }
        Err(self
            .trial
            .fail(format!("{} printed something else", running.name))
            .difference(expected, &printed())
            .stop())
    }

    /// Waits until a real program has ended by itself, and well.
    fn expect_success(&self, running: &Running) -> Verdict {
        let program = &running.program;
        let ended = self.trial.wait(running, || {
            Ok(match program.exited()? {
                Some(status) => Progress::Done(status),
                None => Progress::Nothing,
            })
        })?;
        match ended {
            Ok(status) if status.success() => Ok(()),
            other => Err(self.trial.fail(format!("{}: {other:?}", running.name)).stop()),
        }
    }
}

fn template(lab: &str) -> Template {
    let lab = labs::lab(lab).unwrap();
    match build(Path::new(env!("CARGO_MANIFEST_DIR")), lab).unwrap() {
        Built::Program(file) => Template::new(&file, lab.arguments, lab.name),
        Built::Broken(words) => panic!("{words}"),
    }
}

/// Plays a scene where the program that it needs is installed, and tells its failure whole.
fn play(needs: &str, scene: impl Fn(&World) -> Verdict) {
    let Some(world) = World::with(needs) else { return };
    match scene(&world).and_then(|()| world.trial.end()) {
        Ok(()) => {}
        Err(Stop::Skip(why)) => println!("skipped: {why}"),
        Err(stop) => panic!("{stop:#?}"),
    }
}

/// More than a line, in lines of different lengths, and less than tires anybody.
fn letter() -> Vec<u8> {
    (0..20_000).flat_map(|n| format!("{n}, {}\n", "x".repeat(n % 50)).into_bytes()).collect()
}

#[test]
fn the_client_talks_to_socat() {
    play("socat", |world| {
        let host = world.host();
        // Where one side has ended, socat gives the other half a second, unless told otherwise.
        let socat = world.serve(&format!("socat -t 600 TCP-LISTEN:0,bind={host} EXEC:cat"))?;
        let client = world.trial.client(Given::address(socat.address))?;
        client.input(b"hello\n");
        client.expect_output(b"hello\n")?;
        let letter = letter();
        client.input(&letter);
        client.end_input();
        client.expect_output(&letter)?;
        client.expect_success()
    });
}

#[test]
fn the_client_gets_a_page_from_python() {
    play("python3", |world| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.txt"), "a page of the Web\n").unwrap();
        let (host, folder) = (world.host(), folder.path().display());
        let line = format!("python3 -m http.server --bind {host} --directory {folder} 0");
        let python = world.serve(&line)?;
        let client = world.trial.client(Given::address(python.address))?;
        client.input(b"GET /page.txt HTTP/1.0\r\n\r\n");
        let end = world.trial.wait(&client.running, || Ok(Progress::<()>::Nothing))?;
        assert!(end.is_err(), "the server ends its side, and so the client ends");
        let page = client.running.program.stdout_since(0);
        assert!(page.starts_with(b"HTTP/1.0 200 OK\r\n"), "{}", page.escape_ascii());
        assert!(page.ends_with(b"\r\n\r\na page of the Web\n"), "{}", page.escape_ascii());
        Ok(())
    });
}

/// What a client prints that talks to a service of inetutils-inetd. These have fixed ports, so
/// the two are alone in a network of their own. `None`, and a word about it, where that can't be.
fn ask_inetd(service: &str, port: u16, input: &[u8]) -> Option<Vec<u8>> {
    let needed = ["inetutils-inetd", "unshare", "mount"];
    if let Some(missing) = needed.iter().find(|program| !installed(program)) {
        println!("skipped: {missing} is not installed");
        return None;
    }
    let namespaces = ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork"];
    if !Command::new("unshare").args(namespaces).arg("true").status().is_ok_and(|s| s.success()) {
        println!("skipped: this system refuses namespaces");
        return None;
    }
    let folder: TempDir = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("inetd.conf");
    let line = format!("127.0.0.1:{service} stream tcp nowait root internal\n");
    fs::write(&configuration, line).unwrap();
    let (client, _) = template("client").fill(&Given::nothing());
    // It listens: the kernel says so. That it waits for the processor meanwhile does no harm.
    let script = "mount -t sysfs sysfs /sys && echo 0x9 > /sys/class/net/lo/flags || exit 90
        inetutils-inetd -d \"$1\" >/dev/null 2>&1 &
        until grep -q \" 0100007F:$(printf %04X $2) 00000000:0000 0A \" /proc/net/tcp; do
            kill -0 $! || exit 91
        done
        \"$3\" 127.0.0.1:$2";
    let output = assert_cmd::Command::new("unshare")
        .args(namespaces)
        .args(["--kill-child", "--mount-proc", "sh", "-c", script, "sh"])
        .arg(&configuration)
        .arg(port.to_string())
        .arg(client.get_program())
        .write_stdin(input)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Some(output.stdout)
}

#[test]
fn the_client_hears_the_echo_of_inetd() {
    let letter = letter();
    if let Some(heard) = ask_inetd("echo", 7, &letter) {
        assert!(heard == letter, "{} of {} bytes", heard.len(), letter.len());
    }
}

#[test]
fn the_client_asks_inetd_for_the_time_of_day() {
    if let Some(heard) = ask_inetd("daytime", 13, b"") {
        let text = String::from_utf8(heard).unwrap();
        // `Sat Nov 21 08:13:12 2026`: the form is the server's own (RFC 867).
        assert!(text.ends_with("\r\n") && text.matches(':').count() == 2, "{text:?}");
    }
}

#[test]
fn the_client_gets_nothing_from_what_inetd_discards() {
    if let Some(heard) = ask_inetd("discard", 9, &letter()) {
        assert!(heard.is_empty(), "{}", heard.escape_ascii());
    }
}

/// Two clients, one after the other; the second one says more than fits into the queues.
fn echoes_to(world: &World, line: &str) -> Verdict {
    let server = world.trial.server()?;
    let line = line.replace("HOST", &server.address.ip().to_string());
    let line = line.replace("PORT", &server.address.port().to_string());
    for text in [&b"hello\n"[..], &letter()] {
        let client = world.start(&line)?;
        client.program.write_stdin(text)?;
        client.program.close_stdin();
        world.expect_output(&client, text)?;
        world.expect_success(&client)?;
    }
    Ok(())
}

#[test]
fn the_server_echoes_to_nc() {
    // -N: the end of standard input ends the sending side.
    play("nc", |world| echoes_to(world, "nc -N HOST PORT"));
}

#[test]
fn the_server_echoes_to_socat() {
    play("socat", |world| echoes_to(world, "socat -t 600 - TCP:HOST:PORT"));
}

#[test]
fn a_person_with_nc_calls_a_peer() {
    play("nc", |world| {
        let peer = world.trial.peer("ann", &[])?;
        let (host, port) = (peer.address().ip(), peer.address().port());
        let person = world.start(&format!("nc {host} {port}"))?;
        // The peer speaks first: nobody has to wait for the other.
        world.expect_output(&person, b"HELLO ann\n")?;
        person.program.write_stdin(b"HELLO me-myself\n")?;
        peer.expect_event("joined me-myself * as server", TYPED)?;
        talk(world, &peer, &person)
    });
}

#[test]
fn a_person_with_nc_is_called_by_a_peer() {
    play("nc", |world| {
        let host = world.host();
        let person = world.serve(&format!("nc -l {host} 0"))?;
        let address = person.address;
        let peer = world.trial.peer("ann", &[address])?;
        world.expect_output(&person.running, b"HELLO ann\n")?;
        person.running.program.write_stdin(b"HELLO me-myself\n")?;
        peer.expect_event(&format!("joined me-myself {address} as client"), TYPED)?;
        talk(world, &peer, &person.running)
    });
}

/// From the greetings to the farewell.
fn talk(world: &World, peer: &sockets_lab::labs::peer::Peer, person: &Running) -> Verdict {
    person.program.write_stdin("SAY is this the right way to spell naïve?\n".as_bytes())?;
    peer.expect_event("me-myself: is this the right way to spell naïve?", TYPED)?;
    peer.types("yes, it is");
    world.expect_output(person, b"HELLO ann\nSAY yes, it is\n")?;
    person.program.write_stdin(b"BYE\n")?;
    peer.expect_event("left me-myself", TYPED)?;
    peer.types("is anybody there?");
    peer.expect_no_event("nobody is there")?;
    world.expect_output(person, b"HELLO ann\nSAY yes, it is\n")
}

#[test]
fn a_person_who_types_something_else_is_a_bad_peer() {
    play("nc", |world| {
        let peer = world.trial.peer("ann", &[])?;
        let (host, port) = (peer.address().ip(), peer.address().port());
        let person = world.start(&format!("nc {host} {port}"))?;
        person.program.write_stdin(b"hello?\n")?;
        peer.expect_event("bad peer *: *", TYPED)?;
        peer.expect_no_event("that connection is closed, and nothing else happens").map(drop)
    });
}

const TYPED: &str = "a person has typed that";
