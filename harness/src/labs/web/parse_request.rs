//! Step 2 of lab 4: `parse_request`, the request line and the path. What is wrong with fields and
//! bodies stands in [`super::refusals`].

use super::Web;
use crate::trial::{Trial, Verdict};

checks! { $ web_parse_request, "web" step 2:
    needs_a_host, 2 points: "refuses a request without a Host, or with two";
    "Host: exactly one with 1.1 (RFC 9112 section 3.2), else 400."

    lets_1_0_off_the_host, 1 point: "takes a 1.0 request without a Host";
    "Host: at most one with 1.0."

    takes_later_minor_versions, 1 point: "takes HTTP/1.2 for HTTP/1.1";
    "1.2 to 1.9 count as 1.1 (RFC 9110 section 2.5)."

    refuses_other_versions, 2 points: "refuses other versions: 505, and 400 for what is none";
    "Another HTTP/d.d is 505, anything else 400. Replies always say HTTP/1.1."

    refuses_bad_request_lines, 2 points: "refuses request lines that are none";
    "METHOD SP TARGET SP VERSION, one space each, visible ASCII, else 400 (RFC 9112 section 3)."

    refuses_other_line_ends, 2 points: "takes CRLF, and nothing else, for the end of a line";
    "Only CRLF ends a line: a CR or LF of its own, or a NUL, is 400 once the head is whole."

    allows_three_methods, 2 points: "answers other methods with 405 and Allow";
    "Any other method: 405 with `Allow: GET, HEAD, PUT` (RFC 9110 section 15.5.6). Case counts."

    stays_below_root, 3 points: "lets no path out of its folder";
    "Files below ROOT: `..`, `%2e%2e`, `..%2f`, `//` never reach the file system: 403."

    hides_dot_names, 2 points: "serves and stores no name that begins with a dot";
    "A name that begins with `.` is 403, in GET and in PUT."

    decodes_once, 2 points: "decodes the path, once";
    "The path is percent-decoded once (RFC 3986 section 2.4); a bad escape, NUL or bad UTF-8: 400."

    takes_the_absolute_form, 2 points: "takes http://HOST/PATH, and drops the query";
    "TARGET is /PATH[?QUERY] or http://ANYTHING/PATH[?QUERY] (RFC 9112 section 3.2.2)."
}

const TWO_HOSTS: &str = "count the Host fields: a map keeps one of two, and nobody knows which of them a \
    proxy in front has looked at";
const STUB: &str =
    "what is right must not be refused: compare with what the check before this has sent";
const LINE: &str = "three words with one space between them: whoever forgives a second blank, or a tab, \
    reads another request than the program that checked it";
const OUT: &str = "first decode the path, then look at each of its names: `%2e%2e` is `..`, and \
    Path::join with an absolute path forgets the root";

/// The statuses of a request that is not refused by this step, with its stubs behind it or not.
const TAKEN: &[u16] = &[200, 201, 204, 301, 404, 501];

/// Sends each head to a client of its own, and expects this status and an orderly end.
pub(super) fn refuses(web: &Web, heads: &[&[u8]], statuses: &[u16], cause: &str) -> Verdict {
    for head in heads {
        web.new_turn();
        let mut client = web.visit()?;
        client.send(head)?;
        let reply = client.expect(statuses, cause)?;
        if reply.keeps_alive() {
            return Err(client
                .trial()
                .fail("the refusal says that the connection goes on")
                .expected("Connection: close")
                .seen(format!("Connection: {}", reply.field("connection").unwrap_or("(none)")))
                .cause("where a request is not understood nobody knows where the next one begins")
                .stop());
        }
        client.expect_end("behind a refusal the connection ends, with FIN and not with a reset")?;
        client.close();
    }
    Ok(())
}

/// Expects that each of these is not refused by this step.
pub(super) fn takes(web: &Web, heads: &[&[u8]], cause: &str) -> Verdict {
    for head in heads {
        web.new_turn();
        let mut client = web.visit()?;
        client.send(head)?;
        client.expect(TAKEN, cause)?;
        client.close();
    }
    Ok(())
}

