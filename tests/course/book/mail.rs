//! What real programs show of the lab's mail server, for the book; the calls with which it keeps a
//! message, and what there is of it on the disk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread, time};

use super::builds::Built;
use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// A mail server, and its folders.
struct Office {
    _running: Running,
    _built: Built,
    smtp: String,
    pop3: String,
    folder: tempfile::TempDir,
}

/// Its ids in the book.
const IDS: [&str; 2] = ["01763769600000000001.4711", "01763769600000000002.4711"];

impl Office {
    /// Starts one; `before` stands before its command line.
    fn open(before: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("spool")).unwrap();
        fs::write(folder.path().join("users"), "alice wonderland\nbob builder 1\n").unwrap();
        let built = solution("mail");
        let file = built.file().as_os_str().to_owned();
        let mut words = before.iter().map(Into::into).chain([file]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(["127.0.0.1:0", "127.0.0.1:0"]);
        command.arg(folder.path().join("users")).arg(folder.path().join("spool"));
        let mut running = Running::of(command);
        let [smtp, pop3] = [" for SMTP", " for POP3"].map(|end| {
            let line = running.line();
            let address = line.strip_prefix("listening on ").and_then(|it| it.strip_suffix(end));
            address.expect("a ready line").to_owned()
        });
        Self { _running: running, _built: built, smtp, pop3, folder }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// Hands over a text for bob.
    fn keep(&self, text: &str) {
        let mut client = TcpStream::connect(&self.smtp).unwrap();
        let lines = "EHLO me\r\nAUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n\
                     MAIL FROM:<alice@localhost>\r\nRCPT TO:<bob@localhost>\r\nDATA\r\n";
        client.write_all(format!("{lines}{text}\r\n.\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut replies = String::new();
        client.read_to_string(&mut replies).unwrap();
        assert!(replies.contains("\r\n250 ") && replies.contains("\r\n221 "), "{replies}");
    }

    /// The ids of bob's messages, the oldest first.
    fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(self.spool().join("bob/new")).unwrap();
        let mut ids: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        ids.sort();
        ids
    }

    /// The text, with what differs from run to run replaced.
    fn alike(&self, text: &str) -> String {
        let text = text.replace(&self.smtp, "127.0.0.1:2525").replace(&self.pop3, "127.0.0.1:1110");
        let text = text.replace(&self.spool().display().to_string(), "SPOOL");
        self.ids().iter().zip(IDS).fold(text, |text, (id, alike)| text.replace(id, alike))
    }
}

const TEXT: &str = "Subject: the key\r\n\r\nUnder the mat.";

fn is_installed(program: &str, option: &str) -> bool {
    let found = Command::new(program).arg(option).output().is_ok();
    if !found {
        println!("note: not compared: {program} is not installed");
    }
    found
}

#[test]
fn what_swaks_shows_of_a_session_is_in_the_book() {
    if !is_installed("swaks", "--version") {
        return;
    }
    let _turn = turn();
    let office = Office::open(&[]);
    let mut swaks = Command::new("swaks");
    swaks.args(["--server", &office.smtp, "--ehlo", "me", "--from", "alice@localhost"]);
    swaks.args(["--to", "bob@localhost", "--auth", "PLAIN", "--auth-user", "alice"]);
    swaks.args(["--auth-password", "wonderland", "--data", "Subject: the key\\n\\nUnder the mat."]);
    let said = String::from_utf8(swaks.output().unwrap().stdout).unwrap();
    // What else it says is about itself.
    let lines = said.lines().filter(|line| !line.starts_with("==="));
    let lines: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
    agrees("harness/swaks.txt", &office.alike(&lines));
}

#[test]
fn what_curl_shows_of_a_maildrop_is_in_the_book() {
    if !is_installed("curl", "--version") {
        return;
    }
    let _turn = turn();
    let office = Office::open(&[]);
    office.keep(TEXT);
    let url = format!("pop3://{}/1", office.pop3);
    let mut curl = Command::new("curl");
    let output = curl.args(["--noproxy", "*", "-sv", &url, "--user", "bob:builder 1"]).output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines = said.lines().map(str::trim_end).filter(|line| line.starts_with(['>', '<']));
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    agrees("harness/curl-pop3.txt", &office.alike(&(lines + &text)));
}

#[test]
fn the_maildir_in_the_book_is_a_real_one() {
    let _turn = turn();
    let office = Office::open(&[]);
    office.keep(TEXT);
    office.keep("From: carol@localhost\r\n\r\nHello bob!");
    let mut text = String::new();
    for folder in ["cur", "new", "tmp"] {
        text += &format!("SPOOL/bob/{folder}/\n");
        for entry in ids_in(&office.spool().join("bob").join(folder)) {
            text += &format!("SPOOL/bob/{folder}/{entry}\n");
        }
    }
    let last = office.ids().pop().expect("a message");
    let message = fs::read_to_string(office.spool().join("bob/new").join(&last)).unwrap();
    text += &format!("\nSPOOL/bob/new/{last}:\n\n{}", message.replace("\r\n", "\n"));
    agrees("harness/maildir.txt", &office.alike(&text));
}

fn ids_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_calls_of_a_delivery_are_those_of_the_book() {
    let may_trace = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !may_trace.is_ok_and(|status| status.success()) {
        println!("note: not compared: strace is not installed, or may not trace here");
        return;
    }
    let _turn = turn();
    let calls = tempfile::tempdir().unwrap();
    let file = calls.path().join("calls");
    // With -D the program is the child that ends with the test, and strace ends with it.
    let traced = "trace=openat,write,fsync,fdatasync,rename,renameat,renameat2,sendto";
    let file_name = file.to_str().unwrap();
    let options = ["strace", "-D", "-f", "-qq", "-y", "-s", "32", "-e", "signal=none", "-e"];
    let office = Office::open(&[&options[..], &[traced, "-o", file_name]].concat());
    office.keep(TEXT);
    let ids = office.ids();
    let began = time::Instant::now();
    let text = loop {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("\"221 ") || began.elapsed() > time::Duration::from_secs(30) {
            break text;
        }
        thread::sleep(time::Duration::from_millis(5));
    };
    let of_delivery = text.lines().skip_while(|line| !line.contains(&ids[0]));
    let mut lines = String::new();
    for line in of_delivery {
        lines += &format!("{}\n", call(line));
        if line.contains("\"250 ") {
            break;
        }
    }
    agrees("harness/delivery.txt", &office.alike(&lines).replace(IDS[0], "ID"));
}

/// A line of strace without the thread, the result, and the numbers of descriptors: `-y` tells what
/// they are open for.
fn call(line: &str) -> String {
    let line = line.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
    let line = line.rsplit_once(" = ").map_or(line, |(call, _)| call).trim_end();
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('<') {
        let Some((path, after)) = behind.split_once('>') else { break };
        let name = before.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let is_descriptor = name.len() < before.len();
        match (is_descriptor, name.strip_suffix("AT_FDCWD")) {
            (_, Some(name)) => {
                out += name;
                rest = after.strip_prefix(", ").unwrap_or(after);
                continue;
            }
            (true, None) => {
                out += name;
                out += if path.starts_with("socket:") || path.starts_with("TCP:") {
                    "client"
                } else {
                    path
                };
            }
            (false, None) => out += &format!("{before}<{path}>"),
        }
        rest = after;
    }
    out + rest
}

#[test]
fn a_call_is_told_without_its_numbers() {
    for (line, told) in [
        ("12  fsync(8</a/b>)   = 0", "fsync(/a/b)"),
        ("12  openat(AT_FDCWD</x>, \"/a\", O_RDONLY) = 8</a>", "openat(\"/a\", O_RDONLY)"),
        (
            "7 write(8</a>, \"Path: <alice@l\"..., 251) = 251",
            "write(/a, \"Path: <alice@l\"..., 251)",
        ),
        ("7 sendto(5<socket:[1]>, \"250\", 3) = 3", "sendto(client, \"250\", 3)"),
    ] {
        assert_eq!(call(line), told);
    }
}
