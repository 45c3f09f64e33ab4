//! Lab 5's solution beside a program in Python that promises the same, and aiosmtpd with Python's own
//! Maildir: messages a second that are taken, from one sender and from four at once, and messages a
//! second that are fetched.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::echo::Server;
use super::measure::Spread;

/// Rounds, in each of which every server has its turn.
const ROUNDS: usize = 5;
/// How long a turn takes.
const TURN: Duration = Duration::from_millis(500);
/// Senders at once, who wait for the disk at the same time.
const SENDERS: [usize; 2] = [1, 4];
/// A line of a text, as long as people write them.
const LINE: &str = "Subject lines are short, and so are most lines of a message.\r\n";

/// A server, and where it listens for POP3, if it does.
struct Post {
    name: &'static str,
    server: Server,
    pop3: Option<SocketAddr>,
}

/// Prints what each server does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    println!(
        "mail, messages/s: medians of {ROUNDS} rounds, in which the servers take turns (least to most)"
    );
    let folder = TempDir::new()?;
    let servers = start_all(solution, folder.path())?;
    let mut alone = Vec::new();
    for senders in SENDERS {
        let what = if senders == 1 { "1 sender" } else { "4 senders at once" };
        println!("  taken from {what}, each message with its 250");
        let medians = measure(&servers, |post| Some(from_several(post.server.address, senders)))?;
        match senders {
            1 => alone = medians,
            _ => {
                let gained: Vec<_> = medians
                    .iter()
                    .zip(&alone)
                    .map(|((name, many), (_, one))| format!("{name} x{:.2}", many / one))
                    .collect();
                println!("    beside 1 sender: {}   (goal: more than 1)", gained.join(", "));
            }
        }
    }
    println!("  fetched over one session (goal: at least 500)");
    measure(&servers, |post| post.pop3.map(fetched))?;
    println!();
    Ok(())
}

/// Starts those that can be started. Each has a spool on the same disk.
fn start_all(solution: &Path, folder: &Path) -> io::Result<Vec<Post>> {
    let users = folder.join("users");
    fs::write(&users, "alice wonderland\nbob builder 1\n")?;
    let users = users.display().to_string();
    let solution = solution.to_string_lossy();
    let python =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/05-mail/right/socket_server.py");
    let python = python.to_string_lossy();
    let mut servers = Vec::new();
    for (name, program, script) in
        [("lab 5", &*solution, None), ("python3", "python3", Some(&*python))]
    {
        let spool = folder.join(name);
        fs::create_dir(&spool)?;
        let spool = spool.display().to_string();
        let pop3 = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let second = pop3.to_string();
        let mut arguments: Vec<&str> = script.into_iter().collect();
        arguments.extend(["{addr}", &second, &users, &spool]);
        match Server::start(program, &arguments) {
            Some(server) => servers.push(Post { name, server, pop3: Some(pop3) }),
            None => println!("    {name:<8} skipped: it can't be started"),
        }
    }
    let maildir = folder.join("maildir").display().to_string();
    let arguments =
        ["-m", "aiosmtpd", "-n", "-l", "{addr}", "-c", "aiosmtpd.handlers.Mailbox", &maildir];
    match Server::start("python3", &arguments) {
        Some(server) => servers.push(Post { name: "aiosmtpd", server, pop3: None }),
        None => println!("    aiosmtpd skipped: it can't be started"),
    }
    Ok(servers)
}

/// The medians of all servers that can do this, after they were printed.
fn measure(
    servers: &[Post],
    run: impl Fn(&Post) -> Option<io::Result<f64>>,
) -> io::Result<Vec<(&'static str, f64)>> {
    let mut rates = vec![Vec::new(); servers.len()];
    for _ in 0..ROUNDS {
        for (post, rates) in servers.iter().zip(&mut rates) {
            rates.extend(run(post).transpose()?);
        }
    }
    let mut medians: Vec<(&str, f64)> = Vec::new();
    for (post, rates) in servers.iter().zip(rates).filter(|(_, rates)| !rates.is_empty()) {
        let Spread { least, median, most } = Spread::from(rates);
        let ratio = median / medians.first().map_or(median, |(_, first)| *first);
        let name = post.name;
        println!("    {name:<8} {median:8.0}  ({least:.0} to {most:.0})   x{ratio:.3}");
        medians.push((name, median));
    }
    Ok(medians)
}

/// Messages a second from so many senders, each over a connection of its own.
fn from_several(server: SocketAddr, senders: usize) -> io::Result<f64> {
    let threads: Vec<_> = (0..senders).map(|_| thread::spawn(move || sent(server))).collect();
    let mut sum = 0.0;
    for thread in threads {
        sum += thread.join().map_err(|_| io::Error::other("a sender panicked"))??;
    }
    Ok(sum)
}

/// Messages a second that one sender gets rid of.
fn sent(server: SocketAddr) -> io::Result<f64> {
    let mut session = Session::begin(server)?;
    let powers = session.ask("EHLO bench\r\n", "250")?;
    // A server that does not ask who is there can't be told.
    if powers.contains("AUTH PLAIN") {
        session.ask("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n", "235")?;
    }
    let text = format!("Subject: bench\r\n\r\n{}.\r\n", LINE.repeat(16));
    let (began, mut taken) = (Instant::now(), 0_u32);
    while began.elapsed() < TURN {
        session.ask("MAIL FROM:<alice@localhost>\r\n", "250")?;
        session.ask("RCPT TO:<bob@localhost>\r\n", "250")?;
        session.ask("DATA\r\n", "354")?;
        session.ask(&text, "250")?;
        taken += 1;
    }
    let rate = f64::from(taken) / began.elapsed().as_secs_f64();
    session.ask("QUIT\r\n", "221")?;
    Ok(rate)
}

/// Messages a second that bob fetches.
fn fetched(server: SocketAddr) -> io::Result<f64> {
    let mut session = Session::begin(server)?;
    session.ask("USER bob\r\n", "+OK")?;
    session.ask("PASS builder 1\r\n", "+OK")?;
    let (began, mut fetched) = (Instant::now(), 0_u32);
    while began.elapsed() < TURN {
        session.ask("RETR 1\r\n", "+OK")?;
        while session.line()? != ".\r\n" {}
        fetched += 1;
    }
    let rate = f64::from(fetched) / began.elapsed().as_secs_f64();
    session.ask("QUIT\r\n", "+OK")?;
    Ok(rate)
}

/// One session of either protocol.
struct Session {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Session {
    fn begin(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        let mut session = Self { reader: BufReader::new(stream.try_clone()?), stream };
        session.line()?;
        Ok(session)
    }

    /// Sends these lines, and reads the reply: all of its lines, where it is one of SMTP.
    fn ask(&mut self, lines: &str, sign: &str) -> io::Result<String> {
        self.stream.write_all(lines.as_bytes())?;
        let mut reply = String::new();
        loop {
            let line = self.line()?;
            reply.push_str(&line);
            if !line.starts_with(sign) {
                let asked = lines.lines().next().unwrap_or_default();
                return Err(io::Error::other(format!("to {asked} the reply is {line}")));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }
}
