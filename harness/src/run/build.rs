//! Building the labs with cargo, one at a time, so that a lab that does not compile is its own
//! trouble and nobody else's.
//!
//! A lab is built from its source alone, with a manifest that the harness writes: what a student
//! has put into a manifest or a build script never runs. The compiler, too, is kept away from
//! everything else: it sees the source, the toolchain and the folder for its results, has no
//! network, and its time and memory are limited.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::json::Json;
use crate::lab::Lab;
use crate::program::View;
use crate::program::cell::enclosed;
use crate::run::isolation;
use crate::trial::patience;

/// What cargo made of a lab.
#[derive(Clone, Debug)]
pub enum Built {
    /// The program's file.
    Program(PathBuf),
    /// It does not compile: rustc's own words.
    Broken(String),
}

/// Processor time for one build, in seconds: labs take half a second.
const PROCESSOR_TIME: f64 = 60.0;
/// A compiler that waits for something uses none.
const TIME: f64 = 300.0;
/// Address space of each of its processes, and the length of each file, in bytes.
const MEMORY: u64 = 8 << 30;
const FILE: u64 = 1 << 30;

/// Builds one lab. Nothing is fetched: labs have no dependencies.
///
/// # Errors
/// What is no fault of the source: no cargo, no linker, no room on the disk.
pub fn build(root: &Path, lab: &Lab) -> io::Result<Built> {
    if let Some(words) = unreadable(root, lab)? {
        return Ok(Built::Broken(words));
    }
    let place = lay_out(root, lab).map_err(|error| trouble(lab, &error.to_string()))?;
    let output = run_cargo(root, lab, &place).map_err(|error| trouble(lab, &error.to_string()))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Json> = messages.lines().filter_map(|line| Json::parse(line).ok()).collect();
    if output.status.success() {
        let program = messages.iter().rev().find_map(|message| message.get("executable")?.as_str());
        let program = program.ok_or_else(|| trouble(lab, "cargo did not say where it is"))?;
        return Ok(Built::Program(program.into()));
    }
    let errors: Vec<Error> = messages.iter().filter_map(Error::read).collect();
    if errors.iter().any(|error| error.in_source) {
        let words: Vec<_> = errors.into_iter().map(|error| error.text).collect();
        return Ok(Built::Broken(words.concat()));
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if let Some(limit) = limit_in(&words) {
        return Ok(Built::Broken(format!("{}/src/main.rs: {limit}\n", lab.folder)));
    }
    let words = errors.into_iter().map(|error| error.text).chain([words]).collect::<String>();
    Err(trouble(lab, words.trim()))
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

fn run_cargo(root: &Path, lab: &Lab, place: &Path) -> io::Result<Output> {
    let toolchain = Toolchain::find()?;
    let words = [
        "timeout".to_owned(),
        "--signal=KILL".into(),
        format!("{}", (TIME * patience::factor().max(1.0)).ceil()),
        "prlimit".into(),
        // At the hard limit a process is killed, and nobody knows why; the soft one says it.
        format!("--cpu={}:{}", processor_time(), processor_time() + 5.0),
        format!("--as={MEMORY}"),
        format!("--fsize={FILE}"),
        "--core=0".into(),
        "--".into(),
        toolchain.cargo.to_string_lossy().into_owned(),
        "build".into(),
        "--quiet".into(),
        "--offline".into(),
        "--message-format=json".into(),
        "--manifest-path".into(),
        place.join("Cargo.toml").to_string_lossy().into_owned(),
        "--target-dir".into(),
        place.join("target").to_string_lossy().into_owned(),
    ];
    let alone = !isolation::is_forgone() && isolation::missing_tools().is_empty();
    let mut command = if alone && enclosed::is_possible() {
        let view = View {
            bare: true,
            shown: vec![toolchain.folder.clone(), root.join(lab.folder).join("src")],
            writable: vec![place.to_owned()],
            folder: place.to_owned(),
            ..View::default()
        };
        let mut command = enclosed::command(&view, &words)?;
        // What is compiled can read the environment, too (`env!`).
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| is_known(name)));
        command.env("HOME", "/tmp").env("CARGO_HOME", "/tmp/cargo").env("TMPDIR", "/tmp");
        command
    } else {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(place);
        command
    };
    // What cargo tells its own programs (`cargo run` is our parent) is not for this build.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let told = ["CARGO_", "RUST"].iter().any(|begin| name_text.starts_with(begin));
        if told && name_text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    command.env("RUSTC", &toolchain.rustc).env("CARGO_TERM_COLOR", "never").stdin(Stdio::null());
    command.output()
}

/// Processor time for this build, in whole seconds.
fn processor_time() -> f64 {
    (PROCESSOR_TIME * patience::factor()).ceil()
}

/// What the compiler may know of the user's environment: where it finds the linker and libraries.
fn is_known(name: &OsStr) -> bool {
    ["PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH"].iter().any(|known| name == *known)
}

/// The compiler itself: what rustup puts in front of it looks up which one is meant each time.
struct Toolchain {
    folder: PathBuf,
    cargo: PathBuf,
    rustc: PathBuf,
}

impl Toolchain {
    fn find() -> io::Result<Self> {
        let cargo: OsString = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // Cargo says to what it runs which one it is.
        if let Some(found) = Self::around(Path::new(&cargo)) {
            return Ok(found);
        }
        let output = Command::new("rustc").args(["--print", "sysroot"]).output();
        let output = output.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot run rustc: {error}; see https://rustup.rs"),
            )
        })?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(format!("rustc does not run: {words}")));
        }
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let found = Self::around(&Path::new(&folder).join("bin/cargo"));
        found.ok_or_else(|| io::Error::other(format!("there is no cargo in {folder}/bin")))
    }

    fn around(cargo: &Path) -> Option<Self> {
        let cargo = cargo.canonicalize().ok().filter(|file| file.ends_with("bin/cargo"))?;
        let (bin, rustc) = (cargo.parent()?, cargo.with_file_name("rustc"));
        let folder = bin.parent()?.to_owned();
        rustc.is_file().then_some(Self { folder, cargo: cargo.clone(), rustc })
    }
}

/// An error that rustc has told of.
struct Error {
    text: String,
    /// Whether it is about the source: what the linker or the disk has to say is not.
    in_source: bool,
}

impl Error {
    fn read(message: &Json) -> Option<Self> {
        let message = message.get("message")?;
        if message.get("level")?.as_str()? != "error" {
            return None;
        }
        let text = message.get("rendered")?.as_str()?.to_owned();
        let spans = message.get("spans")?.as_array()?;
        let in_source = !spans.is_empty() || text.starts_with("error: couldn't read");
        Some(Self { text, in_source })
    }
}

/// The limit that a compiler ran into, in words: what it was given to compile was too much.
fn limit_in(stderr: &str) -> Option<String> {
    /// SIGXCPU, in cargo's words: it knows no name for it.
    const TIME_IS_UP: &str = "(signal: 24";
    if stderr.contains(TIME_IS_UP) {
        return Some(format!(
            "the compiler was ended after {} s of processor time: something in this file makes it \
             compute for ever",
            processor_time()
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
        assert!(limit_in("rustc … (signal: 24)").is_some_and(|it| it.contains(" s of ")));
        assert_eq!(limit_in("error: No space left on device"), None);
    }
}
