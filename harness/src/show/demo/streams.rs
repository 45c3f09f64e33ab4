//! What becomes of bytes between a write and a read.

use std::io::{Read, Write};
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, Stage, about, bytes, outcome, success};

pub(super) const ONE_WRITE_ONE_READ: Demo = Demo {
    name: "one-write-one-read",
    claim: "One write at this end is one read at the other.",
    truth: "TCP carries a stream of bytes and knows no messages. Three writes can be one read, and \
        one write can be three. Where a message ends, the protocol has to say: by a line end, or by \
        a length.",
    run: one_write_one_read,
};

fn one_write_one_read(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    let mut buffer = [0; 64];
    for word in ["one", "two", "three"] {
        let written = pair.client.write(word.as_bytes());
        t.expect(
            format!("the client writes {word:?}"),
            outcome(&written),
            format!("Ok({})", word.len()),
        )?;
    }
    t.kernel(here, there, "ESTABLISHED, 11 unread")?;
    let read = pair.server.read(&mut buffer);
    t.expect("the server reads once", bytes(&read, &buffer), r#"Ok(11) "onetwothree""#)?;
    let written = pair.client.write(b"onetwothree");
    t.expect("the client writes \"onetwothree\" in one call", outcome(&written), "Ok(11)")?;
    t.kernel(here, there, "ESTABLISHED, 11 unread")?;
    for expected in [r#"Ok(4) "onet""#, r#"Ok(4) "woth""#, r#"Ok(3) "ree""#] {
        let read = pair.server.read(&mut buffer[..4]);
        t.expect("the server reads, with room for 4 bytes", bytes(&read, &buffer), expected)?;
    }
    Ok(())
}

pub(super) const TIME_OUT_IS_NOTHING: Demo = Demo {
    name: "time-out-is-nothing",
    claim: "After a time-out nothing has happened: just send the request again.",
    truth: "A time-out says that the answer has not come. The request may have been carried out, \
        and the answer may be on its way. Sent again, it is carried out twice, unless the protocol \
        lets the server recognise it.",
    run: time_out_is_nothing,
};

fn time_out_is_nothing(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let mut buffer = [0; 64];
    let mut account = 0;
    pair.client.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut pays = |account: &mut u32| -> std::io::Result<String> {
        let read = pair.server.read(&mut buffer);
        *account += 10;
        Ok(bytes(&read, &buffer))
    };
    pair.client.write_all(b"pay 10\n")?;
    let read = pair.client.read(&mut [0; 64]);
    t.expect(
        "the client writes \"pay 10\\n\" and reads, with a time-out of 100 ms",
        outcome(&read),
        "Err(WouldBlock)",
    )?;
    t.expect(
        "meanwhile the slow server reads, and pays",
        pays(&mut account)?,
        r#"Ok(7) "pay 10\n""#,
    )?;
    pair.client.write_all(b"pay 10\n")?;
    t.expect(
        "the client sends it again; the server reads, and pays",
        pays(&mut account)?,
        r#"Ok(7) "pay 10\n""#,
    )?;
    t.expect("what was paid", account.to_string(), "20")
}

pub(super) const WRITE_TAKES_ALL: Demo = Demo {
    name: "write-takes-all",
    claim: "write takes everything that it is given.",
    truth: "It returns how many bytes it has taken: as many as there was room for, with a time-out, \
        with a non-blocking socket or after a signal. write_all goes on with the rest.",
    run: write_takes_all,
};

/// More than the queues of both sides can hold.
const MUCH: usize = 64 * 1024 * 1024;

fn write_takes_all(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    pair.client.set_write_timeout(Some(Duration::from_millis(100)))?;
    let payload = vec![b'x'; MUCH];
    let written = pair.client.write(&payload);
    t.tell("the client writes 64 MiB, with a time-out of 100 ms; the server reads nothing");
    let taken = *written.as_ref().unwrap_or(&0);
    let seen = match &written {
        Ok(taken) => format!("Ok({})", about(taken)),
        error => outcome(error),
    };
    t.show_if(seen, 0 < taken && taken < MUCH, "Ok of a part")?;
    let mut sent = taken;
    let last = loop {
        match pair.client.write(&payload[sent..]) {
            Ok(more) => sent += more,
            Err(error) => break Err::<usize, _>(error),
        }
    };
    t.expect(
        "it goes on with the rest, until no more is taken",
        outcome(&last),
        "Err(WouldBlock)",
    )?;
    let mut got = vec![0; taken];
    let read = pair.server.read_exact(&mut got);
    t.expect("the server reads exactly as many bytes as were taken", success(&read), "Ok")
}
