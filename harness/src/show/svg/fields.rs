//! A message of a binary protocol as a figure: its bytes in rows, and below them its fields, each a
//! step of the figure with a sentence on what it is for.

use std::ops::Range;

use crate::lab::Field;
use crate::term::layout::wrap;
use crate::words::markup;

/// How wide a drawing is, and what follows from that.
struct Sheet {
    class: &'static str,
    wide: usize,
    /// Bytes in a row of the dump.
    row: usize,
    /// Where the first byte of a row stands, and how far it is to the next.
    left: usize,
    each: usize,
    /// Where the names of fields stand, and their values.
    names: usize,
    values: usize,
}

const SHEETS: [Sheet; 2] = [
    Sheet { class: "wide", wide: 800, row: 16, left: 64, each: 27, names: 330, values: 500 },
    Sheet { class: "narrow", wide: 400, row: 8, left: 60, each: 25, names: 60, values: 60 },
];

/// A character of the figure's monospaced text, in tenths.
const CHAR_TENTHS: usize = 74;
const LINE: usize = 16;
/// A row of the dump.
const ROW: usize = 24;
/// Bytes of a field in a line of their own.
const BYTES_A_LINE: usize = 10;

/// The figure as HTML to be included in a page. `#NAME/3` is its third field.
pub fn fields(name: &str, title: &str, bytes: &[u8], fields: &[Field]) -> String {
    let mut lines = vec![
        format!(
            r#"<figure class="ladder" data-ladder="{}" data-what="Message in fields">"#,
            markup(name)
        ),
        format!("<figcaption>{}</figcaption>", markup(title)),
    ];
    for sheet in &SHEETS {
        lines.push(format!(r#"<div class="ladder-{}">"#, sheet.class));
        lines.extend(drawing(sheet, title, bytes, fields));
        lines.push("</div>".to_owned());
    }
    lines.push(r#"<details class="ladder-text"><summary>The same as text</summary>"#.to_owned());
    lines.push("<ol>".to_owned());
    lines.extend(places(fields).map(|(field, place)| {
        format!(
            r#"<li><span class="ladder-what">{}</span>. <span class="ladder-why">{}</span></li>"#,
            markup(&format!("{}: {}, {}", called(&place), field.name, field.value)),
            markup(&field.why)
        )
    }));
    lines.extend(["</ol>", "</details>", "</figure>"].map(str::to_owned));
    lines.join("\n") + "\n"
}

/// Each field with its place in the message.
fn places(fields: &[Field]) -> impl Iterator<Item = (&Field, Range<usize>)> {
    fields.iter().scan(0, |at, field| {
        let place = *at..*at + field.length;
        *at = place.end;
        Some((field, place))
    })
}

/// `byte 4`, `bytes 12 to 29`.
fn called(place: &Range<usize>) -> String {
    match place.len() {
        1 => format!("byte {}", place.start),
        _ => format!("bytes {} to {}", place.start, place.end - 1),
    }
}

fn drawing(sheet: &Sheet, title: &str, bytes: &[u8], fields: &[Field]) -> Vec<String> {
    let rows = bytes.len().div_ceil(sheet.row);
    let mut top = rows * ROW + 16;
    let mut body: Vec<String> = (0..rows)
        .map(|row| {
            let y = row * ROW + 17;
            format!(r#"<text class="number" x="8" y="{y}">{}</text>"#, row * sheet.row)
        })
        .collect();
    for (field, place) in places(fields) {
        body.push(r#"<g class="step">"#.to_owned());
        body.extend(dump(sheet, bytes, &place));
        let (lines, height) = line(sheet, field, &place, bytes, top);
        body.extend(lines);
        body.push("</g>".to_owned());
        top += height;
    }
    let head = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {top}" role="img" aria-label="{}">"#,
        sheet.wide,
        markup(&format!("{title}. The same as text stands below."))
    );
    std::iter::once(head).chain(body).chain(std::iter::once("</svg>".to_owned())).collect()
}

/// The field's bytes among the others, in a box; in two where a row ends within.
fn dump(sheet: &Sheet, bytes: &[u8], place: &Range<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut from = place.start;
    while from < place.end {
        let row = from / sheet.row;
        let to = place.end.min((row + 1) * sheet.row);
        let x = sheet.left + from % sheet.row * sheet.each;
        let y = row * ROW + 2;
        let width = (to - from) * sheet.each - 3;
        for class in ["band", "box"] {
            lines.push(format!(
                r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="20" rx="3"/>"#
            ));
        }
        for (at, byte) in bytes.iter().enumerate().take(to).skip(from) {
            let middle = sheet.left + at % sheet.row * sheet.each + (sheet.each - 3) / 2;
            lines.push(format!(
                r#"<text class="call" x="{middle}" y="{}" text-anchor="middle">{byte:02x}</text>"#,
                y + 15
            ));
            let x = sheet.left + sheet.row * sheet.each + 14 + at % sheet.row * 9;
            lines.push(format!(
                r#"<text class="number" x="{x}" y="{}">{}</text>"#,
                y + 15,
                markup(&printed(*byte))
            ));
        }
        from = to;
    }
    lines
}

/// As the right column of a dump has it.
fn printed(byte: u8) -> String {
    match byte {
        b'!'..=b'~' => char::from(byte).to_string(),
        _ => "·".to_owned(),
    }
}

/// The field's line in the list: where, which bytes, its name and its value.
fn line(
    sheet: &Sheet,
    field: &Field,
    place: &Range<usize>,
    bytes: &[u8],
    top: usize,
) -> (Vec<String>, usize) {
    let number = match place.len() {
        1 => place.start.to_string(),
        _ => format!("{}–{}", place.start, place.end - 1),
    };
    let hex = bytes[place.clone()].chunks(BYTES_A_LINE).map(|line| {
        let words: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        words.join(" ")
    });
    let room = |from: usize, to: usize| (to - from) * 10 / CHAR_TENTHS - 1;
    let is_wide = sheet.values > sheet.names;
    let names_end = if is_wide { sheet.values } else { sheet.wide };
    let columns: [(&str, usize, Vec<String>); 4] = [
        ("number", 8, vec![number]),
        ("call", sheet.left, hex.collect()),
        ("field", sheet.names, wrap(&field.name, room(sheet.names, names_end))),
        ("state", sheet.values, wrap(&field.value, room(sheet.values, sheet.wide))),
    ];
    let mut texts = Vec::new();
    let (mut y, mut lowest) = (top + 4, top);
    for (index, (class, x, lines)) in columns.into_iter().enumerate() {
        // On a narrow page name, bytes and value stand below each other.
        if is_wide || index == 1 {
            y = top + 4;
        }
        for line in lines {
            texts.push(format!(
                r#"<text class="{class}" x="{x}" y="{}">{}</text>"#,
                y + 13,
                markup(&line)
            ));
            y += LINE;
        }
        lowest = lowest.max(y);
    }
    let height = lowest - top + 6;
    let band = format!(
        r#"<rect class="band" x="1" y="{top}" width="{}" height="{height}" rx="5"/>"#,
        sheet.wide - 2
    );
    (std::iter::once(band).chain(texts).collect(), height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Field> {
        let field = |length, name: &str| Field {
            length,
            name: name.to_owned(),
            value: "<1>".to_owned(),
            why: "It is.".to_owned(),
        };
        vec![field(15, "id"), field(2, "flags")]
    }

    #[test]
    fn each_field_is_a_step_in_both_drawings_and_in_the_text() {
        let figure = fields("x", "A message", &[0x41; 17], &two());
        assert_eq!(figure.matches(r#"<g class="step">"#).count(), 4);
        assert!(figure.contains("bytes 15 to 16: flags, &lt;1&gt;"), "{figure}");
        assert!(figure.lines().all(|line| !line.trim().is_empty()), "{figure}");
    }

    #[test]
    fn a_field_over_the_end_of_a_row_has_two_boxes() {
        let sheet = &SHEETS[0];
        let boxes = dump(sheet, &[0; 17], &(15..17));
        assert_eq!(boxes.iter().filter(|line| line.contains(r#"class="box""#)).count(), 2);
    }
}
