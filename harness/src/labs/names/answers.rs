//! Step 4 of lab 6, `ask`: what the client makes of the answers that it takes.

use super::ask::{ASKS, WWW, asked, asked_for_www, www};
use super::client::in_time;
use super::message::{
    A, AAAA, FORMERR, MX, NOTIMP, NS, NXDOMAIN, Query, REFUSED, Record, SERVFAIL, TXT,
    name_on_the_wire,
};
use super::reply::Reply;
use crate::trial::{Trial, Verdict};

checks! { $ names_answers, "names" step 4:
    prints_the_records, 2 points: "prints the records of the answer, a line each";
    "stdout: one line for each record of the answer section, in order; status 0."

    prints_odd_records, 1 point: "prints records of types that it does not know, and escapes odd bytes";
    "Others `TYPE65 \\# 4 0a0b0c0d`; labels escape `.` and `\\`, TXT `\"` and `\\`, other bytes by `\\DDD`; the root is `.`."

    reports_codes, 2 points: "says which code it was answered with";
    "Else status 1 and one line on stderr: SERVER answered NXDOMAIN for NAME; a code other than 0 first."

    reports_no_record, 1 point: "says that there is no such record";
    "Status 0 with code 0 and at least one record; else SERVER has no MX record for NAME."

    takes_any_case, 1 point: "takes the question back in upper or lower case";
    "The question of an answer is compared without case; that of an error may be missing."

    survives_bad_answers, 2 points: "says of a broken answer that it is one";
    "A pointer loop, a cut record: bad answer, status 1, and nothing on stdout (RFC 9267)."

    takes_4096_bytes, 1 point: "takes an answer of 4,096 bytes";
    "Datagrams of up to 4,096 bytes are taken."
}

fn prints_the_records(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "the records stand behind the question, as many as ANCOUNT says; names in them may \
        end in a pointer to an earlier one (record::print is given)";
        let (answerer, client, question) = asked_for_www(t)?;
        let answer = Reply::to(&question.bytes).with(&www());
        answerer.answer(&client.running, &question, &answer.bytes())?;
        client.expect_lines(&[WWW], CAUSE)?;

        t.new_scene()?;
        let (answerer, client) = asked(t, &["web.example.test"])?;
        let question = answerer.take(&client.running, ASKS)?;
        // The name of the question begins at byte 12, `example.test` at 16, `www` and a pointer at 46.
        let answer = Reply::to(&question.bytes)
            .with_bytes(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03www\xc0\x10")
            .with_bytes(b"\xc0\x2e\0\x01\0\x01\0\0\x01\x2c\0\x04\x7f\0\0\x05")
            .with_bytes(b"\xc0\x2e\0\x01\0\x01\0\0\x01\x2c\0\x04\x7f\0\0\x06");
        // What stands behind the answer section is none of its records, and is not looked at.
        let answer = Reply { behind: vec![0xFF], ..answer };
        answerer.answer(&client.running, &question, &answer.bytes())?;
        let lines =
            ["web.example.test 60 CNAME www.example.test", WWW, "www.example.test 300 A 127.0.0.6"];
        client.expect_lines(&lines, CAUSE)
    })
}

fn prints_odd_records(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        let (answerer, client) = asked(t, &["example.test", "MX"])?;
        let question = answerer.take(&client.running, ASKS)?;
        let record = |name: &[u8], kind, data: &[u8]| Record {
            name: name.to_vec(),
            ..Record::new("", kind, data.to_vec())
        };
        let apex = name_on_the_wire("example.test");
        let exchange = [&[1, 2][..], &name_on_the_wire("mail.example.test")].concat();
        let records = [
            record(&apex, MX, &exchange),
            record(b"\0", NS, b"\x02ns\0"),
            record(b"\x05w.w\\ \x01\xff\0", 65, &[10, 11, 12, 13]),
            record(&apex, 65_280, b""),
            record(&apex, TXT, b"\x03one\x05\"t\\\x07 \0"),
            record(&apex, AAAA, &[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        let answer = records.iter().fold(Reply::to(&question.bytes), Reply::with);
        answerer.answer(&client.running, &question, &answer.bytes())?;
        client.expect_lines(
        &[
            "example.test 300 MX 258 mail.example.test",
            ". 300 NS ns",
            r"w\.w\\\032.\255 300 TYPE65 \# 4 0a0b0c0d",
            r"example.test 300 TYPE65280 \# 0",
            r#"example.test 300 TXT "one" "\"t\\\007 " """#,
            "example.test 300 AAAA 2001:db8::1",
        ],
        "names and texts may have any byte in them; what is printed must be read as one line, and say \
         which bytes they were",
    )
    })
}

fn reports_codes(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        for (code, name, bare) in [
            (NXDOMAIN, "NXDOMAIN", false),
            (SERVFAIL, "SERVFAIL", false),
            (REFUSED, "REFUSED", false),
            (FORMERR, "FORMERR", true),
            (NOTIMP, "NOTIMP", true),
            (6, "RCODE6", false),
        ] {
            t.new_scene()?;
            let (answerer, client, question) = asked_for_www(t)?;
            let answer = Reply::to(&question.bytes).code(code);
            let answer = if bare { answer.without_question() } else { answer };
            answerer.answer(&client.running, &question, &answer.bytes())?;
            client.expect_refusal(
                &format!("{{server}} answered {name} for www.example.test"),
                "the code is the lower half of byte 3; 0 alone means that all is well",
            )?;
        }
        Ok(())
    })
}

