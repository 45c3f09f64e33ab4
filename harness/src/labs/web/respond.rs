//! Step 3 of lab 4: `respond`.

use super::reply::{Reply, To};
use super::{A_FILE, Web};
use crate::net::{Cut, noise};
use crate::trial::{Trial, Verdict};

checks! { $ web_respond, "web" step 3:
    sends_a_file, 3 points: "sends the bytes of a file, and no more";
    "Content-Length is the size when the file was opened; exactly so many bytes follow."

    says_404, 2 points: "says 404 to what is not there, and goes on";
    "Not there, or no regular file: 404, and the connection goes on (RFC 9110 section 15.5.5)."

    has_its_fields, 2 points: "sends Date, Content-Length, Content-Type and Connection, once";
    "Every reply has Date, Content-Length, Connection, and, where it has a body, Content-Type."

    answers_head, 2 points: "answers HEAD with the fields of GET, and no body";
    "A reply to HEAD has the fields that GET would get, and no body (RFC 9110 section 9.3.2)."

    redirects_a_folder, 2 points: "sends a client from /sub to /sub/, and there its index.html";
    "A directory without the slash: 301, Location the path as it came, and a slash."

    keeps_the_connection, 2 points: "answers many requests on one connection";
    "After 200 and 404 the connection goes on (RFC 9112 section 9.3)."

    closes_when_asked, 2 points: "closes when the client asks for it, and after 1.0";
    "It goes on unless the client said close, or is 1.0 and did not say keep-alive (RFC 9112 section 9.3)."

    keeps_1_0_when_asked, 1 point: "keeps a 1.0 connection when asked, and says so";
    "A 1.0 client that says keep-alive is kept, and told so: Connection: keep-alive."

    serves_a_half_closed_client, 2 points: "answers all that a half-closed client has asked";
    "A half-closed client gets all replies to what it sent."

    ignores_ranges, 1 point: "ignores Range, If-None-Match and Accept-Encoding";
    "Every other field is ignored: a range gets 200 and the whole file (RFC 9110 section 14.2)."

    says_403, 1 point, exotic: "says 403 to a file that it may not read";
    "Not permitted: 403. Other trouble: 500."
}

const BODY: &str = "the body is the file: as many bytes as it has, unchanged, and Content-Length names that \
    number before they come";
const GOES_ON: &str =
    "a reply with a length needs no end of the connection: the next request is read";

fn sends_a_file(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.ask("GET", "/a.txt")?;
    client.expect_file(A_FILE, BODY)?;
    client.expect_silence("behind the body comes nothing: no line end, no farewell")?;
    web.root.file("sub/b.bin", b"b")?;
    client.ask("GET", "/sub/b.bin")?;
    client.expect_file(b"b", BODY)?;
    client.close();
    // More bytes than many programs have room for, and nearly as many as Linux allows.
    let deep = vec!["d".repeat(200); 18].join("/") + "/deep.txt";
    web.root.file(&deep, b"deep down\n")?;
    let mut client = web.visit()?;
    client.ask("GET", &format!("/{deep}"))?;
    client.expect_file(b"deep down\n", "a path can have up to 4,096 bytes (PATH_MAX)")?;
    client.close();
    for length in [0, 1, 65_535, 65_536, 65_537, 300_000] {
        let bytes = noise(length as u64, length);
        web.root.file("noise.bin", &bytes)?;
        let mut client = web.visit()?;
        client.ask("GET", "/noise.bin")?;
        client.expect_file(&bytes, BODY)?;
        client.expect_silence("behind the body comes nothing: no line end, no farewell")?;
        client.close();
    }
    Ok(())
}

fn says_404(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.folder("empty")?;
    web.root.folder("odd/index.html")?;
    web.root.fifo("pipe")?;
    let cause = "nothing is there that could be sent: 404, and the connection goes on. Look at what stands \
                 under the name before you open it: opening a FIFO waits for a writer";
    let mut client = web.visit()?;
    for path in
        ["/nothing.txt", "/sub/nothing.txt", "/a.txt/", "/a.txt/b", "/empty/", "/odd/", "/pipe"]
    {
        client.ask("GET", path)?;
        client.expect(&[404], cause)?;
        client
            .expect_silence("behind the reply comes nothing: its Content-Length is its length")?;
    }
    client.ask("GET", "/a.txt")?;
    client.expect_file(A_FILE, GOES_ON)?;
    client.close();
    let mut client = web.visit()?;
    client.ask("GET", &format!("/{}", "n".repeat(7000)))?;
    client.expect(&[404, 500], "a name may be longer than any file's: nothing is there")?;
    client.close();
    web.expect_service()
}

