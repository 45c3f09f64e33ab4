//! What a class comes to, as files: made of the marks alone.

use std::fs;
use std::path::Path;

use super::feedback::Feedback;
use super::marks::Marks;
use super::{class, gradebook};
use crate::workspace::{Error, cannot, write_whole};

/// Writes the gradebook, the feedback and the class; returns the class in words.
pub(super) fn write(
    out: &Path,
    marks: &[Marks<'_>],
    faults: &[(String, String)],
) -> Result<String, Error> {
    let folder = out.join("feedback");
    fs::create_dir_all(&folder).map_err(cannot("make the folder", &folder))?;
    for one in marks {
        let file = |kind: &str| folder.join(format!("{}.{kind}", one.name));
        let feedback = Feedback::on(one);
        write_whole(&file("md"), feedback.markdown().as_bytes())?;
        write_whole(&file("html"), feedback.html().as_bytes())?;
    }
    let class = class::Figures::of(marks, faults);
    for (name, text) in [
        ("gradebook.csv", gradebook::csv(marks, faults)),
        ("class.html", class.html()),
        ("class.txt", class.text()),
    ] {
        write_whole(&out.join(name), text.as_bytes())?;
    }
    Ok(class.text())
}
