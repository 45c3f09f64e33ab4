//! JUnit XML, as most continuous integration reads it: the part that all dialects share.
//!
//! In that format a test case without a child has passed, so every other outcome has one.

use std::time::Duration;

use super::failure;
use super::place::{Placed, grouped};
use crate::run::session::Record;
use crate::term::Style;
use crate::verdict::Outcome;

/// The records as a JUnit document: a suite for each lab, a test case for each check.
pub fn render(records: &[Record]) -> String {
    document(&Placed::all(records))
}

fn document(all: &[Placed<'_>]) -> String {
    let everything: Vec<_> = all.iter().collect();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    out.push_str(&format!("<testsuites name=\"sockets-lab\"{}>\n", sums(&everything)));
    for (lab, checks) in grouped(all, |placed| placed.lab.name) {
        out.push_str(&format!(
            "  <testsuite name=\"sockets-lab.{}\"{}>\n",
            attribute(lab),
            sums(&checks)
        ));
        for placed in checks {
            case(&mut out, placed);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// The counts and the time, as attributes.
fn sums(checks: &[&Placed<'_>]) -> String {
    let count =
        |words: &[&str]| checks.iter().filter(|placed| words.contains(&placed.word())).count();
    let time: Duration = checks.iter().map(|placed| placed.record.elapsed).sum();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\"",
        checks.len(),
        count(&["fail", "blocked"]),
        count(&["fault"]),
        count(&["skipped"]),
        time.as_secs_f64()
    )
}

fn case(out: &mut String, placed: &Placed<'_>) {
    let check = placed.record.check;
    let id = check.id();
    let name = id.split_once('/').map_or(id.as_str(), |(_, name)| name);
    out.push_str(&format!(
        "    <testcase name=\"{}\" classname=\"sockets-lab.{}\" time=\"{:.3}\">\n",
        attribute(name),
        attribute(placed.lab.name),
        placed.record.elapsed.as_secs_f64()
    ));
    let score = placed.record.score().to_string();
    let properties =
        [("title", check.title), ("points", &check.points.to_string()), ("score", &score)];
    out.push_str("      <properties>\n");
    for (name, value) in properties {
        let value = attribute(value);
        out.push_str(&format!("        <property name=\"{name}\" value=\"{value}\"/>\n"));
    }
    out.push_str("      </properties>\n");

    let message = attribute(&placed.reason());
    let body = escape(&failure::text(placed, Style::plain()));
    let kind = placed.word();
    match placed.outcome() {
        Outcome::Pass => {}
        Outcome::Fail(_) | Outcome::Blocked(_) => out.push_str(&format!(
            "      <failure message=\"{message}\" type=\"{kind}\">{body}</failure>\n"
        )),
        Outcome::Fault(_) => out.push_str(&format!(
            "      <error message=\"{message}\" type=\"{kind}\">{body}</error>\n"
        )),
        Outcome::Skipped(_) => out.push_str(&format!("      <skipped message=\"{message}\"/>\n")),
    }
    out.push_str("    </testcase>\n");
}

/// The text for use between tags, without the characters that XML 1.0 (section 2.2) forbids
/// even as references.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As itself it would be read as a newline.
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// The text for use in an attribute, where bare white space would be read as spaces.
fn attribute(text: &str) -> String {
    escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;
    use crate::verdict::Blocked;

    #[test]
    fn every_outcome_but_a_pass_has_an_element() {
        let records = samples::records([
            Outcome::Pass,
            samples::failure(),
            Outcome::Blocked(Blocked::Step(2)),
            Outcome::Skipped("no <proc>".to_owned()),
            Outcome::Fault("out of \"ports\"".to_owned()),
        ]);
        let xml = document(&samples::placed(&records));
        let head = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sockets-lab" tests="5" failures="2" errors="1" skipped="1" time="0.060">
  <testsuite name="sockets-lab.server" tests="5" failures="2" errors="1" skipped="1" time="0.060">
    <testcase name="listens" classname="sockets-lab.server" time="0.012">
      <properties>
        <property name="title" value="it listens on the address that it was given"/>
        <property name="points" value="2"/>
        <property name="score" value="2"/>
      </properties>
    </testcase>
"#;
        assert!(xml.starts_with(head), "{xml}");
        let fail = r#"<failure message="the client got none of its bytes back" type="fail">FAIL  "#;
        assert_eq!(xml.matches(fail).count(), 1);
        let blocked =
            r#"<failure message="step 2, accept_loop, is not written yet" type="blocked">"#;
        assert_eq!(xml.matches(blocked).count(), 1);
        assert_eq!(xml.matches(r#"<skipped message="no &lt;proc&gt;"/>"#).count(), 1);
        let fault = r#"<error message="out of &quot;ports&quot;" type="fault">FAULT "#;
        assert_eq!(xml.matches(fault).count(), 1);
    }

    #[test]
    fn what_an_attribute_would_lose_is_a_reference() {
        assert_eq!(attribute("a\tb\r\n\x1b<"), "a&#9;b&#13;&#10;&lt;");
        assert_eq!(escape("a\tb\n\x1b\u{ffff}&"), "a\tb\n&amp;");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_place(text in any::<String>()) {
            let forbidden = |c| c < ' ' || matches!(c, '<' | '>' | '"' | '\u{fffe}' | '\u{ffff}');
            let escaped = attribute(&text);
            prop_assert!(!escaped.contains(forbidden), "{escaped:?}");
        }
    }
}
