//! Lab 6's solution beside real name servers, where those are installed: questions a second over
//! UDP, asked and checked by an asker of our own.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, race};

/// How long a turn takes.
const TURN: Duration = Duration::from_millis(500);
/// A datagram that has not come after so long is lost, and asked for again.
const LOST: Duration = Duration::from_millis(200);

/// Questions that are under way at a time.
const LOADS: [(&str, u16); 2] = [("one question at a time", 1), ("16 questions at a time", 16)];

/// The lab's zone file, and the same for nsd.
const ZONE: &str = "zone example.test\nexample.test 300 NS ns.example.test\nns.example.test 300 A 127.0.0.1\n\
                    www.example.test 300 A 127.0.0.5\n";
const MASTER: &str = "$ORIGIN example.test.\n@ 300 IN SOA ns root 1 60 60 60 60\n@ 300 IN NS ns\nns 300 IN A 127.0.0.1\n\
                      www 300 IN A 127.0.0.5\n";

/// Prints what each server does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    let folder = TempDir::new()?;
    let at = |name: &str| folder.path().join(name).display().to_string();
    let [zone, master, configuration] = ["example.zone", "example.master", "nsd.conf"].map(at);
    fs::write(&zone, ZONE)?;
    fs::write(&master, MASTER)?;
    let solution = solution.to_string_lossy();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/06-names/right/threads.py");
    let python = python.to_string_lossy();
    let dnsmasq = [
        "-k",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--port={port}",
        "--listen-address={host}",
        "--bind-interfaces",
        "--pid-file=",
        "--user=root",
        "--host-record=www.example.test,127.0.0.5",
    ];
    let programs: [(&str, &str, Vec<&str>); 4] = [
        ("lab 6", &solution, vec!["serve", "{addr}", &zone]),
        ("nsd", "nsd", vec!["-d", "-c", &configuration]),
        ("dnsmasq", "dnsmasq", dnsmasq.to_vec()),
        ("python3", "python3", vec![&python, "serve", "{addr}", &zone]),
    ];
    println!(
        "names throughput, questions/s over UDP: medians of {ROUNDS} rounds, in which the servers take turns \
         (least to most)"
    );
    let mut servers = Vec::new();
    for (name, program, arguments) in programs {
        let prepare = |address| fs::write(&configuration, of_nsd(address, folder.path(), &master));
        match Server::start_with(program, &arguments, prepare).filter(is_ready) {
            Some(server) => servers.push((name, server)),
            None => println!("  {name:<8} skipped: it can't be started"),
        }
    }
    for (what, under_way) in LOADS {
        println!("  {what}");
        race(&servers, |server| ask(server.address, under_way, TURN))?;
    }
    println!();
    servers.iter().try_for_each(|(_, server)| end(server))
}

/// An nsd of one process that answers, and the ones that it has besides. It would soon take one who
/// asks so much for an attacker, and answer with TC and nothing else.
fn of_nsd(address: SocketAddr, folder: &Path, master: &str) -> String {
    let (host, port, folder) = (address.ip(), address.port(), folder.display());
    format!(
        "server:\n  ip-address: {host}@{port}\n  server-count: 1\n  rrl-ratelimit: 0\n  username: \"\"\n  zonesdir: \"\"\n  \
         pidfile: \"{folder}/nsd.pid\"\n  xfrdfile: \"{folder}/xfrd.state\"\n  zonelistfile: \"{folder}/zone.list\"\n  \
         xfrdir: \"{folder}\"\nremote-control:\n  control-enable: no\n\
         zone:\n  name: example.test\n  zonefile: \"{master}\"\n"
    )
}

/// Waits until it answers: some listen before they know their zone.
fn is_ready(server: &Server) -> bool {
    let began = Instant::now();
    let mut answered = false;
    while !answered && began.elapsed() < Duration::from_secs(10) {
        answered = ask(server.address, 1, Duration::from_millis(10)).is_ok();
    }
    answered
}

/// Questions a second that are answered, with so many under way.
fn ask(server: SocketAddr, under_way: u16, turn: Duration) -> io::Result<f64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(LOST))?;
    let send = |id: u16| socket.send(&question(id)).map(drop);
    (0..under_way).try_for_each(send)?;
    let (began, mut answered, mut lost) = (Instant::now(), 0_u32, 0_u32);
    let mut buffer = [0; 512];
    while began.elapsed() < turn {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let id = u16::from_be_bytes([buffer[0], buffer[1]]);
                // Some servers add the zone's name server behind the address.
                let address = buffer[..length].windows(4).any(|four| four == [127, 0, 0, 5]);
                if buffer[6..8] != [0, 1] || !address {
                    return Err(io::Error::other(format!("{server} gives no address")));
                }
                answered += 1;
                send(id)?;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                lost += 1;
                (0..under_way).try_for_each(send)?;
            }
            Err(error) => return Err(error),
        }
    }
    match answered {
        0 => Err(io::Error::other(format!("{server} does not answer; {lost} times in vain"))),
        _ => Ok(f64::from(answered) / began.elapsed().as_secs_f64()),
    }
}

/// `www.example.test A`, with this id.
fn question(id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    let header = [high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [&header[..], b"\x03www\x07example\x04test\0\0\x01\0\x01"].concat()
}

/// Tells a server to end, with all of its processes: a kill would leave nsd's others behind.
fn end(server: &Server) -> io::Result<()> {
    Command::new("kill").arg(server.pid().to_string()).status()?;
    let began = Instant::now();
    while UdpSocket::bind(server.address).is_err() && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
