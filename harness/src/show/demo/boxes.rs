//! Mail for later: who takes it out of its box, and who meets whom.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use super::Demo;
use super::stage::{Mismatch, Pair, Stage, bytes, outcome};
use crate::kernel;
use crate::trial::Folder;

pub(super) const NO_QUIT: Demo = Demo {
    name: "no-quit",
    claim: "What a client has deleted is deleted.",
    truth: "DELE marks, and QUIT deletes. A client that is gone without QUIT may have got nothing, so \
        all of its mail has to be there for the next time. It may get a message twice: that is \
        a nuisance. The other way round it may lose one, and nobody would know.",
    run: no_quit,
};

const MESSAGE: &str = "Under the mat.\r\n";

fn no_quit(t: &mut Stage) -> Result<(), Mismatch> {
    let folder = Folder::new("demo")?;
    for (name, text) in [("1", MESSAGE), ("2", "Thanks!\r\n")] {
        fs::write(folder.path().join(name), text)?;
    }
    t.tell("two messages are waiting for bob: files, 1 and 2");

    let mut pair = t.pair()?;
    let marked = delete(&mut pair)?;
    let gone = reset(pair)?;
    t.expect("bob's program sends DELE 1; the server marks it, and replies", marked, "+OK")?;
    t.expect("bob's program is gone before it has read that; the server reads", gone, RESET)?;
    t.expect("the messages in the folder", files(folder.path())?, "1, 2")?;

    let mut pair = t.pair()?;
    let marked = delete(&mut pair)?;
    t.expect("bob's program is back, and sends DELE 1 again", marked, "+OK")?;
    pair.client.write_all(b"QUIT\r\n")?;
    let mut buffer = [0; 16];
    let read = pair.server.read(&mut buffer);
    t.expect(
        "it has read the reply and sends QUIT; the server reads",
        bytes(&read, &buffer),
        r#"Ok(6) "QUIT\r\n""#,
    )?;
    fs::remove_file(folder.path().join("1"))?;
    t.expect(
        "the server removes what is marked; the messages in the folder",
        files(folder.path())?,
        "2",
    )?;

    let mut pair = t.pair()?;
    pair.client.write_all(b"RETR 2\r\nDELE 2\r\n")?;
    pair.server.read_exact(&mut [0; 16])?;
    let text = fs::read_to_string(folder.path().join("2"))?;
    pair.server.write_all(format!("+OK\r\n{text}.\r\n+OK\r\n").as_bytes())?;
    fs::remove_file(folder.path().join("2"))?;
    t.tell("to another server DELE means at once; bob's program sends RETR 2 and DELE 2");
    let gone = reset(pair)?;
    t.expect("it is gone before it has read them; the server reads", gone, RESET)?;
    let left = files(folder.path())?;
    t.expect("the messages in the folder", left, "none: it is in no place any more")
}

const RESET: &str = "Err(ConnectionReset)";

/// A DELE and its reply, which the client has not read yet.
fn delete(pair: &mut Pair) -> io::Result<&'static str> {
    pair.client.write_all(b"DELE 1\r\n")?;
    pair.server.read_exact(&mut [0; 8])?;
    pair.server.write_all(b"+OK\r\n")?;
    Ok("+OK")
}

/// The client goes with something unread; what the server's next read gives.
fn reset(pair: Pair) -> io::Result<String> {
    let mut server = pair.server;
    // What was written is there at once: so this drop is a reset.
    pair.client.peek(&mut [0])?;
    drop(pair.client);
    Ok(outcome(&server.read(&mut [0; 16])))
}

fn files(folder: &Path) -> io::Result<String> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().display().to_string()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    if names.is_empty() {
        Ok("none: it is in no place any more".into())
    } else {
        Ok(names.join(", "))
    }
}

pub(super) const NEVER_MEET: Demo = Demo {
    name: "never-meet",
    claim: "Two clients that write to each other talk to each other, through the server.",
    truth: "Each talks to the server, in a connection of its own, and at a time of its own. The one \
        has gone when the other comes. What goes from one to the other is a file, which waits on the \
        server. That is why the server has to be always on, and the clients need not be.",
    run: never_meet,
};

fn never_meet(t: &mut Stage) -> Result<(), Mismatch> {
    let folder = Folder::new("demo")?;
    let kept = folder.path().join("bob");
    let listener = t.listen()?;
    let server = listener.local_addr()?;
    let mut tables = Vec::new();
    let mut buffer = [0; 64];

    let (mut alice, mut at_server) = called(&listener)?;
    let alice_at = alice.local_addr()?;
    t.tell("alice connects");
    t.kernel(alice_at, server, "ESTABLISHED")?;
    tables.extend(ends()?);
    alice.write_all(MESSAGE.as_bytes())?;
    let count = at_server.read(&mut buffer)?;
    fs::write(&kept, &buffer[..count])?;
    at_server.write_all(b"250\r\n")?;
    let read = alice.read(&mut buffer);
    t.expect("she sends a message for bob; it is stored; she reads", bytes(&read, &buffer), OK)?;
    tables.extend(ends()?);
    drop(alice);
    let _ = at_server.read(&mut buffer)?;
    drop(at_server);
    t.tell("alice ends; what is left of her connection belongs to no program");
    t.kernel(alice_at, server, "TIME-WAIT")?;
    tables.extend(ends()?);

    let (mut bob, mut at_server) = called(&listener)?;
    let bob_at = bob.local_addr()?;
    t.tell("later, bob connects");
    t.kernel(bob_at, server, "ESTABLISHED")?;
    tables.extend(ends()?);
    at_server.write_all(&fs::read(&kept)?)?;
    let read = bob.read(&mut buffer);
    t.expect(
        "the server sends what it has for him; he reads",
        bytes(&read, &buffer),
        r#"Ok(16) "Under the mat.\r\n""#,
    )?;
    tables.extend(ends()?);

    for (who, address, other, name) in
        [("alice", alice_at, bob_at, "bob"), ("bob", bob_at, alice_at, "alice")]
    {
        let others: Vec<_> = tables.iter().filter(|(local, _)| *local == address).collect();
        let to_server = others.iter().all(|(_, remote)| *remote == server);
        t.tell(format!("in all of these tables, the other end of each row of {who}"));
        let seen =
            if to_server && !others.is_empty() { "the server" } else { "not only the server" };
        t.also(seen, "the server")?;
        let rows = others.iter().filter(|(_, remote)| *remote == other).count();
        t.also(
            format!("rows between {who} and {name}: {rows}"),
            format!("rows between {who} and {name}: 0"),
        )?;
    }
    Ok(())
}

const OK: &str = r#"Ok(5) "250\r\n""#;

fn called(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

/// Both ends of all sockets that there are.
fn ends() -> io::Result<Vec<(SocketAddr, SocketAddr)>> {
    Ok(kernel::socket_table()?.iter().map(|row| (row.local, row.remote)).collect())
}
