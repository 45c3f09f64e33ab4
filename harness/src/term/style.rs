//! Colours: the only place that knows them.
//!
//! Colour never carries meaning alone: everything that it marks is also said in a word or a
//! sign, so the plain text of a report is the same text.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::process::{Command, Stdio};

/// How text is set off: with a terminal's colours, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences are written.
    pub colour: bool,
    /// Columns for what is laid out for reading.
    pub width: usize,
}

/// Columns of a comfortable line, and of the narrowest terminal that lines are made for.
const WIDE: usize = 100;
const NARROW: usize = 80;

impl Style {
    /// No colours: for files, pipes, and tests.
    pub fn plain() -> Self {
        Self { colour: false, width: WIDE }
    }

    /// Colours, whatever standard output is.
    #[cfg(test)]
    pub(crate) fn coloured() -> Self {
        Self { colour: true, ..Self::plain() }
    }

    /// Colours if standard output is a terminal that wants them: `NO_COLOR` unset or empty
    /// (<https://no-color.org>), and `TERM` not `dumb`.
    pub fn for_stdout() -> Self {
        let no_color = std::env::var_os("NO_COLOR");
        let term = std::env::var_os("TERM");
        let terminal = std::io::stdout().is_terminal();
        let columns = size().map_or(WIDE, |(_, columns)| columns);
        Self {
            colour: wanted(terminal, no_color.as_deref(), term.as_deref()),
            width: columns.clamp(NARROW, WIDE),
        }
    }

    /// What passed.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What failed.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// The one sentence that must not be missed.
    pub fn alarm(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// What waits, or needs the reader's eye, without having failed.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// What the reader may skip.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Headings and names.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What the reader can type or open next.
    pub fn link(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Lines and columns of the terminal; `None` where there is none, or nobody who can tell.
pub fn size() -> Option<(usize, usize)> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return None;
    }
    // It looks at its standard input.
    let mut stty = Command::new("stty");
    let output = stty.arg("size").stdin(Stdio::inherit()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (lines, columns) = text.trim().split_once(' ')?;
    // A terminal that does not know its size says 0.
    Some((lines.parse().ok()?, columns.parse().ok()?))
        .filter(|(lines, columns)| lines * columns > 0)
}

/// What clears the screen of a terminal, and leaves its history; nothing where there is none.
pub fn clear_screen() -> &'static str {
    let term = std::env::var_os("TERM");
    // That colours are not wanted says nothing about the screen.
    if wanted(std::io::stdout().is_terminal(), None, term.as_deref()) {
        "\x1b[H\x1b[2J"
    } else {
        ""
    }
}

fn wanted(terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_that_does_not_refuse_it() {
        let set = |text| Some(OsStr::new(text));
        assert!(wanted(true, None, None));
        assert!(wanted(true, set(""), set("xterm")));
        assert!(!wanted(false, None, set("xterm")));
        assert!(!wanted(true, set("1"), set("xterm")));
        assert!(!wanted(true, None, set("dumb")));
    }

    #[test]
    fn plain_text_is_left_alone_and_coloured_text_is_reset() {
        assert_eq!(Style::plain().bad("no"), "no");
        assert_eq!(Style::coloured().bad("no"), "\x1b[31mno\x1b[0m");
        assert_eq!(Style::coloured().bad("  "), "  ");
    }
}
