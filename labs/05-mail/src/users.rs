//! Who may send and fetch mail: a file with a name and a password in each line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The users and their passwords.
pub struct Users(BTreeMap<String, String>);

impl Users {
    /// Reads them from a file. The error says which line is wrong, and never what stands there:
    /// it may be a password.
    pub fn read(file: &Path) -> Result<Self, String> {
        let bytes = fs::read(file).map_err(|error| error.to_string())?;
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut users = BTreeMap::new();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let wrong = |what: &str| format!("line {}: {what}", index + 1);
            let text = str::from_utf8(line).map_err(|_| wrong("only ASCII is allowed"))?;
            let (name, password) = text.split_once(' ').ok_or_else(|| wrong("no password"))?;
            if !is_name(name) {
                return Err(wrong("a name has 1 to 32 of a-z 0-9 - _"));
            }
            let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
            if !(1..=64).contains(&password.len()) || !password.bytes().all(is_visible) {
                return Err(wrong("a password has 1 to 64 visible characters and spaces"));
            }
            if users.insert(name.to_owned(), password.to_owned()).is_some() {
                return Err(wrong("a name that stands further up, too"));
            }
        }
        Ok(Self(users))
    }

    /// Whether there is a user of this name, in small letters.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether this is the password of that user.
    pub fn accepts(&self, name: &str, password: &[u8]) -> bool {
        self.0.get(name).is_some_and(|right| right.as_bytes() == password)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::Users;

    #[test]
    fn a_password_is_the_rest_of_its_line() {
        let users = Users::parse(b"# who\n\nalice wonderland\nbob builder 1 \n").ok().unwrap();
        assert!(users.accepts("alice", b"wonderland") && users.accepts("bob", b"builder 1 "));
        assert!(!users.accepts("bob", b"builder 1") && !users.accepts("carol", b""));
        assert!(users.has("alice") && !users.has("Alice"));
    }

    #[test]
    fn a_line_that_is_wrong_is_named_by_its_number_alone() {
        let long = "x".repeat(65);
        for bad in
            ["alice", "Alice secret", " secret", "alice ", "al\u{e9} secret", "alice se\tcret"]
                .into_iter()
                .chain([&*format!("alice {long}"), "bob secret"])
        {
            let file = format!("# who\nbob other\n{bad}\n");
            let error = Users::parse(file.as_bytes()).err().expect(bad);
            assert!(error.starts_with("line 3: ") && !error.contains("secret"), "{error}");
        }
    }
}
