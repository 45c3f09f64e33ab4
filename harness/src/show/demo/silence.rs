//! Who says nothing: somebody who has nothing to say, or nobody.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, Stage, outcome};

pub(super) const DEAD_MACHINE: Demo = Demo {
    name: "dead-machine",
    claim: "When a machine dies, its connections end, and the other side reads it.",
    truth: "A connection ends with a packet, and somebody living has to send it. If a program dies, its \
        kernel does. A machine that is frozen or has no power sends nothing, just like one that has \
        nothing to say. So the living have to say something in time, and silence has to have a limit.",
    run: dead_machine,
};

/// How long the index waits for a sign of life.
const LIMIT: Duration = Duration::from_millis(100);

fn dead_machine(t: &mut Stage) -> Result<(), Mismatch> {
    let mut ann = Peer::start(t.address())?;
    t.tell("ann's program, a process of its own, connects to the index");
    t.kernel(ann.index, ann.from, "ESTABLISHED")?;
    ann.program.0.kill()?;
    let read = ann.stream.read(&mut [0; 8]);
    t.expect("it is killed; the index reads what her kernel has sent", outcome(&read), "Ok(0)")?;

    let mut bob = Peer::start(t.address())?;
    t.tell("bob's program connects");
    t.kernel(bob.index, bob.from, "ESTABLISHED")?;
    bob.stop()?;
    bob.stream.set_read_timeout(Some(LIMIT))?;
    let read = bob.stream.read(&mut [0; 8]);
    t.expect(
        "it is stopped, with all of its threads, and will never do anything again; the index reads, with \
         a time-out of 100 ms",
        outcome(&read),
        "Err(WouldBlock)",
    )?;
    t.kernel(bob.index, bob.from, "ESTABLISHED")?;
    let written = bob.stream.write(b"still there?");
    t.expect("the index asks; its write gives", outcome(&written), "Ok(12)")?;
    t.kernel(bob.from, bob.index, "ESTABLISHED, 12 unread")?;
    let read = bob.stream.read(&mut [0; 8]);
    t.expect("it waits for the answer, 100 ms", outcome(&read), "Err(WouldBlock)")?;
    let Peer { program: _stopped, stream, index, from } = bob;
    drop(stream);
    t.tell("the index has a limit for silence, takes bob for dead, and drops the connection");
    t.kernel(index, from, "FIN-WAIT-2, of no process")
}

/// A peer's program that has connected to the index, and the index's end.
struct Peer {
    program: Staying,
    stream: TcpStream,
    index: SocketAddr,
    from: SocketAddr,
}

/// A process that ends with its value, stopped or not.
struct Staying(Child);

impl Drop for Staying {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    fn start(index: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(index)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "stay", &index.to_string()]).stdin(Stdio::null());
        let program = Staying(command.spawn()?);
        let (stream, from) = listener.accept()?;
        Ok(Self { program, stream, index, from })
    }

    /// SIGSTOP, which no program can catch: std has no call for it.
    fn stop(&self) -> io::Result<()> {
        let pid = self.program.0.id().to_string();
        Command::new("kill").args(["-STOP", &pid]).status().map(drop)
    }
}

/// Not for users: a peer that connects, and says nothing.
///
/// # Errors
/// What the system says.
pub fn stay(address: &str) -> io::Result<()> {
    TcpStream::connect(address)?.read(&mut [0]).map(drop)
}
