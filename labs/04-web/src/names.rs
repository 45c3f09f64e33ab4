//! Names in requests, and names of files.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// A token (RFC 9110 section 5.6.2): a method, the name of a field.
pub fn is_token(bytes: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_part)
}

/// Without the blanks and tabs around it.
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Replaces each `%41` by the byte that it stands for, once (RFC 3986 section 2.1). `None` for an
/// escape that is none, for a NUL and for what is not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn digit(byte: u8) -> Option<u8> {
    // A hexadecimal digit fits a byte.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A name for an upload that is under way: of this process and of no other upload. Names that
/// begin with a dot are never served.
pub fn upload_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!(".upload-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::{decode, is_token, trim, upload_name};

    #[test]
    fn a_token_is_not_empty_and_has_no_separators() {
        assert!(is_token(b"Content-Length") && is_token(b"M-SEARCH"));
        for bytes in [&b""[..], b"Host ", b"a:b", b"a\tb", b"\xc3\xa9", b"(a)"] {
            assert!(!is_token(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn blanks_and_tabs_around_a_value_are_no_part_of_it() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" "), b"");
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(decode("a%20b/%C3%A9%2541").as_deref(), Some("a b/\u{e9}%41"));
        for bad in ["%", "%4", "%zz", "%+1", "%00", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_two_uploads_have_the_same_name() {
        assert_ne!(upload_name(), upload_name());
    }
}
