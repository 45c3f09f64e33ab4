//! Step 2 of lab 6, `parse_query`: bytes of which each may be a lie.

use super::Names;
use super::inquirer::{Inquirer, Wanted};
use super::message::{A, FORMERR, NOTIMP, QR, Query, RD, header};
use crate::trial::{Trial, Verdict};

checks! { $ names_parse_query, "names" step 2:
    copies_the_id, 2 points: "gives each answer the number of its question";
    "The id is copied into the answer, in network byte order (RFC 1035 section 4.1.1)."

    ignores_answers, 2 points: "never answers an answer";
    "QR = 1 gets nothing: an answer is never answered."

    ignores_short_datagrams, 1 point: "says nothing to what is shorter than a header";
    "Fewer than 12 bytes get nothing: there is no id to answer with."

    formerr_without_question, 1 point: "says FORMERR unless there is exactly one question";
    "QDCOUNT other than 1: FORMERR (1)."

    formerr_cut_question, 2 points: "says FORMERR to a question that is cut off anywhere";
    "A name that does not end within the message, or no type or class behind it: FORMERR (1)."

    formerr_bad_label, 2 points: "takes a length over 63 for no label, and for no pointer";
    "A label over 63, pointers too: there is nothing to point to: FORMERR (1) (RFC 1035 sections 2.3.4 and 4.1.4)."

    longest_names_pass, 2 points: "takes a label of 63 bytes and a name of 255, and no longer one";
    "A name over 255: FORMERR (1); a label has at most 63 bytes (RFC 1035 section 2.3.4)."

    notimp, 1 point: "says NOTIMP to what is no query";
    "An opcode other than 0: NOTIMP (4), the opcode copied."
}

fn copies_the_id(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for id in [0x0001, 0x0100, 0x00FF, 0xFF00, 0x0000, 0xFFFF, 0x1234] {
        let query = Query::new("www.example.test", A).with_id(id);
        inquirer.ask(&query)?;
        inquirer.expect_some_answer(
            &query,
            "both bytes come back as they were: to_be_bytes of what from_be_bytes has read",
        )?;
    }
    t.expect_written()
}

fn ignores_answers(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "two servers that answer answers send each other datagrams for ever: look at QR \
        (the highest bit of byte 2) before anything else";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    let query = Query::new("www.example.test", A);
    // Whole, broken and empty: none of them is a question, so none of them is a wrong one.
    inquirer.ask(&query.clone().with_flags(QR | RD))?;
    inquirer.expect_nothing(CAUSE)?;
    inquirer.send(&header(2, QR | 0x2800, [0, 0, 0, 0]))?;
    inquirer.expect_nothing(CAUSE)?;
    inquirer.send(&query.with_flags(QR).bytes()[..20])?;
    inquirer.expect_nothing(CAUSE)?;
    names.expect_service()?;
    t.expect_written()
}

fn ignores_short_datagrams(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for length in [1, 2, 3, 11] {
        inquirer.send(&Query::new("www.example.test", A).bytes()[..length])?;
        inquirer.expect_nothing("what has no whole header is no question: pass it over")?;
    }
    names.expect_service()?;
    t.expect_written()
}

/// A query of which only the header is known, with these bytes behind it.
pub(super) fn raw(counts: [u16; 4], behind: &[u8]) -> Query {
    let mut query = Query::new("", A);
    (query.counts, query.raw) = (counts, Some(behind.to_vec()));
    query
}

fn formerr_without_question(t: &mut Trial) -> Verdict {
    let question = Query::new("www.example.test", A).question();
    let twice = [&question[..], &question].concat();
    let queries = [
        raw([0, 0, 0, 0], b""),
        raw([0, 0, 0, 0], &question),
        raw([2, 0, 0, 0], &twice),
        raw([2, 0, 0, 0], &question),
        raw([256, 0, 0, 0], &question),
        raw([257, 0, 0, 0], &question),
        raw([65_535, 0, 0, 0], &question),
    ];
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for query in &queries {
        inquirer.expect_answer(
            query,
            &Wanted::refusal(FORMERR),
            "QDCOUNT (bytes 4 and 5) says how many questions there are, and an answer has one",
        )?;
    }
    names.expect_service()?;
    t.expect_written()
}

