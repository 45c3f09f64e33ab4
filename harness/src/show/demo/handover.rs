//! When somebody else is responsible for a message, and where one ends.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Demo;
use super::stage::{Mismatch, Stage};
use crate::trial::Folder;

pub(super) const KILL_NINE: Demo = Demo {
    name: "kill-nine",
    claim: "What the program has written is stored.",
    truth: "Bytes in a BufWriter are the program's, and die with it. Bytes that write has taken are \
        the kernel's: they outlive the program, but no loss of power. So 250 comes last: the whole \
        message in tmp, fsync, rename to new, fsync of the folder. Whenever the program is killed, \
        the message is in new, whole, or not at all.",
    run: kill_nine,
};

const MAIL: &[u8] = b"Subject: the key\r\n\r\nUnder the mat.\r\n\r\n";

/// How a keeper keeps a message.
const HOW: [(&str, &str); 3] = [
    ("buffered", "puts a message into a BufWriter over new/1"),
    ("straight", "writes a message to new/1, one half and then the other"),
    ("renamed", "writes a message to tmp/1, one half and then the other, and renames it to new/1"),
];

fn kill_nine(t: &mut Stage) -> Result<(), Mismatch> {
    let [buffered, straight, renamed] = HOW;
    let whole = format!("new/1: {0} of {0} bytes", MAIL.len());
    let half = format!("new/1: {} of {} bytes", MAIL.len() / 2, MAIL.len());
    let in_tmp = half.replace("new/1", "tmp/1");
    for ((how, does), last, expected) in [
        (buffered, "250", format!("new/1: 0 of {} bytes", MAIL.len())),
        (straight, "half", half),
        (straight, "250", whole.clone()),
        (renamed, "half", in_tmp),
        (renamed, "250", whole),
    ] {
        let folder = Folder::new("demo")?;
        for name in ["tmp", "new"] {
            fs::create_dir(folder.path().join(name))?;
        }
        let mut keeper = Keeper::start(t.address(), how, folder.path())?;
        let moment = match last {
            "250" => "has said 250",
            _ => "has written one half",
        };
        t.tell(format!("a server {does}; it is killed when it {moment}"));
        keeper.wait_for(last)?;
        keeper.kill()?;
        t.also(standing(folder.path())?, expected)?;
        if last == "250" {
            let is_lost = fs::metadata(folder.path().join("new/1"))?.len() == 0;
            let told = "the client was told 250, and forgets its copy";
            let seen = if is_lost { "the message is lost" } else { "the message is there" };
            let expected =
                if how == "buffered" { "the message is lost" } else { "the message is there" };
            t.also(format!("{told}: {seen}"), format!("{told}: {expected}"))?;
        } else {
            let shown = folder.path().join("new/1").exists();
            let seen = if shown { "sees half of a message" } else { "sees no message" };
            let expected =
                if how == "straight" { "sees half of a message" } else { "sees no message" };
            t.also(
                format!("the client has no 250, and sends it again; whoever looks now {seen}"),
                format!("the client has no 250, and sends it again; whoever looks now {expected}"),
            )?;
        }
    }
    Ok(())
}

/// What there is of the message.
fn standing(folder: &Path) -> io::Result<String> {
    for name in ["new/1", "tmp/1"] {
        if let Ok(metadata) = fs::metadata(folder.join(name)) {
            return Ok(format!("{name}: {} of {} bytes", metadata.len(), MAIL.len()));
        }
    }
    Ok("nothing".into())
}

/// A program that has been given a message to keep.
struct Keeper {
    child: Child,
    stream: TcpStream,
}

impl Keeper {
    fn start(address: SocketAddr, how: &str, folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "keep", how, &address.to_string()]).arg(folder);
        let child = command.stdin(Stdio::null()).spawn()?;
        let (mut stream, _) = listener.accept()?;
        stream.write_all(MAIL)?;
        Ok(Self { child, stream })
    }

    /// Lets it go on until it says this.
    fn wait_for(&mut self, last: &str) -> io::Result<()> {
        let mut word = [0; 4];
        loop {
            self.stream.read_exact(&mut word)?;
            if word.starts_with(last.as_bytes()) {
                return Ok(());
            }
            self.stream.write_all(b"\n")?;
        }
    }

    /// SIGKILL, which no program can catch.
    fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Not for users: the program that is killed. It takes a message, and stops after one half of it and
