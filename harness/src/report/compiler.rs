//! The compiler's words, as it laid them out, in the colours that a student knows from cargo.

use crate::term::Style;
use crate::term::layout::printable;

/// Never wrapped nor indented: the carets below the code must stay where they are.
pub(super) fn lines(words: &str, style: Style) -> Vec<String> {
    let paint = |line| paint(&printable(line), style).trim_end().to_owned();
    words.trim_end().lines().map(paint).collect()
}

/// `error[E0308]: …`, `  --> src/main.rs:1:2`, `12 |     code`, `   |     ^^^ expected …`, `   = note: …`.
fn paint(line: &str, style: Style) -> String {
    if line.starts_with("error") {
        return style.alarm(line);
    }
    let text = line.trim_start();
    if text.starts_with("--> ") || text.starts_with("::: ") || text.starts_with("= ") {
        return style.link(line);
    }
    let gutter =
        line.find('|').filter(|at| line[..*at].chars().all(|c| c.is_ascii_digit() || c == ' '));
    let Some((gutter, code)) = gutter.map(|at| line.split_at(at + 1)) else {
        return line.to_owned();
    };
    let is_mark = code.trim_start().starts_with(['^', '-', '|'])
        && !gutter.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let code = match code {
        code if is_mark && code.contains('^') => style.bad(code),
        code if is_mark => style.link(code),
        code => code.to_owned(),
    };
    style.link(gutter) + &code
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "\
error[E0425]: cannot find value `listner` in this scope
  --> labs/01-server/src/main.rs:22:5
   |
22 |     listner
   |     ^^^^^^^ help: a local variable exists: `listener`
   = note: it was \x1b[2J never made
";

    #[test]
    fn the_words_are_those_of_the_compiler() {
        let plain = lines(WORDS, Style::plain()).join("\n");
        assert_eq!(plain, WORDS.trim_end().replace('\x1b', "\\u{1b}"));
    }

    #[test]
    fn what_matters_is_in_colour() {
        let painted = lines(WORDS, Style::coloured());
        assert!(painted[0].starts_with("\x1b[1;31merror[E0425]"), "{painted:?}");
        assert!(painted[1].starts_with("\x1b[36m  -->"), "{painted:?}");
        assert_eq!(painted[3], "\x1b[36m22 |\x1b[0m     listner");
        assert!(painted[4].contains("\x1b[31m     ^^^^^^^ help"), "{painted:?}");
        let without = painted.join("\n").replace("\x1b[1;31m", "").replace("\x1b[36m", "");
        let without = without.replace("\x1b[31m", "").replace("\x1b[0m", "");
        assert_eq!(without, lines(WORDS, Style::plain()).join("\n"), "colour adds nothing");
    }
}
