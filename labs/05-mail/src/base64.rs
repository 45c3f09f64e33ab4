//! Base64 (RFC 4648 section 4): bytes as text that passes through protocols of lines. It hides
//! nothing: anybody can decode it.

/// The bytes that `text` stands for; `None` where it is not base64, padding included.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let groups = text.as_bytes().chunks_exact(4);
    if !groups.remainder().is_empty() {
        return None;
    }
    let last = groups.len().saturating_sub(1);
    let mut bytes = Vec::new();
    for (index, group) in groups.enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index < last) {
            return None;
        }
        let mut bits = 0;
        for byte in &group[..4 - padding] {
            bits = bits << 6 | digit(*byte)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(bytes)
}

/// The six bits of one digit.
fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn every_length_comes_back() {
        assert_eq!(decode("").as_deref(), Some(&b""[..]));
        assert_eq!(decode("Zg==").as_deref(), Some(&b"f"[..]));
        assert_eq!(decode("Zm8=").as_deref(), Some(&b"fo"[..]));
        assert_eq!(decode("Zm9v").as_deref(), Some(&b"foo"[..]));
        let response = &b"\0alice\0wonderland"[..];
        assert_eq!(decode("AGFsaWNlAHdvbmRlcmxhbmQ=").as_deref(), Some(response));
        assert_eq!(decode("+/+/").as_deref(), Some(&b"\xfb\xff\xbf"[..]));
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for bad in ["*", "!!!!", "Zg", "Zg=", "Zm9v=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n"]
        {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
