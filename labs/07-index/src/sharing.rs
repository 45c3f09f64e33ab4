//! A peer: what its threads share, what its user types, and how it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::thread;

use crate::folder::{self, MOST_FILES};
use crate::link::Link;
use crate::output::{print, report};
use crate::serving::{self, lock};
use crate::text::{File, Hit, LONGEST};
use crate::times;
use crate::{download, find, join, upload};

/// This peer: what all of its threads share.
#[derive(Debug)]
pub struct Me {
    pub name: String,
    /// Where it gives its files to others.
    pub port: u16,
    /// Where its files are.
    pub folder: PathBuf,
    shared: Mutex<BTreeMap<String, File>>,
    link: OnceLock<Arc<Link>>,
    /// The files that are on their way here.
    getting: Mutex<BTreeSet<String>>,
    /// How many uploads run now.
    uploads: Mutex<usize>,
    upload_ended: Condvar,
}

impl Me {
    /// All that is shared now.
    pub fn shared(&self) -> BTreeMap<String, File> {
        lock(&self.shared).clone()
    }

    /// The file of this name, if it is shared now.
    pub fn shares(&self, name: &str) -> Option<File> {
        lock(&self.shared).get(name).cloned()
    }

    /// Shares a file from now on, and tells the index.
    pub fn share(&self, hit: &Hit) {
        let Hit { size, sha1, file, .. } = hit;
        let mut shared = lock(&self.shared);
        if shared.len() == MOST_FILES {
            return;
        }
        shared.insert(file.clone(), File { size: *size, sha1: sha1.clone() });
        drop(shared);
        if let Some(link) = self.link.get() {
            // Where the index has gone nobody finds it, and it is here all the same.
            let _ = link.tell(&format!("HAVE {sha1} {size} {file}"));
        }
    }
}

/// All that the program does as a peer.
pub fn run(name: &str, index: &str, listen: &str, folder: &Path) -> Result<(), String> {
    let shared =
        folder::read(folder).map_err(|e| format!("cannot share {}: {e}", folder.display()))?;
    let (listener, bound) = serving::listen(listen)?;
    print(&format!("listening on {bound}"));
    let me = Arc::new(Me {
        name: name.to_owned(),
        port: bound.port(),
        folder: folder.to_owned(),
        shared: Mutex::new(shared),
        link: OnceLock::new(),
        getting: Mutex::default(),
        uploads: Mutex::default(),
        upload_ended: Condvar::new(),
    });
    let uploader = Arc::clone(&me);
    let accept = move || serving::serve(&listener, move |stream| give(&uploader, stream));
    let cannot_start = |error| format!("cannot start a thread: {error}");
    thread::Builder::new().spawn(accept).map_err(cannot_start)?;

    let link = join(&me, index).map_err(|trouble| format!("cannot join {index}: {trouble}"))?;
    let link = me.link.get_or_init(|| link);
    link.read_from_now_on().map_err(cannot_start)?;
    obey(&me, link);
    leave(link);
    let running = |uploads: &mut usize| *uploads > 0;
    let uploads = lock(&me.uploads);
    // Whether all have ended or the time is over: the program ends now.
    let _ = me.upload_ended.wait_timeout_while(uploads, times::leaving(), running);
    Ok(())
}

/// Says BYE to the index, which may take nothing any more: then it is not waited for.
fn leave(link: &Arc<Link>) {
    let (said, wait) = mpsc::channel();
    let bye = Arc::clone(link);
    let say = move || {
        bye.leave();
        let _ = said.send(());
    };
    if thread::Builder::new().spawn(say).is_ok() {
        let _ = wait.recv_timeout(times::leaving());
    }
}

/// One upload, which is counted as long as it runs.
fn give(me: &Me, stream: &TcpStream) {
    *lock(&me.uploads) += 1;
    // An error is the client's problem: it has gone.
    let _ = upload(me, stream);
    *lock(&me.uploads) -= 1;
    me.upload_ended.notify_all();
}

/// Does what each line of standard input says, until it ends.
fn obey(me: &Arc<Me>, link: &Link) {
    let mut hits = Vec::new();
    for line in io::stdin().lock().split(b'\n') {
        // A standard input that can't be read has ended, too.
        let Ok(line) = line else { return };
        let line = String::from_utf8(line).unwrap_or_default();
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "find" if !is_word(rest) => report("that can't be found: it is no word of a line"),
            "find" => {
                let mut shown = Vec::new();
                let found = link.ask(|lines| find(link, lines, rest, &mut shown));
                if let Err(trouble) = &found {
                    report(&format!("cannot ask the index: {trouble}"));
                }
                if found.is_ok() || !shown.is_empty() {
                    hits = shown;
                }
            }
            "get" => match hit(&hits, rest) {
                Some(hit) => get(me, hit, &hits),
                None => report("that is no hit of the last find"),
            },
            "drop" if lock(&me.shared).remove(rest).is_some() => {
                let _ = link.tell(&format!("DROP {rest}"));
            }
            "drop" => report("that is not shared"),
            _ => report("what can be typed is: find WORD, get N, drop FILE"),
        }
    }
}

/// Whether there can be a line that asks for it.
fn is_word(word: &str) -> bool {
    let line = "FIND \n".len() + word.len();
    !word.is_empty() && line <= LONGEST && !word.ends_with('\r')
}

/// The hit of this number, counted from 1.
fn hit<'a>(hits: &'a [Hit], number: &str) -> Option<&'a Hit> {
    hits.get(number.parse::<usize>().ok()?.checked_sub(1)?)
}

/// Who else has the same bytes, behind the one that was asked for.
fn sources(hit: &Hit, hits: &[Hit]) -> Vec<Hit> {
    let others = hits.iter().filter(|other| *other != hit && other.has_the_same_bytes(hit));
    [hit].into_iter().chain(others).cloned().collect()
}

/// Gets a file, in a thread of its own: several may be on their way.
fn get(me: &Arc<Me>, hit: &Hit, hits: &[Hit]) {
    let name = hit.file.clone();
    let failed = |reason: &str| print(&format!("failed {}: {reason}", hit.file));
    if !lock(&me.getting).insert(name.clone()) {
        return failed("it is on its way already");
    }
    let (also, sources) = (Arc::clone(me), sources(hit, hits));
    let fetch = move || {
        let done = download(&also, &sources);
        lock(&also.getting).remove(&sources[0].file);
        if let Err(reason) = done {
            print(&format!("failed {}: {reason}", sources[0].file));
        }
    };
    if let Err(error) = thread::Builder::new().spawn(fetch) {
        lock(&me.getting).remove(&name);
        failed(&error.to_string());
    }
}
