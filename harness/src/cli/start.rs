//! `lab start DIR`: a workspace for a student.

use std::path::Path;

use super::{CliError, print};
use crate::labs::LABS;
use crate::root;
use crate::workspace::make;

/// Makes it, and says how to go on.
pub(super) fn run(dir: &str) -> Result<u8, CliError> {
    make::make(&root::find_root()?, Path::new(dir))?;
    let steps: usize = LABS.iter().map(|lab| lab.steps.len()).sum();
    let labs = LABS.len();
    let first = LABS.first().map_or("labs", |lab| lab.folder);
    print(&format!(
        "Your workspace is in {dir}: {labs} labs, {steps} steps to write.

  cd {}
  cargo build                 builds the harness, once: `cargo lab` does it without a word
  cargo lab watch             checks at each save, and says what comes next
  mdbook serve book --open    the book, in another terminal (to get mdBook: cargo install mdbook)

Begin with {first}/README.md, and open {first}/src/main.rs in your editor.
",
        quoted(dir)
    ))?;
    Ok(0)
}

/// As a shell takes it.
fn quoted(dir: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+~".contains(c);
    if dir.chars().all(plain) && !dir.starts_with('-') {
        dir.to_owned()
    } else {
        format!("'{}'", dir.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("../my-sockets"), "../my-sockets");
        assert_eq!(quoted("../my sockets"), "'../my sockets'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
