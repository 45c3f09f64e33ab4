//! Which lines of its standard error say most of why a program ended: the last ones, and above them the
//! one that says what happened, where a trace of calls has pushed it away.

/// How the line begins below which Go and Java print the calls.
const BEGINNINGS: [&str; 3] = ["panic: ", "fatal error: ", "Exception in thread "];

/// Of all lines the last ones, at most `most`, with the line above them that the calls belong to.
pub(super) fn telling(mut lines: Vec<String>, most: usize) -> Vec<String> {
    let Some(hidden) = lines.len().checked_sub(most).filter(|hidden| *hidden > 0) else {
        return lines;
    };
    let says_what =
        |line: &String| BEGINNINGS.iter().any(|it| line.starts_with(it)) || is_panic(line);
    let above = lines[..hidden].iter().rposition(says_what).or_else(|| {
        let is_call = lines[hidden].trim_start().starts_with("at ");
        let is_no_call = |line: &String| !line.trim_start().starts_with("at ");
        is_call.then(|| lines[..hidden].iter().rposition(is_no_call)).flatten()
    });
    let Some(first) = above else { return lines.split_off(hidden) };
    // What a thread of Rust panicked with stands in the line below.
    let behind = first + if is_panic(&lines[first]) { 2 } else { 1 };
    let mut telling = lines[first..behind].to_vec();
    let last = (lines.len() + telling.len() + 1).saturating_sub(most).max(behind);
    if last > behind {
        telling.push("…".to_owned());
    }
    telling.extend(lines.split_off(last));
    telling
}

fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        telling(text.lines().map(str::to_owned).collect(), 4)
    }

    #[test]
    fn the_line_that_says_what_happened_is_shown_above_the_calls() {
        let go =
            "log\npanic: no map\ngoroutine 1 [running]:\nmain.a()\n\tx.go:3\nmain.b()\n\tx.go:9";
        assert_eq!(of(go), ["panic: no map", "…", "main.b()", "\tx.go:9"]);
        let node = "x.js:1\nTypeError: no\n    at a\n    at b\n    at c\n    at d\n    at e";
        assert_eq!(of(node), ["TypeError: no", "…", "    at d", "    at e"]);
        let rust = "log\nthread 'main' (7) panicked at x.rs:1:1:\nno room\nstack backtrace:\n0: a\n1: b\n2: c";
        assert_eq!(of(rust)[1..], ["no room", "…", "2: c"]);
    }

    #[test]
    fn where_nothing_is_pushed_away_the_last_lines_are_shown() {
        assert_eq!(of("a\nb"), ["a", "b"]);
        assert_eq!(of("a\nb\nc\nd\ne"), ["b", "c", "d", "e"]);
        assert_eq!(of("x\npanic: no\na\nb\nc"), ["panic: no", "a", "b", "c"]);
        assert_eq!(of("panic: no\na\nb\nc\nd"), ["panic: no", "…", "c", "d"]);
    }
}
