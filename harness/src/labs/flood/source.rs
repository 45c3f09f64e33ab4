//! One who has a file, played by the harness: it stands in a hit, is asked for the file by HTTP, and
//! answers as the check likes.

use std::net::SocketAddr;

use super::descriptor::{Descriptor, Hit, Hits};
use super::link::Link;
use super::servent::{Servent, v4};
use crate::net::{Connection, LineEnd, Lines, Listener};
use crate::trial::{StallKind, Trial, Verdict};
use crate::words::{count, quote_short};

/// One who has a file.
#[derive(Debug)]
pub(super) struct Source {
    host: Listener,
    index: u32,
    name: String,
}

/// The longest request that is waited for, in bytes.
const LONGEST: usize = 8192;

impl Source {
    /// The reader calls it `called`; its file has this number and this name.
    pub(super) fn new(t: &Trial, called: &str, index: u32, name: &str) -> Verdict<Self> {
        let host = t.host_servent(called)?;
        Ok(Self { host, index, name: name.to_owned() })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// The hit that tells of its file, with this size.
    pub(super) fn hits(&self, size: usize) -> Verdict<Hits> {
        let (index, name) = (self.index, self.name.clone().into_bytes());
        let hits = vec![Hit { index, size: size as u32, name }];
        Ok(Hits { address: v4(self.address())?, speed: 0, hits })
    }

    /// The user of `servent` finds its file, by a hit that comes over `link`, as hit number 1.
    pub(super) fn is_found(&self, servent: &Servent, link: &mut Link, size: usize) -> Verdict {
        let query = servent.finds("song", &mut [&mut *link])?;
        self.is_hit(1, servent, link, &query, size)
    }

    /// A hit of its file, of this size, answers that question over `link`, and is the one of this number.
    pub(super) fn is_hit(
        &self,
        number: usize,
        servent: &Servent,
        link: &mut Link,
        query: &Descriptor,
        size: usize,
    ) -> Verdict {
        link.send(&query.hit(&self.hits(size)?))?;
        let event = format!("hit {number} {} {size} {}", self.address(), self.name);
        servent.expect_event(&event, "what answers its user's find is shown, numbered from 1 on")
    }

    /// Takes the connection of whoever gets the file, and expects a request for it.
    pub(super) fn is_asked(&self, servent: &Servent) -> Verdict<Lines> {
        let connection = self.is_called(servent)?;
        let mut lines = Lines::new(connection, LineEnd::CrLf);
        let whole = |unread: &[u8]| unread.ends_with(b"\r\n\r\n") || unread.len() >= LONGEST;
        let result = lines.hear_until(whole)?;
        let request = lines.take(LONGEST);
        let (program, t) = (lines.program(), servent.trial());
        let name = self.host.name();
        match (request_of(&request), result) {
            (Ok((index, file)), _) if (index, &file[..]) == (self.index, self.name.as_bytes()) => {
                let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
                t.note(format!("{name} was asked {}", quote_short(line, 120)));
                Ok(lines)
            }
            (Ok((index, file)), _) => Err(t
                .fail(format!("the {program} asks for another file than that of the hit"))
                .expected(format!("the file {} with the name {:?}", self.index, self.name))
                .seen(format!("the file {index} with the name {}", quote_short(&file, 210)))
                .seen(quote_short(&request, 300))
                .cause(NAMED)
                .stop()),
            (Err(wrong), result) => {
                let then = match (lines.ended(), result) {
                    (Some(end), _) => format!(", then {}", end.describe()),
                    (None, Err(stall)) => format!(", then {}", stall.sentence(&program)),
                    (None, Ok(())) => String::new(),
                };
                let seen = match &request[..] {
                    [] => "no byte".to_owned(),
                    request => quote_short(request, 300),
                };
                Err(t
                    .fail(format!("the {program} does not ask {name} as the protocol says"))
                    .expected(format!(
                        "GET /get/{}/NAME/ HTTP/1.0, NAME percent-encoded, and an empty line",
                        self.index
                    ))
                    .seen(format!("{seen}{then}"))
                    .seen(wrong)
                    .cause(ASKS)
                    .stop())
            }
        }
    }

    /// Takes the connection of whoever gets the file, which is neither there nor being got.
    fn is_called(&self, servent: &Servent) -> Verdict<Connection> {
        let (name, running) = (self.host.name(), servent.running());
        let told =
            |from: SocketAddr| format!("{name} accepted a connection from port {}", from.port());
        let stall = match self.host.take(running, told)? {
            Ok(connection) => return Ok(connection),
            Err(stall) => stall,
        };
        let program = &running.name;
        let blame = servent
            .trial()
            .fail(match stall.kind {
                StallKind::Ended(_) => format!("the {program} ended and did not connect"),
                _ => format!("the {program} does not connect"),
            })
            .expected(format!("a connection to {}", self.address()));
        Err(match servent.console.next_line() {
            None => blame.seen(stall.sentence(program)).cause(CONNECTS).stop(),
            // It has given up the get, and says why.
            Some(line) => blame
                .seen(format!("no connection, but {line} on standard output"))
                .cause(FREE)
                .stop(),
        })
    }

    /// Expects that nobody connects, once the program is at rest.
    pub(super) fn expect_no_caller(&self, servent: &Servent, cause: &str) -> Verdict {
        let Some(from) = self.host.take_another(servent.running())? else { return Ok(()) };
        let (name, program) = (self.host.name(), &servent.running().name);
        Err(servent
            .trial()
            .fail(format!("the {program} connects to {name}"))
            .expected("no connection")
            .seen(format!("one from port {}", from.port()))
            .cause(cause)
            .stop())
    }
}

/// A reply with this status line and these bytes behind its head.
pub(super) fn reply(status: &str, length: Option<usize>) -> Vec<u8> {
    let length = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    format!("{status}\r\nContent-Type: application/binary\r\n{length}\r\n").into_bytes()
}

/// Sends these bytes in one write, and says so in a few words.
pub(super) fn give(lines: &Lines, bytes: &[u8], what: &str) -> Verdict {
    let (t, name) = (lines.connection().trial(), lines.name());
    t.note(format!("{name} sent {what}: {}", count(bytes.len())));
    lines.put(bytes).map(drop)
}

/// The number and the name that a request is about, or what is wrong with it.
fn request_of(request: &[u8]) -> Result<(u32, Vec<u8>), String> {
    if !request.ends_with(b"\r\n\r\n") {
        let bare = request.ends_with(b"\n\n");
        let what = ["there is no empty line behind it", "its lines end with LF alone, without CR"];
        return Err(what[usize::from(bare)].to_owned());
    }
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [b"GET", target, version] = words[..] else {
        return Err(
            "its first line is not GET, a target and a version, with a blank between each".into()
        );
    };
    if version != b"HTTP/1.0" {
        return Err(format!("its version is {}", quote_short(version, 20)));
    }
    let rest = target.strip_prefix(b"/get/").and_then(|rest| rest.strip_suffix(b"/"));
    let rest = rest.ok_or("its target is not /get/INDEX/NAME/")?;
    let slash = rest.iter().position(|byte| *byte == b'/');
    let (index, name) = rest.split_at(slash.ok_or("its target is not /get/INDEX/NAME/")?);
    let index = str::from_utf8(index).ok().and_then(|index| index.parse().ok());
    let index = index.ok_or("the INDEX of its target is not a number")?;
    Ok((index, decoded(&name[1..])?))
}

/// The bytes that percent-encoded text stands for.
fn decoded(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()];
            let digit = |digit: Option<&u8>| digit.and_then(|one| char::from(*one).to_digit(16));
            let [Some(high), Some(low)] = digits.map(digit) else {
                return Err("behind a % of its target there are not two hexadecimal digits".into());
            };
            bytes.push((high * 16 + low) as u8);
        } else if byte.is_ascii_graphic() && !b"/?#\"<>".contains(&byte) {
            bytes.push(byte);
        } else {
            let what = quote_short(&[byte], 1);
            return Err(format!("{what} stands in the NAME of its target as it is"));
        }
    }
    Ok(bytes)
}

