//! What the program tells its user on standard error.

use super::program::Swarm;
use crate::program::describe_exit;
use crate::trial::{Progress, Verdict};
use crate::words::{count, quote_short};

impl Swarm {
    /// Expects so many lines with this in them on standard error; `cause` is why they may not be there.
    pub(super) fn expect_told(&self, words: &str, lines: usize, cause: &str) -> Verdict {
        let t = self.trial();
        let told = || {
            let all = self.running().program.stderr().last_lines(usize::MAX);
            all.into_iter().filter(|line| line.contains(words)).count()
        };
        let come = t.wait(self.running(), || {
            Ok(if told() >= lines { Progress::Done(()) } else { Progress::Nothing })
        })?;
        if come.is_ok() && told() == lines {
            t.note(format!("the program told its user: {words}…"));
            return Ok(());
        }
        let all = self.running().program.stderr().last_lines(usize::MAX);
        let last = all.last().map_or(String::new(), |line| {
            format!("; the last line is {}", quote_short(line.as_bytes(), 100))
        });
        let name = &self.running().name;
        let stall = come.err().map_or(String::new(), |stall| format!("; {}", stall.sentence(name)));
        Err(t
            .fail(format!("the {name} does not say in one line on standard error what is wrong"))
            .expected(format!("`{words}` in {lines} of the lines on standard error"))
            .seen(format!("it is in {} of {}{last}{stall}", told(), lines_of(all.len())))
            .cause(cause)
            .stop())
    }

    /// Expects that what came from outside with these words in it is one line on standard error, without
    /// control characters.
    pub(super) fn expect_harmless(&self, words: &[&str], cause: &str) -> Verdict {
        self.rest()?;
        let mut lines = self.running().program.stderr().last_lines(usize::MAX);
        lines.retain(|line| words.iter().any(|word| line.contains(word)));
        if lines.len() == 1 && !lines[0].contains(char::is_control) {
            return Ok(());
        }
        let blame = self
            .trial()
            .fail("control characters from outside get to the user's terminal")
            .expected("one line on standard error, with control characters escaped");
        let quote = |line: &String| format!("the line {}", quote_short(line.as_bytes(), 100));
        let blame = lines.iter().map(quote).fold(blame, |blame, line| blame.seen(line));
        Err(blame.cause(cause).stop())
    }

    /// Whether there is a line with this in it on standard error.
    pub(super) fn has_told(&self, words: &str) -> bool {
        let lines = self.running().program.stderr().last_lines(usize::MAX);
        lines.iter().any(|line| line.contains(words))
    }

    /// How many lines it has printed on standard error.
    pub(super) fn lines_told(&self) -> usize {
        self.running().program.stderr().last_lines(usize::MAX).len()
    }

    /// Expects a line on standard error besides so many, for what its user has typed.
    pub(super) fn expect_more_told(&self, before: usize, cause: &str) -> Verdict {
        let t = self.trial();
        let come = t.wait(self.running(), || {
            let more = self.lines_told() > before;
            Ok(if more { Progress::Done(()) } else { Progress::Nothing })
        })?;
        come.map_err(|stall| {
            t.fail("the program says nothing about a line that was typed")
                .expected("one line on standard error")
                .seen(stall.sentence(&self.running().name))
                .cause(cause)
                .stop()
        })
    }

    /// Expects that the program has not ended.
    pub(super) fn expect_lives(&self, cause: &str) -> Verdict {
        self.rest()?;
        let Some(status) = self.console.exited()? else { return Ok(()) };
        Err(self
            .trial()
            .fail("the program ended")
            .expected("it goes on")
            .seen(describe_exit(status))
            .cause(cause)
            .stop())
    }
}

fn lines_of(number: usize) -> String {
    count(number).replace("byte", "line")
}
