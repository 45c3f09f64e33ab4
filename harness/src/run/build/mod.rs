//! Building the labs with cargo, one at a time, so that a lab that does not compile is its own
//! trouble and nobody else's.
//!
//! A lab is built from its source alone, with a manifest that the harness writes: what a student
//! has put into a manifest or a build script never runs. The compiler, too, is kept away from
//! everything else: it sees the source, the toolchain and the folder for its results, has no
//! network, and its time and memory are limited.

mod compiler;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::json::Json;
use crate::lab::Lab;

pub use compiler::How;
use compiler::Toolchain;

/// What cargo made of a lab.
#[derive(Clone, Debug)]
pub enum Built {
    /// The program's file.
    Program(PathBuf),
    /// It does not compile: rustc's own words.
    Broken(String),
}

/// Address space of each process of a compiler, in bytes.
const MEMORY: u64 = 8 << 30;

/// Builds one lab, by cargo. Nothing is fetched: labs have no dependencies.
///
/// # Errors
/// What is no fault of the source: no cargo, no linker, no room on the disk.
pub fn build(root: &Path, lab: &Lab) -> io::Result<Built> {
    build_as(How::Again, root, lab)
}

/// Builds one lab in this way.
///
/// # Errors
/// As [`build`].
pub fn build_as(how: How, root: &Path, lab: &Lab) -> io::Result<Built> {
    if let Some(words) = unreadable(root, lab)? {
        return Ok(Built::Broken(words));
    }
    let trouble_of = |error: io::Error| trouble(lab, &error.to_string());
    let place = lay_out(root, lab).map_err(trouble_of)?;
    let output = compiler::run(how, root, lab, &place).map_err(trouble_of)?;
    let text = match how {
        How::Again => &output.stdout,
        How::Once => &output.stderr,
    };
    let text = String::from_utf8_lossy(text);
    let messages: Vec<Json> = text.lines().filter_map(|line| Json::parse(line).ok()).collect();
    if output.status.success() {
        if how == How::Once {
            return Ok(Built::Program(compiler::once(lab, &place)));
        }
        let program = messages.iter().rev().find_map(|message| message.get("executable")?.as_str());
        let program = program.ok_or_else(|| trouble(lab, "cargo did not say where it is"))?;
        return Ok(Built::Program(program.into()));
    }
    let errors: Vec<Error> = messages.iter().filter_map(Error::read).collect();
    if errors.iter().any(|error| error.in_source) {
        let words: Vec<_> = errors.into_iter().map(|error| error.text).collect();
        return Ok(Built::Broken(words.concat()));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    if let Some(limit) = limit_in(compiler::time_was_up(&output), &words) {
        return Ok(Built::Broken(format!("{}/src/main.rs: {limit}\n", lab.folder)));
    }
    // Rustc's messages are among its words, and were read.
    let words = words.lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
    let words = errors.into_iter().map(|error| error.text).chain([words]).collect::<String>();
    Err(trouble(lab, words.trim()))
}

/// The cargo that labs are built with: said to a process of ours as `CARGO`, it need not look for it.
///
/// # Errors
/// There is none.
pub fn cargo() -> io::Result<PathBuf> {
    Toolchain::find().map(|toolchain| toolchain.cargo)
}

fn trouble(lab: &Lab, words: &str) -> io::Error {
    io::Error::other(format!(
        "cannot build lab {}, and nothing in its source says why:\n{words}",
        lab.name
    ))
}

/// What the compiler would wait for, or could not read: anything but regular files and folders.
fn unreadable(root: &Path, lab: &Lab) -> io::Result<Option<String>> {
    let folder = root.join(lab.folder).join("src");
    let main = folder.join("main.rs");
    if fs::symlink_metadata(&main).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        let words = format!(
            "{0}/src/main.rs is missing: `lab reset {1}` puts it back",
            lab.folder, lab.name
        );
        return Ok(Some(words));
    }
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let kind = fs::symlink_metadata(&path)?.file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if !kind.is_file() {
                let what = if kind.is_symlink() { "a link" } else { "no regular file" };
                let name = path.strip_prefix(root).unwrap_or(&path).display();
                let words = format!("{name} is {what}: the source of a lab is plain files");
                return Ok(Some(words));
            }
        }
    }
    Ok(None)
}

