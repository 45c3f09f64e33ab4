//! What to run: the command line of a program under test, with places for what a check chooses.

use std::fmt;
use std::path::Path;
use std::process::Command;

use super::words::{find_program, quoted, split_words};
use super::{Given, Place};

/// A command line with places: `python3 echo.py {host} {port}`. Which places there are is said by
/// the row of the lab; `{args}` stands for all of them, as the lab's own program takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
    /// What the reader calls it: the words as typed.
    shown: String,
    /// The places that it may have, in braces.
    places: Vec<String>,
    /// Whether it is a lab's own program, which nobody has named on a command line.
    own: bool,
}

/// A word that stands for all arguments of the lab's own program.
const ARGS: &str = "{args}";

/// A command line that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// No word in it.
    Empty,
    /// A quotation mark that nothing closes.
    OpenQuote(char),
    /// No place for something that the lab's program takes.
    Missing(Place),
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
            Self::Missing(place) => {
                let spelling = match &place.spellings()[..] {
                    [host, port, address] => format!("{address}, or {host} and {port},"),
                    _ => place.in_braces(),
                };
                write!(
                    f,
                    "the command has no place for {}: put {spelling} where the program takes it, \
                     or {ARGS} for all of its arguments",
                    place.means
                )
            }
            Self::NotFound(program) => write!(f, "there is no program `{program}`"),
            Self::NotExecutable(program) => write!(
                f,
                "`{program}` may not be run: it is not an executable file (chmod +x makes a script one)"
            ),
        }
    }
}

impl std::error::Error for CommandError {}

impl Template {
    /// A lab's own program: its file and its arguments.
    pub fn new(program: &Path, arguments: &[Place], shown: &str) -> Self {
        let mut words = vec![program.to_string_lossy().into_owned()];
        words.extend(arguments.iter().map(Place::in_braces));
        let shown = [&[shown.to_owned()], &words[1..]].concat().join(" ");
        Self { words, shown, places: spellings(arguments), own: true }
    }

    /// A command line as a user types it, for the lab with these arguments: see [`split_words`].
    ///
    /// # Errors
    /// Where it is none, where it has no place for one of the arguments, and where its program does
    /// not exist or may not be run.
    pub fn parse(text: &str, arguments: &[Place]) -> Result<Self, CommandError> {
        let words = split_words(text)?;
        let program = words.first().ok_or(CommandError::Empty)?;
        find_program(program)?;
        let all: Vec<_> = arguments.iter().map(Place::in_braces).collect();
        let words: Vec<_> = words.iter().flat_map(|word| spread(word, &all)).collect();
        let shown = text.trim().replace(ARGS, &all.join(" "));
        for place in arguments {
            let has = |spelling: &String| words.iter().any(|word| word.contains(spelling));
            if !place.spellings().iter().any(has) {
                return Err(CommandError::Missing(*place));
            }
        }
        Ok(Self { words, shown, places: spellings(arguments), own: false })
    }

    /// The same as in another process, of which [`Template::words`], [`Template::shown`],
    /// [`Template::places`] and [`Template::is_own`] are known.
    pub fn from_parts(words: Vec<String>, shown: String, places: Vec<String>, own: bool) -> Self {
        Self { words, shown, places, own }
    }

    /// Whether it is a lab's own program, which nobody has named on a command line.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Its words, places included.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// As the reader knows it, places included.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The places that it may have, in braces.
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// The command with the places filled, and as the reader would type it.
    pub fn fill(&self, given: &Given) -> (Command, String) {
        let mut words = self.words.iter().flat_map(|word| given.fill(word, &self.places));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(given.behind());
        command.envs(given.variables().iter().map(|(name, value)| (name, value)));

        let variables = given.variables().iter();
        let variables = variables.map(|(name, value)| format!("{name}={}", quoted(value)));
        let typed = self.shown.split(' ').flat_map(|word| {
            let filled = given.fill(word, &self.places).into_iter();
            // A place of its own is filled with words; what is around other places was typed.
            let alone = self.places.iter().any(|place| place == word);
            filled.map(move |word| if alone { quoted(&word) } else { word })
        });
        let shown: Vec<_> = variables.chain(typed).chain(given.behind().iter().cloned()).collect();
        (command, shown.join(" "))
    }
}

/// `{args}` as words of their own, or within a longer word.
fn spread(word: &str, all: &[String]) -> Vec<String> {
    match word {
        ARGS => all.to_vec(),
        _ => vec![word.replace(ARGS, &all.join(" "))],
    }
}

