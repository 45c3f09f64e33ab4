//! A name server, two balancers and three web servers: started, killed, and started again where they
//! were.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, NAME, PAGE};
use super::{Front, Programs, Victim};
use crate::trial::Folder;

/// However slow the machine is: nobody needs longer to start, or to be found by the others.
const BACKSTOP: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

const WEB_SERVERS: usize = 3;
/// The addresses of the name, each with a balancer.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
/// Where each web server has its own number.
const WHO: &str = "who.txt";

/// One process of the site. It ends with its value.
struct Process {
    victim: Victim,
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn kill(&mut self) -> io::Result<()> {
        // SIGKILL, which no program can catch.
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// All of it, as it runs.
pub(super) struct Site {
    programs: Programs,
    front: Front,
    processes: Vec<Process>,
    /// Behind them: while one lives it may need what stands there.
    folder: Folder,
}

impl Site {
    /// Starts all of it, with this page on each web server, and waits until all of it works.
    pub(super) fn start(programs: &Programs, front: &Front, page: &[u8]) -> io::Result<Self> {
        let (programs, front) = (programs.clone(), front.clone());
        let mut site =
            Self { programs, front, folder: Folder::new("kills")?, processes: Vec::new() };
        for number in 0..WEB_SERVERS {
            let root = site.folder.path().join(number.to_string());
            fs::create_dir_all(&root)?;
            fs::write(root.join(PAGE), page)?;
            fs::write(root.join(WHO), number.to_string())?;
            site.add(Victim::Web, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        }
        let port = port_at_both()?;
        for address in ADDRESSES {
            site.add(Victim::Balancer, SocketAddr::from((address, port)))?;
        }
        let records = ADDRESSES.map(|address| format!("{NAME} 300 A {address}\n"));
        fs::write(site.zone(), format!("zone {NAME}\n{}", records.concat()))?;
        site.add(Victim::Names, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        site.wait_until_whole()?;
        Ok(site)
    }

    /// Who can be killed.
    pub(super) fn victims(&self) -> usize {
        self.processes.len()
    }

    /// A client of this site. Each begins with one of the two addresses.
    pub(super) fn client(&self, number: usize) -> Client {
        let names = self.of(Victim::Names).next().map(|process| process.address);
        let port = self.of(Victim::Balancer).next().map_or(0, |process| process.address.port());
        Client::new(&self.programs, names.unwrap_or(NOWHERE), port, number % ADDRESSES.len())
    }

    pub(super) fn kill(&mut self, which: usize) -> io::Result<Victim> {
        let process = &mut self.processes[which];
        process.kill()?;
        Ok(process.victim)
    }

    /// Starts the one that was killed at the address that it had, and waits until all works.
    pub(super) fn revive(&mut self, which: usize) -> io::Result<()> {
        let Process { victim, address, .. } = self.processes[which];
        let revived = self.process(victim, which, address)?;
        self.processes[which] = revived;
        self.wait_until_whole()
    }

    fn of(&self, victim: Victim) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |process| process.victim == victim)
    }

    fn zone(&self) -> PathBuf {
        self.folder.path().join("zone")
    }

    fn add(&mut self, victim: Victim, address: SocketAddr) -> io::Result<()> {
        let process = self.process(victim, self.processes.len(), address)?;
        self.processes.push(process);
        Ok(())
    }

    fn process(&self, victim: Victim, which: usize, address: SocketAddr) -> io::Result<Process> {
        let mut command = match victim {
            Victim::Web => {
                let mut command = Command::new(&self.programs.web);
                let root = self.folder.path().join(which.to_string());
                command.arg(address.to_string()).arg(root);
                command
            }
            Victim::Names => {
                let mut command = Command::new(&self.programs.names);
                command.arg("serve").arg(address.to_string()).arg(self.zone());
                command
            }
            Victim::Balancer => {
                let folder = self.folder.path().join(format!("front-{which}"));
                fs::create_dir_all(&folder)?;
                let servers: Vec<_> = self.of(Victim::Web).map(|process| process.address).collect();
                self.front.command(address, &servers, &folder)?
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut process = Process { victim, child, address };
        let Some(mut stdout) = stdout else { return Ok(process) };
        match victim {
            // A real program says nothing when it is ready.
            Victim::Balancer => {
                wait_for("a balancer does not listen", || Ok(TcpStream::connect(address).is_ok()))?
            }
            Victim::Web | Victim::Names => process.address = address_in(&mut stdout)?,
        }
        // It must never wait until somebody reads what it prints.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Ok(process)
    }

    /// Waits until the name is known, and each balancer carries clients to all web servers.
    fn wait_until_whole(&self) -> io::Result<()> {
        let client = self.client(0);
        wait_for("the name is not known", || Ok(!client.addresses()?.is_empty()))?;
        for balancer in self.of(Victim::Balancer) {
            let mut seen = BTreeSet::new();
            wait_for("a balancer does not find all web servers", || {
                seen.extend(who(balancer.address));
                Ok(seen.len() == WEB_SERVERS)
            })?;
        }
        Ok(())
    }
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Which web server answers at this address.
fn who(address: SocketAddr) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(BACKSTOP)).ok()?;
    let request = format!("GET /{WHO} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole).ok()?;
    let head = whole.windows(4).position(|four| four == b"\r\n\r\n")?;
    let body = whole.split_off(head + 4);
    (!body.is_empty()).then_some(body)
}

/// A port that is free at both addresses of the name.
fn port_at_both() -> io::Result<u16> {
    let began = Instant::now();
    loop {
        let first = TcpListener::bind((ADDRESSES[0], 0))?;
        let port = first.local_addr()?.port();
        match TcpListener::bind((ADDRESSES[1], port)) {
            Ok(_) => return Ok(port),
            Err(error) if began.elapsed() > BACKSTOP => return Err(error),
            Err(_) => {}
        }
    }
}

fn wait_for(problem: &str, mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let began = Instant::now();
    while !is_so()? {
        if began.elapsed() > BACKSTOP {
            return Err(io::Error::other(format!("{problem}, within {} s", BACKSTOP.as_secs())));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// The address in its first line.
fn address_in(stdout: &mut BufReader<ChildStdout>) -> io::Result<SocketAddr> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let address = line.trim_end().strip_prefix("listening on ");
    let address = address.and_then(|address| address.parse().ok());
    address.ok_or_else(|| io::Error::other(format!("a program said {line:?} first")))
}
