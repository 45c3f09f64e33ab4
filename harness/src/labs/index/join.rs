//! Step 2: a peer joins, tells what it has, and stays alive; and how it leaves.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::directory::Index;
use super::file::File;
use super::hub::{Hub, Session};
use super::refused::expect_refusal;
use super::sharer::{Sharer, folder_of, sharing, start_peer};
use crate::net::noise;
use crate::trial::{Progress, Running, Trial, Verdict};
use crate::words::quote_short;

checks! { $ index_join, "index" step 2:
    listens_before_it_joins, 2 points: "listens before it joins, and joins with that port";
    "JOIN <name> <port>: the port is where it listens; whoever hears of it may call at once. Port 0 is a free one."

    joins_and_tells, 3 points: "tells the index each file, with its size and its SHA-1";
    "One TCP connection from peer to index: JOIN, and a HAVE for each file with the right hash and size; joined ADDR."

    takes_its_welcome_in_pieces, 1 point: "understands a WELCOME that comes in pieces";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    shares_files_only, 3 points: "shares the regular files in DIR, and nothing else";
    "Shared are the regular files directly in DIR, no links, whose names are names of files."

    says_alive_in_time, 3 points, patient: "says ALIVE as often as the index wants";
    "The peer sends ALIVE every third of SILENCE, as WELCOME says it."

    a_frozen_peer_is_gone, 2 points, patient: "leaves the index when its machine stands still";
    "Gone is a peer that has sent nothing for SILENCE, also where its connection stays open."

    says_which_index_it_cannot_join, 2 points: "says in one line that there is no index, or a bad one";
    "Until WELCOME has come, a refusal, ERROR, end or wrong line is the error line that names INDEX, and status 1."

    says_what_it_cannot_share, 1 point: "says in one line that DIR can't be read, or the port is taken";
    "DIR unreadable: `cannot share DIR: CAUSE`, status 1; `cannot listen on ADDR: CAUSE`, status 1."

    drops_a_file, 1 point: "tells the index that a file is not shared any more";
    "drop FILE: not shared any more. What is not shared, and an unknown command: one line on stderr, nothing is sent."

    says_that_the_index_has_gone, 2 points: "says once that the index has gone, and goes on";
    "index gone: once; the index is not looked for again."

    says_bye, 2 points: "says BYE when its user leaves";
    "The end of stdin: BYE, status 0."
}

const LISTENS: &str = "the index tells others of this port as soon as it has heard JOIN: bind and listen first, ask the \
    listener for its port, and join then";
const NAMED: &str = "INDEX may be a name: connect resolves it, where it is given the text";
const TELLS: &str = "HAVE, the SHA-1 of what the file holds, its size and its name, on the connection that says JOIN, \
    and nothing else before somebody types something";
const ONE: &str = "there is one connection to the index, for as long as the peer is there: who else should say what a \
    peer has, and be gone with it?";
const WELCOME: &str = "a line ends with LF, however many reads it takes: joined has the address of a WELCOME that is whole";
const SHARES: &str = "only regular files directly in DIR, under names that lead nowhere else: what DirEntry::file_type \
    calls a file is neither a folder nor a link";
const ALIVE: &str = "a thread says ALIVE, and sleeps for a third of the silence that WELCOME has named, in milliseconds";
const FROZEN: &str =
    "its connection stays open and says nothing: whoever waits for its end waits for ever";
const NO_INDEX: &str = "connect, or read instead of a WELCOME, and return what is wrong with it as an error: one line, \
    with the index's address";
const NO_FOLDER: &str =
    "what can't be done is said before anything else is: one line, with what can't and why";
const DROPS: &str = "DROP and the name: from now on nobody is to find it";
const NOTHING_SAID: &str =
    "only what the index has to know is said: this was for the user to read on standard error";
const GONE: &str =
    "the end of the index is one event: only finding needs it, and giving and getting go on";
const LEAVES: &str = "the end of standard input is the user's word to leave: BYE, the end of the sending side, status 0";

/// The silence of the checks in which somebody waits for ALIVE, in milliseconds.
const SILENCE: u64 = 300;
/// A machine that is busy may make anybody late: what is late is played so often.
const TURNS: usize = 4;

/// The next line that is not ALIVE is this one.
fn expect_line(session: &mut Session, line: &str, cause: &str) -> Verdict {
    session.hear(line, cause).map(drop)
}

