//! Who serves whom behind the lab's balancer, and what it prints, for the book.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::builds::Built;
use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// A web server with its own number as its page.
fn server(built: &Built, number: usize, address: &str, folder: &tempfile::TempDir) -> Running {
    fs::write(folder.path().join("index.html"), number.to_string()).unwrap();
    let mut command = Command::new(built.file());
    command.arg(address).arg(folder.path()).stderr(Stdio::null());
    Running::of(command)
}

/// The pages that clients get, one after the other.
fn pages(balance: &Running, at: &str) -> String {
    let idle = descriptors(balance);
    let page = |_| {
        let mut client = TcpStream::connect(at).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        drop(client);
        // While it is counted somewhere, that server has one more than the others.
        let began = Instant::now();
        while descriptors(balance) > idle {
            assert!(began.elapsed() < Duration::from_secs(30), "a client is still there");
            thread::sleep(Duration::from_millis(1));
        }
        reply.split_once("\r\n\r\n").expect("a reply").1.to_owned()
    };
    (0..6).map(page).collect::<Vec<_>>().join(" ")
}

fn descriptors(of: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", of.id())).unwrap().count()
}

#[test]
fn clients_are_carried_in_turn_as_the_book_says() {
    let _turn = turn();
    let (web, balancer) = (solution("web"), solution("balance"));
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let (mut servers, mut addresses) = (Vec::new(), Vec::new());
    for (number, folder) in (1..).zip(&folders) {
        let mut server = server(&web, number, "127.0.0.1:0", folder);
        addresses.push(server.address());
        servers.push(server);
    }
    let mut command = Command::new(balancer.file());
    command.arg("127.0.0.1:0").args(&addresses).stderr(Stdio::null());
    let mut balance = Running::of(command);
    let at = balance.address();
    let mut text = String::new();
    let mut tell = |what: &str, line: &str| text += &format!("{what:<15}{line}\n");

    tell("six clients", &pages(&balance, &at));
    servers[1].kill();
    tell("killed", "server 2");
    tell("six clients", &pages(&balance, &at));
    tell("it prints", &balance.line());
    servers[1] = server(&web, 2, &addresses[1], &folders[1]);
    tell("started again", "server 2");
    tell("it prints", &balance.line());
    tell("six clients", &pages(&balance, &at));
    for (command, lines) in [("drain", 2), ("undrain", 1)] {
        let line = format!("{command} {}", addresses[0]);
        balance.types(&format!("{line}\n"));
        tell("typed", &line);
        for _ in 0..lines {
            tell("it prints", &balance.line());
        }
        tell("six clients", &pages(&balance, &at));
    }
    for (address, name) in addresses.iter().zip(["8081", "8082", "8083"]) {
        text = text.replace(address, &format!("127.0.0.1:{name}"));
    }
    agrees("harness/turns.txt", &text);
}
