//! Likely causes of wrong bytes where a program passes bytes on: frequent mistakes have a
//! handwriting.

use crate::words::count;

/// What the difference between the bytes expected and those seen suggests.
pub(crate) fn cause(expected: &[u8], seen: &[u8]) -> &'static str {
    let same = expected.iter().zip(seen).take_while(|(a, b)| a == b).count();
    let (missing, surplus) = (&expected[same..], &seen[same..]);
    let without_end = expected.trim_ascii_end();
    if surplus.starts_with(REPLACEMENT) {
        "EF BF BD is U+FFFD, which from_utf8_lossy puts where bytes are not UTF-8: pass the \
         bytes on as they came, without making text of them"
    } else if missing.first() == Some(&0) && surplus.first() != Some(&0) {
        NUL
    } else if missing.is_empty() && surplus.iter().all(|byte| *byte == 0) {
        "the zeros are the unused rest of the buffer: only the first `count` bytes are what read \
         has read, `&buffer[..count]`"
    } else if missing.is_empty() && matches!(surplus, b"\n" | b"\r\n") {
        "a line end was added (writeln! and println! do that): pass on exactly what was received"
    } else if missing.is_empty() && surplus.starts_with(expected) {
        "the same bytes come twice: they are written twice, or kept in the buffer and sent again"
    } else if missing.is_empty() {
        "it goes on after the last byte: only what was received may be passed on, and only to where \
         it belongs"
    } else if without_end != expected && (seen == without_end || seen == joined(expected)) {
        LINE_END
    } else if seen.len() >= expected.len() && expected.eq_ignore_ascii_case(&seen[..expected.len()])
    {
        "only upper and lower case differ: bytes are not to be changed, whatever they mean"
    } else if contains(missing, head(surplus, 16)) && surplus.len() >= 8 {
        LEFT_OUT
    } else if seen.len() > 1 && contains(&seen[1..], head(expected, 16)) {
        "what was expected is there, and something comes before it: a greeting, a prompt, or bytes \
         of an earlier message that come again"
    } else {
        "the bytes are not the same from there on: some were lost, changed, or come from \
         somewhere else (another read, another client)"
    }
}

/// Why what is passed on stops before its end, where the program has read all that was sent.
pub(crate) fn silence(expected: &[u8], seen: &[u8]) -> String {
    let owed = count(expected.len() - seen.len());
    let without_end = expected.trim_ascii_end();
    let why = match (seen.is_empty(), expected.ends_with(b"\n")) {
        _ if expected.get(seen.len()) == Some(&0) => NUL,
        (false, true) if seen == without_end => LINE_END,
        (false, _) => {
            "a part of what was read is not sent: look at what becomes of all bytes of a read, and \
             whether the last ones wait for a line end, for a full buffer or for a flush"
        }
        (true, _) if std::str::from_utf8(expected).is_err() => {
            "these bytes are not UTF-8: it throws them away (a decoding that ignores errors), or it \
             waits for a line end, for a full buffer or for the end of the stream before it answers"
        }
        (true, true) => {
            "it waits for a full buffer or for the end of the stream before it answers, or its \
             answer sits in a buffer that is not flushed (BufWriter)"
        }
        (true, false) => {
            "it waits for a line end, for a full buffer or for the end of the stream before it \
             answers, or its answer sits in a buffer that is not flushed (BufWriter)"
        }
    };
    format!("the program has read all that was there and still owes {owed}: {why}")
}

/// What comes next is a NUL byte, and it does not come.
const NUL: &str = "the next byte is NUL (00): where a text ends with the first NUL (strlen, strcpy, fputs, \
    %s in C), what follows it is lost. Use the count that read returns";
/// Bytes in the middle are missing.
pub(crate) const LEFT_OUT: &str = "bytes are left out there, and the stream goes on after them: `write` may \
    take fewer bytes than it was given (write_all sends the rest), and a read may bring more than one \
    message";
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
const LINE_END: &str = "the line end is missing: lines() and trim() take it off, and it belongs \
    to what was received";

fn head(bytes: &[u8], length: usize) -> &[u8] {
    &bytes[..bytes.len().min(length)]
}

/// All lines, without their ends.
fn joined(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b'\n').collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_mistakes_are_known_by_their_handwriting() {
        for (expected, seen, word) in [
            (&b"a\n"[..], &b"a\n\0\0"[..], "buffer[..count]"),
            (b"a", b"a\n", "line end was added"),
            (b"a\n", b"a", "line end is missing"),
            (b"a\nb\n", b"ab", "line end is missing"),
            (b"a\n", b"a\na\n", "twice"),
            (b"a\n", b"A\n", "case"),
            (b"a\n", b"hi\na\n", "before it"),
            (b"\xff", b"\xef\xbf\xbd", "U+FFFD"),
            (b"abc", b"axc", "not the same"),
            (b"a\n", b"a\nbye\n", "goes on"),
            (b"ab\0cd", b"abcd", "NUL"),
            (b"one two three four five", b"one three four five", "left out"),
        ] {
            assert!(cause(expected, seen).contains(word), "{}", cause(expected, seen));
        }
    }
}
