//! Reading a file of `/proc`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What stands in a file of `/proc`, in one read for nearly all of them. They have no length that
/// could be asked for, and `fs::read_to_string` asks, is told 0, and begins with 32 bytes.
pub(super) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    let mut text = String::with_capacity(4096);
    File::open(path)?.take(u64::MAX).read_to_string(&mut text)?;
    Ok(text)
}
