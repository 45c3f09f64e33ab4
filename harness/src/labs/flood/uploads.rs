//! What is given to whom: a file by its number and its name, as it was at the start.

use super::servent::Servent;
use crate::trial::Verdict;
use crate::words::{count, summary};

/// Bytes of a reply that a sentence shows.
const SHOWN: usize = 60;

/// Of a servent that shares `song.ogg` and `tango+waltz.ogg`, which hold these bytes: expects that it
/// gives each by its number and its name, and nothing else.
pub(super) fn expect_what_is_asked_for(servent: &Servent, song: &[u8], dance: &[u8]) -> Verdict {
    let t = servent.trial();
    t.new_story();
    expect_file(servent, "/get/1/tango+waltz.ogg/", dance, PLUS)?;
    expect_file(servent, "/get/1/tango%2bwaltz%2Eogg/", dance, ESCAPED)?;
    for (target, what) in [
        ("/get/0/tango+waltz.ogg/", "a number with another one's name"),
        ("/get/2/song.ogg/", "a number that no file has"),
        ("/get/0/.%2Fsong.ogg/", "a path in place of a name"),
    ] {
        let (head, body) = reply_to(servent, target)?;
        if status(&head) != Some(b"404") {
            return Err(t
                .fail(format!("the servent does not answer {what} with 404"))
                .expected("the status 404")
                .seen(summary(&[head, body].concat(), SHOWN))
                .cause(BOTH)
                .stop());
        }
        t.note("dave got the status 404");
    }
    servent.folder.append("song.ogg", b"la la la")?;
    let (head, body) = reply_to(servent, "/get/0/song.ogg/")?;
    // It may say that the file of the hit is no longer there, or give as much as the hit says.
    if status(&head) == Some(b"404") || (status(&head) == Some(b"200") && body == song) {
        return Ok(());
    }
    let headline = match status(&head) {
        Some(b"200") => "the servent gives a file of another size than its hits tell of",
        _ => "the servent neither gives a file that has grown nor answers 404",
    };
    Err(t
        .fail(headline)
        .expected(format!("the status 404, or the first {} of the file", count(song.len())))
        .seen(format!("{}, then {}", summary(&head, SHOWN), count(body.len())))
        .cause(AS_AT_THE_START)
        .stop())
}

/// Expects that this target is the file with these bytes.
fn expect_file(servent: &Servent, target: &str, bytes: &[u8], cause: &str) -> Verdict {
    let mut getter = servent.called_by("dave")?;
    getter.send_as(request(target).as_bytes(), &format!("GET {target} HTTP/1.0"))?;
    getter.expect_download(bytes, cause)
}

/// The head and the body of what comes for this target.
fn reply_to(servent: &Servent, target: &str) -> Verdict<(Vec<u8>, Vec<u8>)> {
    let mut getter = servent.called_by("dave")?;
    getter.send_as(request(target).as_bytes(), &format!("GET {target} HTTP/1.0"))?;
    let reply = getter.stream().read_all_until(|_| false)?;
    let head = reply.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = reply.split_at(head.map_or(reply.len(), |end| end + 4));
    Ok((head.to_vec(), body.to_vec()))
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.0\r\n\r\n")
}

/// The second word of a head.
fn status(head: &[u8]) -> Option<&[u8]> {
    head.split(|byte| byte.is_ascii_whitespace()).nth(1)
}

const PLUS: &str = "NAME is percent-encoded: % and two hexadecimal digits are a byte, and a + is a plus. It is a blank \
    in what a form of a web page sends, and nowhere else";
const ESCAPED: &str = "NAME is percent-encoded: % and two hexadecimal digits, large or small, are a byte, whatever byte \
    it is";
const BOTH: &str = "a request is for the file of this number with this name: where they do not belong together the \
    answer is 404, and nothing is opened";
const AS_AT_THE_START: &str = "the size of a shared file is the one that it had at the start, which its hits tell: a file \
    that has grown since is given only so far, or not at all";
