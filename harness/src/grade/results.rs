//! What a class comes to, as files: made of the marks alone.

use std::fs;
use std::path::Path;

use super::feedback::Feedback;
use super::marks::Marks;
use super::worksheet::Worksheet;
use super::{class, gradebook};
use crate::workspace::{Error, cannot, write_whole};

/// What was written, for the terminal.
pub(super) struct Written {
    /// The class in words.
    pub(super) text: String,
    /// What there is to say of the worksheet.
    pub(super) notes: Vec<String>,
}

/// Writes the gradebook, the feedback, the class and, where there is one, the worksheet.
pub(super) fn write(
    out: &Path,
    marks: &[Marks<'_>],
    faults: &[(String, String)],
    worksheet: Option<&Worksheet>,
) -> Result<Written, Error> {
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
    let mut notes = Vec::new();
    if let Some(worksheet) = worksheet {
        let (text, said) = worksheet.filled_in(marks);
        write_whole(&out.join("worksheet.csv"), text.as_bytes())?;
        notes = said;
    }
    Ok(Written { text: class.text(), notes })
}