fn listens_before_it_joins(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let hub = Hub::open(t)?;
    let folder = folder_of(t, "ann")?;
    let mut any = t.addresses().free_localhost()?;
    any.set_port(0);
    let running = start_peer(t, "ann", sharing("ann", hub.address(), any, folder.path()))?;
    let mut session = hub.accept(&running)?;
    let said = session.hear("JOIN ann *", LISTENS)?;
    let port = said.rsplit(' ').next().and_then(|port| port.parse().ok()).unwrap_or(0);
    any.set_port(port);
    // It has said so: from now on others may call.
    let snapshot = t.look(&running)?;
    if !snapshot.listeners().iter().any(|row| row.local == any) {
        return Err(t
            .fail("the peer ann joins before it listens")
            .expected(format!("when it says {said}, a listening socket on {any}"))
            .seen(format!("nothing listens on {any}"))
            .cause(LISTENS)
            .stop());
    }
    t.note(format!("at that moment it listens on {any}"));
    session.welcome(port, 3_600_000)?;
    expect_printed(t, &running, &format!("listening on {any}\njoined {any}\n"))?;
    t.new_scene()?;
    let (hub, folder) = (Hub::open(t)?, folder_of(t, "ann")?);
    let listen = t.addresses().free_localhost()?;
    let index = format!("localhost:{}", hub.address().port());
    let running = start_peer(t, "ann", sharing("ann", index, listen, folder.path()))?;
    hub.accept(&running).map(drop).map_err(|stop| stop.because(NAMED))
}

/// Expects exactly this on standard output.
fn expect_printed(t: &Trial, running: &Rc<Running>, lines: &str) -> Verdict {
    let printed = || running.program.stdout().head;
    let _ = t.wait(running, || {
        let done = printed().len() >= lines.len();
        Ok(if done { Progress::Done(()) } else { Progress::Nothing })
    })?;
    let seen = printed();
    if seen == lines.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the peer ann does not say where it listens, and then that it has joined")
        .expected(quote_short(lines.as_bytes(), 120))
        .seen(quote_short(&seen, 120))
        .difference(lines.as_bytes(), &seen)
        .cause("the ready line first, as soon as others can call; then joined, when WELCOME has come: one line each, \
                flushed")
        .stop())
}

/// Files of all lengths at which a sum has something to get wrong.
fn some_files() -> Vec<File> {
    let lengths = [0, 1, 55, 56, 63, 64, 65, 70_000];
    let named = |length: usize| File::new(&format!("{length} bytes"), noise(7, length));
    lengths.into_iter().map(named).chain([File::new("\u{fc}ber uns.txt", "about us\n")]).collect()
}

fn joins_and_tells(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let files = some_files();
    let ann = hub.peer("ann", &files.iter().collect::<Vec<_>>())?;
    let Sharer { console, mut session, service, .. } = ann;
    console.types("drop 64 bytes");
    // The next line: nothing else comes before it.
    expect_line(&mut session, "DROP 64 bytes", TELLS)?;
    match hub.another_from(&service.running)? {
        None => Ok(()),
        Some(from) => Err(t
            .fail("the peer ann connects to the index a second time")
            .expected("one connection, on which everything is said")
            .seen(format!("another one, from {from}"))
            .cause(ONE)
            .stop()),
    }
}

fn takes_its_welcome_in_pieces(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let folder = folder_of(t, "ann")?;
    let listen = t.addresses().free_localhost()?;
    let running = start_peer(t, "ann", sharing("ann", hub.address(), listen, folder.path()))?;
    let mut session = hub.accept(&running)?;
    session.expect_join("ann", listen.port())?;
    t.note("the index says WELCOME in four pieces, each a read of its own");
    let seen = SocketAddr::from(([192, 0, 2, 7], listen.port())); // That of a router between the two.
    for piece in ["WELC", &format!("OME {seen}"), " 36000", "00\n"] {
        session.lines().send_alone(piece.as_bytes())?;
    }
    expect_printed(t, &running, &format!("listening on {listen}\njoined {seen}\n"))
        .map_err(|stop| stop.because(WELCOME))
}

