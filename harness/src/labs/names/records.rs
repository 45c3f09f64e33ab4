//! Step 3 of lab 6, `answer`: the records of an answer, and how many there is room for.

use super::inquirer::Wanted;
use super::message::{
    A, AA, AAAA, ANY, CNAME, MX, NS, NXDOMAIN, Query, Record, Reply, SERVFAIL, TC, TXT, compare,
    name_on_the_wire,
};
use super::{Names, ZONE};
use crate::trial::{Trial, Verdict};

checks! { $ names_records, "names" step 3:
    all_types, 2 points: "writes A, AAAA, NS, MX and TXT as they are on the wire";
    "Each type has its own data (RFC 1035 section 3.3, RFC 3596 section 2.2); all records of that type are in the answer."

    network_byte_order, 1 point: "writes numbers with their high byte first";
    "TTL, type, length and preference: the high byte first (RFC 1035 section 2.3.2)."

    any, 1 point: "gives every record of a name to ANY";
    "ANY (255): all records of the name, of every type (RFC 1035 section 3.2.3)."

    follows_cnames, 2 points: "gives a CNAME, and the records of the name that it stands for";
    "A name that has a CNAME: the CNAME, and the records of its target, and so on (RFC 1034 section 3.6.2)."

    cname_to_nowhere, 1 point: "tells where a CNAME leads nowhere, and where it leaves the zone";
    "A target in the zone that is not there: NXDOMAIN, with the CNAMEs found (RFC 6604); a target outside: the CNAME alone."

    cname_loop, 1 point: "gives up on CNAMEs that lead in a circle";
    "More than 8 CNAMEs in a row: SERVFAIL (2), no record."

    truncates_at_512, 2 points: "sends at most 512 bytes, whole records, and TC where some are missing";
    "Longer than 512 bytes: TC = 1, as many whole records as fit, or none (RFC 1035 section 4.2.1, RFC 2181 section 9)."

    exactly_512, 1 point: "sends 512 bytes without TC";
    "The limit over UDP is 512 bytes: exactly so many fit."
}

fn all_types(t: &mut Trial) -> Verdict {
    let zone = format!(
        "{ZONE}www.example.test 300 AAAA 2001:db8::5\n\
         www.example.test 300 A 127.0.0.6\n\
         example.test 300 MX 10 mail.example.test\n\
         example.test 300 NS ns.other.test\n\
         example.test 300 TXT \"one\" \"two  words\" \"\"\n"
    );
    let names = Names::over(t, &zone)?;
    let inquirer = names.inquirer()?;
    let at = |kind, data: &[u8]| Record::new("example.test", kind, data.to_vec());
    let www = |kind, data: &[u8]| Record::new("www.example.test", kind, data.to_vec());
    let exchange = [&[0, 10][..], &name_on_the_wire("mail.example.test")].concat();
    let v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
    let asked = [
        ("www.example.test", A, vec![www(A, &[127, 0, 0, 5]), www(A, &[127, 0, 0, 6])]),
        ("www.example.test", AAAA, vec![www(AAAA, &v6)]),
        ("example.test", MX, vec![at(MX, &exchange)]),
        (
            "example.test",
            NS,
            ["ns.example.test", "ns.other.test"].map(|ns| at(NS, &name_on_the_wire(ns))).to_vec(),
        ),
        ("example.test", TXT, vec![at(TXT, b"\x03one\x0atwo  words\0")]),
    ];
    for (name, kind, records) in asked {
        inquirer.expect_answer(
            &Query::new(name, kind),
            &Wanted::records(records),
            "an address is 4 or 16 bytes and no text; MX has a preference before its name; each string \
             of TXT has its length before it",
        )?;
    }
    Ok(())
}

fn network_byte_order(t: &mut Trial) -> Verdict {
    let zone = format!(
        "{ZONE}a.example.test 66051 A 127.0.0.7\n\
         b.example.test 2147483647 MX 258 mail.example.test\n\
         c.example.test 0 A 127.0.0.8\n"
    );
    let names = Names::over(t, &zone)?;
    let inquirer = names.inquirer()?;
    let exchange = [&[1, 2][..], &name_on_the_wire("mail.example.test")].concat();
    for record in [
        Record::new("a.example.test", A, vec![127, 0, 0, 7]).with_ttl(66_051),
        Record::new("b.example.test", MX, exchange).with_ttl(i32::MAX as u32),
        Record::new("c.example.test", A, vec![127, 0, 0, 8]).with_ttl(0),
    ] {
        let query = Query { name: record.name.clone(), ..Query::new("", record.kind) };
        inquirer.expect_answer(
            &query,
            &Wanted::records(vec![record]),
            "network byte order is the high byte first: to_be_bytes",
        )?;
    }
    Ok(())
}

