//! A tracker, played by the harness: it is told who is there, and answers as the check likes.

use std::net::{SocketAddr, SocketAddrV4};

use super::bencode::{Value, dictionary, integer, list, string};
use super::program::Swarm;
use crate::net::{Cut, LineEnd, Lines, Listener, Terms};
use crate::trial::{Trial, Verdict};
use crate::words::{count, quote_short};

/// A tracker.
#[derive(Debug)]
pub(super) struct Tracker {
    listener: Listener,
}

/// What the program has told the tracker, which has not answered yet.
#[derive(Debug)]
pub(super) struct Announce {
    lines: Lines,
    /// The lines of the request's head.
    pub(super) head: Vec<String>,
    /// The path of its target.
    pub(super) path: String,
    /// The parameters behind it, decoded, in their order.
    pub(super) query: Vec<(String, Vec<u8>)>,
    /// The same as they came.
    pub(super) raw_query: String,
}

/// The longest request that is waited for, in bytes.
const LONGEST: usize = 8192;
/// Characters of a request that a sentence shows.
const SHOWN: usize = 400;

impl Tracker {
    /// Listens where the harness is, and tells nobody of it but through [`Self::url`].
    pub(super) fn new(t: &Trial) -> Verdict<Self> {
        let address = t.addresses().free_address();
        let listener = t.listen_as("the tracker", &[address], &Terms::ANSWERS)?;
        t.note(format!("the tracker listens on {address}"));
        Ok(Self { listener })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What stands in a torrent.
    pub(super) fn url(&self) -> String {
        self.url_with("/announce")
    }

    /// The same with another path, and perhaps a query.
    pub(super) fn url_with(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Expects that the program announces itself, with a whole request.
    pub(super) fn hear(&self, swarm: &Swarm) -> Verdict<Announce> {
        let connection = self.listener.accept(swarm.running(), ANNOUNCES)?;
        let mut lines = Lines::new(connection, LineEnd::CrLf);
        let whole = |unread: &[u8]| unread.ends_with(b"\r\n\r\n") || unread.len() >= LONGEST;
        let result = lines.hear_until(whole)?;
        let request = lines.take(LONGEST);
        let wrong = match read_request(&request) {
            Ok((head, path, raw_query, query)) => {
                let target = head.first().map_or("", |line| line);
                swarm
                    .trial()
                    .note(format!("the tracker was asked {}", quote_short(target.as_bytes(), 300)));
                return Ok(Announce { lines, head, path, query, raw_query });
            }
            Err(wrong) => wrong,
        };
        let program = lines.program();
        let then = match (lines.ended(), result) {
            (Some(end), _) => format!(", then {}", end.describe()),
            (None, Err(stall)) => format!(", then {}", stall.sentence(&program)),
            (None, Ok(())) => String::new(),
        };
        let seen = match &request[..] {
            [] => "no byte".to_owned(),
            request => quote_short(request, SHOWN),
        };
        Err(swarm
            .trial()
            .fail(format!("the {program} does not ask the tracker as HTTP has it"))
            .expected("GET PATH?QUERY HTTP/1.1, fields, and an empty line, each ended by CR LF")
            .seen(format!("{seen}{then}"))
            .seen(wrong)
            .cause(ANNOUNCES)
            .stop())
    }

    /// Whether there is a further announcement, once the program is at rest.
    pub(super) fn is_asked(&self, swarm: &Swarm) -> Verdict<bool> {
        Ok(self.listener.take_another(swarm.running())?.is_some())
    }

    /// Expects an announcement, and answers with these peers, to come again after `interval` seconds.
    pub(super) fn tell(
        &self,
        swarm: &Swarm,
        interval: i64,
        peers: &[SocketAddr],
    ) -> Verdict<Vec<(String, Vec<u8>)>> {
        let announce = self.hear(swarm)?;
        let query = announce.query.clone();
        announce.answer(&compact(interval, peers))?;
        Ok(query)
    }
}

impl Announce {
    /// The value of this parameter, where it stands in the query once.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        value_of(&self.query, key)
    }

    /// The event that it tells of.
    pub(super) fn event(&self) -> String {
        self.get("event")
            .map_or_else(String::new, |event| String::from_utf8_lossy(event).into_owned())
    }

    /// The value of this field of the head, compared without case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.head.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Answers 200 with this body, and closes.
    pub(super) fn answer(self, body: &[u8]) -> Verdict {
        self.answer_cut(body, Cut::Whole)
    }

    /// The same, in pieces that are a read each.
    pub(super) fn answer_cut(self, body: &[u8], cut: Cut) -> Verdict {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        self.answer_raw(&[head.as_bytes(), body].concat(), cut, "answered")
    }

    /// Answers with these bytes, whatever they are, and closes; the story says what the tracker did.
    pub(super) fn answer_raw(mut self, bytes: &[u8], cut: Cut, did: &str) -> Verdict {
        let t = self.lines.connection().trial();
        t.note(format!("the tracker {did}{}: {}", cut.describe(), count(bytes.len())));
        for piece in cut.pieces(bytes) {
            let taken = match cut {
                Cut::Whole => self.lines.put(piece)?,
                _ => self.lines.send_alone(piece)?,
            };
            if !taken {
                break;
            }
        }
        self.lines.end()
    }

    /// Its connection, on which nothing was answered.
    pub(super) fn into_lines(self) -> Lines {
        self.lines
    }
}

/// The value of this parameter, where it stands in a query once.
pub(super) fn value_of<'a>(query: &'a [(String, Vec<u8>)], key: &str) -> Option<&'a [u8]> {
    let mut values = query.iter().filter(|(name, _)| name == key).map(|(_, value)| &value[..]);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// An answer in the compact form: six bytes a peer.