fn shares_files_only(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let (files, folder) = (some_files(), folder_of(t, "ann")?);
    let files: Vec<&File> = files.iter().take(2).collect();
    folder.folder("DIR")?;
    for file in &files {
        folder.file(&format!("DIR/{}", file.name), &file.bytes)?;
    }
    folder.file("secret", b"nobody's business")?;
    folder.file("DIR/.hidden", b"a")?;
    folder.file("DIR/song.part", b"half")?;
    folder.file("DIR/back\\slash", b"b")?;
    folder.file("DIR/tab\tulator", b"t")?;
    folder.file(&format!("DIR/{}", "x".repeat(201)), b"long")?;
    folder.folder("DIR/folder")?;
    folder.file("DIR/folder/inside", b"deep")?;
    folder.link("DIR/link", "../secret")?;
    folder.link("DIR/link to a song", "1 bytes")?;
    folder.fifo("DIR/fifo")?;
    t.note("in DIR there are also a folder, two links, a FIFO, .hidden, song.part, names with \\ and a tab, and one of 201 bytes");
    let dir = folder.path().join("DIR");
    let ann = hub.peer_in("ann", folder, &dir, &files).map_err(|stop| stop.because(SHARES))?;
    let Sharer { console, mut session, .. } = ann;
    console.types("drop 1 bytes");
    // The next line: no further HAVE comes before it.
    expect_line(&mut session, "DROP 1 bytes", SHARES)
}

fn says_alive_in_time(t: &mut Trial) -> Verdict {
    t.allow_waiting(Duration::from_millis(SILENCE));
    let third = Duration::from_millis(SILENCE / 3);
    let mut late = Duration::ZERO;
    for turn in 0..TURNS {
        if turn > 0 {
            t.new_scene()?;
        }
        let hub = Hub::open(t)?;
        let folder = folder_of(t, "ann")?;
        let listen = t.addresses().free_localhost()?;
        let running = start_peer(t, "ann", sharing("ann", hub.address(), listen, folder.path()))?;
        let mut session = hub.accept(&running)?;
        session.expect_join("ann", listen.port())?;
        let welcomed = Instant::now();
        session.welcome(listen.port(), SILENCE)?;
        late = Duration::ZERO;
        for _ in 0..3 {
            let since = Instant::now();
            session.lines().expect_line("ALIVE", ALIVE)?;
            late = late.max(since.elapsed());
        }
        session.lines().take_in()?;
        let more = session.lines().unread().split(|byte| *byte == b'\n').count() - 1;
        let (heard, time) = (3 + more, welcomed.elapsed());
        // However busy the machine is, nothing comes before its time.
        if time < third || heard as u128 > 3 + 3 * time.as_millis() / third.as_millis() {
            return Err(t
                .fail("the peer ann says ALIVE too often")
                .expected(format!("ALIVE every {} ms", third.as_millis()))
                .seen(format!("{heard} lines within {} ms", time.as_millis()))
                .cause(ALIVE)
                .stop());
        }
        if late < Duration::from_millis(SILENCE / 2) {
            return Ok(());
        }
        // On a busy machine somebody may be late, but not each time.
    }
    Err(t
        .fail("the peer ann says ALIVE too late")
        .expected(format!(
            "ALIVE every {} ms: a third of the {SILENCE} ms that WELCOME names",
            third.as_millis()
        ))
        .seen(format!("{} ms without a word, and so each time", late.as_millis()))
        .cause(ALIVE)
        .stop())
}

fn a_frozen_peer_is_gone(t: &mut Trial) -> Verdict {
    let index = Index::with(t, Duration::from_millis(SILENCE))?;
    t.allow_waiting(Duration::from_millis(2 * SILENCE));
    let folder = folder_of(t, "ann")?;
    let listen = t.addresses().free_localhost()?;
    let given = sharing("ann", index.service.address, listen, folder.path());
    let running = start_peer(t, "ann", given)?;
    index.console.expect_event(&format!("joined ann {listen}"), TELLS)?;
    t.freeze(&running)?;
    t.note(
        "the peer ann was stopped (SIGSTOP): its machine stands still, and its connection stays",
    );
    index.console.expect_event("left ann", FROZEN)?;
    t.thaw(&running)
}