fn formerr_cut_question(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    let question = Query::new("www.example.test", A).question();
    for length in 0..question.len() {
        inquirer.expect_answer(
            &raw([1, 0, 0, 0], &question[..length]),
            &Wanted::refusal(FORMERR),
            "each length is the sender's word: ask with get, or compare with what is there, before \
             you take so many bytes",
        )?;
    }
    names.expect_service()?;
    t.expect_written()
}

fn formerr_bad_label(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "a length has two bits that say what it is: 00 a label of up to 63 bytes, 11 a \
        pointer to an earlier name, and there is none before the first one. A pointer that is \
        followed all the same may lead to itself, for ever";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    let kind_and_class = [0, 1, 0, 1];
    let label = |length: u8| {
        [&[length][..], &[b'a'; 255][..usize::from(length)], b"\0", &kind_and_class].concat()
    };
    let pointer = |bytes: &[u8]| [bytes, &kind_and_class].concat();
    for question in [
        label(64),
        label(0x7F),
        label(0x80),
        label(0xBF),
        // To itself, to one byte before and one behind it, into the header, and beyond the end.
        pointer(b"\xC0\x0C"),
        pointer(b"\xC0\x0D"),
        pointer(b"\xC0\x0B"),
        pointer(b"\x03www\xC0\x0C"),
        pointer(b"\x03www\xC0\x00"),
        pointer(b"\xFF\xFF"),
        pointer(b"\x03www\xC0"),
    ] {
        inquirer.expect_answer(&raw([1, 0, 0, 0], &question), &Wanted::refusal(FORMERR), CAUSE)?;
    }
    names.expect_service()?;
    names.service().expect_idle()?;
    t.expect_written()
}

fn longest_names_pass(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for length in [63, 62] {
        let query = Query::new(&format!("{}.example.test", "a".repeat(length)), A);
        not_a_format_error(&inquirer, &query, "a label has up to 63 bytes, 63 included")?;
    }
    // Three labels of 64 bytes with their lengths, one of 62, and the zero: 255 bytes.
    let longest = |last: usize| {
        let label = "a".repeat(63);
        Query::new(&format!("{label}.{label}.{label}.{}", "b".repeat(last)), A)
    };
    let cause = "a name has up to 255 bytes: its lengths, its labels and the zero at its end";
    not_a_format_error(&inquirer, &longest(61), cause)?;
    not_a_format_error(&inquirer, &longest(60), cause)?;
    for last in [62, 63] {
        inquirer.expect_answer(&longest(last), &Wanted::refusal(FORMERR), cause)?;
    }
    let many = Query::new(&"a.".repeat(127), A);
    not_a_format_error(&inquirer, &many, cause)?;
    let too_many = Query::new(&"a.".repeat(128), A);
    inquirer.expect_answer(&too_many, &Wanted::refusal(FORMERR), cause)?;
    t.expect_written()
}

/// What it says of the name is a later step's matter.
fn not_a_format_error(inquirer: &Inquirer, query: &Query, cause: &str) -> Verdict {
    let length = query.name.len();
    inquirer.ask(query)?;
    let expected = format!("an answer other than FORMERR: its name has {length} bytes");
    inquirer.expect_header(query, &expected, cause, |flags| match flags & 0x000F {
        FORMERR => Err("byte 3: RCODE is FORMERR, and the question is right".into()),
        _ => Ok(()),
    })
}

fn notimp(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for opcode in [1, 2, 4, 5, 15] {
        let flags = RD | (opcode << 11);
        inquirer.expect_answer(
            &Query::new("www.example.test", A).with_flags(flags),
            &Wanted::refusal(NOTIMP),
            "the four bits behind QR say what is wanted (OPCODE): 0 is a query; for anything else the \
             client is told that it is not done here",
        )?;
    }
    names.expect_service()?;
    t.expect_written()
}
