//! Bytes in words: quoted, counted, cut short. Every sentence that a person reads uses them.

/// The bytes between quotes, as in a Rust byte string: printable ASCII stays, all else is
/// escaped.
///
/// ```
/// assert_eq!(sockets_lab::words::quote(b"hello\n\xff"), r#""hello\n\xff""#);
/// ```
pub fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", escape(bytes))
}

/// As [`quote`], but at most the first `max` bytes; where that cuts, a `…` and the length of
/// the whole.
///
/// ```
/// assert_eq!(sockets_lab::words::quote_short(b"hello", 4), r#""hell"… (5 bytes)"#);
/// ```
pub fn quote_short(bytes: &[u8], max: usize) -> String {
    match bytes.get(..max) {
        Some(head) if max < bytes.len() => format!("{}… ({})", quote(head), count(bytes.len())),
        _ => quote(bytes),
    }
}

/// How many bytes, and the first of them: `6 bytes: "hello\n"`. Of more than `max` bytes only
/// the beginning is shown.
pub fn summary(bytes: &[u8], max: usize) -> String {
    let cut = if bytes.len() > max { "…" } else { "" };
    format!("{}: {}{cut}", count(bytes.len()), quote(&bytes[..bytes.len().min(max)]))
}

/// A number of bytes in words: `1 byte`, `6 bytes`, and from 64 KiB on also in the larger
/// unit: `8.0 MiB (8388608 bytes)`.
pub fn count(bytes: usize) -> String {
    // Precision is of no matter here: the exact number stands beside it.
    let size = bytes as f64;
    match bytes {
        1 => "1 byte".to_owned(),
        0..0x1_0000 => format!("{bytes} bytes"),
        0x1_0000..0x10_0000 => format!("{:.1} KiB ({bytes} bytes)", size / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB ({bytes} bytes)", size / 1024.0 / 1024.0),
        _ => format!("{:.1} GiB ({bytes} bytes)", size / 1024.0 / 1024.0 / 1024.0),
    }
}

/// Text as XML and HTML take it, between tags and in attributes.
pub(crate) fn markup(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// The escaped text is ASCII, so its length is its width.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\0' => text.push_str("\\0"),
            b'\\' => text.push_str("\\\\"),
            b'"' => text.push_str("\\\""),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}
