//! `lab gradescope-zip FILE`: an autograder for Gradescope.

use std::path::Path;

use super::{CliError, print, scheme, select};
use crate::grade::{Scheme, autograder};
use crate::root;

/// Writes it, and says what to do with it.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let (mut file, mut labs, mut scheme) = (None, Vec::new(), Scheme::default());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |what: &str| {
            words.next().ok_or_else(|| CliError::Usage(format!("{word} needs {what} after it")))
        };
        match *word {
            "--labs" => labs = select::labs(value("labs, as in server,client")?)?,
            "--scheme" => scheme = scheme::read(Path::new(value("a file")?))?,
            option if option.starts_with('-') => {
                return Err(CliError::Usage(format!("there is no option {option}")));
            }
            path if file.is_none() => file = Some(path),
            more => return Err(CliError::Usage(format!("one file: what is `{more}`?"))),
        }
    }
    let Some(file) = file else {
        let words = "say what to write: `cargo lab gradescope-zip autograder.zip`";
        return Err(CliError::Usage(words.into()));
    };
    scheme::expect_one_list(&labs, !scheme.shares.is_empty())?;
    let length = autograder::write(&root::find_root()?, Path::new(file), &labs, &scheme)?;
    print(&format!(
        "{file}: an autograder without the solutions, {} KiB

Upload it in the assignment's settings, under \"Configure Autograder\". Then hand in
your own solution, and look at what is skipped there: nobody can have these points.

Where Gradescope's container refuses namespaces, a program runs as nobody, in the
container's network: it can read what everybody can, conversations of your own
included, and hinder the run that judges it. It can't write its result.
",
        length.div_ceil(1024)
    ))?;
    Ok(0)
}
