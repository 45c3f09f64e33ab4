//! Step 4 of lab 4: `upload`.

use std::time::Duration;

use super::{A_FILE, SECONDS, Web};
use crate::net::{Cut, noise};
use crate::trial::{Stop, Trial, Verdict};
use crate::words::count;

checks! { $ web_upload, "web" step 4:
    stores_an_upload, 3 points: "stores the body under its name: 201, and 204 the next time";
    "PUT stores the body: 201 (new) or 204 (replaced), when the file is there under its name."

    reads_exactly_the_length, 3 points: "takes Content-Length bytes, and the rest for the next request";
    "Exactly Content-Length bytes (RFC 9112 section 6.3): what is behind them is the next request."

    says_continue, 2 points: "says 100 Continue at once to a client that waits for it";
    "With Expect: 100-continue it sends HTTP/1.1 100 Continue and an empty line (RFC 9110 section 10.1.1)."

    refuses_instead_of_continue, 2 points: "refuses before the body, and not after a 100";
    "A refusal comes instead of 100 Continue."

    replaces_at_once, 3 points: "lets nobody read half of an upload";
    "Written under another name in the same folder and renamed: nobody ever reads half of it."

    leaves_nothing_of_half_an_upload, 2 points: "keeps the old file when an upload breaks off";
    "After an end or a reset the old file is as it was, and the .upload- file is gone."

    keeps_two_uploads_apart, 2 points: "keeps two uploads to one path apart";
    "Two uploads to one path: one of them, whole."

    refuses_a_folder, 2 points: "says 409 where no file can stand";
    "PATH ends in /, names a directory, or its directory is not there: 409."

    ends_refusals_in_order, 3 points: "lets a refusal reach a client that is still sending";
    "Every close is orderly: FIN behind the reply, then what still comes is read and thrown away."

    limits_half_a_body, 2 points, patient: "answers 408 when a body breaks off in silence";
    "A body: 408 when SECONDS pass without a byte; the old file is as it was."

    gives_a_body_its_own_time, 1 point, patient: "lets a body take its time, as long as it comes";
    "A body: 408 when SECONDS pass without a byte. Progress has no further limit."
}

pub(super) const STORED: &str = "the reply is sent when the file stands under its name, with every byte of the body: \
    what came together with the head, and what is read behind it";
const EXACT: &str =
    "the body ends where Content-Length says, be the next byte there already or not";

fn stores_an_upload(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.folder("sub")?;
    let mut client = web.visit()?;
    for (path, length) in [("/new.txt", 12), ("/sub/new.bin", 100_000), ("/empty", 0)] {
        for (turn, status) in [(1, 201), (2, 204)] {
            let body = noise(turn + length as u64, length);
            client.put(path, length, &body)?;
            client.expect(
                &[status],
                "201 where the file is new, 204 where there was one (RFC 9110 section 9.3.4)",
            )?;
            web.root.expect_file(&path[1..], &body, STORED)?;
        }
    }
    client.close();
    // The body in writes of its own, behind the head.
    let body = noise(3, 80);
    for cut in [Cut::Bytes, Cut::Seed(5)] {
        let mut client = web.visit()?;
        client.put("/cut.bin", body.len(), b"")?;
        client.send_cut(&body, cut)?;
        client.expect(&[201, 204], STORED)?;
        web.root.expect_file("cut.bin", &body, STORED)?;
        client.close();
    }
    Ok(())
}

fn reads_exactly_the_length(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let get = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut client = web.visit()?;
    // Together: a body that looks like a request, and a request.
    client.put("/body.txt", get.len(), &[&get[..], get].concat())?;
    client.expect(&[201], EXACT)?;
    client.expect_file(A_FILE, EXACT)?;
    web.root.expect_file("body.txt", get, EXACT)?;
    // Apart: half of the body with the head, the rest with the next request.
    let (begun, rest) = get.split_at(10);
    client.put("/body.txt", get.len(), begun)?;
    client.expect_silence("the body is not whole yet")?;
    client.send(&[rest, get].concat())?;
    client.expect(&[204], EXACT)?;
    client.expect_file(A_FILE, EXACT)?;
    web.root.expect_file("body.txt", get, EXACT)?;
    client.expect_silence(EXACT)
}

