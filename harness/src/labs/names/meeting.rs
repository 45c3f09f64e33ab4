//! A question that the student's client asks and the student's server answers, and each of them
//! with the harness in the other's place.

use std::net::Ipv4Addr;

use super::ask::ASKS;
use super::client::{Client, in_time};
use super::framed::{Framed, framed};
use super::inquirer::Wanted;
use super::message::{A, Query, Record, TC, TXT};
use super::reply::Reply;
use super::{Names, ZONE, fields};
use crate::net::{Cut, Rule, Terms};
use crate::trial::{Trial, Verdict};

/// A question for the records of a name, which are all of one type.
pub(in crate::labs) struct Question {
    records: Vec<Record>,
    /// How the type is called on the command line.
    kind: &'static str,
    /// What the client prints, a line for each record. The zone file has the same.
    lines: Vec<String>,
}

/// The name that is asked for.
const NAME: &str = "page.example.test";

impl Question {
    /// For an address.
    pub(in crate::labs) fn for_address(address: Ipv4Addr) -> Self {
        Self::for_addresses(&[address])
    }

    /// For the addresses of a name that has several.
    pub(in crate::labs) fn for_addresses(addresses: &[Ipv4Addr]) -> Self {
        let lines = addresses.iter().map(|address| format!("{NAME} 300 A {address}"));
        let record = |address: &Ipv4Addr| Record::new(NAME, A, address.octets().to_vec());
        Self { records: addresses.iter().map(record).collect(), kind: "A", lines: lines.collect() }
    }

    /// For a text that has no room in a datagram.
    pub(in crate::labs) fn for_long_text() -> Self {
        let text = [b'x'; 255];
        let data = [&[255][..], &text].concat().repeat(3);
        let string = format!("\"{}\"", String::from_utf8_lossy(&text));
        let lines = vec![format!("{NAME} 300 TXT {string} {string} {string}")];
        Self { records: vec![Record::new(NAME, TXT, data)], kind: "TXT", lines }
    }

    fn is_long(&self) -> bool {
        self.records.iter().any(|record| record.data.len() > 512)
    }

    fn words(&self) -> [&str; 2] {
        [NAME, self.kind]
    }

    fn query(&self) -> Query {
        Query::new(NAME, self.records[0].kind)
    }

    fn server(&self, t: &Trial) -> Verdict<Names> {
        Names::over(t, &format!("{ZONE}{}\n", self.lines.join("\n")))
    }

    /// Expects that the client prints what it has been answered.
    fn is_printed(&self, client: &Client, cause: &str) -> Verdict {
        let lines: Vec<_> = self.lines.iter().map(String::as_str).collect();
        client.expect_lines_in_any_order(&lines, cause)
    }

    /// All records, as an answer to this question.
    fn answer_to(&self, question: &[u8]) -> Reply {
        self.records.iter().fold(Reply::to(question), Reply::with)
    }

    /// The client asks the server, over a wire that loses what these rules say.
    pub(in crate::labs) fn both(&self, t: &Trial, rules: &[Rule]) -> Verdict {
        in_time(t, |t| self.both_once(t, rules))
    }

    fn both_once(&self, t: &Trial, rules: &[Rule]) -> Verdict {
        let names = self.server(t)?;
        let wire;
        // What is asked over TCP has to find the server on the same port.
        let at = match rules {
            [] => names.address,
            rules => {
                wire = t.lossy_wire("the client", "the name server", names.address, rules)?;
                wire.address
            }
        };
        let client = Client::start(t, at, &self.words())?;
        self.is_printed(&client, "each of the two is tried alone next")
    }

    /// The client asks the harness, which does not answer the first `lost` tries.
    pub(in crate::labs) fn client_alone(&self, t: &Trial, lost: usize) -> Verdict {
        in_time(t, |t| self.client_alone_once(t, lost))
    }

    fn client_alone_once(&self, t: &Trial, lost: usize) -> Verdict {
        const AGAIN: &str = "when nothing has come for a while it asks again";
        let answerer = t.answerer("the name server")?.in_words(fields::in_words);
        let client = Client::start(t, answerer.address, &self.words())?;
        let terms = &Terms::ANSWERS;
        let listener = t.listen_as("the name server over TCP", &[answerer.address], terms)?;
        for _ in 0..lost {
            answerer.lose(&client.running, AGAIN)?;
        }
        let asked = answerer.take(&client.running, if lost == 0 { ASKS } else { AGAIN })?;
        let whole = self.answer_to(&asked.bytes);
        if self.is_long() {
            let cut = Reply::to(&asked.bytes).turned(TC);
            answerer.answer(&client.running, &asked, &cut.bytes())?;
            let over_tcp = "TC says that all of the answer is to be had over TCP";
            let mut stream = Framed::new(listener.accept(&client.running, over_tcp)?);
            let query =
                stream.expect_message("the same question", over_tcp, |it| Ok(it.to_vec()))?;
            let whole = self.answer_to(&query);
            stream.send(&framed(&whole.bytes()), Cut::Whole)?;
            return self.is_printed(&client, "what comes over TCP is printed");
        }
        answerer.answer(&client.running, &asked, &whole.bytes())?;
        self.is_printed(&client, "each record of the answer is printed")
    }

    /// The harness asks the server.
    pub(in crate::labs) fn server_alone(&self, t: &Trial) -> Verdict {
        const CAUSE: &str = "the zone has these records";
        let (names, query) = (self.server(t)?, self.query());
        let wanted = Wanted::records(self.records.clone());
        let inquirer = names.inquirer()?;
        if !self.is_long() {
            return inquirer.expect_answer(&query, &wanted, CAUSE);
        }
        inquirer.ask(&query)?;
        let expected = "an answer with TC";
        inquirer.expect_header(&query, expected, CAUSE, |flags| match flags & TC {
            0 => Err("byte 2: TC (truncated) is missing".into()),
            _ => Ok(()),
        })?;
        let mut stream = Framed::new(names.service().connect()?);
        stream.ask(&[&query])?;
        stream.expect(&query, &wanted, CAUSE)
    }
}
