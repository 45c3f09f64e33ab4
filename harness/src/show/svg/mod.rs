//! A recording as a figure: an inline SVG in the page's own colours (classes, see
//! `book/lab.css`), with the same as text below it. No ids that could clash, no references within
//! the figure, and no blank lines: Markdown ends a block of HTML there.

mod drawing;
mod fields;
mod signs;

use self::drawing::{Width, drawing};
use super::ladder::{how_known, label, legend};
use crate::show::trace::{Event, Known, Recording};
use crate::words::markup;

pub use self::fields::fields;
pub use self::signs::signs;

/// The figure as HTML to be included in a page. `#NAME/3` is its third step. `why` has a sentence
/// for each step on why it matters.
///
/// It is drawn twice, for wide and for narrow pages; the page's style shows one of them.
pub fn figure(recording: &Recording, why: &[&str]) -> String {
    let id = markup(&recording.id.replace('/', "-"));
    let title = markup(&recording.title);
    let mut lines = vec![
        format!(r#"<figure class="ladder" data-ladder="{id}">"#),
        format!("<figcaption>{title}</figcaption>"),
    ];
    for (class, width) in [("wide", Width::Page), ("narrow", Width::Phone)] {
        lines.push(format!(r#"<div class="ladder-{class}">"#));
        lines.extend(drawing(recording, width, ""));
        lines.push("</div>".to_owned());
    }
    lines.push(r#"<details class="ladder-text"><summary>The same as text</summary>"#.to_owned());
    lines.extend(text(recording, why));
    lines.push("</details>".to_owned());
    lines.push("</figure>".to_owned());
    lines.join("\n") + "\n"
}

/// The figure as a file of its own, with colours of its own.
pub fn document(recording: &Recording) -> String {
    drawing(recording, Width::Page, STYLE).join("\n") + "\n"
}

const STYLE: &str = "<style>\
    svg { color: #1a1a1a; background: #ffffff }\
    .blank, .box { fill: #ffffff }\
    @media (prefers-color-scheme: dark) {\
    svg { color: #e6e6e6; background: #16161d }\
    .blank, .box { fill: #16161d } }\
    text { font: 12px monospace; fill: currentColor }\
    .head, .call { font-weight: bold }\
    .life { stroke: currentColor; opacity: 0.3 }\
    .arrow { stroke: currentColor; fill: none }\
    .unseen { stroke-dasharray: 5 4 }\
    .tip { fill: currentColor }\
    .band { fill: none }\
    .box { stroke: currentColor }\
    </style>";

/// The same as text: a list with an item for each step, and what the signs mean.
fn text(recording: &Recording, why: &[&str]) -> Vec<String> {
    let mut lines = vec!["<ol>".to_owned()];
    let why = why.iter().map(Some).chain(std::iter::repeat(None));
    for (step, why) in recording.steps.iter().zip(why) {
        let why = why.map_or(String::new(), |why| {
            format!(r#" <span class="ladder-why">{}</span>"#, markup(why))
        });
        let (what, known, then) = sentences(step);
        let what = format!(r#"<span class="ladder-what">{}</span>"#, markup(&what));
        lines.push(format!("<li>{what}{}.{why}{}</li>", markup(&known), markup(&then)));
    }
    lines.push("</ol>".to_owned());
    lines.extend(legend(recording).iter().map(|line| format!("<p>{}</p>", markup(line))));
    lines
}

/// What happens in a step; how that is known; and its system calls, and how things stand then.
fn sentences(step: &Event) -> (String, String, String) {
    let to = step.to.as_ref().map_or(String::new(), |to| format!(", to {to}"));
    let what = format!("{}: {}{to}", step.by, label(step));
    let mut known = String::new();
    if !step.packets.is_empty() {
        known += &format!(" ({}, not watched)", step.packets);
    }
    if step.known != Known::Done {
        known += &format!(" ({})", how_known(step.known));
    }
    let mut then = String::new();
    for call in &step.calls {
        then += &format!(" {call}.");
    }
    let sockets = step.sockets.iter().map(|socket| {
        let with = socket.with.as_ref().map_or(String::new(), |with| format!(" with {with}"));
        format!("{}{with}: {}", socket.who, socket.describe())
    });
    let after: Vec<_> = sockets.chain(step.doing.iter().cloned()).collect();
    if !after.is_empty() {
        then += &format!(" Then {}.", after.join("; "));
    }
    (what, known, then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::quote;

    fn recording() -> Recording {
        let step = Event {
            by: "client 1".into(),
            to: Some("server".into()),
            call: "write".into(),
            text: "3 bytes".into(),
            bytes: b"<&\"".into(),
            length: 3,
            packets: String::new(),
            meaning: String::new(),
            lost: false,
            known: Known::Done,
            sockets: Vec::new(),
            doing: vec!["server: main in accept".into()],
            calls: Vec::new(),
        };
        let title = "One write".to_owned();
        Recording { id: "server/x".into(), title, steps: vec![step], notes: Vec::new() }
    }

    #[test]
    fn a_figure_has_no_blank_line_and_no_reference() {
        let figure = figure(&recording(), &["It <matters>."]);
        assert!(figure.lines().all(|line| !line.trim().is_empty()), "{figure}");
        assert!(!figure.contains("url(") && !figure.contains(" id="), "{figure}");
    }

    #[test]
    fn each_step_says_why_it_matters() {
        let figure = figure(&recording(), &["It <matters>."]);
        assert!(
            figure.contains(r#"<span class="ladder-why">It &lt;matters&gt;.</span>"#),
            "{figure}"
        );
    }

    #[test]
    fn bytes_are_escaped() {
        let label = format!("write 3 bytes {}", quote(b"<&\""));
        assert!(figure(&recording(), &[]).contains(&markup(&label)));
        assert!(!figure(&recording(), &[]).contains("\"<&"));
    }
}
