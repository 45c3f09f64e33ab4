//! A peer's connection to the index.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::output::{print, report};
use crate::serving::lock;
use crate::text::{LONGEST, Trouble, text_of};

/// How many lines may wait for a find that is busy with the ones before.
const MOST_WAITING: usize = 16;

/// A peer's connection to the index, as long as the peer is there.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    /// One reader for all of the connection's life: it reads ahead.
    reader: Mutex<BufReader<TcpStream>>,
    /// Held while a line is written, so that no two are mixed.
    writing: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nothing was asked: nothing may come.
    Quiet,
    /// A find takes the lines.
    Finding(SyncSender<String>),
    /// A find has failed, and said why.
    Failed,
    /// This side has said BYE: that the index ends now is as it should be.
    Leaving,
    /// The connection has ended.
    Gone,
}

impl Link {
    /// Over a connection from which nothing has been read.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        // A line is sent at once, not when the one before it has been acknowledged (Nagle).
        stream.set_nodelay(true)?;
        let reader = Mutex::new(BufReader::new(stream.try_clone()?));
        Ok(Self { stream, reader, writing: Mutex::default(), state: Mutex::new(State::Quiet) })
    }

    /// Sends a line to the index.
    pub fn tell(&self, line: &str) -> io::Result<()> {
        let _one_at_a_time = lock(&self.writing);
        let told = (&self.stream).write_all(format!("{line}\n").as_bytes());
        if told.is_err() {
            // Half of it may be on its way, so nothing sensible can follow.
            self.end();
        }
        told
    }

    /// The next line from the index. `None`: it has ended its side.
    pub fn next_line(&self) -> Result<Option<String>, Trouble> {
        let mut bytes = Vec::new();
        let mut reader = lock(&self.reader);
        reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut bytes)?;
        Ok(text_of(&bytes)?.map(str::to_owned))
    }

    /// Ends the connection in both directions, which wakes who reads from it.
    pub fn end(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Says BYE, and ends this side.
    pub fn leave(&self) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Gone) {
            *state = State::Leaving;
            drop(state);
            let _ = self.tell("BYE");
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }

    /// Reads what the index says from now on, in a thread of its own, and tells the user when the
    /// index has gone.
    pub fn read_from_now_on(self: &Arc<Self>) -> io::Result<()> {
        let link = Arc::clone(self);
        let read = move || {
            let ended = link.pass_on();
            let before = mem::replace(&mut *lock(&link.state), State::Gone);
            match (before, ended) {
                (State::Leaving, _) => return,
                (State::Quiet | State::Finding(_), Err(trouble)) => {
                    report(&format!("the index: {trouble}"));
                }
                _ => {}
            }
            link.end();
            print("index gone");
        };
        thread::Builder::new().spawn(read).map(drop)
    }

    /// Hands each line to the find that it is for, until the connection ends.
    fn pass_on(&self) -> Result<(), Trouble> {
        while let Some(line) = self.next_line()? {
            let find = match &*lock(&self.state) {
                State::Finding(find) => Some(find.clone()),
                _ => None,
            };
            // Not under the lock: it waits where a find has lines enough.
            if find.is_none_or(|find| find.send(line).is_err()) {
                return Err("a line that answers nothing".into());
            }
        }
        Ok(())
    }

    /// Runs a find, with the lines that come while it runs. Where it fails the connection ends.
    pub fn ask<T>(
        &self,
        find: impl FnOnce(&Receiver<String>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let (sender, lines) = mpsc::sync_channel(MOST_WAITING);
        match &mut *lock(&self.state) {
            state @ State::Quiet => *state = State::Finding(sender),
            _ => return Err("it has gone".into()),
        }
        let found = find(&lines);
        self.unless_gone(State::Quiet);
        // Nobody can send any more, but for a line that is being sent at this moment.
        let surplus = lines.recv().is_ok();
        let found = match found {
            Ok(_) if surplus => Err("a line behind the END".into()),
            found => found,
        };
        if found.is_err() {
            self.unless_gone(State::Failed);
            self.end();
        }
        found
    }

    fn unless_gone(&self, next: State) {
        let mut state = lock(&self.state);
        if let State::Finding(_) | State::Quiet = *state {
            *state = next;
        }
    }
}
