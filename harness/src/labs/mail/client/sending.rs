//! The harness as a client that hands over mail.

use super::Client;
use crate::labs::mail::mailbox::User;
use crate::trial::Verdict;

const MAY_SEND: &str = "who has authenticated may send: EHLO, AUTH PLAIN, MAIL, RCPT and DATA are answered 250, \
    235, 250, 250 and 354";
const TAKEN: &str = "behind the line with the dot comes 250, when the message is stored";

impl Client {
    /// Says who it is.
    pub(in crate::labs) fn authenticate(&mut self, user: &User) -> Verdict {
        self.ask("EHLO client", &["250"], MAY_SEND)?;
        self.ask(&format!("AUTH PLAIN {}", response(user)), &["235"], MAY_SEND)?;
        Ok(())
    }

    /// Hands over this text, and expects that it is taken.
    pub(in crate::labs) fn hand_over(&mut self, from: &User, to: &[&str], text: &[u8]) -> Verdict {
        self.begin(from, to)?;
        self.send(&on_the_way(text))?;
        self.expect(&["250"], TAKEN)?;
        Ok(())
    }

    /// All that comes before a text.
    pub(in crate::labs) fn begin(&mut self, from: &User, to: &[&str]) -> Verdict {
        self.ask(&format!("MAIL FROM:<{}@localhost>", from.name), &["250"], MAY_SEND)?;
        for name in to {
            self.ask(&format!("RCPT TO:<{name}@localhost>"), &["250"], MAY_SEND)?;
        }
        self.ask("DATA", &["354"], MAY_SEND)?;
        Ok(())
    }

    /// All that comes before a text, from EHLO on, in one segment.
    pub(in crate::labs::mail) fn begin_at_once(&mut self, from: &User, to: &[&str]) -> Verdict {
        let mut lines = vec!["EHLO client".to_owned(), format!("AUTH PLAIN {}", response(from))];
        lines.push(format!("MAIL FROM:<{}@localhost>", from.name));
        lines.extend(to.iter().map(|name| format!("RCPT TO:<{name}@localhost>")));
        lines.push("DATA".to_owned());
        let bytes: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.send_as(bytes.as_bytes(), "all from EHLO to DATA, in one segment")?;
        for code in ["250", "235", "250"].into_iter().chain(to.iter().map(|_| "250")) {
            self.expect(&[code], MAY_SEND)?;
        }
        self.expect(&["354"], MAY_SEND)?;
        Ok(())
    }

    /// Says QUIT by SMTP, and expects the end.
    pub(in crate::labs) fn leave(mut self) -> Verdict {
        self.ask("QUIT", &["221"], "QUIT is answered 221")?;
        self.expect_end("behind its reply to QUIT the server ends the connection")?;
        self.close();
        Ok(())
    }
}

/// What AUTH PLAIN takes (RFC 4616): nobody else to act for, the name, the password.
pub(in crate::labs::mail) fn response(user: &User) -> String {
    base64(format!("\0{}\0{}", user.name, user.password).as_bytes())
}

/// A text as it is sent: a dot before each line that begins with one, and the line with the dot.
pub(in crate::labs::mail) fn on_the_way(text: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(text.len() + 3);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            sent.push(b'.');
        }
        sent.extend_from_slice(line);
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

/// Base64 (RFC 4648 section 4), with padding.
pub(in crate::labs::mail) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[bits as usize & 63]);
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            text.push(if index <= three.len() { letter(bits >> shift) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_dot_is_put_before_a_dot() {
        assert_eq!(on_the_way(b"a\r\n.\r\n..b\r\n"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(on_the_way(b""), b".\r\n");
    }
}
