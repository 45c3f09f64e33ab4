//! Bytes as text that a person can read, retype and compare.

use crate::term::Style;
use crate::verdict::Difference;
use crate::words::{count, escape, quote};

/// The difference as lines: both excerpts one above the other, a caret below the first byte
/// that differs, and that place in words. The lines must not be wrapped.
pub fn difference(difference: &Difference, style: Style) -> Vec<String> {
    let Difference { offset, start, expected, seen, expected_len, seen_len } = difference;
    let before = offset.saturating_sub(*start);
    let same = expected.get(..before).unwrap_or(expected);
    let lead = if *start > 0 { "…" } else { "" };
    // One more for the quote.
    let column = lead.chars().count() + 1 + escape(same).len();

    // People count bytes from 1: "byte 5 of 6".
    let nth = offset.saturating_add(1);
    let place = match (expected.get(before), seen.get(before)) {
        (Some(e), Some(s)) => format!(" of {expected_len}: expected {e:#04x}, seen {s:#04x}"),
        (Some(e), None) => {
            format!(" of {expected_len}: expected {e:#04x}, what was seen ended here")
        }
        (None, Some(s)) => format!(" of {seen_len}: what was expected ended here, seen {s:#04x}"),
        (None, None) => String::new(),
    };
    let [above, below] = [(expected, expected_len), (seen, seen_len)].map(|(bytes, total)| {
        let cut = start.saturating_add(bytes.len()) < *total;
        format!("{lead}{}{}", quote(bytes), if cut { "…" } else { "" })
    });
    let mut lines = vec![
        format!("expected  {above}"),
        format!("seen      {below}"),
        format!("          {}{}", " ".repeat(column), style.bad("^")),
        format!("first difference at byte {nth}{place}"),
    ];
    if expected_len != seen_len {
        let [expected, seen] = [*expected_len, *seen_len].map(count);
        let balance = balance(*expected_len, *seen_len);
        lines.push(format!("in all: expected {expected}, seen {seen}: {balance}"));
    }
    lines
}

/// By how much two sizes differ: of two large ones that is hard to see.
fn balance(expected: usize, seen: usize) -> String {
    match expected.checked_sub(seen) {
        Some(missing) => format!("{} missing", count(missing)),
        None => format!("{} too many", count(seen - expected)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words::quote_short;

    fn lines(expected: &[u8], seen: &[u8]) -> String {
        let found = Difference::between(expected, seen).expect("they differ");
        difference(&found, Style::plain()).join("\n")
    }

    #[test]
    fn bytes_are_quoted_like_a_byte_string() {
        assert_eq!(
            quote(b"a\n\r\t\0\\\" ~\x7f\x1b\xc3\xa9"),
            r#""a\n\r\t\0\\\" ~\x7f\x1b\xc3\xa9""#
        );
        assert_eq!(quote(b""), r#""""#);
    }

    #[test]
    fn long_bytes_are_cut_and_their_length_is_said() {
        assert_eq!(quote_short(b"hello", 5), r#""hello""#);
        assert_eq!(quote_short(b"hello\n", 5), r#""hello"… (6 bytes)"#);
        assert_eq!(quote_short(&[b'a'; 0x80_0000], 1), r#""a"… (8.0 MiB (8388608 bytes))"#);
    }

    #[test]
    fn counts_are_in_words() {
        let counts = [0, 1, 6, 65535, 65536, 8 << 20, 3 << 29].map(count);
        assert_eq!(counts[..4], ["0 bytes", "1 byte", "6 bytes", "65535 bytes"]);
        assert_eq!(counts[4], "64.0 KiB (65536 bytes)");
        assert_eq!(counts[5], "8.0 MiB (8388608 bytes)");
        assert_eq!(counts[6], "1.5 GiB (1610612736 bytes)");
    }

    #[test]
    fn the_caret_stands_under_the_first_byte_that_differs() {
        let text = [
            r#"expected  "hello\n""#,
            r#"seen      "hellx\n""#,
            r#"               ^"#,
            "first difference at byte 5 of 6: expected 0x6f, seen 0x78",
        ];
        assert_eq!(lines(b"hello\n", b"hellx\n"), text.join("\n"));
    }

    #[test]
    fn the_caret_counts_escapes_as_they_are_shown() {
        let text = [
            r#"expected  "\xff\n\"ab""#,
            r#"seen      "\xff\n\"\0b""#,
            r#"                   ^"#,
            "first difference at byte 4 of 5: expected 0x61, seen 0x00",
        ];
        assert_eq!(lines(b"\xff\n\"ab", b"\xff\n\"\0b"), text.join("\n"));
    }

    #[test]
    fn the_caret_stands_under_the_end_of_what_ended() {
        let text = [
            r#"expected  "hello\n""#,
            r#"seen      """#,
            r#"           ^"#,
            "first difference at byte 1 of 6: expected 0x68, what was seen ended here",
            "in all: expected 6 bytes, seen 0 bytes: 6 bytes missing",
        ];
        assert_eq!(lines(b"hello\n", b""), text.join("\n"));
        let text = [
            r#"expected  "hi""#,
            r#"seen      "hi\n""#,
            r#"             ^"#,
            "first difference at byte 3 of 3: what was expected ended here, seen 0x0a",
            "in all: expected 2 bytes, seen 3 bytes: 1 byte too many",
        ];
        assert_eq!(lines(b"hi", b"hi\n"), text.join("\n"));
    }

    #[test]
    fn what_is_left_out_is_marked_on_both_sides() {
        let expected: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').collect();
        let mut seen = expected.clone();
        seen[20] = b'\n';
        seen.truncate(32);
        let text = [
            r#"expected  …"IJKLMNOPQRSTUVWXYZabcdef"…"#,
            r#"seen      …"IJKLMNOPQRST\nVWXYZabcdef""#,
            r#"                        ^"#,
            "first difference at byte 21 of 52: expected 0x55, seen 0x0a",
            "in all: expected 52 bytes, seen 32 bytes: 20 bytes missing",
        ];
        assert_eq!(lines(&expected, &seen), text.join("\n"));
    }

    proptest! {
        #[test]
        fn the_caret_always_points_at_different_bytes(
            same in proptest::collection::vec(any::<u8>(), 0..40),
            [a, b] in any::<[Vec<u8>; 2]>(),
        ) {
            let [expected, seen] = [a, b].map(|rest| [same.clone(), rest].concat());
            let Some(found) = Difference::between(&expected, &seen) else { return Ok(()) };
            let lines: Vec<Vec<char>> = difference(&found, Style::plain())
                .iter().map(|line| line.chars().collect()).collect();
            let caret = lines[2].len() - 1;
            let [above, below] = [&lines[0], &lines[1]].map(|line| &line[caret..]);
            prop_assert_eq!(&lines[0][10..caret], &lines[1][10..caret]);
            prop_assert_ne!(above, below);
        }

        #[test]
        fn no_difference_makes_the_renderer_panic(
            (offset, start, expected_len, seen_len) in any::<(usize, usize, usize, usize)>(),
            (expected, seen) in any::<(Vec<u8>, Vec<u8>)>(),
        ) {
            let odd = Difference { offset, start, expected, seen, expected_len, seen_len };
            let _ = difference(&odd, Style::plain());
        }
    }
}
