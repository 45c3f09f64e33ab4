//! The compiler as a process: which one it is, what it may see and use, and how it is told what to
//! build.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{LINTS, MEMORY};
use crate::lab::Lab;
use crate::program::View;
use crate::program::cell::enclosed;
use crate::run::isolation;
use crate::trial::patience;

/// Processor time for one build, in seconds: labs take half a second.
const PROCESSOR_TIME: f64 = 60.0;
/// A compiler that waits for something uses none.
const TIME: f64 = 300.0;
/// The length of each file that it writes, in bytes.
const FILE: u64 = 1 << 30;
/// What a process is ended by whose processor time is used up, and what a shell makes of it.
const SIGXCPU: i32 = 24;
const BY_SIGNAL: i32 = 128;

/// How a lab is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By cargo: what has not changed since is not built again.
    Again,
    /// By rustc alone, as cargo would call it but for what only the next build or a debugger needs: for
    /// a tree that is judged once.
    Once,
}

/// Builds the package that was laid out at `place`.
pub(super) fn run(how: How, root: &Path, lab: &Lab, place: &Path) -> io::Result<Output> {
    let toolchain = Toolchain::find()?;
    let mut command = limited(
        match how {
            How::Again => toolchain.cargo_build(place),
            How::Once => toolchain.rustc_once(lab, place),
        },
        &toolchain,
        root,
        lab,
        place,
    )?;
    // What cargo tells its own programs (`cargo run` is our parent) is not for this build.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let told = ["CARGO_", "RUST"].iter().any(|begin| name_text.starts_with(begin));
        if told && name_text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    if how == How::Once {
        fs::create_dir_all(place.join("target"))?;
        command.envs(told_by_cargo(&toolchain, lab, place));
    }
    command.env("RUSTC", &toolchain.rustc).env("CARGO_TERM_COLOR", "never").stdin(Stdio::null());
    command.output()
}

/// Where rustc alone puts the program of a lab.
pub(super) fn once(lab: &Lab, place: &Path) -> PathBuf {
    place.join("target").join(lab.name)
}

/// A command that runs these words with what a compiler may use, and no more.
fn limited(
    compiler: Vec<String>,
    toolchain: &Toolchain,
    root: &Path,
    lab: &Lab,
    place: &Path,
) -> io::Result<Command> {
    let mut words = vec![
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
    ];
    words.extend(compiler);
    let alone = !isolation::is_forgone() && isolation::missing_tools().is_empty();
    if !alone || !enclosed::is_possible() {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(place);
        return Ok(command);
    }
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
    Ok(command)
}

/// Processor time for this build, in whole seconds.
pub(super) fn processor_time() -> f64 {
    (PROCESSOR_TIME * patience::factor()).ceil()
}

/// Whether the processor time was used up.
pub(super) fn time_was_up(output: &Output) -> bool {
    let status = output.status;
    // In cargo's words: it knows no name for the signal.
    String::from_utf8_lossy(&output.stderr).contains(&format!("(signal: {SIGXCPU}"))
        || status.signal() == Some(SIGXCPU)
        || status.code() == Some(BY_SIGNAL + SIGXCPU)
}

/// What the compiler may know of the user's environment: where it finds the linker and libraries.
fn is_known(name: &OsStr) -> bool {
    ["PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH"].iter().any(|known| name == *known)
}

/// What a source may ask cargo for (`env!`), when cargo is not there to answer.
fn told_by_cargo(toolchain: &Toolchain, lab: &Lab, place: &Path) -> Vec<(String, String)> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let mut all = vec![
        ("CARGO", path(&toolchain.cargo)),
        ("CARGO_MANIFEST_DIR", path(place)),
        ("CARGO_MANIFEST_PATH", path(&place.join("Cargo.toml"))),
        ("CARGO_CRATE_NAME", lab.name.to_owned()),
        ("CARGO_BIN_NAME", lab.name.to_owned()),
        ("CARGO_PRIMARY_PACKAGE", "1".to_owned()),
    ];
    all.extend(
        [
            ("CARGO_PKG_NAME", lab.name),
            ("CARGO_PKG_VERSION", "0.1.0"),
            ("CARGO_PKG_VERSION_MAJOR", "0"),
            ("CARGO_PKG_VERSION_MINOR", "1"),
            ("CARGO_PKG_VERSION_PATCH", "0"),
            ("CARGO_PKG_RUST_VERSION", "1.88"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    let empty = ["VERSION_PRE", "AUTHORS", "DESCRIPTION", "HOMEPAGE", "REPOSITORY", "LICENSE"];
    let empty = empty.iter().chain(&["LICENSE_FILE", "README"]);
    let all = all.into_iter().map(|(name, value)| (name.to_owned(), value));
    all.chain(empty.map(|name| (format!("CARGO_PKG_{name}"), String::new()))).collect()
}

/// The compiler itself: what rustup puts in front of it looks up which one is meant each time.
pub(super) struct Toolchain {
    folder: PathBuf,
    pub(super) cargo: PathBuf,
    rustc: PathBuf,
}

impl Toolchain {
    pub(super) fn find() -> io::Result<Self> {
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

    fn cargo_build(&self, place: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        vec![
            path(&self.cargo),
            "build".into(),
            "--quiet".into(),
            "--offline".into(),
            "--message-format=json".into(),
            "--manifest-path".into(),
            path(&place.join("Cargo.toml")),
            "--target-dir".into(),
            path(&place.join("target")),
        ]
    }

    /// What cargo says for the manifest of a lab, without debug information.
    fn rustc_once(&self, lab: &Lab, place: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = vec![path(&self.rustc), "--crate-name".into(), lab.name.into()];
        words.extend(["--edition=2024".into(), format!("{}/src/main.rs", lab.folder)]);
        words.extend(ONCE.iter().map(|&word| word.to_owned()));
        let lints = LINTS.lines().filter_map(|line| line.split_once(" = "));
        words.extend(lints.map(|(name, level)| format!("--{}={name}", level.trim_matches('"'))));
        words.extend(["-o".into(), path(&once(lab, place))]);
        words
    }
}

const ONCE: &[&str] = &[
    "--crate-type=bin",
    "--emit=link",
    "--error-format=json",
    "--check-cfg=cfg(docsrs,test)",
    "--check-cfg=cfg(feature, values())",
    "-Cembed-bitcode=no",
    "-Cdebuginfo=0",
    "-Cstrip=debuginfo",
];
