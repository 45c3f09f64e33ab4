//! The languages that whole programs of the corpus are written in. They are found at run time:
//! where one is missing, its programs are skipped, and the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::counterparts::installed;

/// How programs of a language are built and started. In both command lines `FILE` stands for the
/// source and `DIR` for a folder that is the program's own.
pub(crate) struct Language {
    /// What its files end in.
    extension: &'static str,
    /// How a comment begins: the head of a program is made of such lines.
    pub(crate) comment: &'static str,
    /// The programs without which it can't be judged here.
    needs: &'static [&'static str],
    /// What builds it; empty where it is started as it stands.
    build: &'static [&'static str],
    /// What starts it. Its arguments follow.
    start: &'static [&'static str],
}

const LANGUAGES: &[Language] = &[
    Language {
        extension: "py",
        comment: "#",
        needs: &["python3"],
        build: &[],
        start: &["python3", "FILE"],
    },
    Language {
        extension: "rb",
        comment: "#",
        needs: &["ruby"],
        build: &[],
        start: &["ruby", "FILE"],
    },
    Language {
        extension: "pl",
        comment: "#",
        needs: &["perl"],
        build: &[],
        start: &["perl", "FILE"],
    },
    Language {
        extension: "js",
        comment: "//",
        needs: &["node"],
        build: &[],
        start: &["node", "FILE"],
    },
    Language {
        extension: "c",
        comment: "//",
        needs: &["cc"],
        build: &["cc", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", "DIR/program", "FILE"],
        start: &["DIR/program"],
    },
    Language {
        extension: "go",
        comment: "//",
        needs: &["go"],
        build: &["go", "build", "-o", "DIR/program", "FILE"],
        start: &["DIR/program"],
    },
    // A class that is not public may stand in a file of any name: here it is called `Main`.
    Language {
        extension: "java",
        comment: "//",
        needs: &["javac", "java"],
        build: &["javac", "-d", "DIR", "FILE"],
        start: &["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", "DIR", "Main"],
    },
    Language {
        extension: "rs",
        comment: "//",
        needs: &["rustc"],
        build: &["rustc", "--edition", "2024", "-Dwarnings", "-o", "DIR/program", "FILE"],
        start: &["DIR/program"],
    },
];

/// The language of a file, by what its name ends in.
pub(crate) fn language(file: &Path) -> Option<&'static Language> {
    let extension = file.extension()?;
    LANGUAGES.iter().find(|language| extension == language.extension)
}

impl Language {
    /// Builds a program if its language asks for it. Returns the words that start it, or what is
    /// missing here. Panics with the compiler's words where it does not build.
    pub(crate) fn build(&self, file: &Path, folder: &Path) -> Result<Vec<String>, String> {
        if let Some(missing) = self.needs.iter().find(|program| !installed(program)) {
            return Err(format!("{missing} is not installed"));
        }
        let fill = |word: &&str| match *word {
            "FILE" => file.display().to_string(),
            _ => word.replace("DIR", &folder.display().to_string()),
        };
        let build: Vec<String> = self.build.iter().map(fill).collect();
        if let Some((program, arguments)) = build.split_first() {
            let output = Command::new(program).args(arguments).output().expect("the compiler");
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} does not build:\n{words}", file.display());
        }
        let mut start: Vec<String> = self.start.iter().map(fill).collect();
        start[0] = itself(&start[0]);
        Ok(start)
    }
}

/// A program as the system has it, where it has it: a version manager's shim, which comes first in
/// `PATH`, is a script that starts it, slowly, and as a child.
fn itself(program: &str) -> String {
    let systems = Path::new("/usr/bin").join(program);
    if program.contains('/') || !systems.is_file() { program.to_owned() } else { path(systems) }
}

fn path(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("a path in UTF-8")
}
