//! `lab update`: brings a workspace up to a newer course. In a workspace it names the course, in
//! the course the workspace: it is always the newer course that does it, since only that one
//! knows what belongs into a workspace now.

use std::path::Path;
use std::process::Command;

use super::{CliError, print};
use crate::root;
use crate::workspace::given;
use crate::workspace::update::{self, Change, OnConflict, Summary};

/// Carries it out. Returns the exit status: 1 where conflicts are left.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let (dir, choice) = match words {
        [dir] => (dir, OnConflict::Show),
        [dir, "--keep"] => (dir, OnConflict::Keep),
        [dir, "--take"] => (dir, OnConflict::Take),
        _ => {
            let what =
                "update needs the folder of the course, as in `cargo lab update ../sockets-lab`";
            return Err(CliError::Usage(what.into()));
        }
    };
    let root = root::find_root()?;
    let other = Path::new(dir);
    if !other.join("Cargo.toml").is_file() {
        return Err(CliError::Refused(format!("{dir} is not the folder of the course")));
    }
    let other = other.canonicalize()?;
    if given::read(&root)?.is_some() {
        return if given::read(&other)?.is_some() {
            Err(CliError::Refused(format!("{dir} is a workspace too: name the course's folder")))
        } else {
            by_course(&other, &root, words.get(1))
        };
    }
    let summary = update::update(&root, &other, choice)?;
    let left = choice == OnConflict::Show && summary.conflicts().next().is_some();
    print(&text(&summary, &root, choice))?;
    Ok(u8::from(left))
}

/// Has the newer course do it, with its own harness.
fn by_course(course: &Path, workspace: &Path, choice: Option<&&str>) -> Result<u8, CliError> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--offline", "--package", "sockets-lab", "--bin", "lab"]);
    // The course may be somebody else's, who lets us only read; and in a target folder that is
    // shared cargo would take this harness for that one.
    command.arg("--target-dir").arg(workspace.join("target/course"));
    command.args(["--", "update"]).arg(workspace).args(choice).current_dir(course);
    eprintln!("building the harness of the course in {}", course.display());
    let status = command.env_remove("CARGO_MANIFEST_DIR").status()?;
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(code) => Ok(code),
        None => {
            Err(CliError::Trouble(format!("the course's own `cargo lab update` ended: {status}")))
        }
    }
}

/// What was done, file by file where it matters, and folder by folder where it does not.
fn text(summary: &Summary, course: &Path, choice: OnConflict) -> String {
    if summary.changes.is_empty() {
        return "Nothing is newer there: your workspace is up to date.\n".to_owned();
    }
    let mut text = String::new();
    for word in ["new", "newer", "removed"] {
        let paths = summary.changes.iter().filter(|(_, change)| change.word() == word);
        for (folder, count) in by_folder(paths.map(|(path, _)| path.as_str())) {
            text += &format!("{word:<9} {folder}{count}\n");
        }
    }
    for (path, change) in &summary.changes {
        match change {
            Change::Kept(why) => text += &format!("kept      {path}: {why}\n"),
            Change::Conflict(why) => text += &format!("conflict  {path}: {why}\n"),
            _ => {}
        }
    }
    text += "\n";
    let conflicts = summary.conflicts().count();
    if choice == OnConflict::Show && conflicts > 0 {
        let course = course.display();
        text += &format!(
            "Nothing was changed, because of the conflicts. Look at both (`diff -u FILE {course}/FILE`),\n\
             then say which to keep:\n\n  \
             cargo lab update {course} --keep\n      your files stay as they are\n  \
             cargo lab update {course} --take\n      the course's take their places; what you wrote in \
             steps stays, and your files are saved\n"
        );
        return text;
    }
    text + &match &summary.saved {
        Some(saved) => format!("What was changed is saved as it was in {}\n", saved.display()),
        None => "Nothing that was there was changed.\n".to_owned(),
    }
}

/// The folders of these files with the number of files in each; a file alone with its path.
fn by_folder<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut folders: Vec<(&str, Vec<&str>)> = Vec::new();
    for path in paths {
        let folder = path.split_once('/').map_or(path, |(folder, _)| folder);
        // Each lab's source is worth a line of its own.
        let folder = if folder == "labs" { path } else { folder };
        match folders.last_mut() {
            Some((last, files)) if *last == folder => files.push(path),
            _ => folders.push((folder, vec![path])),
        }
    }
    let line = |(folder, files): (&str, Vec<&str>)| match files.as_slice() {
        [only] => ((*only).to_owned(), String::new()),
        many => (format!("{folder}/"), format!(" ({} files)", many.len())),
    };
    folders.into_iter().map(line).collect()
}
