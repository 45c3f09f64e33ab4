//! What to run: the command line of a program under test, with places for the address.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command line with places: `{addr}` (`127.0.0.1:7007`, `[::1]:7007`), `{host}`, `{port}`;
/// for a peer also `{name}`, and `{peers}`, which stands for any number of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
    /// What the reader calls it: the words as typed.
    shown: String,
}

/// What a check puts into the places.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// An address that the harness chose.
    Address(SocketAddr),
    /// Any text in the form `HOST:PORT`, right or wrong.
    Text(&'a str),
    /// Nothing: words with places are left out.
    Nothing,
    /// An address and one word too many.
    Surplus(SocketAddr),
    /// What a peer takes: its name, where it listens, and whom it calls.
    Peer {
        /// The name that it greets with.
        name: &'a str,
        /// Where it listens: text in the form `HOST:PORT`, right or wrong.
        listen: &'a str,
        /// The addresses that it calls.
        others: &'a [String],
    },
}

/// The name of a peer where a check gives none.
const NAME: &str = "ann";
/// A word of its own that stands for any number of words.
const PEERS: &str = "{peers}";

/// A command line that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// No word in it.
    Empty,
    /// A quotation mark that nothing closes.
    OpenQuote(char),
    /// No place for an address.
    NoPlace,
    /// No place for something else that the lab's program takes: `{name}`.
    Missing(&'static str),
    /// The program does not exist.
    NotFound(String),
    /// It exists and may not be run.
    NotExecutable(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the command is empty"),
            Self::OpenQuote(quote) => {
                write!(f, "the command has an opening {quote} and no closing one")
            }
            Self::NoPlace => write!(
                f,
                "the command has no place for the address: put {{addr}}, or {{host}} and {{port}}, \
                 where the program takes it"
            ),
            Self::Missing(place) => write!(
                f,
                "the command has no place for {place}: put it where the program takes \
                 {}",
                if *place == PEERS { "the addresses of the others" } else { "its name" }
            ),
            Self::NotFound(program) => write!(f, "there is no program `{program}`"),
            Self::NotExecutable(program) => write!(
                f,
                "`{program}` may not be run: it is no executable file (chmod +x makes a script one)"
            ),
        }
    }
}

impl std::error::Error for CommandError {}

impl Template {
    /// A program file and its argument words.
    pub fn new(program: &Path, arguments: &[&str], shown: &str) -> Self {
        let mut words = vec![program.to_string_lossy().into_owned()];
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        let shown = format!("{shown} {}", arguments.join(" "));
        Self { words, shown }
    }

    /// A command line as a user types it: see [`split_words`]. It must have a place for the
    /// address, and its program must exist and be executable.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let words = split_words(text)?;
        let program = words.first().ok_or(CommandError::Empty)?;
        find_program(program)?;
        if !words.iter().any(|word| has_address(word)) {
            return Err(CommandError::NoPlace);
        }
        Ok(Self { words, shown: text.trim().to_owned() })
    }

    /// Whether it has the places for a peer's name and others, where `arguments` (a lab's) has.
    pub fn has_places_of(&self, arguments: &[&str]) -> Result<(), CommandError> {
        for place in ["{name}", PEERS] {
            if arguments.contains(&place) && !self.words.iter().any(|word| word.contains(place)) {
                return Err(CommandError::Missing(place));
            }
        }
        Ok(())
    }

    /// The words, from [`Template::words`] of another process.
    pub fn from_words(words: Vec<String>, shown: String) -> Self {
        Self { words, shown }
    }

    /// Its words, places included.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// As the reader knows it, places included.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The command with the places filled, and as the reader would type it.
    pub fn fill(&self, given: Given<'_>) -> (Command, String) {
        let (host, port, address) = match given {
            Given::Address(address) | Given::Surplus(address) => {
                (address.ip().to_string(), address.port().to_string(), address.to_string())
            }
            Given::Text(text) | Given::Peer { listen: text, .. } => {
                let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                (bare.to_owned(), port.to_owned(), text.to_owned())
            }
            Given::Nothing => Default::default(),
        };
        let (name, others) = match given {
            Given::Peer { name, others, .. } => (name, others),
            _ => (NAME, &[][..]),
        };
        let fill = |word: &str| {
            let word = word.replace("{addr}", &address).replace("{host}", &host);
            let word = word.replace("{port}", &port).replace("{name}", name);
            word.replace(PEERS, &others.join(" "))
        };
        let expand = |word: &str| match word {
            PEERS => others.to_vec(),
            _ => vec![fill(word)],
        };
        let keep = |word: &&str| !matches!(given, Given::Nothing) || !has_place(word);
        let surplus = matches!(given, Given::Surplus(_)).then_some("surplus");
        let complete = |words: &mut dyn Iterator<Item = &str>| {
            words.filter(keep).chain(surplus).flat_map(expand).collect::<Vec<_>>()
        };
        let words = complete(&mut self.words.iter().map(String::as_str));
        let shown = complete(&mut self.shown.split(' '));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        (command, shown.join(" "))
    }
}

