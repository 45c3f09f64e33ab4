//! A recording as a drawing: a line for each that takes part, and a band for each step.

use crate::show::ladder::{Lanes, how_known, label};
use crate::show::trace::{Event, Known, Recording};
use crate::term::layout::{columns, wrap};
use crate::words::markup;

/// How wide a drawing is, in its own units: about pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// A page on a screen or on paper.
    Page,
    /// A narrow column: each text is broken into more lines.
    Phone,
}

impl Width {
    fn units(self) -> usize {
        match self {
            Self::Page => 800,
            Self::Phone => 400,
        }
    }
}

/// For the steps' numbers.
const LEFT: usize = 34;
/// A character of the figure's monospaced text, in tenths.
const CHAR_TENTHS: usize = 74;
const LINE: usize = 16;
const PAD: usize = 9;
/// Between what was done and how things stood then.
const GAP: usize = 4;

/// Where a lane's line runs.
struct Sheet {
    wide: usize,
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

/// The lines of the SVG; `style` is for one that no page has colours for.
pub(super) fn drawing(recording: &Recording, width: Width, style: &str) -> Vec<String> {
    let lanes = Lanes::of(recording);
    let wide = width.units();
    let each = (wide - LEFT) / lanes.heads.len().max(1);
    let programs = recording.programs();
    let sheet = Sheet { wide, lanes, each, programs };
    let (mut y, mut body) = (28, Vec::new());
    for (index, step) in recording.steps.iter().enumerate() {
        let (lines, height) = band(&sheet, index + 1, step, y);
        body.extend(lines);
        y += height;
    }
    let mut lines = vec![format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {y}" role="img" aria-label="{}">"#,
        markup(&format!("{}. The same as text stands below.", recording.title))
    )];
    if !style.is_empty() {
        lines.push(style.to_owned());
    }
    for (lane, head) in sheet.lanes.heads.iter().enumerate() {
        let x = sheet.x(lane);
        lines.push(format!(
            r#"<text class="head" x="{x}" y="18" text-anchor="middle">{}</text>"#,
            markup(head)
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
        for line in broken(call, (sheet.wide - LEFT) * 10 / CHAR_TENTHS - 4) {
            body.push(blank(LEFT + 8, y, columns(&line), ""));
            body.push(format!(
                r#"<text class="syscall" x="{}" y="{}">{}</text>"#,
                LEFT + 8,
                y + 12,
                markup(&line)
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
            markup(&step.call),
            markup(&step.by)
        ),
        format!(
            r#"<rect class="band" x="1" y="{top}" width="{}" height="{height}" rx="5"/>"#,
            sheet.wide - 2
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
    // From the middle of the arrow to the nearer edge of the sheet, on both sides.
    let room = 2 * (middle - LEFT).min(sheet.wide - middle) * 10 / CHAR_TENTHS - 1;
    let mut y = top;
    for line in broken(label, room) {
        body.push(blank(middle, y, columns(&line), "middle"));
        body.push(format!(
            r#"<text class="call" x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
            y + 13,
            markup(&line)
        ));
        y += LINE;
    }
    y += 6;
    let unseen = if step.packets.is_empty() { "" } else { " unseen" };
    let (tip, back) = if x2 > x1 { (x2 - 1, x2 - 9) } else { (x2 + 1, x2 + 9) };
    body.push(format!(r#"<line class="arrow{unseen}" x1="{x1}" y1="{y}" x2="{back}" y2="{y}"/>"#));
    body.push(if step.lost {
        format!(
            r#"<path class="arrow" d="M{back} {}L{tip} {}M{back} {}L{tip} {}"/>"#,
            y - 5,
            y + 5,
            y + 5,
            y - 5
        )
    } else {
        format!(r#"<polygon class="tip" points="{tip},{y} {back},{} {back},{}"/>"#, y - 5, y + 5)
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
    y += 4;
    for line in broken(&below.join("; "), room) {
        body.push(blank(middle, y, columns(&line), "middle"));
        body.push(format!(
            r#"<text class="known" x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
            y + 12,
            markup(&line)
        ));
        y += LINE;
    }
    y + 4
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
            markup(line)
        ));
    }
    let y = top + height + 4;
    if step.known == Known::Done {
        return y;
    }
    let mut y = y;
    for line in broken(how_known(step.known), sheet.room()) {
        body.push(blank(x, y, columns(&line), "middle"));
        body.push(format!(
            r#"<text class="known" x="{x}" y="{}" text-anchor="middle">{line}</text>"#,
            y + 12
        ));
        y += LINE;
    }
    y
}

/// The sockets after the step, and what the programs are in, below each other in their lanes.
fn states(sheet: &Sheet, step: &Event, top: usize, body: &mut Vec<String>) -> usize {
    let mut height = 0;
    for (lane, cells) in cells(&sheet.lanes, step).into_iter().enumerate() {
        let x = sheet.x(lane);
        let mut y = top;
        for (class, cell) in cells {
            for line in broken(&cell, sheet.room()) {
                body.push(blank(x, y, columns(&line), "middle"));
                body.push(format!(
                    r#"<text class="{class}" x="{x}" y="{}" text-anchor="middle">{}</text>"#,
                    y + 12,
                    markup(&line)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_lane() {
        let lines = broken("stderr \"client 127.0.0.1:50001: Connection reset\"", 20);
        assert!(lines.iter().all(|line| columns(line) <= 20), "{lines:?}");
        assert_eq!(lines.concat().len(), 49 - 1, "only the space between the words has gone");
    }
}
