//! Places of a command line, and what a check puts into them.

use std::net::SocketAddr;

/// An argument of a lab's program: a place in its command line, `{name}`, that each check fills.
///
/// What is put there may be one word, several, or none: an optional argument that a check leaves
/// out, or a list that is empty. An address, in a place that is called `addr` or `addr2`, can also
/// be taken apart: `{host}` and `{port}`, `{host2}` and `{port2}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name, without the braces.
    pub name: &'static str,
    /// What it stands for, for a sentence: `the address where it listens`.
    pub means: &'static str,
}

impl Place {
    /// The place `name`, which stands for what `means` says.
    pub const fn new(name: &'static str, means: &'static str) -> Self {
        Self { name, means }
    }

    /// As it stands in a command line: `{addr}`.
    pub fn in_braces(&self) -> String {
        braces(self.name)
    }

    /// How a command line can say where it takes this: each of these alone will do.
    pub(super) fn spellings(&self) -> Vec<String> {
        parts(self.name).into_iter().flatten().chain([self.in_braces()]).collect()
    }
}

fn braces(name: &str) -> String {
    format!("{{{name}}}")
}

/// The two places for the parts of an address: `{host2}` and `{port2}` of `addr2`.
fn parts(name: &str) -> Option<[String; 2]> {
    let number = name.strip_prefix("addr")?;
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| {
        let part = |part: &str| braces(&format!("{part}{number}"));
        [part("host"), part("port")]
    })
}

/// What a check puts into the places of a command line. A word with a place that it says nothing
/// of is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Each place in braces, and the words that stand there.
    places: Vec<(String, Vec<String>)>,
    surplus: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Given {
    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// An address that the harness chose, as `addr`.
    pub fn address(address: SocketAddr) -> Self {
        Self::text(&address.to_string())
    }

    /// Any text in the form `HOST:PORT`, right or wrong, as `addr`.
    pub fn text(text: &str) -> Self {
        Self::nothing().with("addr", text)
    }

    /// All that the lab's own program takes, as `args`: for a program that is run in several ways.
    pub fn arguments<W: ToString>(words: impl IntoIterator<Item = W>) -> Self {
        Self::nothing().with_all("args", words)
    }

    /// And one word for this place.
    pub fn with(self, place: &str, word: impl ToString) -> Self {
        self.with_all(place, [word])
    }

    /// And any number of words for this place; none, where they are none.
    pub fn with_all<W: ToString>(
        mut self,
        place: &str,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
        if let (Some([host, port]), [text]) = (parts(place), &words[..]) {
            let (left, right) = text.rsplit_once(':').unwrap_or((text, ""));
            let bare = left.trim_start_matches('[').trim_end_matches(']');
            self.places.push((host, vec![bare.to_owned()]));
            self.places.push((port, vec![right.to_owned()]));
        }
        self.places.push((braces(place), words));
        self
    }

    /// And one argument too many.
    pub fn surplus(mut self) -> Self {
        self.surplus.push("surplus".into());
        self
    }

    /// And a variable of its environment.
    pub fn environment(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    /// What stands for one word of a command line that has these places.
    pub(super) fn fill(&self, word: &str, places: &[String]) -> Vec<String> {
        if let Some(words) = self.words_at(word) {
            return words.to_vec();
        }
        let missing = |place: &String| word.contains(place) && self.words_at(place).is_none();
        if places.iter().any(missing) {
            return Vec::new();
        }
        let fill = |word: String, (place, words): &(String, Vec<String>)| {
            word.replace(place, &words.join(" "))
        };
        vec![self.places.iter().fold(word.to_owned(), fill)]
    }

    fn words_at(&self, place: &str) -> Option<&[String]> {
        // The last word counts: a check may replace what another one gives.
        let found = self.places.iter().rfind(|(name, _)| name == place);
        found.map(|(_, words)| &words[..])
    }

    /// What follows behind all arguments.
    pub(super) fn behind(&self) -> &[String] {
        &self.surplus
    }

    pub(super) fn variables(&self) -> &[(String, String)] {
        &self.environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(given: &Given, word: &str) -> Vec<String> {
        given.fill(word, &["{addr}", "{seconds}", "{peers}"].map(str::to_owned))
    }

    #[test]
    fn an_address_can_be_taken_apart_and_there_may_be_several() {
        let given = Given::text("127.0.0.1:2525").with("addr2", "[::1]:1110");
        assert_eq!(fill(&given, "{host}/{port}"), ["127.0.0.1/2525"]);
        assert_eq!(fill(&given, "{host2}/{port2}"), ["::1/1110"]);
        assert_eq!(fill(&given, "--pop={addr2}"), ["--pop=[::1]:1110"]);
    }

    #[test]
    fn a_place_may_stand_for_no_word_or_for_several() {
        let none = Given::nothing().with_all("peers", [""; 0]);
        assert!(fill(&none, "{peers}").is_empty());
        assert_eq!(fill(&none, "--peers={peers}"), ["--peers="]);
        let two = Given::nothing().with_all("peers", ["a:1", "b:2"]);
        assert_eq!(fill(&two, "{peers}"), ["a:1", "b:2"]);
    }

    #[test]
    fn a_word_with_a_place_that_was_not_given_is_left_out() {
        assert!(fill(&Given::text("a:1"), "--seconds={seconds}").is_empty());
        assert_eq!(fill(&Given::nothing(), "{print}"), ["{print}"], "no place of this lab");
    }
}
