//! Expected lines in which a value is free: a port that the kernel chose, a reason in the
//! program's own words.

/// An expected line. `*` in it stands for one or more bytes of any kind.
#[derive(Clone, Debug)]
pub struct Pattern<'a>(&'a str);

impl<'a> Pattern<'a> {
    /// The pattern that is written like this.
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Whether something in it is free.
    pub fn is_free(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether `line` begins with the same word: a line of another kind need not be compared.
    pub fn begins_like(&self, line: &[u8]) -> bool {
        let word = self.0.split(' ').next().unwrap_or_default();
        line.starts_with(word.as_bytes())
    }

    /// Whether `line`, without its line end, is as expected.
    pub fn fits(&self, line: &[u8]) -> bool {
        fits(self.0.as_bytes(), line)
    }
}

fn fits(pattern: &[u8], line: &[u8]) -> bool {
    match pattern.split_first() {
        None => line.is_empty(),
        Some((b'*', rest)) => (1..=line.len()).any(|taken| fits(rest, &line[taken..])),
        Some((byte, rest)) => line.first() == Some(byte) && fits(rest, &line[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_for_at_least_one_byte() {
        let fits = |pattern, line: &str| Pattern::new(pattern).fits(line.as_bytes());
        assert!(fits("joined bob 127.0.0.1:* as client", "joined bob 127.0.0.1:50300 as client"));
        assert!(!fits("joined bob 127.0.0.1:* as client", "joined bob 127.0.0.1: as client"));
        assert!(fits("bad peer *: *", "bad peer [::1]:7: no HELLO"));
        assert!(fits("left bob", "left bob"));
        assert!(!fits("left bob", "left bob "));
        assert!(!fits("left bob", "left bo"));
    }
}
