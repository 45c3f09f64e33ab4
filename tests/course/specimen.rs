//! A program that the tests of the harness run: each mode is one way, right or wrong, of opening
//! doors, of answering datagrams, or of asking.
//!
//! Built by the test with one call of rustc; it is no module of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;
use std::{env, thread};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words {
        ["echo", at] => echo(&open(at)?, |socket, bytes, from| socket.send_to(bytes, from)),
        ["twice", at] => echo(&open(at)?, |socket, bytes, from| {
            socket.send_to(bytes, from)?;
            socket.send_to(bytes, from)
        }),
        ["elsewhere", at] => echo(&open(at)?, |socket, bytes, from| {
            UdpSocket::bind((socket.local_addr()?.ip(), 0))?.send_to(bytes, from)
        }),
        ["shouting", at] => echo(&open(at)?, |socket, bytes, from| {
            socket.send_to(&bytes.to_ascii_uppercase(), from)
        }),
        ["silent", at] => echo(&open(at)?, |_, _, _| Ok(0)),
        ["deaf", at] => {
            let _socket = open(at)?;
            loop {
                thread::park();
            }
        }
        ["ask", at, question] => ask(at, question, |_| true),
        ["ask-any", at, question] => ask_anybody(at, question),
        ["connections", ref doors @ ..] => listen(doors),
        ["both", at] => {
            let listener = TcpListener::bind(at)?;
            let _socket = UdpSocket::bind(listener.local_addr()?)?;
            println!("listening on {}", listener.local_addr()?);
            serve(&listener);
        }
        ["forward", at, to] => forward(at, to),
        _ => Err(io::Error::other("usage: specimen MODE …")),
    }
}

fn open(at: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(at)?;
    println!("listening on {}", socket.local_addr()?);
    Ok(socket)
}

fn echo(
    socket: &UdpSocket,
    answer: impl Fn(&UdpSocket, &[u8], SocketAddr) -> io::Result<usize>,
) -> io::Result<()> {
    let mut buffer = [0; 65_535];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        answer(socket, &buffer[..length], from)?;
    }
}

/// Asks three times, from a connected socket: answers of strangers do not reach it.
fn ask(at: &str, question: &str, fits: impl Fn(&[u8]) -> bool) -> io::Result<()> {
    let at: SocketAddr = at.parse().map_err(io::Error::other)?;
    let socket = UdpSocket::bind((at.ip(), 0))?;
    socket.connect(at)?;
    receive(&socket, |socket| socket.send(question.as_bytes()), fits, at)
}

/// The same, and takes an answer from anybody.
fn ask_anybody(at: &str, question: &str) -> io::Result<()> {
    let at: SocketAddr = at.parse().map_err(io::Error::other)?;
    let socket = UdpSocket::bind((at.ip(), 0))?;
    receive(&socket, |socket| socket.send_to(question.as_bytes(), at), |_| true, at)
}

fn receive(
    socket: &UdpSocket,
    send: impl Fn(&UdpSocket) -> io::Result<usize>,
    fits: impl Fn(&[u8]) -> bool,
    at: SocketAddr,
) -> io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut buffer = [0; 65_535];
    for _ in 0..3 {
        send(socket)?;
        if let Ok((length, _)) = socket.recv_from(&mut buffer)
            && fits(&buffer[..length])
        {
            return io::stdout().write_all(&buffer[..length]);
        }
    }
    Err(io::Error::other(format!("no answer from {at}")))
}

/// Listens on each address; `ADDRESS=NAME` says what for.
fn listen(doors: &[&str]) -> io::Result<()> {
    let mut listeners = Vec::new();
    for door in doors {
        let (at, purpose) = door.split_once('=').unwrap_or((door, ""));
        listeners.push((TcpListener::bind(at)?, purpose));
    }
    for (listener, purpose) in &listeners {
        let at = listener.local_addr()?;
        match purpose.is_empty() {
            true => println!("listening on {at}"),
            false => println!("listening on {at} for {purpose}"),
        }
    }
    thread::scope(|scope| {
        for (listener, _) in &listeners {
            scope.spawn(|| serve(listener));
        }
    });
    Ok(())
}

fn serve(listener: &TcpListener) -> ! {
    loop {
        if let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                let mut bytes = [0; 1024];
                while let Ok(length) = stream.read(&mut bytes) {
                    if length == 0 || stream.write_all(&bytes[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    }
}

/// Passes what is sent to it on to another program, and its end.
fn forward(at: &str, to: &str) -> io::Result<()> {
    let listener = TcpListener::bind(at)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (mut from, _) = listener.accept()?;
        let mut to = TcpStream::connect(to)?;
        io::copy(&mut from, &mut to)?;
    }
}
