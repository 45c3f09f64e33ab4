//! An autograder for Gradescope: a zip file with its two scripts at the root, and what they judge with.
//!
//! A student's program can read most of it in the container where it is judged, so the solved course is
//! not in it: what a workspace has of the course is enough.

use std::path::Path;

use super::scheme::Scheme;
use crate::archive::{Entry, zip};
use crate::labs::Lab;
use crate::workspace::contents::{self, File};
use crate::workspace::{Error, given, write_whole};

const SETUP: &str = include_str!("gradescope/setup.sh");
const RUN: &str = include_str!("gradescope/run_autograder");
/// Of a workspace, what builds the harness and what decides over a verdict.
const NEEDED: &[&str] = &["Cargo.toml", ".cargo/", "harness/", "labs/", "fixtures/"];

/// Writes the zip file. Returns how long it is, in bytes.
///
/// # Errors
/// The file can't be written, or the course is not as it should be.
pub fn write(course: &Path, file: &Path, labs: &[&Lab], scheme: &Scheme) -> Result<usize, Error> {
    let mut files = contents::to_judge_with(course)?;
    files.retain(|file| NEEDED.iter().any(|needed| file.path.starts_with(needed)));
    let own = scheme.conversations.iter().map(|(path, bytes)| File {
        path: path.clone(),
        bytes: bytes.clone(),
        executable: false,
    });
    files.extend(own);
    // It is a workspace, and says so: nobody takes it for the course.
    let given = given::of(&files).map_err(|error| Error::Refused(error.to_string()))?;
    files.push(File { path: given::FILE.into(), bytes: given::render(&given), executable: false });
    for file in &mut files {
        file.path = format!("course/{}", file.path);
    }
    let script =
        |path: &str, text: &str| File { path: path.into(), bytes: text.into(), executable: true };
    files.extend([script("setup.sh", SETUP), script("run_autograder", RUN)]);
    let text = |path: &str, text: String| File {
        path: path.into(),
        bytes: text.into_bytes(),
        executable: false,
    };
    let scheme = scheme.lines();
    let labs: Vec<&str> = labs.iter().map(|lab| lab.name).collect();
    files.push(text("options", options(&labs, &scheme)));
    if !scheme.is_empty() {
        files.push(text("scheme", scheme));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let entries: Vec<Entry<'_>> = files.iter().map(entry).collect();
    let archive =
        zip(&entries).ok_or_else(|| Error::Refused("that is too much for a zip".into()))?;
    write_whole(file, &archive)?;
    Ok(archive.len())
}

fn entry(file: &File) -> Entry<'_> {
    Entry { name: &file.path, bytes: &file.bytes, executable: file.executable }
}

/// What `lab grade` is told besides, as words in a line. It runs in the folder `course`.
fn options(labs: &[&str], scheme: &str) -> String {
    let mut words = Vec::new();
    if !labs.is_empty() {
        words.push(format!("--labs {}", labs.join(",")));
    }
    if !scheme.is_empty() {
        words.push("--scheme ../scheme".to_owned());
    }
    words.join(" ") + "\n"
}

impl Scheme {
    /// The file of this scheme, without the conversations, which are files themselves.
    fn lines(&self) -> String {
        let shares = self.shares.iter().map(|(lab, share)| format!("{} {share}\n", lab.name));
        let points = self.points.iter().map(|(check, points)| format!("{check} {points}\n"));
        shares.chain(points).collect()
    }
}