/// A request that is right.
const RIGHT: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn needs_a_host(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    let heads = [
        &b"GET /a.txt HTTP/1.1\r\n\r\n"[..],
        b"GET /a.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a.txt HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    ];
    refuses(&web, &heads, &[400], TWO_HOSTS)
}

fn lets_1_0_off_the_host(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(
        &web,
        &[b"GET /a.txt HTTP/1.0\r\n\r\n"],
        "Host is needed from 1.1 on: a 1.0 client may leave it out",
    )?;
    refuses(&web, &[b"GET /a.txt HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"], &[400], TWO_HOSTS)
}

fn takes_later_minor_versions(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let heads =
        [&b"GET /a.txt HTTP/1.2\r\nHost: a\r\n\r\n"[..], b"GET /a.txt HTTP/1.9\r\nHost: a\r\n\r\n"];
    let cause = "a later minor version can be read as 1.1: that is what minor means";
    takes(&web, &heads, cause)?;
    // And not as 1.0, which needs no Host.
    refuses(&web, &[b"GET /a.txt HTTP/1.2\r\n\r\n"], &[400], cause)
}

fn refuses_other_versions(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    let other = [
        &b"GET /a.txt HTTP/2.0\r\nHost: a\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\n",
        b"GET /a.txt HTTP/0.9\r\nHost: a\r\n\r\n",
    ];
    let cause = "a major version that is not 1 is another protocol: 505";
    // PRI is no method of this server either, and any status that applies is right.
    refuses(&web, &other, &[505, 405, 400], cause)?;
    refuses(&web, &other[..1], &[505], cause)?;
    let none = [
        &b"GET /a.txt HTTP/1\r\nHost: a\r\n\r\n"[..],
        b"GET /a.txt HTTP/x.y\r\nHost: a\r\n\r\n",
        b"GET /a.txt HTTP/1.10\r\nHost: a\r\n\r\n",
        b"GET /a.txt http/1.1\r\nHost: a\r\n\r\n",
        b"GET /a.txt FTP/1.1\r\nHost: a\r\n\r\n",
    ];
    refuses(&web, &none, &[400], "a version is HTTP/, a digit, a dot, a digit, in capitals: 400")
}

fn refuses_bad_request_lines(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    let lines: [&[u8]; 9] = [
        b"GET  /a.txt HTTP/1.1",
        b"GET /a.txt  HTTP/1.1",
        b" GET /a.txt HTTP/1.1",
        b"GET /a.txt HTTP/1.1 ",
        b"GET\t/a.txt HTTP/1.1",
        b"GET /a.txt",
        b"GET",
        b"GET /a\xff.txt HTTP/1.1",
        b"GET a.txt HTTP/1.1",
    ];
    let heads: Vec<Vec<u8>> =
        lines.iter().map(|line| [line, &b"\r\nHost: localhost\r\n\r\n"[..]].concat()).collect();
    let heads: Vec<&[u8]> = heads.iter().map(Vec::as_slice).collect();
    refuses(&web, &heads, &[400], LINE)
}

fn refuses_other_line_ends(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.send(b"GET /a.txt HTTP/1.1\nHost: localhost\n\n")?;
    client.expect_silence(
        "LF LF is no empty line: a line ends with CRLF, and the head is not whole yet",
    )?;
    client.close();
    let heads = [
        &b"GET /a.txt HTTP/1.1\nHost: localhost\r\n\r\n"[..],
        b"GET /a.txt HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        b"GET /a.txt HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        b"GET /a.txt HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    ];
    let cause = "a line ends with CRLF and with nothing else: a program in front that takes a CR or an LF \
                 for the end of a line sees other fields than this one";
    refuses(&web, &heads, &[400], cause)
}

fn allows_three_methods(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    for method in ["POST", "DELETE", "OPTIONS", "PATCH", "get", "Get"] {
        web.new_turn();
        let mut client = web.visit()?;
        client.ask(method, "/a.txt")?;
        let reply = client
            .expect(&[405], "a method that is not GET, HEAD or PUT, in this spelling: 405")?;
        let mut allowed: Vec<_> =
            reply.field("allow").unwrap_or_default().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        if allowed != ["GET", "HEAD", "PUT"] {
            return Err(t
                .fail("the 405 does not say what is allowed")
                .expected("Allow: GET, HEAD, PUT, in any order")
                .seen(reply.field("allow").map_or("no Allow".into(), |value| format!("Allow: {value}")))
                .cause("a client that is refused a method is told which there are (RFC 9110 section 10.2.1)")
                .stop());
        }
        client.expect_end("behind a refusal the connection ends")?;
        client.close();
    }
    Ok(())
}

const SECRET: &[u8] = b"the secret of somebody else\n";

fn stays_below_root(t: &mut Trial) -> Verdict {
    let outer = t.scratch("ROOT")?;
    outer.file("secret.txt", SECRET)?;
    outer.file("inside/a.txt", super::A_FILE)?;
    let web = Web::over_inner(t, outer, "inside")?;
    let absolute = web.root.path().join("secret.txt");
    let absolute = absolute.to_string_lossy();
    let paths = [
        "/../secret.txt".to_owned(),
        "/a/../../secret.txt".into(),
        "/./../secret.txt".into(),
        "/%2e%2e/secret.txt".into(),
        "/%2E./secret.txt".into(),
        "/..%2fsecret.txt".into(),
        "/..%2Fsecret.txt".into(),
        "/%2e%2e%2fsecret.txt".into(),
        "/a%2f..%2f..%2fsecret.txt".into(),
        "//secret.txt".into(),
        format!("/{absolute}"),
        format!("/{}", absolute.replace('/', "%2f")),
        "http://localhost/../secret.txt".into(),
        "http://localhost/%2e%2e/secret.txt".into(),
    ];
    for path in paths {
        web.new_turn();
        t.note("it serves the folder ROOT/inside, and ROOT/secret.txt stands beside that");
        let mut client = web.visit()?;
        client.ask("GET", &path)?;
        client.expect(&[403, 400], OUT)?;
        client.expect_end("behind a refusal the connection ends")?;
        client.close();
    }
    Ok(())
}

fn hides_dot_names(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    web.root.file(".secret", SECRET)?;
    web.root.file(".hidden/a.txt", SECRET)?;
    let before = web.root.list()?;
    let cause = "every name of the path counts, also in the middle: one that begins with a dot is nobody's \
                 business, be it asked for or stored";
    for path in ["/.secret", "/.hidden/a.txt", "/%2esecret", "/.upload-1"] {
        let mut client = web.visit()?;
        client.ask("GET", path)?;
        client.expect(&[403], cause)?;
        client.close();
        let mut client = web.visit()?;
        client.put(path, 5, b"hello")?;
        client.expect(&[403], cause)?;
        client.close();
    }
    web.root.expect_same_listing(&before, cause)
}

fn decodes_once(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    takes(&web, &[RIGHT], STUB)?;
    let cause = "the path is decoded once: %41 is A, %25 is %, and what comes out is not decoded again; two \
                 dots inside a name are two dots, a plus sign is a plus sign, and %3F is part of a name: \
                 the query is cut off before";
    for (name, path) in [
        ("A", "/%41"),
        ("a b.txt", "/a%20b.txt"),
        ("\u{e9}.txt", "/%C3%A9.txt"),
        ("100%41", "/100%2541"),
        ("a..b.txt", "/a..b.txt"),
        ("a+b", "/a+b"),
        ("a?b", "/a%3Fb"),
    ] {
        web.new_turn();
        web.root.file(name, name.as_bytes())?;
        let mut client = web.visit()?;
        client.ask("GET", path)?;
        let reply = client.expect(&[200, 501], cause)?;
        if reply.status == 200 && reply.body != name.as_bytes() {
            return Err(t
                .fail(format!("GET {path} got another file"))
                .expected(format!("the file ROOT/{name}"))
                .difference(name.as_bytes(), &reply.body)
                .cause(cause)
                .stop());
        }
        client.close();
    }
    // The last ones: a slash in two bytes, half of a surrogate pair, more than U+10FFFF.
    let bad =
        ["/%zz", "/%4", "/%", "/a%00b", "/%ff", "/%+1", "/%c0%af", "/%ed%a0%80", "/%f4%90%80%80"]
            .map(|path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes());
    let bad: Vec<&[u8]> = bad.iter().map(Vec::as_slice).collect();
    refuses(
        &web,
        &bad,
        &[400],
        "an escape is % and two hexadecimal digits; NUL and what is not UTF-8 name no file",
    )
}

fn takes_the_absolute_form(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "a proxy is sent http://HOST/PATH, and a server understands it too: the path begins at the \
                 first slash behind the host, and what follows a question mark is dropped";
    for target in [
        "http://localhost/a.txt",
        "http://example.test:8080/a.txt?x=1",
        "http:///a.txt",
        "/a.txt?",
        "/a.txt?b=/../c",
    ] {
        web.new_turn();
        let mut client = web.visit()?;
        client.ask("GET", target)?;
        client.expect(&[200, 501], cause)?;
        client.close();
    }
    let bad = [
        &b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"GET ftp://localhost/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET HTTP://localhost/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    refuses(
        &web,
        &bad,
        &[400],
        "a target begins with a slash, or with http:// and has a slash behind the host",
    )
}
