//! Building the labs with cargo, one at a time, so that a lab that does not compile is its own
//! trouble and nobody else's.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::json::Json;
use crate::lab::Lab;

/// What cargo made of a lab.
#[derive(Clone, Debug)]
pub enum Built {
    /// The program's file.
    Program(PathBuf),
    /// It does not compile: rustc's (or cargo's) own words.
    Broken(String),
}

/// Builds one lab. Nothing is fetched: labs have no dependencies.
pub fn build(root: &Path, lab: &Lab) -> io::Result<Built> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--offline", "--package", lab.name, "--bin", lab.name])
        .arg("--message-format=json")
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        // Never in a target folder that is shared: cargo tells packages apart by their place in
        // their workspace, and would take the course's own labs for the student's.
        .arg("--target-dir")
        .arg(root.join("target"))
        // What cargo tells its own programs (`cargo run` is our parent) is not for this build.
        .env_remove("CARGO_MANIFEST_DIR")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run cargo: {error}")))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Json> = messages.lines().filter_map(|line| Json::parse(line).ok()).collect();
    if output.status.success() {
        let program = messages.iter().rev().find_map(|message| message.get("executable")?.as_str());
        return program.map(|path| Built::Program(path.into())).ok_or_else(|| {
            io::Error::other(format!("cargo built {} and did not say where", lab.name))
        });
    }
    let errors: Vec<String> = messages.iter().filter_map(rendered_error).collect();
    let words = if errors.is_empty() {
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    } else {
        errors.concat()
    };
    Ok(Built::Broken(words))
}

/// rustc's text of a compiler error; warnings are left out.
fn rendered_error(message: &Json) -> Option<String> {
    let message = message.get("message")?;
    let is_error = message.get("level")?.as_str()? == "error";
    let text = message.get("rendered")?.as_str()?;
    is_error.then(|| text.to_owned())
}
