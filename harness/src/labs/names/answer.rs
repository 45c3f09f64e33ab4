//! Step 3 of lab 6, `answer`: the header, the codes and the question of an answer.

use super::inquirer::Wanted;
use super::message::{A, AA, AAAA, CH, IN, MX, NOERROR, NXDOMAIN, Query, RD, Record, TXT};
use super::{Names, ZONE};
use crate::trial::{Trial, Verdict};

checks! { $ names_answer, "names" step 3:
    finds_a_record, 2 points: "answers with the record that was asked for";
    "A name and a type that the zone has: NOERROR, AA = 1, and the record (RFC 1035 section 4.1)."

    copies_rd, 2 points: "copies RD, sets QR and AA, and no other flag";
    "RD is copied, QR = 1, AA = 1 for the zone's names, all other flags 0 (RFC 1035 section 4.1.1)."

    copies_the_question, 2 points: "gives the question back byte for byte, and finds it in any case";
    "The question is copied byte for byte, upper and lower case as asked; names compare without case (RFC 1035 section 2.3.3)."

    nxdomain, 2 points: "says NXDOMAIN of a name that is not there";
    "Name unknown: NXDOMAIN (3), AA = 1."

    no_such_type, 2 points: "says NOERROR of a name that has no such record";
    "Name known, but not that type: NOERROR, no record (RFC 2308 section 2.2)."

    name_in_between, 1 point: "knows a name that has only names below it";
    "A name below which there are names exists: NOERROR, no record (RFC 8020 section 2)."

    refuses_other_zones, 2 points: "refuses names of other zones";
    "A name that is neither the zone's apex nor below it: REFUSED (5), AA = 0, the question copied."

    refuses_other_classes, 1 point: "refuses classes other than IN";
    "A class other than IN: REFUSED (5), AA = 0, the question copied."

    compares_label_by_label, 1 point: "takes a dot within a label for no end of it";
    "Names compare label by label: a byte 0x2E inside a label separates nothing."

    ignores_opt, 2 points: "answers a question with an OPT record behind it";
    "What stands behind the question of a query (an OPT record, RFC 6891) is ignored, and no OPT is sent."

    takes_long_datagrams, 1 point: "takes a question of more than 500 bytes whole";
    "A datagram that is longer than its buffer is cut: the buffer is as long as the longest question."
}

/// The address of `www.example.test` in the zone of the checks.
fn www() -> Record {
    Record::new("www.example.test", A, vec![127, 0, 0, 5])
}

fn finds_a_record(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    inquirer.expect_answer(
        &Query::new("www.example.test", A),
        &Wanted::records(vec![www()]).with_exact_flags(),
        "the header, the question as it came, then the record: name, type, class, TTL, length, data",
    )?;
    inquirer.expect_nothing("one answer for each question")
}

fn copies_rd(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "of the flags of a query only the opcode and RD are copied; the others are the \
        server's own words";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    // AD and CD are bits that real clients set (dig sets AD); Z nobody may set.
    for flags in [RD, 0, RD | 0x0020, 0x0010, RD | 0x0070, 0x0680] {
        inquirer.expect_answer(
            &Query::new("www.example.test", A).with_flags(flags),
            &Wanted::records(vec![www()]).with_exact_flags(),
            CAUSE,
        )?;
    }
    Ok(())
}

fn copies_the_question(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "some clients write letters in upper and lower case by chance, and drop an answer \
        whose question is not exactly theirs; so the question is copied, and only the search \
        passes over the case";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for name in ["wWw.eXample.TEST", "WWW.EXAMPLE.TEST"] {
        let query = Query::new(name, A);
        inquirer.expect_answer(&query, &Wanted::records(vec![www()]), CAUSE)?;
    }
    inquirer.expect_answer(&Query::new("NoPe.Example.test", MX), &Wanted::nothing(), CAUSE)
}

fn nxdomain(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for name in ["nope.example.test", "www.www.example.test", "ww.example.test"] {
        inquirer.expect_answer(
            &Query::new(name, A),
            &Wanted::no_record(NXDOMAIN).with_exact_flags(),
            "NXDOMAIN says that the name does not exist, with any type; it is the zone's word: AA",
        )?;
    }
    Ok(())
}

fn no_such_type(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for kind in [AAAA, MX, TXT, 65, 257, 0, 65_535] {
        inquirer.expect_answer(
            &Query::new("www.example.test", kind),
            &Wanted::no_record(NOERROR).with_exact_flags(),
            "the name is there, so it is not NXDOMAIN: a client that is told that asks for no other \
             type either",
        )?;
    }
    // The apex has no address, and is there.
    let apex = Query::new("example.test", A);
    inquirer.expect_answer(&apex, &Wanted::no_record(NOERROR), "the apex is a name of the zone")
}