/// Asks to upload `length` bytes to `path`, and waits for 100 Continue.
fn head_with_expect(path: &str, length: usize) -> Vec<u8> {
    let fields = format!("Host: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n");
    format!("PUT {path} HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

fn says_continue(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "the client waits for 100 Continue before it sends the body: curl for a second, others for \
                 ever";
    let mut client = web.visit()?;
    client.send(&head_with_expect("/new.txt", 5))?;
    client.expect(&[100], cause)?;
    client.expect_silence(
        "100 Continue is a status line and an empty line; the reply comes behind the body",
    )?;
    client.send(b"hello")?;
    client.expect(&[201], STORED)?;
    client.put("/new.txt", 5, b"")?;
    client.expect_silence(
        "this client has not asked for 100 Continue, and might take it for the reply",
    )?;
    client.send(b"again")?;
    client.expect(&[204], STORED)?;
    // With the whole body there it may be left out.
    let put = "PUT /new.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n";
    client.send(format!("{put}Expect: 100-Continue\r\n\r\nthird").as_bytes())?;
    let cause = "what is expected is compared without case (RFC 9110 section 10.1.1)";
    if client.expect(&[100, 204], cause)?.status == 100 {
        client.expect(&[204], STORED)?;
    }
    web.root.expect_file("new.txt", b"third", STORED)
}

fn refuses_instead_of_continue(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.folder("sub")?;
    let mut client = web.visit()?;
    client.send(&head_with_expect("/new.txt", 5))?;
    client.expect(&[100], "a client that may send is told so")?;
    client.close();
    for path in ["/sub", "/sub/", "/nowhere/new.txt"] {
        let mut client = web.visit()?;
        client.send(&head_with_expect(path, 1000))?;
        client.expect(&[409], "what is known before the body is said before the body: that is what the client asks for")?;
        client.expect_end("behind the refusal the connection ends")?;
        client.close();
    }
    Ok(())
}

fn replaces_at_once(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let (old, new) = (noise(1, 1 << 20), noise(2, 1 << 20));
    web.root.file("page.bin", &old)?;
    let cause = "the upload is written under a name of its own, and gets its name when it is whole: rename \
                 replaces in one step, and who reads the old file goes on reading it";
    let mut writer = web.visit()?;
    writer.put("/page.bin", new.len(), &new[..new.len() / 2])?;
    let _ = web.service.settle()?;
    web.root.expect_file("page.bin", &old, cause)?;
    let mut reader = web.visit()?;
    // Where one client is served after another, the file itself has shown it.
    if web.is_accepted(&reader)? {
        reader.ask("GET", "/page.bin")?;
        reader.expect_file(&old, cause)?;
    }
    writer.send(&new[new.len() / 2..])?;
    writer.expect(&[204], STORED)?;
    web.root.expect_file("page.bin", &new, STORED)
}

fn leaves_nothing_of_half_an_upload(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let old = noise(1, 1000);
    web.root.file("page.bin", &old)?;
    let before = web.root.list()?;
    let cause = "whatever goes wrong before the rename, the file under way is removed, and the one under \
                 the name is not touched";
    let mut client = web.visit()?;
    client.put("/page.bin", 100_000, &noise(2, 50_000))?;
    client.half_close()?;
    client.expect(&[400], "the stream has ended in the body: 400, and nothing is stored")?;
    client.expect_end("behind the refusal the connection ends")?;
    client.close();
    web.root.expect_file("page.bin", &old, cause)?;
    web.expect_listing(&before, cause)?;
    // Half of a body behind a whole request, whose reply stays unread: the close is a reset.
    let mut client = web.visit()?;
    client.ask("GET", "/a.txt")?;
    client.put("/page.bin", 100_000, &noise(2, 50_000))?;
    let _ = web.service.settle()?;
    client.reset()?;
    web.expect_listing(&before, cause)?;
    web.root.expect_file("page.bin", &old, cause)?;
    web.expect_service()
}

fn keeps_two_uploads_apart(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let (a, b) = (vec![b'a'; 200_000], vec![b'b'; 150_000]);
    let cause = "each upload has a file of its own until it is whole: with one name for all, two of them \
                 are mixed";
    let mut first = web.visit()?;
    first.put("/page.txt", a.len(), &a[..100_000])?;
    let _ = web.service.settle()?;
    let mut second = web.visit()?;
    second.put("/page.txt", b.len(), &b)?;
    if web.is_accepted(&second)? {
        second.expect(&[201, 204], cause)?;
    }
    first.send(&a[100_000..])?;
    first.expect(&[201, 204], cause)?;
    first.close();
    let _ = web.service.settle()?;
    let stored = web.root.read("page.txt")?.unwrap_or_default();
    if stored == a || stored == b {
        return Ok(());
    }
    Err(t
        .fail("two uploads to one path were mixed")
        .expected(format!("{} of a, or {} of b", count(a.len()), count(b.len())))
        .seen(format!("{}, of a and b", count(stored.len())))
        .cause(cause)
        .stop())
}

fn refuses_a_folder(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.folder("sub")?;
    let before = web.root.list()?;
    let cause = "a file can't stand there: the path ends with a slash, names a folder, or its folder is not \
                 there. 409, and nothing is made";
    for path in ["/", "/sub", "/sub/", "/nowhere/new.txt", "/a.txt/new.txt"] {
        let mut client = web.visit()?;
        client.put(path, 5, b"hello")?;
        client.expect(&[409], cause)?;
        client.expect_end("behind a refusal the connection ends, with FIN and not with a reset")?;
        client.close();
    }
    web.root.expect_same_listing(&before, cause)?;
    web.expect_service()
}

fn ends_refusals_in_order(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "a close over bytes that nobody has read is a reset, and a reset destroys the reply that is \
                 still on its way: end the sending side, and read on until the client has ended";
    let body = noise(4, 2 << 20);
    for (path, length, status) in [("/nowhere/new.bin", 2 << 20, 409), ("/new.bin", 17 << 20, 413)]
    {
        let mut client = web.visit()?;
        client.put(path, length, b"")?;
        // All of it is sent before anything is read, as simple clients do; the refusal is there.
        let _ = web.service.settle()?;
        client.send(&body)?;
        client.expect(&[status], cause)?;
        client.expect_end(cause)?;
        client.close();
    }
    web.expect_service()
}

fn limits_half_a_body(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    let before = web.root.list()?;
    let cause = "SECONDS without a byte of the body: 408, and nothing is stored";
    let mut client = web.visit()?;
    client.put("/a.txt", 1000, b"half")?;
    client.expect(&[408], cause)?;
    client.expect_end("behind 408 the connection ends")?;
    client.close();
    web.expect_listing(&before, cause)?;
    web.root.expect_file("a.txt", A_FILE, cause)
}

/// Between two pieces of a request that comes slowly: together more than SECONDS, also without the
/// first one, and each far less, so that a busy machine makes none of them too long.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(350), Duration::from_millis(550), Duration::from_millis(550)];
/// A machine that is busy enough makes even those too long: once is enough to show that it can be
/// done.
const ATTEMPTS: u32 = 3;

fn gives_a_body_its_own_time(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mut outcome = uploads_slowly(t);
    for _ in 1..ATTEMPTS {
        if !matches!(outcome, Err(Stop::Fail(_))) {
            break;
        }
        t.new_scene()?;
        outcome = uploads_slowly(t);
    }
    outcome
}

fn uploads_slowly(t: &Trial) -> Verdict {
    let web = Web::with_limit(t, Some(1))?;
    let pieces = [
        &b"PUT /slow.txt HTTP/1.1\r\nHost: localhost\r\n"[..],
        b"Content-Length: 10\r\n\r\n",
        b"hello",
        b"againGET /slow.txt HTTP/1.1\r\n",
    ];
    let cause = "a body has SECONDS from each of its bytes to the next: neither what is left of the head's \
                 time, nor one deadline for the whole";
    let mut client = web.visit()?;
    // Its time begins when it is accepted.
    let _ = web.service.wait_until_accepted()?;
    client.send(pieces[0])?;
    for (pause, piece) in PAUSES.into_iter().zip(&pieces[1..]) {
        if !client.hears_nothing_for(pause)? {
            break;
        }
        t.note(format!("{} ms passed", pause.as_millis()));
        client.send(piece)?;
    }
    if client.expect(&[201, 204], cause)?.keeps_alive() {
        client.send(b"Host: localhost\r\n\r\n")?;
        client.expect(&[200], "the next head's time begins with the end of the reply before it")?;
    }
    web.root.expect_file("slow.txt", b"helloagain", STORED)
}