fn spellings(arguments: &[Place]) -> Vec<String> {
    arguments.iter().flat_map(Place::spellings).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &[Place] = &[Place::new("addr", "the address")];
    const PEER: &[Place] = &[
        Place::new("name", "its name"),
        Place::new("addr", "the address where it listens"),
        Place::new("peers", "the addresses of the others"),
    ];
    /// A program that is run in several ways.
    const NAMES: &[Place] = &[Place::new("args", "its mode and what that takes")];

    fn parse(text: &str, arguments: &[Place]) -> Result<Template, CommandError> {
        Template::parse(text, arguments)
    }

    #[test]
    fn a_command_that_cannot_be_run_is_refused() {
        let missing = CommandError::NotFound("no-such-program".into());
        assert_eq!(parse("no-such-program {addr}", SERVER), Err(missing));
        let refused = CommandError::NotExecutable("/etc/passwd".into());
        assert_eq!(parse("/etc/passwd {addr}", SERVER), Err(refused));
    }

    #[test]
    fn a_command_without_a_place_is_told_which_one_and_what_it_stands_for() {
        let said = |text, arguments| parse(text, arguments).unwrap_err().to_string();
        assert_eq!(
            said("sh -c true", SERVER),
            "the command has no place for the address: put {addr}, or {host} and {port}, where \
             the program takes it, or {args} for all of its arguments"
        );
        assert_eq!(
            said("sh {addr} {peers}", PEER),
            "the command has no place for its name: put {name} where the program takes it, or \
             {args} for all of its arguments"
        );
        assert!(said("sh names.sh", NAMES).contains("no place for its mode and what that takes"));
    }

    #[test]
    fn places_are_filled_with_what_the_check_gives() {
        let template = parse("sh echo.sh {host} {port} -v", SERVER).unwrap();
        let shown = |given| template.fill(&given).1;
        let address = "[::1]:7007".parse().unwrap();
        assert_eq!(shown(Given::address(address)), "sh echo.sh ::1 7007 -v");
        assert_eq!(shown(Given::address(address).surplus()), "sh echo.sh ::1 7007 -v surplus");
        assert_eq!(shown(Given::nothing()), "sh echo.sh -v");
        assert_eq!(shown(Given::text("[::1]:0")), "sh echo.sh ::1 0 -v");
    }

    #[test]
    fn a_place_may_stand_for_any_number_of_words() {
        let template = parse("sh peer.sh {name} {addr} {peers} -v", PEER).unwrap();
        let given = |others: &[&str]| {
            Given::text("127.0.0.1:0").with("name", "bob").with_all("peers", others)
        };
        assert_eq!(template.fill(&given(&[])).1, "sh peer.sh bob 127.0.0.1:0 -v");
        let (command, shown) = template.fill(&given(&["a:1", "b:2"]));
        assert_eq!(shown, "sh peer.sh bob 127.0.0.1:0 a:1 b:2 -v");
        assert_eq!(command.get_args().count(), 6);
        let (command, shown) = template.fill(&given(&[]).with("name", "two words"));
        assert_eq!(shown, "sh peer.sh 'two words' 127.0.0.1:0 -v");
        assert_eq!(command.get_args().count(), 4);
    }

    #[test]
    fn args_stands_for_all_that_the_labs_own_program_takes() {
        let given = Given::text("127.0.0.1:0").with("name", "bob").with_all("peers", ["a:1"]);
        let template = parse("sh peer.sh {args}", PEER).unwrap();
        assert_eq!(template.fill(&given).1, "sh peer.sh bob 127.0.0.1:0 a:1");
        let template = parse("sh -c 'exec peer {args}'", PEER).unwrap();
        let (command, _) = template.fill(&given);
        assert_eq!(command.get_args().last().unwrap(), "exec peer bob 127.0.0.1:0 a:1");
    }

    #[test]
    fn a_program_with_several_modes_gets_its_words_as_they_are() {
        let template = parse("sh names.sh {args}", NAMES).unwrap();
        let asks = Given::arguments(["ask", "127.0.0.1:5353", "www.example.test"]);
        assert_eq!(template.fill(&asks).1, "sh names.sh ask 127.0.0.1:5353 www.example.test");
    }

    #[test]
    fn variables_of_the_environment_stand_before_the_command() {
        let template = parse("sh peer.sh {args}", SERVER).unwrap();
        let given = Given::text("a:1").environment("LAB_TEMPO", 0.1);
        let (command, shown) = template.fill(&given);
        assert_eq!(shown, "LAB_TEMPO=0.1 sh peer.sh a:1");
        assert_eq!(command.get_envs().count(), 1);
    }
}
