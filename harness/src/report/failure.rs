//! One check's record as text: a failure whole, the other outcomes in the few lines that they
//! deserve.

use super::place::{Placed, chapter_file};
use super::{bytes, compiler};
use crate::run::session::Record;
use crate::term::Style;
use crate::term::layout::{columns, hang, pad, printable, wrap};
use crate::verdict::{Blocked, Failure, Outcome};

/// Below the word in capitals everything is indented by its width.
const INDENT: &str = "      ";
/// Columns of the labels.
const LABEL: usize = 11;

/// What a report says about this record: one line for a pass, everything for a failure. Ends
/// with a newline.
pub fn render(record: &Record, style: Style) -> String {
    text(&Placed::new(record), style)
}

pub(super) fn text(placed: &Placed<'_>, style: Style) -> String {
    let lines = match placed.outcome() {
        Outcome::Pass => titled(placed, tag("PASS", |word| style.good(word)), style),
        Outcome::Fail(failure) => failed(placed, failure, style),
        Outcome::Blocked(Blocked::Step(_) | Blocked::Elsewhere { .. }) => {
            vec![short(placed, style)]
        }
        Outcome::Blocked(Blocked::Build { words, .. }) => {
            let mut lines = vec![short(placed, style)];
            lines.extend(compiler::lines(words, style));
            lines
        }
        Outcome::Skipped(why) => {
            let mut lines = titled(placed, tag("SKIP", |word| style.dim(word)), style);
            lines.extend(hang(INDENT, why, style.width));
            lines
        }
        Outcome::Fault(why) => {
            let mut lines = titled(placed, tag("FAULT", |word| style.warn(word)), style);
            lines.extend(fault(why, style));
            lines
        }
    };
    lines.join("\n") + "\n"
}

/// What the harness could not do, and whose trouble that is.
pub(super) fn fault(why: &str, style: Style) -> Vec<String> {
    let mut lines = hang(INDENT, why, style.width);
    lines.push(format!(
        "{INDENT}This is the harness's own trouble: it says nothing about the program."
    ));
    lines
}

/// A word in capitals, padded to the indent.
fn tag(word: &str, paint: impl Fn(&str) -> String) -> String {
    format!("{}{}", paint(word), &INDENT[word.len()..])
}

/// `WAIT  server/half-close  step 2, accept_loop, is not written yet`
fn short(placed: &Placed<'_>, style: Style) -> String {
    let tag = tag("WAIT", |word| style.warn(word));
    format!("{tag}{}  {}", style.bold(&placed.id()), placed.reason())
}

/// The tag, the id, the title, and at the right edge the step.
fn titled(placed: &Placed<'_>, tag: String, style: Style) -> Vec<String> {
    let id = placed.id();
    let step = format!("step {}, {}", placed.step.number, placed.step.name);
    let title = format!("{id}  {}", placed.record.check.title);
    let width = style.width - INDENT.len();
    let mut lines = wrap(&title, width);
    match &mut lines[..] {
        [only] if columns(only) + 2 + columns(&step) <= width => {
            *only = pad(only, width - columns(&step)) + &style.dim(&step);
        }
        _ => lines.push(style.dim(&step)),
    }
    for (index, line) in lines.iter_mut().enumerate() {
        *line = match line.strip_prefix(id.as_str()) {
            Some(rest) if index == 0 => format!("{tag}{}{rest}", style.bold(&id)),
            _ => format!("{INDENT}{line}"),
        };
    }
    lines
}

fn failed(placed: &Placed<'_>, failure: &Failure, style: Style) -> Vec<String> {
    let mut lines = titled(placed, tag("FAIL", |word| style.alarm(word)), style);
    for line in wrap(&failure.headline, style.width - INDENT.len()) {
        lines.push(format!("{INDENT}{}", style.alarm(&line)));
    }
    lines.push(String::new());

    let width = style.width - INDENT.len() - LABEL;
    let plain = |texts: &[String]| texts.iter().flat_map(|text| wrap(text, width)).collect();
    let mut section = |label: &str, body: Vec<String>| {
        for (index, line) in body.iter().enumerate() {
            let label = pad(if index == 0 { label } else { "" }, LABEL);
            lines.push(format!("{INDENT}{}{line}", style.dim(&label)).trim_end().to_owned());
        }
    };
    section("Required", wrap(placed.record.check.requirement, width));
    section("Done", numbered(&failure.steps, width));
    section("Expected", alternatives(&failure.expected, width));
    section("Seen", plain(&failure.seen));
    if let Some(difference) = &failure.difference {
        section("Bytes", bytes::difference(difference, style));
    }
    section("Program", plain(&failure.program));
    section("Cause", plain(&failure.cause));
    // Not wrapped: a student looks for the line as the program wrote it.
    let stderr = failure.stderr.iter().flat_map(|text| text.lines());
    section(
        "stderr",
        stderr.map(|line| format!("{} {}", style.dim("|"), printable(line))).collect(),
    );
    let (_, step) = placed.to_do();
    if step.number != placed.step.number {
        section("Look at", plain(&[format!("step {}, {}: {}", step.number, step.name, step.task)]));
    }
    section("Read", vec![style.link(&chapter_file(step))]);
    section("Again", vec![style.link(&placed.again())]);
    section("Watch", vec![style.link(&placed.trace())]);
    lines
}

fn numbered(steps: &[String], width: usize) -> Vec<String> {
    let digits = steps.len().to_string().len();
    let number =
        |(index, step): (usize, &String)| hang(&format!("{:>digits$}. ", index + 1), step, width);
    steps.iter().enumerate().flat_map(number).collect()
}

