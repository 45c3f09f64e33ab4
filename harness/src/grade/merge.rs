//! Records that were made elsewhere, or in parts, as one class.

use std::fs;
use std::path::{Path, PathBuf};

use super::marks::Marks;
use super::scheme::Scheme;
use super::worksheet::Worksheet;
use super::{Graded, results};
use crate::json::Json;
use crate::workspace::{Error, cannot};

/// Makes the gradebook, the feedback and the class of these records: files, and folders of them.
///
/// # Errors
/// A file can't be read, there is no record, or two are of the same submission.
pub fn merge(
    paths: &[PathBuf],
    out: &Path,
    scheme: &Scheme,
    worksheet: Option<&Worksheet>,
) -> Result<Graded, Error> {
    let files = records(paths)?;
    let (mut marks, mut faults): (Vec<Marks<'_>>, Vec<(String, String)>) = Default::default();
    for file in &files {
        let name = name(file);
        let known = marks.iter().map(|one| &one.name).chain(faults.iter().map(|(name, _)| name));
        if known.into_iter().any(|known| *known == name) {
            return Err(Error::Refused(format!(
                "there are two records of {name}: name the folder with the right one"
            )));
        }
        match read(file, &name, marks.first(), scheme) {
            Ok(one) => marks.push(one),
            Err(why) => faults.push((name, why)),
        }
    }
    fs::create_dir_all(out).map_err(cannot("make the folder", out))?;
    let results::Written { text, notes } = results::write(out, &marks, &faults, worksheet)?;
    faults.extend(marks.iter().filter_map(|one| Some((one.name.clone(), one.trouble()?))));
    Ok(Graded { submissions: files.len(), known: 0, faults, passed_over: Vec::new(), notes, text })
}

fn records(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(cannot("read the folder", path))?;
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.retain(|entry| entry.extension().is_some_and(|kind| kind == "json"));
        // As `lab grade` has them: `Ann` before `Ann-2`.
        entries.sort_by_key(|entry| name(entry));
        files.extend(entries);
    }
    if files.is_empty() {
        return Err(Error::Refused(
            "there is no record: name the folders `records` that `lab grade` has written".into(),
        ));
    }
    Ok(files)
}

/// Whose record it is: `lab grade` has named the file by that.
fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn read<'a>(
    file: &Path,
    name: &str,
    first: Option<&Marks<'_>>,
    scheme: &'a Scheme,
) -> Result<Marks<'a>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("can't be read: {error}"))?;
    let record = Json::parse(&text).map_err(|error| format!("is no record: {error}"))?;
    let course = record.get("course").and_then(Json::as_str).unwrap_or_default();
    if course != env!("CARGO_PKG_VERSION") {
        return Err(format!(
            "was judged by course {course}, and this is {}",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let marks = Marks::read(name, &record, scheme)
        .ok_or("is no record of `lab grade`, or of another course")?;
    match first {
        Some(first) if !first.checks().eq(marks.checks()) => {
            Err(format!("was judged by other checks than {}: grade both alike", first.name))
        }
        _ => Ok(marks),
    }
}