fn says_which_index_it_cannot_join(t: &mut Trial) -> Verdict {
    let lines: [Option<&str>; 7] = [
        None,
        Some("ERROR there are enough"),
        Some("HELLO"),
        Some("WELCOME nobody 30000"),
        Some("WELCOME 127.0.0.1:7001"),
        Some("WELCOME 127.0.0.1:7001 0"),
        Some("WELCOME 127.0.0.1:7001 3600001"),
    ];
    for line in lines {
        let folder = folder_of(t, "ann")?;
        let hub = Hub::open(t)?;
        let address = hub.address();
        let listen = t.addresses().free_localhost()?;
        let running = start_peer(t, "ann", sharing("ann", address, listen, folder.path()))?;
        let mut session = hub.accept(&running)?;
        session.expect_join("ann", listen.port())?;
        match line {
            Some(line) => session.say(line)?,
            None => session.lines().end()?,
        }
        expect_refusal(t, &running, &address.to_string(), NO_INDEX)?;
        t.new_scene()?;
    }
    let folder = folder_of(t, "ann")?;
    let nobody = t.addresses().free_localhost()?;
    t.note(format!("nobody listens on {nobody}"));
    let listen = t.addresses().free_localhost()?;
    let running = start_peer(t, "ann", sharing("ann", nobody, listen, folder.path()))?;
    expect_refusal(t, &running, &nobody.to_string(), NO_INDEX)
}

fn says_what_it_cannot_share(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    // Otherwise a program that refuses everything would pass.
    let Sharer { folder, service, .. } = hub.peer("ann", &[])?;
    let listen = t.addresses().free_localhost()?;
    let missing = folder.path().join("missing");
    let running = start_peer(t, "ann", sharing("ann", hub.address(), listen, &missing))?;
    expect_refusal(t, &running, &missing.display().to_string(), NO_FOLDER)?;
    let held = TcpListener::bind(listen)?;
    t.note(format!("another program listens on {listen}"));
    let running = start_peer(t, "ann", sharing("ann", hub.address(), listen, folder.path()))?;
    expect_refusal(t, &running, &listen.to_string(), NO_FOLDER)?;
    drop((held, service));
    Ok(())
}

fn drops_a_file(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let file = File::new("my song.ogg", "la la");
    let mut ann = hub.peer("ann", &[&file])?;
    for typed in ["drop another song", "sing"] {
        ann.console.types(typed);
    }
    ann.console.types("drop my song.ogg");
    // The next line: nothing of what was typed before it was for the index.
    expect_line(&mut ann.session, "DROP my song.ogg", DROPS)?;
    ann.console.types("drop my song.ogg");
    ann.console.stops_typing();
    expect_line(&mut ann.session, "BYE", NOTHING_SAID)?;
    ann.session.lines().end()?;
    ann.console.expect_exit(0, LEAVES)?;
    // Three lines that could not be done: each is told. What else it tells is its business.
    let told = ann.running().program.stderr().last_lines(usize::MAX);
    if told.len() >= 3 {
        return Ok(());
    }
    Err(t
        .fail("the peer ann does not say in one line what it can't do")
        .expected("3 lines on standard error: for `drop another song`, `sing`, and the second `drop my song.ogg`")
        .seen(quote_short(told.join("\n").as_bytes(), 300))
        .cause(NOTHING_SAID)
        .stop())
}

fn says_that_the_index_has_gone(t: &mut Trial) -> Verdict {
    for reset in [false, true] {
        let hub = Hub::open(t)?;
        let file = File::new("song", "la la");
        let Sharer { console, session, service, .. } = hub.peer("ann", &[&file])?;
        if reset {
            // A reset needs something that is left unread.
            console.types("drop song");
            session.reset()?;
        } else {
            session.close();
        }
        console.expect_event("index gone", GONE)?;
        service.expect_idle()?;
        console.types("find something else");
        console.expect_no_event("without an index nothing is found, and nothing happens")?;
        if service.running.program.stderr().last_lines(usize::MAX).is_empty() {
            return Err(t
                .fail("the peer ann does not say that it can't ask")
                .expected("one line on standard error")
                .seen("nothing there, and nothing on standard output")
                .cause(GONE)
                .stop());
        }
        service.connect()?.close();
        if hub.another_from(&service.running)?.is_some() {
            return Err(t
                .fail("the peer ann calls the index again")
                .expected("the index is not looked for again once it is gone")
                .seen("another connection")
                .cause(GONE)
                .stop());
        }
        console.stops_typing();
        console.expect_exit(0, LEAVES)?;
        t.new_scene()?;
    }
    Ok(())
}

fn says_bye(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    ann.console.stops_typing();
    expect_line(&mut ann.session, "BYE", LEAVES)?;
    ann.session.lines().expect_closed(LEAVES)?;
    ann.session.lines().end()?;
    ann.console.expect_exit(0, LEAVES)
}