/// Each acceptable outcome; those behind the first begin with "or".
fn alternatives(outcomes: &[String], width: usize) -> Vec<String> {
    let prefix = |index| if index == 0 { "" } else { "or " };
    let line = |(index, outcome): (usize, &String)| hang(prefix(index), outcome, width);
    outcomes.iter().enumerate().flat_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::net::causes::BUSY;

    fn rendered(outcome: Outcome) -> String {
        let records = [samples::half_close(outcome)];
        let mut placed = samples::placed(&records);
        text(&placed.remove(0), Style::plain())
    }

    #[test]
    fn a_failure_says_all_that_it_knows() {
        let golden = r#"
FAIL  server/half-close  a half-closed client still gets all of its bytes              step 3, serve
      the client got none of its bytes back

      Required   The server echoes every byte until the client ends its stream (RFC 9293, section
                 3.6: a side that has sent its FIN may still receive).
      Done       1. started server 127.0.0.1:7007
                 2. client 1 connected from 127.0.0.1:50234
                 3. client 1 sent 6 bytes, "hello\n", and ended its side of the stream; then it
                    waited for the end of the other side
      Expected   6 bytes, "hello\n", then end of stream
                 or a reset
      Seen       end of stream after 0 bytes
      Bytes      expected  "hello\n"
                 seen      ""
                            ^
                 first difference at byte 1 of 6: expected 0x68, what was seen ended here
                 in all: expected 6 bytes, seen 0 bytes: 6 bytes missing
      Program    thread main is blocked in accept on 127.0.0.1:7007
      Cause      the loop ends when read gives 0 bytes, before what was read is written
      stderr     | listening on 127.0.0.1:7007
                 | \u{1b}[31mclient 1 is done
      Read       book/src/06-endings.md
      Again      cargo lab check server/half-close
      Watch      cargo lab trace server/half-close
"#;
        assert_eq!(format!("\n{}", rendered(samples::failure())), golden);
    }

    #[test]
    fn a_failure_without_details_is_short() {
        let failure = Failure { headline: "nothing came back".to_owned(), ..Failure::default() };
        let text = rendered(Outcome::Fail(Box::new(failure)));
        let labels: Vec<_> = text.lines().filter_map(|line| line.get(6..14)).collect();
        assert_eq!(
            labels,
            ["server/h", "nothing ", "Required", "        ", "Read    ", "Again   ", "Watch   "]
        );
    }

    #[test]
    fn where_the_cause_lies_in_a_later_step_that_step_is_what_to_look_at() {
        let cause = vec![BUSY.to_owned()];
        let failure = Failure { cause, ..Failure::default() };
        let failed = || Outcome::Fail(Box::new(failure.clone()));
        let records = samples::records([Outcome::Pass, failed(), failed(), failed(), failed()]);
        let texts: Vec<_> =
            samples::placed(&records).iter().map(|one| text(one, Style::plain())).collect();
        assert!(texts[1].contains("Look at    step 3, serve: echo every byte\n"), "{}", texts[1]);
        assert!(texts[1].contains("Read       book/src/06-endings.md\n"), "{}", texts[1]);
        assert!(!texts[3].contains("Look at"), "{}", texts[3]);
    }

    #[test]
    fn colours_add_nothing_to_the_text() {
        let records = [samples::half_close(samples::failure())];
        let coloured = text(&samples::placed(&records)[0], Style::coloured());
        let mut plain = String::new();
        for (index, piece) in coloured.split('\x1b').enumerate() {
            let rest = piece.split_once('m').map_or("", |(_, rest)| rest);
            plain.push_str(if index == 0 { piece } else { rest });
        }
        let trimmed: Vec<_> = plain.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", rendered(samples::failure()));
    }

    #[test]
    fn a_title_that_leaves_no_room_has_the_step_below() {
        let mut records = [samples::half_close(Outcome::Pass)];
        records[0].check = samples::long_title();
        let golden = "\
PASS  server/long  a title of so many words that it takes more than one line of the report, which
      has 100 columns
      step 3, serve
";
        assert_eq!(text(&samples::placed(&records)[0], Style::plain()), golden);
    }

    #[test]
    fn a_pass_is_one_line() {
        let golden = "PASS  server/half-close  a half-closed client still gets all of its bytes  \
                      \u{20}           step 3, serve\n";
        assert_eq!(rendered(Outcome::Pass), golden);
    }

    #[test]
    fn a_step_that_is_not_written_is_one_line() {
        let golden = "WAIT  server/half-close  step 2, accept_loop, is not written yet\n";
        assert_eq!(rendered(Outcome::Blocked(Blocked::Step(2))), golden);
    }

    #[test]
    fn a_build_error_is_in_the_compilers_words() {
        let words = "error[E0425]: cannot find value `x`\n --> src/main.rs:1:1\n\n";
        let golden = "\
WAIT  server/half-close  lab server does not build
error[E0425]: cannot find value `x`
 --> src/main.rs:1:1
";
        assert_eq!(rendered(samples::broken(words)), golden);
    }

    #[test]
    fn a_fault_is_never_blamed_on_the_program() {
        let text = rendered(Outcome::Fault("cannot read /proc/net/tcp".to_owned()));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("FAULT server/half-close  a half-closed client"));
        assert_eq!(lines[1], "      cannot read /proc/net/tcp");
        assert!(lines[2].contains("the harness's own trouble"));
    }

    #[test]
    fn a_skipped_check_says_why() {
        let text = rendered(Outcome::Skipped("this system has no /proc".to_owned()));
        assert!(text.starts_with("SKIP  server/half-close  "));
        assert!(text.ends_with("\n      this system has no /proc\n"));
    }
}