/// Where a lab is built: a package of its own, whose source is the lab's.
fn lay_out(root: &Path, lab: &Lab) -> io::Result<PathBuf> {
    let place = root.join("target").join("labs").join(lab.name);
    let folder = place.join(lab.folder);
    fs::create_dir_all(&folder)?;
    let source = root.join(lab.folder).join("src");
    let link = folder.join("src");
    // Several may lay out the same lab at once (`cargo test` runs a process a check): each makes what
    // is missing under a name of its own, and renames it, which replaces in one step.
    let own = |name: &str| place.join(format!(".{name}-{}", std::process::id()));
    if fs::read_link(&link).ok().as_ref() != Some(&source) {
        symlink(&source, own("src"))?;
        fs::rename(own("src"), &link)?;
    }
    let manifest = manifest(lab);
    let file = place.join("Cargo.toml");
    // Cargo builds everything again when its manifest is newer.
    if fs::read_to_string(&file).ok().as_ref() != Some(&manifest) {
        fs::write(own("Cargo.toml"), manifest)?;
        fs::rename(own("Cargo.toml"), &file)?;
    }
    Ok(place)
}

/// The lab's manifest, as the course gives it: in its place a student may have put another.
fn manifest(lab: &Lab) -> String {
    format!(
        "[package]
name = \"{name}\"
version = \"0.1.0\"
edition = \"2024\"
rust-version = \"1.88\"
publish = false
build = false
autobins = false

[workspace]

[[bin]]
name = \"{name}\"
path = \"{folder}/src/main.rs\"

{LINTS}
[profile.dev]
debug = \"line-tables-only\"
",
        name = lab.name,
        folder = lab.folder,
    )
}

/// The lints of every lab; a test compares them with the labs' own manifests.
pub const LINTS: &str = "\
[lints.rust]
unsafe_code = \"forbid\"
# A step that is not written yet leaves imports, arguments and functions unused.
dead_code = \"allow\"
unused_imports = \"allow\"
unused_mut = \"allow\"
unused_variables = \"allow\"
";

/// An error that rustc has told of.
struct Error {
    text: String,
    /// Whether it is about the source: what the linker or the disk has to say is not.
    in_source: bool,
}

impl Error {
    /// Rustc's own message, or what cargo has put it into.
    fn read(message: &Json) -> Option<Self> {
        let message =
            message.get("message").filter(|it| it.get("level").is_some()).unwrap_or(message);
        if message.get("level")?.as_str()? != "error" {
            return None;
        }
        // Cargo leaves that out, too.
        let words = message.get("message").and_then(Json::as_str).unwrap_or_default();
        if words.starts_with("aborting due to") {
            return None;
        }
        let text = message.get("rendered")?.as_str()?.to_owned();
        let spans = message.get("spans")?.as_array()?;
        let in_source = !spans.is_empty() || text.starts_with("error: couldn't read");
        Some(Self { text, in_source })
    }
}

/// The limit that a compiler ran into, in words: what it was given to compile was too much.
fn limit_in(time_was_up: bool, stderr: &str) -> Option<String> {
    if time_was_up {
        return Some(format!(
            "the compiler was ended after {} s of processor time: something in this file makes it \
             compute for ever",
            compiler::processor_time()
        ));
    }
    stderr.contains("memory allocation of").then(|| {
        format!("the compiler needed more than {} GiB of memory for this file", MEMORY >> 30)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn a_lab_is_built_as_its_own_manifest_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for lab in labs::LABS {
            let own = fs::read_to_string(root.join(lab.folder).join("Cargo.toml")).unwrap();
            let bin = format!("[[bin]]\nname = \"{}\"\npath = \"src/main.rs\"\n", lab.name);
            for part in [LINTS, "autobins = false\nbuild = false\n", &bin] {
                assert!(own.contains(part), "{}/Cargo.toml has not:\n{part}", lab.folder);
            }
        }
    }

    #[test]
    fn an_error_without_a_place_in_the_source_is_nobodys() {
        let message = |spans: &str| {
            let text = format!(
                r#"{{"message":{{"level":"error","rendered":"error: x","spans":[{spans}]}}}}"#
            );
            Error::read(&Json::parse(&text).unwrap()).unwrap().in_source
        };
        assert!(message("{}"));
        assert!(!message(""), "the linker's, for one");
    }

    #[test]
    fn a_limit_is_told_as_what_it_is() {
        assert!(limit_in(true, "").is_some_and(|it| it.contains(" s of ")));
        assert_eq!(limit_in(false, "error: No space left on device"), None);
    }
}