fn has_address(word: &str) -> bool {
    ["{addr}", "{host}", "{port}"].iter().any(|place| word.contains(place))
}

fn has_place(word: &str) -> bool {
    ["{addr}", "{host}", "{port}", "{name}", PEERS].iter().any(|place| word.contains(place))
}

/// Splits a command line into words as a shell does: at white space, with `'…'`, `"…"` and `\`
/// taking the next characters as they are. Nothing is expanded: for a pipeline or a variable,
/// say `sh -c '…'`.
pub fn split_words(text: &str) -> Result<Vec<String>, CommandError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None | Some('"'), '\\') => {
                let next = characters.next().unwrap_or('\\');
                word.get_or_insert_default().push(next);
            }
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(CommandError::OpenQuote(open));
    }
    words.extend(word);
    if words.is_empty() { Err(CommandError::Empty) } else { Ok(words) }
}

fn find_program(name: &str) -> Result<PathBuf, CommandError> {
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![PathBuf::from(name)]
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(name)).collect()
    };
    let mut found = false;
    for candidate in candidates {
        if let Ok(metadata) = candidate.metadata() {
            found = true;
            if metadata.is_file() && is_executable(&metadata) {
                return Ok(candidate);
            }
        }
    }
    let name = name.to_owned();
    Err(if found { CommandError::NotExecutable(name) } else { CommandError::NotFound(name) })
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let words = split_words(r#"python3 'my echo.py' --name="a b" c\ d ''"#).unwrap();
        assert_eq!(words, ["python3", "my echo.py", "--name=a b", "c d", ""]);
        assert_eq!(split_words("echo 'a"), Err(CommandError::OpenQuote('\'')));
        assert_eq!(split_words("  "), Err(CommandError::Empty));
    }

    #[test]
    fn a_command_without_a_place_is_refused() {
        assert_eq!(Template::parse("sh -c true"), Err(CommandError::NoPlace));
        assert_eq!(
            Template::parse("no-such-program {addr}"),
            Err(CommandError::NotFound("no-such-program".into()))
        );
        assert_eq!(
            Template::parse("/etc/passwd {addr}"),
            Err(CommandError::NotExecutable("/etc/passwd".into()))
        );
    }

    #[test]
    fn places_are_filled_with_what_the_check_gives() {
        let template = Template::parse("sh echo.sh {host} {port} -v").unwrap();
        let shown = |given| template.fill(given).1;
        let address = "[::1]:7007".parse().unwrap();
        assert_eq!(shown(Given::Address(address)), "sh echo.sh ::1 7007 -v");
        assert_eq!(shown(Given::Surplus(address)), "sh echo.sh ::1 7007 -v surplus");
        assert_eq!(shown(Given::Nothing), "sh echo.sh -v");
        assert_eq!(shown(Given::Text("[::1]:0")), "sh echo.sh ::1 0 -v");
    }

    #[test]
    fn the_place_for_the_others_stands_for_any_number_of_words() {
        let template = Template::parse("sh peer.sh {name} {addr} {peers} -v").unwrap();
        let shown = |others: &[String]| {
            let listen = "127.0.0.1:0";
            template.fill(Given::Peer { name: "bob", listen, others }).1
        };
        assert_eq!(shown(&[]), "sh peer.sh bob 127.0.0.1:0 -v");
        let two = ["a:1".to_owned(), "b:2".to_owned()];
        assert_eq!(shown(&two), "sh peer.sh bob 127.0.0.1:0 a:1 b:2 -v");
        let (command, _) = template.fill(Given::Peer { name: "b", listen: "l:0", others: &two });
        assert_eq!(command.get_args().count(), 6);
        assert_eq!(template.fill(Given::Nothing).1, "sh peer.sh -v");
    }

    #[test]
    fn a_peer_needs_places_for_its_name_and_for_the_others() {
        let lab = ["{name}", "{addr}", "{peers}"];
        let places = |text| Template::parse(text).unwrap().has_places_of(&lab);
        assert_eq!(places("sh {name} {addr} {peers}"), Ok(()));
        assert_eq!(places("sh {addr} {peers}"), Err(CommandError::Missing("{name}")));
        assert_eq!(places("sh {name} {addr}"), Err(CommandError::Missing("{peers}")));
    }
}
