//! Parts of a file: which one has come, whether it is all of it, and whether it is of the same file.

use std::io::{Read, Write};
use std::slice::SliceIndex;
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, Stage, bytes, outcome};
use crate::words::quote;

pub(super) const SAME_NAME: Demo = Demo {
    name: "same-name",
    claim: "The same name and the same size is the same file.",
    truth: "A name is what somebody has called it, and a size is a number. What is in the file only its \
        bytes tell, and a hash is a short word for all of them. Who goes on with another source needs \
        one with the same hash, and computes it again over what has come.",
    run: same_name,
};

/// Three files that are called `song.ogg`.
const FILES: [(&str, &[u8]); 3] =
    [("ann", b"la la land"), ("carol", b"hm hm hmmm"), ("dave", b"la la land")];

fn same_name(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell("ann, carol and dave have a song.ogg each");
    let alike: Vec<_> =
        FILES.iter().map(|(name, file)| format!("{name}: {}", file.len())).collect();
    t.also(format!("bytes: {}", alike.join(", ")), "bytes: ann: 10, carol: 10, dave: 10")?;
    let [ann, carol, dave] = FILES.map(|(_, file)| hash(file));
    for (name, own, expected) in [("carol", carol, "another one"), ("dave", dave, "the same")] {
        let seen = if own == ann { "the same" } else { "another one" };
        t.also(
            format!("the hash of {name}'s, beside that of ann's: {seen}"),
            format!("the hash of {name}'s, beside that of ann's: {expected}"),
        )?;
    }
    for ((name, file), expected, verdict) in [
        (FILES[1], r#""la la hmmm""#, "another one: this is nobody's song"),
        (FILES[2], r#""la la land""#, "the same: it is ann's song"),
    ] {
        let mut part = Vec::new();
        take(t, FILES[0].1, ..6, &mut part)?;
        take(t, file, 6.., &mut part)?;
        t.expect(
            format!("bob gets 6 bytes from ann, she leaves, and {name} sends him the rest; he has"),
            quote(&part),
            expected,
        )?;
        let seen = if hash(&part) == ann {
            "the same: it is ann's song"
        } else {
            "another one: this is nobody's song"
        };
        t.also(
            format!("{} bytes, as promised; the hash is {seen}", part.len()),
            format!("10 bytes, as promised; the hash is {verdict}"),
        )?;
    }
    Ok(())
}

/// Sends a part of a file over a connection, and adds what has come.
fn take(
    t: &Stage,
    file: &[u8],
    range: impl SliceIndex<[u8], Output = [u8]>,
    part: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let mut pair = t.pair_unseen()?;
    pair.server.write_all(&file[range])?;
    drop(pair.server);
    pair.client.read_to_end(part)?;
    Ok(())
}

/// A hash that fits on one line (FNV-1a). It tells these files apart, and stops nobody who means
/// harm: SHA-1 has 20 bytes, and took twenty years to be broken.
pub(super) fn hash(file: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    file.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

pub(super) const RANGE_IS_HONOURED: Demo = Demo {
    name: "range-is-honoured",
    claim: "A server that is asked for a part of a file sends that part.",
    truth: "It may ignore Range and send the whole file, with 200; and one with a fault sends another part. \
        Only 206 is a part, and its Content-Range says which one. Append it if it begins where you have \
        stopped. With 200 begin anew. From any other answer take nothing.",
    run: range_is_honoured,
};

const SONG: &str = "la la land";
const REQUEST: &[u8] = b"GET /song.ogg HTTP/1.1\r\nRange: bytes=4-\r\n\r\n";

fn range_is_honoured(t: &mut Stage) -> Result<(), Mismatch> {
    let part = &SONG[..4];
    t.tell(format!(
        "a client has the first 4 bytes of a song of 10: {part:?}; the song is {SONG:?}"
    ));
    for (server, status, range, body, appended, careful) in [
        ("one that knows Range", "206 Partial Content", Some("4-9/10"), &SONG[4..], SONG, SONG),
        ("one that ignores it", "200 OK", None, SONG, "la lla la land", SONG),
        ("one with a fault", "206 Partial Content", Some("0-5/10"), &SONG[..6], "la lla la ", part),
    ] {
        let mut pair = t.pair_unseen()?;
        pair.client.write_all(REQUEST)?;
        pair.server.read_exact(&mut [0; REQUEST.len()])?;
        let field =
            range.map_or(String::new(), |range| format!("Content-Range: bytes {range}\r\n"));
        pair.server.write_all(format!("HTTP/1.1 {status}\r\n{field}\r\n{body}").as_bytes())?;
        drop(pair.server);
        let mut answer = String::new();
        pair.client.read_to_string(&mut answer)?;
        let (head, came) = answer.split_once("\r\n\r\n").unwrap_or_default();
        t.tell(format!("it asks {server} for \"bytes=4-\""));
        let lines: Vec<_> = head.lines().collect();
        let sent = [
            Some(format!("HTTP/1.1 {status}")),
            range.map(|it| format!("Content-Range: bytes {it}")),
        ];
        let sent: Vec<_> = sent.into_iter().flatten().collect();
        t.also(lines.join(", "), sent.join(", "))?;
        let anyhow = format!("{part}{came}");
        t.also(
            format!("a client that appends what comes has {anyhow:?}"),
            format!("a client that appends what comes has {appended:?}"),
        )?;
        let has = match (&lines[0][9..12], head.contains("Content-Range: bytes 4-")) {
            ("206", true) => anyhow,
            ("200", _) => came.to_owned(),
            _ => part.to_owned(),
        };
        t.also(
            format!("one that looks at the head first has {has:?}"),
            format!("one that looks at the head first has {careful:?}"),
        )?;
    }
    Ok(())
}

pub(super) const END_IS_COMPLETE: Demo = Demo {
    name: "end-is-complete",
    claim: "When the stream ends, the file is complete.",
    truth: "The end says that no more comes, and not why. A source that breaks off in the middle ends its \
        stream like one that has sent everything. And one that has sent everything need not end. How much \
        there has to be is known from elsewhere: count.",
    run: end_is_complete,
};

fn end_is_complete(t: &mut Stage) -> Result<(), Mismatch> {
    let mut buffer = [0; 64];
    for (done, sent, verdict) in [
        ("a source sends the whole song and ends", SONG, "all of it"),
        ("a source sends 4 bytes and breaks off", &SONG[..4], "6 bytes are missing"),
    ] {
        let mut pair = t.pair_unseen()?;
        pair.server.write_all(sent.as_bytes())?;
        drop(pair.server);
        let first = pair.client.read(&mut buffer);
        t.expect(
            format!("{done}; the client, which wants 10 bytes, reads"),
            bytes(&first, &buffer),
            format!("Ok({}) {sent:?}", sent.len()),
        )?;
        let end = pair.client.read(&mut buffer);
        t.also(format!("and then {}", outcome(&end)), "and then Ok(0)")?;
        t.also(
            format!("a client that counts: {}", counted(first?)),
            format!("a client that counts: {verdict}"),
        )?;
    }
    let mut pair = t.pair_unseen()?;
    pair.server.write_all(SONG.as_bytes())?;
    let first = pair.client.read(&mut buffer);
    t.expect(
        "a source sends the whole song, and keeps the connection; the client reads",
        bytes(&first, &buffer),
        format!("Ok(10) {SONG:?}"),
    )?;
    pair.client.set_read_timeout(Some(Duration::from_millis(100)))?;
    let end = pair.client.read(&mut buffer);
    t.also(
        format!("and then, with a time-out of 100 ms, {}", outcome(&end)),
        "and then, with a time-out of 100 ms, Err(WouldBlock)",
    )?;
    t.also(format!("a client that counts: {}", counted(first?)), "a client that counts: all of it")
}

/// What so many bytes are of a song.
fn counted(bytes: usize) -> String {
    match SONG.len() - bytes {
        0 => "all of it".into(),
        missing => format!("{missing} bytes are missing"),
    }
}
