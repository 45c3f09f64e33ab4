//! Step 2 of lab 4, `parse_request`, continued: fields, and where the body ends.

use super::Web;
use super::parse_request::{refuses, takes};
use crate::trial::{Trial, Verdict};

checks! { $ web_refusals, "web" step 2:
    refuses_bad_fields, 2 points: "refuses fields that are none";
    "A field is NAME `:` VALUE, NAME a token directly before the colon (RFC 9112 section 5.1), else 400."

    takes_any_field_value, 2 points: "takes any bytes in a value, but no control characters";
    "From 0x80 on they are bytes, not UTF-8 (RFC 9110 section 5.5); no control character but tab: 400."

    compares_without_case, 2 points: "compares names of fields without case";
    "Names of fields and the values close and keep-alive are compared without case; blanks around a value are no part of it."

    refuses_bad_lengths, 2 points: "refuses lengths that are none";
    "Content-Length: digits, once (RFC 9112 section 6.3), else 400."

    refuses_a_length_beside_chunked, 2 points: "refuses a length beside Transfer-Encoding";
    "Transfer-Encoding beside a Content-Length: 400 (RFC 9112 section 6.1)."

    needs_a_length, 2 points: "asks for a length with 411";
    "PUT with Transfer-Encoding, or without a length: 411 (RFC 9110 section 15.5.12)."

    refuses_too_large, 2 points: "refuses a body of more than 16 MiB before it comes";
    "More than 16,777,216 bytes, in any number of digits: 413, and no 100."

    refuses_a_body_in_get, 2 points: "refuses GET and HEAD with a body";
    "GET or HEAD with a length over 0: 400; what stands behind is not a request."

    refuses_a_part, 1 point: "refuses a part of a file in PUT";
    "Content-Range in a PUT: 400 (RFC 9110 section 14.5)."

    refuses_other_expectations, 2 points: "refuses what it can't fulfil with 417";
    "Expect: one field, 100-continue; anything else 417; nothing of it counts from a 1.0 client."
}

const FIELD: &str = "the name of a field is a token, and the colon stands directly behind it: a program in \
    front that sees `Content-Length :` as another field lets a second request through";
const LENGTHS: &str = "digits, one number, once: `parse` takes a +, and a map keeps one of two. Where two \
    programs see two lengths, the rest of a body is a request that nobody has checked";

