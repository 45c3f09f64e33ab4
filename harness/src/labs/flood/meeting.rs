//! A file that goes from one of the student's servents to another one.

use super::fetch::DIRECTLY;
use super::getting::WHOLE;
use super::servent::Servent;
use crate::trial::{Scratch, Trial, Verdict};

/// A servent shares this folder, where the file is; another one links with it, finds the file, and gets
/// it.
pub(in crate::labs) fn passes_on(t: &Trial, folder: Scratch, name: &str, bytes: &[u8]) -> Verdict {
    const FINDS: &str =
        "a servent shares what is in its folder when it starts, whoever has put it there";
    let dave = Servent::over(t, "servent dave", folder, &[])?;
    let eve = Servent::start(t, "servent eve", &[], &[dave.address()])?;
    eve.expect_event(&format!("linked {} as client", dave.address()), FINDS)?;
    dave.expect_event("linked * as server", FINDS)?;
    eve.console.types(&format!("find {name}"));
    let length = bytes.len();
    eve.expect_event(&format!("hit 1 {} {length} {name}", dave.address()), FINDS)?;
    eve.console.types("get 1");
    eve.expect_event(&format!("got {name} {length} from {}", dave.address()), DIRECTLY)?;
    eve.folder.expect_file(name, bytes, WHOLE)
}
