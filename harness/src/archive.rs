//! Zip archives of files that are stored as they are (APPNOTE.TXT, "ZIP File Format Specification").

/// A file that goes into an archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its name, with `/` between folders.
    pub name: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
    /// Whether it can be run.
    pub executable: bool,
}

/// Version 2.0 of the format, which has folders.
const NEEDED: u16 = 20;
/// Made on Unix, where a file has a mode.
const MADE_BY: u16 = 3 << 8 | NEEDED;
/// A name is UTF-8.
const UTF8: u16 = 1 << 11;
/// Nothing is compressed.
const STORED: u16 = 0;
/// Midnight on the first of January, 1980: the same files make the same archive.
const TIME: u16 = 0;
const DATE: u16 = 1 << 5 | 1;

/// The archive of these files, or `None` where they are more than the format has room for.
pub fn zip(entries: &[Entry<'_>]) -> Option<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = u32::try_from(out.len()).ok()?;
        let mode: u32 = if entry.executable { 0o100_755 } else { 0o100_644 };
        let common = common(entry)?;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(entry.name.bytes());
        out.extend(entry.bytes);

        directory.extend(b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&common);
        // No comment, on the first disk, and of no special kind.
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.bytes());
    }
    let (offset, length) = (u32::try_from(out.len()).ok()?, u32::try_from(directory.len()).ok()?);
    let count = u16::try_from(entries.len()).ok()?;
    out.append(&mut directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([length.to_le_bytes(), offset.to_le_bytes()].concat());
    // No comment.
    out.extend([0; 2]);
    Some(out)
}

/// What the directory says of a file, and the file's own head as well.
fn common(entry: &Entry<'_>) -> Option<Vec<u8>> {
    let length = u32::try_from(entry.bytes.len()).ok()?.to_le_bytes();
    let name = u16::try_from(entry.name.len()).ok()?;
    let mut out = [NEEDED, UTF8, STORED, TIME, DATE].map(u16::to_le_bytes).concat();
    out.extend(crc32(entry.bytes).to_le_bytes());
    // Compressed and as it is: the same. Then the name's length, and that there is no extra field.
    out.extend([length, length].concat());
    out.extend([name, 0].map(u16::to_le_bytes).concat());
    Some(out)
}

/// The check sum of ISO 3309, bit by bit, with the polynomial reversed.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn an_archive_ends_in_its_directory() {
        let entry = |name| Entry { name, bytes: b"x", executable: false };
        let archive = zip(&[entry("a"), entry("b/c")]).unwrap();
        // The heads have 30 and 46 bytes besides the names, the end has 22.
        assert_eq!(archive.len(), 2 * (30 + 46) + 2 * (1 + 3) + 2 + 22);
        let end = &archive[archive.len() - 22..];
        assert!(end.starts_with(b"PK\x05\x06") && end[10..12] == [2, 0]);
        let directory = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
        assert!(archive[directory..].starts_with(b"PK\x01\x02"));
        assert_eq!(zip(&[]).unwrap().len(), 22);
    }
}
