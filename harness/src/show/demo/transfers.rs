//! What becomes of replies, of files and of connections.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::Demo;
use super::stage::{Mismatch, Pair, Stage, about, outcome, success, wait_for};
use crate::kernel::{self, State};
use crate::trial::Folder;

pub(super) const LOST_REPLY: Demo = Demo {
    name: "lost-reply",
    claim: "close sends what was written before it.",
    truth: "Only where nothing is unread. With unread bytes in its queue a close is a reset: what has \
        not been sent is thrown away, and the other side's next write fails. The orderly end is \
        shutdown(Write), then reading until the other side has ended, then the close.",
    run: lost_reply,
};

fn lost_reply(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    pair.client.write_all(&[b'x'; 8000])?;
    t.tell("the client has begun an upload, and has sent 8000 bytes of it");
    pair.server.read_exact(&mut [0; 100])?;
    let replied = pair.server.write_all(b"HTTP/1.1 413 \r\n\r\n");
    drop(pair.server);
    t.expect(
        "the server reads 100 of them, replies 413 and drops the stream",
        success(&replied),
        "Ok",
    )?;
    let written = pair.client.write(b"more");
    t.expect(
        "the client goes on with its upload: write",
        outcome(&written),
        "Err(ConnectionReset)",
    )?;

    let pair = t.pair()?;
    let (sent, got, end) = large_reply(pair, false)?;
    t.tell(
        "a client sends 2 requests; the server reads 1, replies with much, and drops the stream",
    );
    t.show_if(format!("the server's writes were Ok: {} bytes", about(sent)), sent > 0, "some")?;
    t.show_if(
        format!("the client reads {} bytes, and then {end}", about(got)),
        got < sent && end == "Err(ConnectionReset)",
        "fewer bytes, and Err(ConnectionReset)",
    )?;

    let pair = t.pair()?;
    let (sent, got, end) = large_reply(pair, true)?;
    t.tell("the same; the server calls shutdown(Write), reads on until Ok(0), and drops it then");
    t.show_if(format!("the server's writes were Ok: {} bytes", about(sent)), sent > 0, "some")?;
    let all = if got == sent { "all of them" } else { "not all of them" };
    t.also(
        format!("the client reads {all}, and then {end}"),
        "the client reads all of them, and then Ok(0)",
    )
}

/// Replies with as much as the queues take and leaves a request unread. How many bytes were
/// written, how many were read, and what the read behind them gave.
fn large_reply(pair: Pair, in_order: bool) -> Result<(usize, usize, String), Mismatch> {
    let (mut client, mut server) = (pair.client, pair.server);
    client.write_all(b"GET\nGET\n")?;
    server.read_exact(&mut [0; 4])?;
    server.set_nonblocking(true)?;
    let mut sent = 0;
    while let Ok(count) = server.write(&[b'x'; 4096]) {
        sent += count;
    }
    server.set_nonblocking(false)?;
    let rest = if in_order {
        server.shutdown(Shutdown::Write)?;
        let mut rest = server;
        Some(thread::spawn(move || rest.read_to_end(&mut Vec::new())))
    } else {
        drop(server);
        None
    };
    let (mut got, mut buffer) = (0, vec![0; 64 * 1024]);
    let end = loop {
        match client.read(&mut buffer) {
            Ok(count @ 1..) => got += count,
            end => break outcome(&end),
        }
    };
    drop(client);
    if let Some(rest) = rest {
        let _ = rest.join();
    }
    Ok((sent, got, end))
}

pub(super) const HALF_A_FILE: Demo = Demo {
    name: "half-a-file",
    claim: "Nobody looks at a file while it is being written.",
    truth: "Whoever opens it meanwhile gets what is there: nothing, or a half. Write under another \
        name in the same folder, and rename when it is whole: the name leads to the old file or to \
        the new one at each moment, and who has the old one open goes on reading it.",
    run: half_a_file,
};