fn reports_no_record(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        let (answerer, client) = asked(t, &["www.example.test", "mx"])?;
        let question = answerer.take(&client.running, ASKS)?;
        answerer.answer(&client.running, &question, &Reply::to(&question.bytes).bytes())?;
        client.expect_refusal(
            "{server} has no MX record for www.example.test",
            "the name is there, without such a record: for a script that is no success",
        )
    })
}

fn takes_any_case(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        let (answerer, client, question) = asked_for_www(t)?;
        let upper = Reply {
            question: Query::new("WWW.Example.TEST", A).question(),
            ..Reply::to(&question.bytes).with(&www())
        };
        answerer.answer(&client.running, &question, &upper.bytes())?;
        client.expect_lines(
        &[WWW],
        "names are the same in upper and lower case, and some servers write them in their own way",
    )
    })
}

fn survives_bad_answers(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "each pointer and each length in an answer is the server's word: a pointer leads back, \
        and nothing is taken that is not there. Nothing is printed before all of it is read";
        let a_record = www().bytes();
        let tail = b"\0\x01\0\x01\0\0\x01\x2c\0\x04\x7f\0\0\x05";
        // The record begins at byte 34.
        let pointing = |pointer: &[u8]| [pointer, tail].concat();
        let long = [&a_record[..a_record.len() - 6], &[0xff, 0xff, 127, 0, 0, 5]].concat();
        for (what, records, count) in [
            ("a name that points to itself", pointing(b"\xc0\x22"), 1),
            ("two names that point to each other", pointing(b"\xc0\x24\xc0\x22"), 1),
            ("a pointer beyond the end", pointing(b"\xff\xff"), 1),
            ("a record that is cut off", a_record[..a_record.len() - 1].to_vec(), 1),
            ("a length of 65,535 bytes", long, 1),
            ("a record too few", a_record.clone(), 2),
            ("65,535 records of which none is there", Vec::new(), 65_535),
            (
                "an address of three bytes",
                Record::new("www.example.test", A, vec![127, 0, 0]).bytes(),
                1,
            ),
            ("a label of 64 bytes", [&[64][..], &[b'a'; 64], b"\0", tail].concat(), 1),
        ] {
            t.new_scene()?;
            let (answerer, client, question) = asked_for_www(t)?;
            t.note(format!("the answer has {what}"));
            let answer = Reply { records, count, ..Reply::to(&question.bytes) };
            answerer.answer(&client.running, &question, &answer.bytes())?;
            client.expect_refusal("bad answer from {server}: …", CAUSE)?;
        }
        Ok(())
    })
}

fn takes_4096_bytes(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        let (answerer, client) = asked(t, &["many.example.test"])?;
        let question = answerer.take(&client.running, ASKS)?;
        // Of 16 bytes each, and one that makes it 4,096.
        let mut answer = Reply::to(&question.bytes);
        let mut lines = Vec::new();
        for n in 0..250 {
            let record = [&b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04\x7f\0\x01"[..], &[n]].concat();
            answer = answer.with_bytes(&record);
            lines.push(format!("many.example.test 300 A 127.0.1.{n}"));
        }
        let rest = 4096 - answer.bytes().len() - 12;
        let head =
            [&b"\xc0\x0c\0\x41\0\x01\0\0\x01\x2c"[..], &(rest as u16).to_be_bytes()].concat();
        answer = answer.with_bytes(&[head, vec![0; rest]].concat());
        lines.push(format!("many.example.test 300 TYPE65 \\# {rest} {}", "00".repeat(rest)));
        answerer.answer(&client.running, &question, &answer.bytes())?;
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        client.expect_lines(
            &lines,
            "what does not fit into the buffer is lost, and without it the answer is broken",
        )
    })
}