fn has_its_fields(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    for (path, status) in [("/a.txt", 200), ("/nothing.txt", 404)] {
        client.ask("GET", path)?;
        let reply = client.expect(&[status], BODY)?;
        for name in ["date", "content-length", "content-type", "connection"] {
            if reply.count_of(name) != 1 {
                let named: Vec<_> = reply.fields.iter().map(|(name, _)| name.as_str()).collect();
                return Err(t
                    .fail(format!(
                        "the {status} has the field {name} {} times",
                        reply.count_of(name)
                    ))
                    .expected(format!("{name}, once"))
                    .seen(format!("the fields {}", named.join(", ")))
                    .cause(
                        "a client needs the length to find the end, the type to show the file, and \
                            Connection to know whether it may go on",
                    )
                    .stop());
            }
        }
        expect_date(t, &reply)?;
    }
    Ok(())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, by its form.
fn expect_date(t: &Trial, reply: &Reply) -> Verdict {
    let date = reply.field("date").unwrap_or_default();
    let form = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    let fits = |(form, byte): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_uppercase() && byte != b'G',
        b'a' => byte.is_ascii_lowercase(),
        other => byte == other,
    };
    let weekday = form.bytes().zip(date.bytes()).take(26).all(fits) && date.ends_with(" GMT");
    if weekday && date.len() == form.len() {
        return Ok(());
    }
    Err(t
        .fail("the Date is not one that HTTP knows")
        .expected("a date like Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 section 5.6.7)")
        .seen(format!("Date: {date}"))
        .cause("`start_of` is given and writes it")
        .stop())
}

fn answers_head(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    let cause = "HEAD is GET without the body: the same status and fields, Content-Length too, and then \
                 the next reply";
    for (path, status) in [("/a.txt", 200), ("/nothing.txt", 404)] {
        client.ask("GET", path)?;
        let get = client.expect(&[status], BODY)?;
        client.ask("HEAD", path)?;
        let head = client.expect_to(To::Head, &[status], cause)?;
        client.expect_silence(cause)?;
        for name in ["content-length", "content-type", "connection"] {
            let (seen, expected) = (head.field(name), get.field(name));
            if seen != expected {
                let tell = |value: Option<&str>| match value {
                    Some(value) => format!("{name}: {value}"),
                    None => format!("no {name}"),
                };
                return Err(t
                    .fail("HEAD gets other fields than GET")
                    .expected(tell(expected))
                    .seen(tell(seen))
                    .cause(cause)
                    .stop());
            }
        }
    }
    client.ask("GET", "/a.txt")?;
    client.expect_file(A_FILE, cause)?;
    Ok(())
}

fn redirects_a_folder(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.file("sub/index.html", b"<p>sub</p>\n")?;
    web.root.file("a b/index.html", b"<p>a b</p>\n")?;
    web.root.file("index.html", b"<p>root</p>\n")?;
    let mut client = web.visit()?;
    let cause = "a browser looks for style.css beside the page: under /sub it would ask for /style.css. \
                 So it is sent to /sub/ first";
    for (path, location) in [("/sub", "/sub/"), ("/a%20b", "/a%20b/"), ("/sub?x=1", "/sub/")] {
        client.ask("GET", path)?;
        let reply = client.expect(&[301], cause)?;
        let seen = reply.field("location").unwrap_or("(none)");
        if seen != location {
            return Err(t
                .fail("the Location is another one")
                .expected(format!("Location: {location}"))
                .seen(format!("Location: {seen}"))
                .cause("the path as it came, with its escapes and without the query, and a slash")
                .stop());
        }
    }
    client.ask("HEAD", "/sub")?;
    client.expect_to(To::Head, &[301], cause)?;
    client.expect_silence("a reply to HEAD has no body, whatever its status")?;
    for (path, body) in
        [("/", &b"<p>root</p>\n"[..]), ("/sub/", b"<p>sub</p>\n"), ("/a%20b/", b"<p>a b</p>\n")]
    {
        client.ask("GET", path)?;
        client.expect_file(body, "a path that ends with a slash is its index.html")?;
    }
    Ok(())
}