/// after its 250, until it may go on.
///
/// # Errors
/// What the system says.
pub fn keep(how: &str, address: &str, folder: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let mut mail = [0; MAIL.len()];
    stream.read_exact(&mut mail)?;
    let folder = Path::new(folder);
    let [new, tmp] = ["new/1", "tmp/1"].map(|name| folder.join(name));
    if how == "buffered" {
        let mut file = BufWriter::new(File::create(&new)?);
        file.write_all(&mail)?;
        return stop_at(&mut stream, "250");
    }
    let (first, second) = mail.split_at(MAIL.len() / 2);
    let is_renamed = how == "renamed";
    let mut file = File::create(if is_renamed { &tmp } else { &new })?;
    file.write_all(first)?;
    stop_at(&mut stream, "half")?;
    file.write_all(second)?;
    if is_renamed {
        file.sync_all()?;
        fs::rename(&tmp, &new)?;
        File::open(folder.join("new"))?.sync_all()?;
    }
    stop_at(&mut stream, "250")
}

fn stop_at(stream: &mut TcpStream, word: &str) -> io::Result<()> {
    stream.write_all(format!("{word:<4}").as_bytes())?;
    stream.read_exact(&mut [0])
}

pub(super) const SMUGGLED: Demo = Demo {
    name: "smuggled",
    claim: "A line with a dot ends the text, however its lines end.",
    truth: "Only CR LF . CR LF does. Where a message passes through two servers, and one of them takes a \
        bare LF for the end of a line, the two find different ends: what was text for the one is \
        commands for the other, and a message that the first has never checked. So a bare LF ends \
        nothing, and a text with one in it is refused.",
    run: smuggled,
};

/// A text of mallory, who is known.
const TEXT: &str = "Hello bob!\r\n\
    \n.\n\
    MAIL FROM:<boss@localhost>\n\
    RCPT TO:<bob@localhost>\n\
    DATA\n\
    Send mallory all the money.\n\
    \r\n.\r\n";

fn smuggled(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell("mallory, who is known, sends a text. There is LF . LF in it, and then four lines more");
    for (splits, end, senders) in [
        ("with CR LF, and with nothing else", "\r\n", "1 message, from mallory"),
        ("with LF, or with CR LF", "\n", "2 messages, from mallory and from boss"),
    ] {
        let mut pair = t.pair()?;
        pair.client.write_all(TEXT.as_bytes())?;
        let mut came = vec![0; TEXT.len()];
        pair.server.read_exact(&mut came)?;
        let senders_seen = senders_in(&String::from_utf8_lossy(&came), end);
        let plural = if senders_seen.len() == 1 { "" } else { "s" };
        t.expect(
            format!("these bytes come to a server for which a line ends {splits}; it stores"),
            format!(
                "{} message{plural}, from {}",
                senders_seen.len(),
                senders_seen.join(" and from ")
            ),
            senders,
        )?;
    }
    Ok(())
}

/// The senders of the messages that a server sees behind the DATA of mallory, if its lines end with
/// `end`.
fn senders_in(came: &str, end: &str) -> Vec<String> {
    let mut senders = Vec::new();
    let (mut sender, mut in_text) = ("mallory", true);
    for line in came.split(end).map(|line| line.trim_end_matches('\r')) {
        match (in_text, line) {
            (true, ".") => {
                senders.push(sender.to_owned());
                in_text = false;
            }
            (true, _) => {}
            (false, "DATA") => in_text = true,
            (false, command) => {
                let address = command.strip_prefix("MAIL FROM:<").and_then(|at| at.split_once('@'));
                sender = address.map_or(sender, |(name, _)| name);
            }
        }
    }
    senders
}