fn any(t: &mut Trial) -> Verdict {
    let zone = format!(
        "{ZONE}www.example.test 300 AAAA ::1\nwww.example.test 300 TXT \"hello\"\n\
         web.example.test 300 CNAME www.example.test\n"
    );
    let names = Names::over(t, &zone)?;
    let inquirer = names.inquirer()?;
    let www = |kind, data: &[u8]| Record::new("www.example.test", kind, data.to_vec());
    let mut localhost = [0; 16];
    localhost[15] = 1;
    let all = vec![www(A, &[127, 0, 0, 5]), www(AAAA, &localhost), www(TXT, b"\x05hello")];
    let cause = "ANY is no type that a record has: it asks for all that the name has";
    inquirer.expect_answer(&Query::new("www.example.test", ANY), &Wanted::records(all), cause)?;
    let alias = Record::new("web.example.test", CNAME, name_on_the_wire("www.example.test"));
    let query = Query::new("web.example.test", ANY);
    inquirer.expect_answer(
        &query,
        &Wanted::records(vec![alias]),
        "who asks for ANY gets the name's own records, and no other name's",
    )?;
    let missing = Query::new("nope.example.test", ANY);
    inquirer.expect_answer(&missing, &Wanted::nothing(), cause)
}

/// Lines of a zone file in which each of these names is a CNAME of the next one.
fn chain(names: &[&str]) -> String {
    names.windows(2).map(|two| format!("{} 300 CNAME {}\n", two[0], two[1])).collect()
}

/// The records of a chain.
fn aliases(names: &[&str]) -> Vec<Record> {
    names.windows(2).map(|two| Record::new(two[0], CNAME, name_on_the_wire(two[1]))).collect()
}

fn follows_cnames(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "who asks for the address of a name wants an address: the CNAME says where it is, and \
        the records of that name belong into the same answer. Who asks for the CNAME gets the CNAME";
    let path = ["web.example.test", "WWW2.example.test", "www.example.test"];
    let names = Names::over(t, &format!("{ZONE}{}", chain(&path)))?;
    let inquirer = names.inquirer()?;
    let www = Record::new("www.example.test", A, vec![127, 0, 0, 5]);
    let whole = [aliases(&path), vec![www]].concat();
    inquirer.expect_answer(
        &Query::new("web.example.test", A),
        &Wanted::records(whole.clone()),
        CAUSE,
    )?;
    let second = Query::new("WWW2.example.test", A);
    inquirer.expect_answer(&second, &Wanted::records(whole[1..].to_vec()), CAUSE)?;
    let alias = Query::new("web.example.test", CNAME);
    inquirer.expect_answer(&alias, &Wanted::records(aliases(&path[..2])), CAUSE)?;
    // The target is there, without such a record.
    let other = Query::new("web.example.test", MX);
    inquirer.expect_answer(&other, &Wanted::records(aliases(&path)), CAUSE)
}

fn cname_to_nowhere(t: &mut Trial) -> Verdict {
    let inside = ["lost.example.test", "nope.example.test"];
    let outside = ["away.example.test", "www.other.test"];
    let between = ["half.example.test", "in.between.example.test"];
    let zone = [ZONE, &chain(&inside), &chain(&outside), &chain(&between)].concat();
    let names = Names::over(t, &(zone + "a.in.between.example.test 300 A 127.0.0.8\n"))?;
    let inquirer = names.inquirer()?;
    inquirer.expect_answer(
        &Query::new("lost.example.test", A),
        &Wanted::records(aliases(&inside)).with_code(NXDOMAIN),
        "the code is about the last name of the chain, and that one is not there",
    )?;
    inquirer.expect_answer(
        &Query::new("away.example.test", A),
        &Wanted::records(aliases(&outside)),
        "what lies outside of the zone is for another server to say: the CNAME is all that is known",
    )?;
    inquirer.expect_answer(
        &Query::new("half.example.test", A),
        &Wanted::records(aliases(&between)),
        "a name below which there is another one is there, though it has no record: NOERROR",
    )?;
    let alias = Query::new("lost.example.test", CNAME);
    inquirer.expect_answer(&alias, &Wanted::records(aliases(&inside)), "the CNAME itself is there")
}

fn cname_loop(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "names that stand for each other never lead to a record: count the steps, and say \
        SERVFAIL after the eighth";
    let nine: Vec<String> = (1..=9).map(|n| format!("n{n}.example.test")).collect();
    let path: Vec<&str> = nine.iter().map(String::as_str).chain(["www.example.test"]).collect();
    let ring = ["one.example.test", "two.example.test", "one.example.test"];
    let to_itself = ["self.example.test"; 2];
    let zone = [ZONE, &chain(&path), &chain(&ring), &chain(&to_itself)].concat();
    let names = Names::over(t, &zone)?;
    let inquirer = names.inquirer()?;
    let www = Record::new("www.example.test", A, vec![127, 0, 0, 5]);
    let whole = [aliases(&path[1..]), vec![www]].concat();
    let eight = Query::new("n2.example.test", A);
    inquirer.expect_answer(
        &eight,
        &Wanted::records(whole),
        "8 CNAMEs in a row are not too many",
    )?;
    for name in ["n1.example.test", "one.example.test", "self.example.test"] {
        let wanted = Wanted::no_record(SERVFAIL).whatever(AA);
        inquirer.expect_answer(&Query::new(name, A), &wanted, CAUSE)?;
    }
    names.expect_service()
}