fn half_a_file(t: &mut Stage) -> Result<(), Mismatch> {
    let folder = Folder::new("demo")?;
    let (page, part) = (folder.path().join("page.txt"), folder.path().join(".upload-1"));
    let read = || format!("{:?}", fs::read_to_string(&page).unwrap_or_default());
    fs::write(&page, "the old page")?;
    t.expect("page.txt is there; a reader reads", read(), r#""the old page""#)?;
    let mut file = File::create(&page)?;
    t.expect("an upload calls File::create; a reader reads", read(), r#""""#)?;
    file.write_all(b"the new")?;
    t.expect("one half of it has come, and is written; a reader reads", read(), r#""the new""#)?;

    fs::write(&page, "the old page")?;
    let mut file = File::create_new(&part)?;
    file.write_all(b"the new")?;
    t.expect(
        "another upload writes its first half to .upload-1; a reader reads page.txt",
        read(),
        r#""the old page""#,
    )?;
    let mut opened = File::open(&page)?;
    t.tell("a slow reader opens page.txt");
    file.write_all(b" page")?;
    fs::rename(&part, &page)?;
    t.expect(
        "the other half comes, and .upload-1 is renamed to page.txt; a reader reads",
        read(),
        r#""the new page""#,
    )?;
    let mut text = String::new();
    opened.read_to_string(&mut text)?;
    t.expect("the slow reader reads what it has opened", format!("{text:?}"), r#""the old page""#)
}

pub(super) const CONNECTIONS: Demo = Demo {
    name: "connections",
    claim: "A connection for each request costs nothing.",
    truth: "Each costs three packets before the first byte, a port of the client, and a row in \
        TIME-WAIT for a minute behind it, at the side that ends first. A connection that is kept \
        costs this once.",
    run: connections,
};

const REQUESTS: usize = 100;

fn connections(t: &mut Stage) -> Result<(), Mismatch> {
    for (kept, asked, expected) in [
        (true, "100 requests on one connection", "1 port, and 1 row in TIME-WAIT"),
        (false, "100 requests, a connection for each", "100 ports, and 100 rows in TIME-WAIT"),
    ] {
        let listener = TcpListener::bind(t.address())?;
        let address = listener.local_addr()?;
        let server = thread::spawn(move || serve(&listener, kept));
        let mut ports = BTreeSet::new();
        let mut stream = None;
        for _ in 0..REQUESTS {
            let mut client = match stream.take() {
                Some(stream) => stream,
                None => TcpStream::connect(address)?,
            };
            ports.insert(client.local_addr()?.port());
            client.write_all(b"GET\n")?;
            client.read_exact(&mut [0; 3])?;
            if kept {
                stream = Some(client);
            } else {
                // The server ends first.
                let _ = client.read(&mut [0; 1])?;
            }
        }
        if let Some(mut client) = stream {
            let _ = client.read(&mut [0; 1])?;
        }
        let _ = server.join();
        let wanted = if kept { 1 } else { REQUESTS };
        wait_for(|| Ok((time_waits(address)? == wanted).then_some(())))?;
        let rows = time_waits(address)?;
        let (port, row) = if kept { ("port", "row") } else { ("ports", "rows") };
        t.expect(
            asked,
            format!("{} {port}, and {rows} {row} in TIME-WAIT", ports.len()),
            expected,
        )?;
    }
    Ok(())
}

/// Answers so many requests, and ends each connection first.
fn serve(listener: &TcpListener, kept: bool) -> std::io::Result<()> {
    let (connections, each) = if kept { (1, REQUESTS) } else { (REQUESTS, 1) };
    for _ in 0..connections {
        let (mut stream, _) = listener.accept()?;
        for _ in 0..each {
            stream.read_exact(&mut [0; 4])?;
            stream.write_all(b"200")?;
        }
        stream.shutdown(Shutdown::Write).and_then(|()| stream.read(&mut [0; 1]))?;
    }
    Ok(())
}

fn time_waits(address: SocketAddr) -> std::io::Result<usize> {
    let rows = kernel::socket_table()?;
    let ours = |row: &&kernel::Row| row.local == address && row.state == State::TimeWait;
    Ok(rows.iter().filter(ours).count())
}
