//! A recording as a figure: an inline SVG in the page's own colours (classes, see
//! `book/lab.css`), with the same as text below it. No ids that could clash, no references within
//! the figure, and no blank lines: Markdown ends a block of HTML there.

use super::ladder::{Lanes, how_known, label, legend};
use crate::show::trace::{Event, Known, Recording};
use crate::term::layout::{columns, wrap};

/// Widths in the figure's own units: about pixels on a wide page.
const WIDE: usize = 800;
const LEFT: usize = 34;
/// A character of the figure's monospaced text, in tenths.
const CHAR_TENTHS: usize = 74;
const LINE: usize = 16;
const PAD: usize = 9;
/// Between what was done and how things stood then.
const GAP: usize = 4;

/// The figure as HTML to be included in a page. `#NAME/3` is its third step.
pub fn figure(recording: &Recording) -> String {
    let id = escape(&recording.id.replace('/', "-"));
    let title = escape(&recording.title);
    let mut lines = vec![
        format!(r#"<figure class="ladder" data-ladder="{id}">"#),
        format!("<figcaption>{title}</figcaption>"),
        r#"<div class="ladder-scroll">"#.to_owned(),
    ];
    lines.extend(drawing(recording, ""));
    lines.push("</div>".to_owned());
    lines.push(r#"<details class="ladder-text"><summary>The same as text</summary>"#.to_owned());
    lines.extend(text(recording));
    lines.push("</details>".to_owned());
    lines.push("</figure>".to_owned());
    lines.join("\n") + "\n"
}

/// The figure as a file of its own, with colours of its own.
pub fn document(recording: &Recording) -> String {
    drawing(recording, STYLE).join("\n") + "\n"
}

const STYLE: &str = "<style>\
    svg { color: #1a1a1a; background: #ffffff }\
    @media (prefers-color-scheme: dark) { svg { color: #e6e6e6; background: #16161d } }\
    text { font: 12px monospace; fill: currentColor }\
    .head, .call { font-weight: bold }\
    .life { stroke: currentColor; opacity: 0.3 }\
    .arrow { stroke: currentColor; fill: none }\
    .unseen { stroke-dasharray: 5 4 }\
    .tip { fill: currentColor }\
    .band, .blank { fill: none }\
    .box { fill: none; stroke: currentColor }\
    </style>";

/// Where a lane's line runs.
struct Sheet {
    lanes: Lanes,
    each: usize,
    programs: Vec<String>,
}

impl Sheet {
    fn x(&self, lane: usize) -> usize {
        LEFT + lane * self.each + self.each / 2
    }

    /// Characters that a lane has room for.
    fn room(&self) -> usize {
        (self.each - 8) * 10 / CHAR_TENTHS
    }
}

fn drawing(recording: &Recording, style: &str) -> Vec<String> {
    let lanes = Lanes::of(recording);
    let each = (WIDE - LEFT) / lanes.heads.len().max(1);
    let programs = recording.programs();
    let sheet = Sheet { lanes, each, programs };
    let (mut y, mut body) = (28, Vec::new());
    for (index, step) in recording.steps.iter().enumerate() {
        let (lines, height) = band(&sheet, index + 1, step, y);
        body.extend(lines);
        y += height;
    }
    let mut lines = vec![format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {y}" role="img" aria-label="{}">"#,
        escape(&format!("{}. The same as text stands below.", recording.title))
    )];
    if !style.is_empty() {
        lines.push(style.to_owned());
    }
    for (lane, head) in sheet.lanes.heads.iter().enumerate() {
        let x = sheet.x(lane);
        lines.push(format!(
            r#"<text class="head" x="{x}" y="18" text-anchor="middle">{}</text>"#,
            escape(head)
        ));
    }
    lines.extend(body);
    lines.push("</svg>".to_owned());
    lines
}

/// One step from `top` on: its lines, and how high it is.
fn band(sheet: &Sheet, number: usize, step: &Event, top: usize) -> (Vec<String>, usize) {
    let mut y = top + PAD;
    let mut body = Vec::new();
    let from = sheet.lanes.place(&step.by);
    let to = step.to.as_ref().map(|to| sheet.lanes.place(to)).filter(|to| *to != from);
    let label = format!("{}{}", sheet.lanes.prefix(&step.by), label(step));
    match to {
        Some(to) => y = arrow(sheet, step, (from, to), &label, y, &mut body),
        None => y = boxed(sheet, step, from, &label, y, &mut body),
    }
    for call in &step.calls {
        for line in wrap(call, (WIDE - LEFT) * 10 / CHAR_TENTHS - 4) {
            body.push(blank(LEFT + 8, y, columns(&line), ""));
            body.push(format!(
                r#"<text class="syscall" x="{}" y="{}">{}</text>"#,
                LEFT + 8,
                y + 12,
                escape(&line)
            ));
            y += LINE;
        }
    }
    if !step.sockets.is_empty() || !step.doing.is_empty() {
        y = states(sheet, step, y + GAP, &mut body);
    }
    let height = y + PAD - top;
    // Who the code of the page is the program of: its calls can be marked there.
    let program = if sheet.programs.contains(&step.by) { " program" } else { "" };
    let mut lines = vec![
        format!(
            r#"<g class="step {}{program}" data-call="{}" data-by="{}">"#,
            step.known.word(),
            escape(&step.call),
            escape(&step.by)
        ),
        format!(
            r#"<rect class="band" x="1" y="{top}" width="{}" height="{height}" rx="5"/>"#,
            WIDE - 2
        ),
        format!(r#"<text class="number" x="8" y="{}">{number}</text>"#, top + PAD + 13),
    ];
    let bottom = top + height;
    lines.extend((0..sheet.lanes.heads.len()).map(|lane| {
        let x = sheet.x(lane);
        format!(r#"<line class="life" x1="{x}" y1="{top}" x2="{x}" y2="{bottom}"/>"#)
    }));
    lines.extend(body);
    lines.push("</g>".to_owned());
    (lines, height)
}

/// An arrow with its label above and its packets below. Returns the next free line.
fn arrow(
    sheet: &Sheet,
    step: &Event,
    (from, to): (usize, usize),
    label: &str,
    top: usize,
    body: &mut Vec<String>,
) -> usize {
    let (x1, x2) = (sheet.x(from), sheet.x(to));
    let middle = x1.midpoint(x2);
    body.push(blank(middle, top, columns(label), "middle"));
    body.push(format!(
        r#"<text class="call" x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
        top + 13,
        escape(label)
    ));
    let y = top + 22;
    let unseen = if step.packets.is_empty() { "" } else { " unseen" };
    let (tip, back) = if x2 > x1 { (x2 - 1, x2 - 9) } else { (x2 + 1, x2 + 9) };
    body.push(format!(r#"<line class="arrow{unseen}" x1="{x1}" y1="{y}" x2="{back}" y2="{y}"/>"#));
    body.push(match step.lost {
        true => format!(
            r#"<path class="arrow" d="M{back} {}L{tip} {}M{back} {}L{tip} {}"/>"#,
            y - 5,
            y + 5,
            y + 5,
            y - 5
        ),
        false => format!(
            r#"<polygon class="tip" points="{tip},{y} {back},{} {back},{}"/>"#,
            y - 5,
            y + 5
        ),
    });
    let mut below = Vec::new();
    if !step.packets.is_empty() {
        below.push(step.packets.clone());
    }
    if step.lost {
        below.push("dropped".to_owned());
    }
    if step.known != Known::Done {
        below.push(how_known(step.known).to_owned());
    }
    if below.is_empty() {
        return y + 8;
    }
    let below = below.join("; ");
    body.push(blank(middle, y + 4, columns(&below), "middle"));
    body.push(format!(
        r#"<text class="known" x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
        y + 16,
        escape(&below)
    ));
    y + 16 + 8
}

/// The text in lines of this width, come what may: a lane has no more room.
fn broken(text: &str, width: usize) -> Vec<String> {
    let lines = wrap(text, width);
    let cut = |line: &String| -> Vec<String> {
        let characters: Vec<char> = line.chars().collect();
        characters.chunks(width.max(1)).map(|chunk| chunk.iter().collect()).collect()
    };
    lines.iter().flat_map(cut).collect()
}

/// What somebody does for himself, in a box on his line. Returns the next free line.
fn boxed(
    sheet: &Sheet,
    step: &Event,
    lane: usize,
    label: &str,
    top: usize,
    body: &mut Vec<String>,
) -> usize {
    let x = sheet.x(lane);
    let lines = broken(label, sheet.room() - 2);
    let widest = lines.iter().map(|line| columns(line)).max().unwrap_or_default();
    let width = (widest * CHAR_TENTHS / 10 + 14).min(sheet.each - 2);
    let height = lines.len() * LINE + 6;
    let unseen = if step.known == Known::Inferred { " unseen" } else { "" };
    body.push(format!(
        r#"<rect class="box{unseen}" x="{}" y="{top}" width="{width}" height="{height}" rx="4"/>"#,
        x - width / 2
    ));
    for (index, line) in lines.iter().enumerate() {
        body.push(format!(
            r#"<text class="call" x="{x}" y="{}" text-anchor="middle">{}</text>"#,
            top + 15 + index * LINE,
            escape(line)
        ));
    }
    let y = top + height + 4;
    if step.known == Known::Done {
        return y;
    }
    let how = how_known(step.known);
    body.push(blank(x, y, columns(how), "middle"));
    body.push(format!(
        r#"<text class="known" x="{x}" y="{}" text-anchor="middle">{how}</text>"#,
        y + 12
    ));
    y + LINE
}

/// The sockets after the step, and what the programs are in, below each other in their lanes.
fn states(sheet: &Sheet, step: &Event, top: usize, body: &mut Vec<String>) -> usize {
    let mut height = 0;
    for (lane, cells) in cells(&sheet.lanes, step).into_iter().enumerate() {
        let x = sheet.x(lane);
        let mut y = top;
        for (class, cell) in cells {
            for line in wrap(&cell, sheet.room()) {
                body.push(blank(x, y, columns(&line), "middle"));
                body.push(format!(
                    r#"<text class="{class}" x="{x}" y="{}" text-anchor="middle">{}</text>"#,
                    y + 12,
                    escape(&line)
                ));
                y += LINE;
            }
        }
        height = height.max(y - top);
    }
    top + height
}

/// For each lane what stands in it: the class and the text.
fn cells(lanes: &Lanes, step: &Event) -> Vec<Vec<(&'static str, String)>> {
    let mut cells: Vec<Vec<(&str, String)>> = vec![Vec::new(); lanes.heads.len()];
    for (lane, states) in lanes.states(step).into_iter().enumerate() {
        cells[lane].extend(states.into_iter().map(|state| ("state", state)));
    }
    for doing in &step.doing {
        let (who, what) = doing.split_once(": ").unwrap_or(("", doing));
        let text = format!("{}{what}", lanes.prefix(who));
        cells[lanes.place(who)].push(("doing", text));
    }
    cells
}

/// A rectangle that keeps the lines behind a text away from it.
fn blank(x: usize, y: usize, characters: usize, anchor: &str) -> String {
    let width = characters * CHAR_TENTHS / 10 + 6;
    let left = if anchor == "middle" { x.saturating_sub(width / 2) } else { x.saturating_sub(3) };
    format!(r#"<rect class="blank" x="{left}" y="{y}" width="{width}" height="15"/>"#)
}

/// The same as text: a list with an item for each step, and what the signs mean.
fn text(recording: &Recording) -> Vec<String> {
    let mut lines = vec!["<ol>".to_owned()];
    for step in &recording.steps {
        lines.push(format!("<li>{}</li>", escape(&sentence(step))));
    }
    lines.push("</ol>".to_owned());
    lines.extend(legend(recording).iter().map(|line| format!("<p>{}</p>", escape(line))));
    lines
}

fn sentence(step: &Event) -> String {
    let to = step.to.as_ref().map_or(String::new(), |to| format!(", to {to}"));
    let mut text = format!("{}: {}{to}", step.by, label(step));
    if !step.packets.is_empty() {
        text += &format!(" ({}, not watched)", step.packets);
    }
    if step.known != Known::Done {
        text += &format!(" ({})", how_known(step.known));
    }
    text.push('.');
    for call in &step.calls {
        text += &format!(" {call}.");
    }
    let sockets = step.sockets.iter().map(|socket| {
        let with = socket.with.as_ref().map_or(String::new(), |with| format!(" with {with}"));
        format!("{}{with}: {}", socket.who, socket.describe())
    });
    let after: Vec<_> = sockets.chain(step.doing.iter().cloned()).collect();
    if !after.is_empty() {
        text += &format!(" Then {}.", after.join("; "));
    }
    text
}

/// Text as XML and HTML take it.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
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
        let figure = figure(&recording());
        assert!(figure.lines().all(|line| !line.trim().is_empty()), "{figure}");
        assert!(!figure.contains("url(") && !figure.contains(" id="), "{figure}");
    }

    #[test]
    fn no_line_is_wider_than_its_lane() {
        let lines = broken("stderr \"client 127.0.0.1:50001: Connection reset\"", 20);
        assert!(lines.iter().all(|line| columns(line) <= 20), "{lines:?}");
        assert_eq!(lines.concat().len(), 49 - 1, "only the space between the words has gone");
    }

    #[test]
    fn bytes_are_escaped() {
        let label = format!("write 3 bytes {}", quote(b"<&\""));
        assert!(figure(&recording()).contains(&escape(&label)));
        assert!(!figure(&recording()).contains("\"<&"));
    }
}