/// A zone in which `many.example.test` has so many addresses.
pub(super) fn many(count: usize) -> String {
    let lines =
        (0..count).map(|n| format!("many.example.test 300 A 127.0.{}.{}\n", n / 250, n % 250));
    format!("{ZONE}{}", lines.collect::<String>())
}

/// The records of that name.
pub(super) fn addresses(count: usize) -> Vec<Record> {
    let address = |n: usize| vec![127, 0, (n / 250) as u8, (n % 250) as u8];
    (0..count).map(|n| Record::new("many.example.test", A, address(n))).collect()
}

/// A zone with texts of that name which fill an answer of so many bytes, where each has its name
/// whole; and their records.
pub(super) fn filling(bytes: usize) -> (String, Vec<Record>) {
    const NAME: &str = "many.example.test";
    let of_a_record = name_on_the_wire(NAME).len() + 10;
    let mut left = bytes - (12 + name_on_the_wire(NAME).len() + 4);
    let (mut zone, mut records) = (ZONE.to_owned(), Vec::new());
    while left > 0 {
        // One string, behind its length.
        let length = (left - of_a_record - 1).min(255);
        let text = format!("{:x<length$}", records.len());
        zone += &format!("{NAME} 300 TXT \"{text}\"\n");
        let data = [&[length as u8][..], text.as_bytes()].concat();
        records.push(Record::new(NAME, TXT, data));
        left -= of_a_record + 1 + length;
    }
    (zone, records)
}

fn truncates_at_512(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "a record that would lead beyond byte 512 is left out whole, TC tells of it, and \
        ANCOUNT counts what is there";
    let names = Names::over(t, &many(60))?;
    let inquirer = names.inquirer()?;
    let query = Query::new("many.example.test", A);
    inquirer.ask(&query)?;
    let all = addresses(60);
    let expected = "at most 512 bytes: NOERROR, AA, TC, and as many whole records as fit, or none";
    // Without compression a record takes 33 bytes here.
    let least = (512 - 35) / (query.name.len() + 14);
    inquirer.expect_fitting(&query, expected, CAUSE, |reply| {
        too_long(reply)?;
        let flags = super::fields::flags(0x8000 | query.flags | AA | TC, reply.flags);
        flags.map_or(Ok(()), Err)?;
        let [_, surplus] = compare(&all, &reply.records);
        if let Some(record) = surplus.first() {
            return Err(format!("this record should not be there: {record}"));
        }
        match reply.records.len() {
            0 => Ok(()),
            count if count >= least => Ok(()),
            count => Err(format!("{count} records, where {least} fit: as many as fit, or none")),
        }
    })?;
    names.expect_service()
}

/// Whether it is longer than UDP allows here.
fn too_long(reply: &Reply) -> Result<(), String> {
    match reply.length {
        0..=512 => Ok(()),
        length => Err(format!("{length} bytes have come")),
    }
}

fn exactly_512(t: &mut Trial) -> Verdict {
    // The header, the question, and a record of which only the length of its data is open: with its
    // name whole, and with a pointer to the question in its place.
    let name = name_on_the_wire("t.example.test");
    let [whole, compressed] =
        [name.len(), 2].map(|owner| 512 - (12 + name.len() + 4) - (owner + 10));
    let text = |letter: &str, length: usize| format!("\"{}\"", letter.repeat(length));
    // Two strings, each behind its length.
    let second = |data: usize| data - 256 - 1;
    let sizes = [("t", whole), ("u", whole + 1), ("v", compressed), ("w", compressed + 1)];
    let line = |(label, data): &(&str, usize)| {
        let strings = [text("x", 255), text("y", second(*data))].join(" ");
        format!("{label}.example.test 300 TXT {strings}\n")
    };
    let names = Names::over(t, &format!("{ZONE}{}", sizes.iter().map(line).collect::<String>()))?;
    let inquirer = names.inquirer()?;
    for (label, data) in sizes {
        let query = Query::new(&format!("{label}.example.test"), TXT);
        inquirer.ask(&query)?;
        let expected = match data {
            _ if data <= whole => {
                "an answer with one record, and no TC: it has 512 bytes, or fewer"
            }
            _ if data > compressed => "no record, and TC: it would have more than 512 bytes",
            _ => "the record in at most 512 bytes and no TC, or TC and no record",
        };
        let cause = "512 bytes are not too many, and 513 are";
        inquirer.expect_fitting(&query, expected, cause, |reply| {
            too_long(reply)?;
            match (reply.is_cut(), reply.records.len()) {
                (false, 1) => Ok(()),
                (true, 0) if data > whole => Ok(()),
                (cut, records) => {
                    let tc = if cut { "TC" } else { "no TC" };
                    Err(format!("{tc}, and {records} records"))
                }
            }
        })?;
    }
    Ok(())
}
