//! Plain text in lines of bounded width.

/// How many columns the text takes. The reports use no character wider than one column.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The text padded with spaces to this width.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text behind spaces, as a column of figures stands.
pub(crate) fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text without what could move a terminal's cursor or colour it: a program under test
/// writes what it likes. Tabs become spaces, other control characters their escapes, and so do
/// those that turn text around or are not seen at all.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() => out.extend(c.escape_default()),
            c if is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters of format (Unicode's category Cf), and the separators of lines and paragraphs.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e007f}')
}

/// The text in lines of at most this width. It is cut at spaces only, and never between
/// quotes, where the spaces are bytes that were sent: so a line can be longer.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrap_line(&printable(line), width)).collect()
}

fn wrap_line(line: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in words(line) {
        if current.is_empty() || columns(&current) + columns(word) <= width {
            current.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut current, word.trim_start().to_owned()));
        }
    }
    lines.push(current);
    lines
}

/// The pieces between which a line may be cut, each with the spaces before it.
fn words(line: &str) -> Vec<&str> {
    let quotes = quotes(line);
    // A lone quotation mark opens nothing.
    let paired = quotes.len().is_multiple_of(2);
    let quoted = |at| paired && quotes.partition_point(|&quote| quote < at) % 2 == 1;
    let (mut words, mut start, mut space) = (Vec::new(), 0, true);
    for (at, c) in line.char_indices() {
        if c == ' ' && !space && !quoted(at) {
            words.push(&line[start..at]);
            start = at;
        }
        space = c == ' ';
    }
    words.push(&line[start..]);
    words
}

/// Where the line's quotation marks are, without those behind a backslash.
fn quotes(line: &str) -> Vec<usize> {
    let (mut quotes, mut escaped) = (Vec::new(), false);
    for (at, byte) in line.bytes().enumerate() {
        if byte == b'"' && !escaped {
            quotes.push(at);
        }
        escaped = byte == b'\\' && !escaped;
    }
    quotes
}

/// The text on one line, cut with a `…` where it is wider than this.
pub(crate) fn clip(text: &str, width: usize) -> String {
    let text = printable(&text.replace('\n', " "));
    if columns(&text) <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The text wrapped to this width behind a prefix; the lines below the first are indented by
/// the prefix's width.
pub(crate) fn hang(prefix: &str, text: &str, width: usize) -> Vec<String> {
    let indent = columns(prefix);
    let mut lines = wrap(text, width.saturating_sub(indent));
    for (index, line) in lines.iter_mut().enumerate() {
        let before = if index == 0 { prefix.to_owned() } else { " ".repeat(indent) };
        *line = format!("{before}{line}");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible", 4), ["incomprehensible"]);
        assert_eq!(wrap("one\ntwo", 20), ["one", "two"]);
        assert_eq!(wrap("  indented text", 20), ["  indented text"]);
    }

    #[test]
    fn quoted_bytes_are_never_cut_or_changed() {
        assert_eq!(wrap(r#"sent "a  b \" c" twice"#, 8), ["sent", r#""a  b \" c""#, "twice"]);
        assert_eq!(wrap(r#"sent "a\\" and more"#, 10), [r#"sent "a\\""#, "and more"]);
        assert_eq!(wrap(r#"a " alone"#, 4), [r#"a ""#, "alone"]);
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(printable("\x1b[2J\tx\r"), "\\u{1b}[2J    x\\r");
    }

    #[test]
    fn a_clipped_text_is_one_line_that_fits() {
        assert_eq!(clip("one\ntwo", 7), "one two");
        assert_eq!(clip("one two", 6), "one t…");
    }

    #[test]
    fn lines_below_the_first_hang_under_it() {
        assert_eq!(hang("10. ", "one two three", 11), ["10. one two", "    three"]);
    }
}
