//! The manifest of a workspace: the course's, without what only the course's own tests need. So
//! it names no package that would have to be downloaded, and a workspace builds, and an editor
//! can read it, without a network from the first second.

use super::Error;

/// The file, in the course and in a workspace.
pub(super) const FILE: &str = "Cargo.toml";

/// Sections that stay with the course.
const LEFT_OUT: [&str; 2] = ["[dev-dependencies]", "[[bench]]"];

/// What a line begins with that stays with the course: `cargo test` in a workspace runs the labs'
/// checks alone.
const LINE_LEFT_OUT: &str = "default-members = ";

/// What these sections get besides: the harness's own tests are the course's as well.
const ADDED: [(&str, &str); 2] =
    [("[lib]", "test = false\ndoctest = false\n"), ("[[bin]]", "test = false\n")];

/// The manifest of a workspace, made of the course's.
///
/// # Errors
/// When the course's has not got a section that this is about: then nobody knows what it says.
pub(super) fn of_workspace(course: &[u8]) -> Result<Vec<u8>, Error> {
    let text = std::str::from_utf8(course)
        .map_err(|error| Error::Refused(format!("{FILE} is not UTF-8: {error}")))?;
    let sections = sections(text);
    let expected = LEFT_OUT.into_iter().chain(ADDED.map(|(name, _)| name));
    for name in expected {
        if !sections.iter().any(|section| section.name == name) {
            return Err(Error::Refused(format!("{FILE} has no section {name}")));
        }
    }
    let line = text.split_inclusive('\n').find(|line| line.starts_with(LINE_LEFT_OUT));
    let line =
        line.ok_or_else(|| Error::Refused(format!("{FILE} has no line {LINE_LEFT_OUT}…")))?;
    let mut out = String::new();
    for section in sections.iter().filter(|section| !LEFT_OUT.contains(&section.name)) {
        let added = ADDED.iter().find(|(name, _)| *name == section.name);
        match added {
            Some((_, added)) => {
                out.push_str(section.text.trim_end());
                out.push('\n');
                out.push_str(added);
                out.push('\n');
            }
            None => out.push_str(section.text),
        }
    }
    Ok(out.replace(line, "").into_bytes())
}

/// A part of a manifest, from the comment above its header to the next one.
struct Section<'a> {
    /// `[lib]`; nothing for what stands before the first.
    name: &'a str,
    text: &'a str,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let (mut name, mut begin) = ("", 0);
    // Where the comment begins that the lines before this one end in.
    let mut comment = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            let next = comment.unwrap_or(at);
            sections.push(Section { name, text: &text[begin..next] });
            (name, begin) = (line.trim_end(), next);
        }
        comment = line.starts_with('#').then(|| comment.unwrap_or(at));
        at += line.len();
    }
    sections.push(Section { name, text: &text[begin..] });
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: &str = "[package]\nname = \"lab\"\n\n[workspace]\nmembers = []\n\
                          default-members = [\".\"] # The tests.\n\n[lib]\npath = \"a\"\n\n[[bin]]\nname = \"b\"\n\n\
                          [[bench]]\nname = \"c\"\n\n[dev-dependencies]\ntempfile = \"3\"\n\n\
                          # Why.\n# And how.\n[profile.dev]\ndebug = 1\n";

    #[test]
    fn what_only_the_course_s_tests_need_is_left_out_and_comments_stay_with_their_section() {
        let made = String::from_utf8(of_workspace(COURSE.as_bytes()).unwrap()).unwrap();
        assert_eq!(
            made,
            "[package]\nname = \"lab\"\n\n[workspace]\nmembers = []\n\n\
             [lib]\npath = \"a\"\ntest = false\ndoctest = false\n\n\
             [[bin]]\nname = \"b\"\ntest = false\n\n# Why.\n# And how.\n[profile.dev]\ndebug = 1\n"
        );
    }

    #[test]
    fn a_manifest_without_such_a_section_is_refused() {
        for name in ["[lib]", "[[bin]]", "[[bench]]", "[dev-dependencies]"] {
            let without = COURSE.replace(name, "[other]");
            let error = of_workspace(without.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("Cargo.toml has no section {name}"));
        }
        let error = of_workspace(COURSE.replace("default-", "").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("default-members"), "{error}");
    }
}