fn keeps_the_connection(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    for _ in 0..50 {
        client.ask("GET", "/a.txt")?;
        let reply = client.expect_file(A_FILE, GOES_ON)?;
        if !reply.keeps_alive() {
            return Err(t
                .fail("the reply says that it is the last one")
                .expected("Connection: keep-alive, since the client did not ask for an end")
                .seen("Connection: close")
                .cause(GOES_ON)
                .stop());
        }
    }
    client.ask_with("GET", "/a.txt", "Connection: not-closed\r\n")?;
    let reply = client.expect_file(A_FILE, GOES_ON)?;
    if reply.keeps_alive() {
        return Ok(());
    }
    Err(t
        .fail("the reply says that it is the last one, and nobody has asked for that")
        .expected("Connection: keep-alive: `not-closed` is no word that says anything here")
        .seen("Connection: close")
        .cause("options are whole words between commas: `close` within another word is none")
        .stop())
}

fn closes_when_asked(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "the client waits for the end of the connection: it said `close`, alone or in a list, or it \
                 speaks 1.0, where a connection is one request";
    for request in [
        &b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"[..],
        b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: x , Close\r\n\r\n",
        b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: x\r\n\r\n",
        b"GET /a.txt HTTP/1.0\r\n\r\n",
        b"GET /a.txt HTTP/1.0\r\nConnection: x\r\n\r\n",
        b"GET /nothing.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        let mut client = web.visit()?;
        client.send(request)?;
        let reply = client.expect(&[200, 404], cause)?;
        if reply.keeps_alive() {
            return Err(t
                .fail("the reply does not say that it is the last one")
                .expected("Connection: close")
                .seen(format!("Connection: {}", reply.field("connection").unwrap_or("(none)")))
                .cause(cause)
                .stop());
        }
        client.expect_end(cause)?;
        client.close();
    }
    Ok(())
}

fn keeps_1_0_when_asked(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    let cause = "a 1.0 client that says keep-alive goes on when the reply says it too";
    for option in ["keep-alive", "Keep-Alive"] {
        client.send(format!("GET /a.txt HTTP/1.0\r\nConnection: {option}\r\n\r\n").as_bytes())?;
        let reply = client.expect_file(A_FILE, cause)?;
        let said = reply.field("connection").unwrap_or("(none)");
        if !said.eq_ignore_ascii_case("keep-alive") {
            return Err(t
                .fail("the reply does not say that the connection goes on")
                .expected("Connection: keep-alive")
                .seen(format!("Connection: {said}"))
                .cause(cause)
                .stop());
        }
        client.expect_silence(cause)?;
    }
    Ok(())
}

fn serves_a_half_closed_client(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let request = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for cut in [Cut::Whole, Cut::Seed(3)] {
        let mut client = web.visit()?;
        client.send_cut(&request.repeat(3), cut)?;
        client.half_close()?;
        for _ in 0..3 {
            client.expect_file(
                A_FILE,
                "the client sends no more, and still reads: it gets all that it has asked for",
            )?;
        }
        client.expect_end("when all is answered the connection ends")?;
        client.close();
    }
    // More than the sockets' buffers hold: it is still being sent when its client has long ended.
    let large = noise(1, 8 << 20);
    web.root.file("large.bin", &large)?;
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    let _ = web.service.settle()?;
    client.half_close()?;
    web.service.expect_rest()?;
    client.expect_file(
        &large,
        "a FIN says that the client sends no more, and not that it has gone: the reply goes on",
    )?;
    client.expect_end("when all is answered the connection ends")
}

fn ignores_ranges(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    for fields in [
        "Range: bytes=0-1\r\n",
        "If-None-Match: *\r\n",
        "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
        "Accept-Encoding: gzip\r\nAccept: image/png\r\n",
    ] {
        client.ask_with("GET", "/a.txt", fields)?;
        client.expect_file(
            A_FILE,
            "a field that the server does not know is ignored: the whole file, as it is",
        )?;
    }
    Ok(())
}

fn says_403(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.file("closed.txt", b"not for everybody\n")?;
    web.root.permit("closed.txt", 0)?;
    let mut client = web.visit()?;
    client.ask("GET", "/closed.txt")?;
    client
        .expect(&[403], "the file is there and may not be read: 403 (RFC 9110 section 15.5.4)")?;
    client.close();
    web.expect_service()
}
