//! Where the course or the workspace is.

use std::io;
use std::path::{Path, PathBuf};

/// The folder of the course or workspace: the nearest one above the current folder that has
/// labs, else the one that this program was built from.
pub fn find_root() -> io::Result<PathBuf> {
    let is_root =
        |folder: &&Path| folder.join("labs").is_dir() && folder.join("Cargo.toml").is_file();
    let current = std::env::current_dir()?;
    if let Some(root) = current.ancestors().find(is_root) {
        return Ok(root.to_owned());
    }
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    if is_root(&built_from) {
        return Ok(built_from.to_owned());
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("no folder with labs/ and Cargo.toml at or above {}", current.display()),
    ))
}
