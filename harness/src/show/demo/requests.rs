//! Where a request ends, and what stands in it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use super::Demo;
use super::queues::call_of;
use super::stage::{Mismatch, Stage, bytes, outcome, success, wait_for};
use crate::trial::Folder;

pub(super) const ONE_READ: Demo = Demo {
    name: "one-read",
    claim: "One read brings one request.",
    truth: "A read brings what is there: a part of a request, one of them, or two. The server \
        collects what comes until the empty line is there, and what stands behind the empty line \
        belongs to the next request.",
    run: one_read,
};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn one_read(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    let mut buffer = [0; 256];
    pair.client.write_all(GET)?;
    let read = pair.server.read(&mut buffer);
    t.expect(
        "the client writes a request of 27 bytes at once; the server reads",
        bytes(&read, &buffer),
        r#"Ok(27) "GET / HTTP/1.1\r\nHost: x\r\n\r\n""#,
    )?;

    let mut reads = Vec::new();
    for byte in GET {
        pair.client.write_all(&[*byte])?;
        let read = pair.server.read(&mut buffer);
        reads.push(bytes(&read, &buffer));
    }
    t.expect(
        "the client writes the same request byte by byte; the server reads after each",
        format!("{} reads: {} {} {} …", reads.len(), reads[0], reads[1], reads[2]),
        r#"27 reads: Ok(1) "G" Ok(1) "E" Ok(1) "T" …"#,
    )?;

    pair.client.write_all(GET)?;
    pair.client.write_all(GET)?;
    t.tell("the client writes two requests, one after the other");
    t.kernel(here, there, "ESTABLISHED, 54 unread")?;
    let read = pair.server.read(&mut buffer);
    let both = [GET, GET].concat();
    let holds = if buffer.starts_with(&both) { "both requests" } else { "something else" };
    t.expect(
        "the server reads once",
        format!("{}: {holds}", outcome(&read)),
        "Ok(54): both requests",
    )
}

pub(super) const NO_END: Demo = Demo {
    name: "no-end",
    claim: "A request ends when the client stops sending.",
    truth: "Nothing arrives where somebody stops. A client that has sent all, and one that is about \
        to send more, look alike to the server. So the request itself has to say where it ends: the \
        head by its empty line, the body by its length.",
    run: no_end,
};

fn no_end(t: &mut Stage) -> Result<(), Mismatch> {
    let pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    let mut client = pair.client.try_clone()?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")?;
    t.tell("the client writes two lines of a request, and reads the reply");
    t.tell("the server reads until there is an empty line, and wants to reply then");
    let (server, asking) = (pair.server.try_clone()?, pair.client.try_clone()?);
    let serves = thread::Builder::new().name("server".into()).spawn(move || reply(server))?;
    let asks = thread::Builder::new().name("client".into()).spawn(move || {
        let mut buffer = [0; 64];
        let read = (&asking).read(&mut buffer);
        bytes(&read, &buffer)
    })?;
    let waits = |name: &str| call_of(name).is_some_and(|call| call == "read");
    let both = wait_for(|| Ok((waits("server") && waits("client")).then_some(())))?;
    for name in ["server", "client"] {
        let call = call_of(name).filter(|_| both.is_some()).unwrap_or_else(|| "no call".into());
        t.also(
            format!("the kernel: thread {name} is blocked in {call}"),
            format!("the kernel: thread {name} is blocked in read"),
        )?;
    }
    t.kernel(here, there, "ESTABLISHED")?;
    let written = client.write_all(b"\r\n");
    t.expect("the client writes the empty line", success(&written), "Ok")?;
    let served = serves.join().unwrap_or_default();
    t.also(served, "the server had the head after 27 bytes")?;
    let asked = asks.join().unwrap_or_default();
    t.also(
        format!("the client's read: {asked}"),
        r#"the client's read: Ok(27) "HTTP/1.1 204 No Content\r\n\r\n""#,
    )
}

/// Reads one head, and answers it.
fn reply(mut stream: TcpStream) -> String {
    let (mut head, mut buffer) = (Vec::new(), [0; 64]);
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer);
        match read {
            Ok(0) => return "the stream has ended".into(),
            Ok(count) => head.extend_from_slice(&buffer[..count]),
            Err(error) => return error.to_string(),
        }
    }
    match stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n") {
        Ok(()) => format!("the server had the head after {} bytes", head.len()),
        Err(error) => error.to_string(),
    }
}

pub(super) const ENCODED_PATH: Demo = Demo {
    name: "encoded-path",
    claim: "A path that leads out of the folder has .. in it, so look for that.",
    truth: "What the client sends is encoded: %2e is a dot. First decode, once; then look at each \
        name between the slashes; then use just the text that was looked at. Whoever looks before \
        decoding looks at another path than the one that is opened.",
    run: encoded_path,
};

fn encoded_path(t: &mut Stage) -> Result<(), Mismatch> {
    let folder = Folder::new("demo")?;
    let public = folder.path().join("public");
    fs::create_dir(&public)?;
    fs::write(public.join("a.txt"), "hello")?;
    fs::write(folder.path().join("secret.txt"), "the key")?;
    t.tell("a folder public with a.txt, and beside the folder, not in it, secret.txt");
    let mut pair = t.pair()?;
    let open = |name: &str| fs::read_to_string(public.join(name));
    for (path, looked, opened) in [
        ("a.txt", "false", r#"Ok("hello")"#),
        ("../secret.txt", "true", ""),
        ("%2e%2e/secret.txt", "false", r#"Ok("the key")"#),
    ] {
        let mut buffer = [0; 64];
        pair.client.write_all(path.as_bytes())?;
        let count = pair.server.read(&mut buffer)?;
        let came = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let has_dots = came.contains("..");
        t.expect(
            format!("the client asks for {path:?}; the server looks for \"..\" in what has come"),
            has_dots.to_string(),
            looked,
        )?;
        if has_dots {
            t.also("it refuses", "it refuses")?;
        } else {
            let name = came.replace("%2e", ".");
            t.also(
                format!("it decodes, and opens public/{name}: {:?}", open(&name).ok())
                    .replace("Some(", "Ok("),
                format!("it decodes, and opens public/{}: {opened}", path.replace("%2e", ".")),
            )?;
        }
    }
    let decoded = "%2e%2e/secret.txt".replace("%2e", ".");
    let refused = decoded.split('/').any(|name| name.starts_with('.'));
    t.expect(
        "it decodes \"%2e%2e/secret.txt\" first, and then looks for a name that begins with a dot",
        refused.to_string(),
        "true",
    )
}