fn name_in_between(t: &mut Trial) -> Verdict {
    let zone = format!("{ZONE}host.deep.empty.example.test 300 A 127.0.0.7\n");
    let names = Names::over(t, &zone)?;
    let inquirer = names.inquirer()?;
    for name in ["empty.example.test", "DEEP.empty.example.test"] {
        inquirer.expect_answer(
            &Query::new(name, A),
            &Wanted::no_record(NOERROR),
            "a name exists where a name below it does: NXDOMAIN would say that there is nothing below \
             it either",
        )?;
    }
    let beside = Query::new("pty.example.test", A);
    inquirer.expect_answer(&beside, &Wanted::no_record(NXDOMAIN), "whole labels count")?;
    let below = Query::new("x.host.deep.empty.example.test", A);
    inquirer.expect_answer(&below, &Wanted::no_record(NXDOMAIN), "below it there is nothing")
}

fn refuses_other_zones(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "of other zones this server knows nothing, not even that a name is not there: \
        REFUSED. A name is in the zone where its last labels are the apex, whole labels, not \
        the last letters";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for name in ["other.test", "www.other.test", "xexample.test", "test", "", "example.test.x"] {
        let refused = Wanted::refused().with_exact_flags();
        inquirer.expect_answer(&Query::new(name, A), &refused, CAUSE)?;
    }
    let claims = Query::new("www.other.test", A).with_flags(RD | AA);
    let cause =
        "of the flags of a query only RD is copied: AA (authoritative) is the server's own word";
    inquirer.expect_answer(&claims, &Wanted::refused().with_exact_flags(), cause)?;
    inquirer.expect_answer(&Query::new("www.example.test", A), &Wanted::records(vec![www()]), CAUSE)
}

fn refuses_other_classes(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for (name, kind, class) in [
        ("version.bind", TXT, CH),
        ("www.example.test", A, CH),
        ("www.example.test", A, 0x0100),
        ("www.example.test", A, 0x00FF),
    ] {
        inquirer.expect_answer(
            &Query { class, ..Query::new(name, kind) },
            &Wanted::refused(),
            "the zone has records of class IN (1); other classes have zones of their own",
        )?;
    }
    let query = Query { class: IN, ..Query::new("www.example.test", A) };
    inquirer.expect_answer(&query, &Wanted::records(vec![www()]), "IN is 1")
}

fn compares_label_by_label(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    // One label, `www.example`, below `test`: as text it looks like a name of the zone.
    let one_label = |bytes: &[u8]| Query { name: bytes.to_vec(), ..Query::new("", A) };
    let cause = "a dot is a byte like any other inside a label: names are lists of labels, and texts with \
        dots only for people";
    inquirer.expect_answer(&one_label(b"\x0bwww.example\x04test\0"), &Wanted::refused(), cause)?;
    inquirer.expect_answer(
        &one_label(b"\x05w.www\x07example\x04test\0"),
        &Wanted::nothing(),
        cause,
    )?;
    inquirer.expect_answer(
        &one_label(b"\x04www\0\x07example\x04test\0"),
        &Wanted::nothing(),
        "a zero byte within a label is a byte like any other, too",
    )?;
    inquirer.expect_answer(
        &one_label(b"\x02\xFF\xFE\x07example\x04test\0"),
        &Wanted::nothing(),
        "a label is made of bytes: it need not be text (RFC 2181 section 11)",
    )
}

/// What dig 9.18 sends behind its question: an OPT record with a cookie.
const OPT: &[u8] =
    b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x08\xd4\x1c\x2e\x8b\x5f\x3a\x90\x17";

fn ignores_opt(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "what stands behind the question is not looked at: ANCOUNT, NSCOUNT and ARCOUNT of \
        the answer are the answer's own";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    let asked = |counts: [u16; 4], behind: &[u8]| Query {
        counts,
        behind: behind.to_vec(),
        ..Query::new("www.example.test", A).with_flags(RD | 0x0020)
    };
    for query in [
        asked([1, 0, 0, 1], OPT),
        // Nothing is looked at, so nothing of it can be wrong.
        asked([1, 0, 0, 1], b"\xff"),
        asked([1, 65_535, 65_535, 65_535], b""),
        asked([1, 0, 0, 0], b"more"),
    ] {
        inquirer.expect_answer(&query, &Wanted::records(vec![www()]), CAUSE)?;
    }
    Ok(())
}

fn takes_long_datagrams(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    let label = "a".repeat(63);
    let name = format!("{label}.{label}.{label}.{}.example.test", "b".repeat(48));
    let query = Query { counts: [1, 0, 0, 1], behind: OPT.to_vec(), ..Query::new(&name, A) };
    let padded = Query { behind: vec![0; 300], ..query.clone() };
    let cause = "recv_from gives as much of a datagram as the buffer holds, and the rest is lost, without \
        a word";
    for query in [query, padded] {
        inquirer.expect_answer(&query, &Wanted::nothing(), cause)?;
    }
    Ok(())
}