pub(super) fn compact(interval: i64, peers: &[SocketAddr]) -> Value {
    dictionary([("interval", integer(interval)), ("peers", string(compact_peers(peers)))])
}

/// The value of its key `peers`, as bytes.
pub(super) fn compact_peers(peers: &[SocketAddr]) -> Vec<u8> {
    peers.iter().filter_map(v4).flat_map(six_bytes).collect()
}

/// The same as a list of dictionaries, with a peer id each.
pub(super) fn dictionaries(interval: i64, peers: &[SocketAddr]) -> Value {
    let entry = |address: &SocketAddr| {
        dictionary([
            ("ip", string(address.ip().to_string())),
            ("peer id", string([b'x'; 20])),
            ("port", integer(address.port().into())),
        ])
    };
    let peers = list(peers.iter().map(entry));
    dictionary([("interval", integer(interval)), ("peers", peers)])
}

fn v4(address: &SocketAddr) -> Option<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Some(*address),
        SocketAddr::V6(_) => None,
    }
}

/// The address, and the port with its high byte first.
fn six_bytes(address: SocketAddrV4) -> [u8; 6] {
    let ([a, b, c, d], [high, low]) = (address.ip().octets(), address.port().to_be_bytes());
    [a, b, c, d, high, low]
}

/// A request taken apart: the lines of its head, its path, its query as it came, and the query's
/// parameters decoded.
type Parts = (Vec<String>, String, String, Vec<(String, Vec<u8>)>);

fn read_request(request: &[u8]) -> Result<Parts, String> {
    if !request.ends_with(b"\r\n\r\n") {
        let bare = request.ends_with(b"\n\n");
        let what = ["there is no empty line behind it", "its lines end with LF alone, without CR"];
        return Err(what[usize::from(bare)].to_owned());
    }
    let text = String::from_utf8_lossy(request);
    let head: Vec<String> = text.trim_end().split("\r\n").map(str::to_owned).collect();
    let words: Vec<&str> = head[0].split(' ').collect();
    let ["GET", target, version] = words[..] else {
        return Err(
            "its first line is not GET, a target and a version, with a blank between each".into()
        );
    };
    if version != "HTTP/1.1" && version != "HTTP/1.0" {
        return Err(format!("its version is {version}"));
    }
    let (path, raw_query) = target.split_once('?').ok_or("there is no ? in its target")?;
    let mut query = Vec::new();
    for parameter in raw_query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = decoded(value.as_bytes()).map_err(|wrong| format!("in {key}: {wrong}"))?;
        query.push((key.to_owned(), value));
    }
    Ok((head.clone(), path.to_owned(), raw_query.to_owned(), query))
}

/// The bytes that percent-encoded text stands for.
fn decoded(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()];
                let digit =
                    |digit: Option<&u8>| digit.and_then(|one| char::from(*one).to_digit(16));
                let [Some(high), Some(low)] = digits.map(digit) else {
                    return Err("behind a % there are not two hexadecimal digits".into());
                };
                bytes.push((high * 16 + low) as u8);
            }
            // RFC 3986, section 3.4, and + stands for a blank where forms are read.
            b'+' => return Err("a + stands there as it is, which many take for a blank".into()),
            byte if byte.is_ascii_graphic() && !b"#\"<>[]^`{|}\\?".contains(&byte) => {
                bytes.push(byte);
            }
            byte => {
                let what = quote_short(&[byte], 1);
                return Err(format!("the byte {what} stands there as it is"));
            }
        }
    }
    Ok(bytes)
}

const ANNOUNCES: &str = "the program tells the tracker that it is there with a GET of the torrent's announce URL: \
    the parameters behind a ?, joined by &, and their raw bytes percent-encoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart() {
        let request =
            b"GET /announce?key=1&info_hash=%00a%FF&port=6881 HTTP/1.1\r\nHost: t:1\r\n\r\n";
        let (head, path, raw, query) = read_request(request).unwrap();
        assert_eq!(head[1..], ["Host: t:1"]);
        assert_eq!((&path[..], &raw[..]), ("/announce", "key=1&info_hash=%00a%FF&port=6881"));
        assert_eq!(value_of(&query, "info_hash"), Some(&b"\0a\xff"[..]));
        assert_eq!(value_of(&query, "port"), Some(&b"6881"[..]));
        assert_eq!(value_of(&query, "event"), None);
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told() {
        let cases: [(&[u8], &str); 6] = [
            (b"GET /announce?a=b HTTP/1.1\r\n", "no empty line"),
            (b"GET /announce?a=b HTTP/1.1\n\n", "LF alone"),
            (b"GET /announce HTTP/1.1\r\n\r\n", "no ?"),
            (b"GET /announce?a=b c HTTP/1.1\r\n\r\n", "first line"),
            (b"GET /announce?info_hash=a+b HTTP/1.1\r\n\r\n", "a + stands"),
            (b"GET /announce?info_hash=\xe9 HTTP/1.1\r\n\r\n", "as it is"),
        ];
        for (request, what) in cases {
            let wrong = read_request(request).unwrap_err();
            assert!(wrong.contains(what), "{wrong}");
        }
    }

    #[test]
    fn a_compact_peer_has_six_bytes_and_its_port_the_high_one_first() {
        let peers = ["127.0.0.1:6881".parse().unwrap(), "[::1]:1".parse().unwrap()];
        let wanted = b"d8:intervali60e5:peers6:\x7f\0\0\x01\x1a\xe1e";
        assert_eq!(compact(60, &peers), wanted);
        let wanted = b"d8:intervali1e5:peersld2:ip9:127.0.0.17:peer id20:xxxxxxxxxxxxxxxxxxxx\
            4:porti6881eeee";
        assert_eq!(dictionaries(1, &peers[..1]), wanted);
    }
}