const CONNECTS: &str = "the file is got from the address in the hit, by a connection of its own: those who \
    have passed on the question and the answer have nothing to do with it";
const FREE: &str = "nothing stands in the way of this get: its file is not in DIR, and it is not being got. A get that has \
    failed is over, and its file can be got again";
const NAMED: &str = "the number and the name in the request are those of the hit: the one who has the file \
    looks for both";
const ASKS: &str = "the request is GET /get/INDEX/NAME/ HTTP/1.0 and an empty line, each ended by CR LF; \
    what a target may not have (blanks, bytes above 0x7E, % and more) is written as % and two hexadecimal \
    digits";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart() {
        let request = b"GET /get/4/my%20s%6fng%2e%C3%A9(1)+&/ HTTP/1.0\r\nHost: h\r\n\r\n";
        assert_eq!(request_of(request), Ok((4, "my song.é(1)+&".into())));
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told() {
        let cases: [(&[u8], &str); 8] = [
            (b"GET /get/4/a/ HTTP/1.0\r\n", "no empty line"),
            (b"GET /get/4/a/ HTTP/1.0\n\n", "LF alone"),
            (b"GET /get/4/my song/ HTTP/1.0\r\n\r\n", "first line"),
            (b"GET /get/4/a/ HTTP/1.1\r\n\r\n", "HTTP/1.1"),
            (b"GET /get/4/a HTTP/1.0\r\n\r\n", "/get/INDEX/NAME/"),
            (b"GET /get/x/a/ HTTP/1.0\r\n\r\n", "not a number"),
            (b"GET /get/4/a%2/ HTTP/1.0\r\n\r\n", "two hexadecimal digits"),
            ("GET /get/4/é/ HTTP/1.0\r\n\r\n".as_bytes(), "as it is"),
        ];
        for (request, what) in cases {
            let wrong = request_of(request).unwrap_err();
            assert!(wrong.contains(what), "{wrong}");
        }
    }
}