/// A head with these fields besides Host, as the bytes of a request.
fn head(method: &str, fields: &str) -> Vec<u8> {
    format!("{method} /new.txt HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes()
}

fn heads(method: &str, fields: &[&str]) -> Vec<Vec<u8>> {
    fields.iter().map(|fields| head(method, fields)).collect()
}

fn refuse_all(web: &Web, heads: &[Vec<u8>], statuses: &[u16], cause: &str) -> Verdict {
    let heads: Vec<&[u8]> = heads.iter().map(Vec::as_slice).collect();
    refuses(web, &heads, statuses, cause)
}

fn take_all(web: &Web, heads: &[Vec<u8>], cause: &str) -> Verdict {
    let heads: Vec<&[u8]> = heads.iter().map(Vec::as_slice).collect();
    takes(web, &heads, cause)
}

const PLAIN: &str = "a request with fields that need no attention is an ordinary request";

fn refuses_bad_fields(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(&web, &heads("GET", &["Accept: */*\r\nX-A:b\r\nX-Empty:\r\n"]), PLAIN)?;
    let bad = [
        "no colon here\r\n",
        "X-A : b\r\n",
        "X A: b\r\n",
        ": b\r\n",
        " X-A: b\r\n",
        "X-A: b\r\n folded\r\n",
        "X-\u{e9}: b\r\n",
        "Content-Length : 0\r\n",
    ];
    refuse_all(&web, &heads("GET", &bad), &[400], FIELD)
}

fn takes_any_field_value(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cookie = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nCookie: caf\xe9\tau lait\r\n\r\n";
    takes(&web, &[cookie], "a value may have bytes that are not UTF-8, and nobody reads this one")?;
    let bad = ["X: \u{7}\r\n", "X: a\u{1b}b\r\n", "X: a\u{7f}\r\n"];
    refuse_all(
        &web,
        &heads("GET", &bad),
        &[400],
        "no control character but a tab belongs into a value",
    )?;
    web.expect_service()
}

fn compares_without_case(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "names of fields, and the words close and keep-alive, have no case; between the colon and \
                 the value stand blanks and tabs, or nothing";
    for request in [
        &b"GET /a.txt HTTP/1.1\r\nhOsT:localhost\r\nCONNECTION: Close\r\n\r\n"[..],
        b"GET /a.txt HTTP/1.1\r\nHOST: localhost\r\nconnection:\t close \t\r\n\r\n",
    ] {
        let mut client = web.visit()?;
        client.send(request)?;
        client.expect(&[200, 404, 501], cause)?;
        client.expect_end(cause)?;
        client.close();
    }
    let put = b"PUT /new.txt HTTP/1.1\r\nhost: a\r\ncontent-LENGTH:5\r\n\r\nhello";
    takes(&web, &[put], cause)
}

fn refuses_bad_lengths(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(
        &web,
        &heads("PUT", &["Content-Length: 0\r\n", "Content-Length: 000000000000\r\n"]),
        "a length of 0 is a length, in any number of digits",
    )?;
    let before = web.root.list()?;
    let bad = ["-1", "+5", "5,5", "0x5", "5 5", "", "five", "5.0"]
        .map(|length| format!("Content-Length: {length}\r\n"));
    let twice = [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\ncontent-length: 6\r\n",
    ];
    let fields: Vec<&str> = bad.iter().map(String::as_str).chain(twice).collect();
    refuse_all(&web, &heads("PUT", &fields), &[400], LENGTHS)?;
    web.root.expect_same_listing(&before, LENGTHS)
}

fn refuses_a_length_beside_chunked(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(&web, &heads("GET", &[""]), PLAIN)?;
    let cause = "a request with both has two ends: what one program takes for the body is a request to the \
                 other. It is refused, and what stands behind it is not answered";
    let fields = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n";
    let mut smuggled = head("PUT", fields);
    smuggled.extend_from_slice(b"0\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    refuse_all(&web, &[smuggled, head("GET", fields)], &[400], cause)
}

fn needs_a_length(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(&web, &heads("PUT", &["Content-Length: 0\r\n"]), "a length of 0 is a length")?;
    let cause = "without a length nobody knows where the body ends: 411 says what is missing";
    let mut chunked = head("PUT", "Transfer-Encoding: chunked\r\n");
    chunked.extend_from_slice(b"5\r\nhello\r\n0\r\n\r\n");
    refuse_all(&web, &[head("PUT", ""), chunked], &[411], cause)
}

fn refuses_too_large(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(&web, &heads("PUT", &["Content-Length: 0\r\n"]), "a length of 0 is a length")?;
    let cause = "the length says before the body comes that it is too much: 413, and no 100 before it. \
                 A number may be larger than any type holds";
    let fields = [
        "Content-Length: 16777217\r\n",
        "Content-Length: 16777217\r\nExpect: 100-continue\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 123456789012345678901234567890\r\n",
    ];
    refuse_all(&web, &heads("PUT", &fields), &[413], cause)
}

fn refuses_a_body_in_get(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    take_all(&web, &heads("GET", &["Content-Length: 0\r\n"]), "a length of 0 is no body")?;
    let cause = "a body that is not read is taken for the next request: refuse what has one";
    for method in ["GET", "HEAD"] {
        let body = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut request = head(method, &format!("Content-Length: {}\r\n", body.len()));
        request.extend_from_slice(body);
        let mut client = web.visit()?;
        client.send(&request)?;
        client.expect_to(super::reply::To::of(method), &[400], cause)?;
        client.expect_end(match method {
            "HEAD" => {
                "behind the refusal the connection ends. A refusal to a line that begins with \
                       HEAD has no body, and the body that came is no request"
            }
            _ => "behind the refusal the connection ends: the body is no request",
        })?;
        client.close();
    }
    Ok(())
}

fn refuses_a_part(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "Content-Range says that this is a part of a file: whoever stores it as the whole has lost the \
                 rest of it";
    let mut part = head("PUT", "Content-Length: 5\r\nContent-Range: bytes 5-9/10\r\n");
    part.extend_from_slice(b"hello");
    take_all(
        &web,
        &heads("GET", &["Content-Range: bytes 5-9/10\r\n"]),
        "in a GET the field means nothing",
    )?;
    let before = web.root.list()?;
    refuse_all(&web, &[part], &[400], cause)?;
    web.root.expect_same_listing(&before, cause)
}

fn refuses_other_expectations(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause =
        "what is expected is 100-continue, once; anything else this server can't fulfil: 417";
    let bad = [
        "Content-Length: 5\r\nExpect: a-miracle\r\n",
        "Content-Length: 5\r\nExpect: 100-continue, x\r\n",
        "Content-Length: 5\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n",
    ];
    refuse_all(&web, &heads("PUT", &bad), &[417], cause)?;
    let old = "a 1.0 client does not know 100: it is sent none, and what it expects does not count";
    let mut client = web.visit()?;
    client.send(b"PUT /old.txt HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")?;
    // A stub of the next steps refuses at once; a server waits for the body.
    if client.expect_silence_unless_refused(old)? {
        client.send(b"hello")?;
        client.expect(&[201], old)?;
    }
    client.close();
    takes(&web, &[b"GET /a.txt HTTP/1.0\r\nExpect: a-miracle\r\n\r\n"], old)
}
