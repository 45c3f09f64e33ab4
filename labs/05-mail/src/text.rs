//! The text of a message, and its lines.

/// Its lines, without the CRLF that ends each.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, behind) = split(rest);
        rest = behind;
        Some(line)
    })
}

/// The beginning of a text: its header, the empty line behind it, and so many lines more; all of it
/// where it has no more.
pub fn top(text: &[u8], most: usize) -> &[u8] {
    let mut rest = text;
    let mut left = None;
    while !rest.is_empty() && left != Some(0) {
        let (line, behind) = split(rest);
        rest = behind;
        left = match left {
            None if line.is_empty() => Some(most),
            left => left.map(|left| left - 1),
        };
    }
    &text[..text.len() - rest.len()]
}

/// The first line, and what stands behind its CRLF.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    match text.windows(2).position(|two| two == b"\r\n") {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, top};

    #[test]
    fn lines_end_with_crlf_and_with_nothing_else() {
        let told: Vec<_> = lines(b"one\r\n\r\ntwo\nof three\r\nlast").collect();
        assert_eq!(told, [&b"one"[..], b"", b"two\nof three", b"last"]);
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"\r\n").count(), 1);
    }

    #[test]
    fn the_top_is_the_header_and_so_many_lines() {
        let text = b"From: a\r\nTo: b\r\n\r\none\r\ntwo\r\n";
        assert_eq!(top(text, 0), b"From: a\r\nTo: b\r\n\r\n");
        assert_eq!(top(text, 1), b"From: a\r\nTo: b\r\n\r\none\r\n");
        assert_eq!(top(text, usize::MAX), text);
        assert_eq!(top(b"From: a\r\n", 0), b"From: a\r\n");
    }
}
