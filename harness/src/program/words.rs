//! Words of a command line, as a shell reads and writes them.

use std::path::PathBuf;

use super::CommandError;

/// Splits a command line into words as a shell does: at white space, with `'…'`, `"…"` and `\`
/// taking the next characters as they are. Nothing is expanded: for a pipeline or a variable,
/// say `sh -c '…'`.
pub fn split_words(text: &str) -> Result<Vec<String>, CommandError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None | Some('"'), '\\') => {
                let next = characters.next().unwrap_or('\\');
                word.get_or_insert_default().push(next);
            }
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(CommandError::OpenQuote(open));
    }
    words.extend(word);
    if words.is_empty() { Err(CommandError::Empty) } else { Ok(words) }
}

pub(super) fn find_program(name: &str) -> Result<PathBuf, CommandError> {
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![PathBuf::from(name)]
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(name)).collect()
    };
    let mut found = false;
    for candidate in candidates {
        if let Ok(metadata) = candidate.metadata() {
            found = true;
            if metadata.is_file() && is_executable(&metadata) {
                return Ok(candidate);
            }
        }
    }
    let name = name.to_owned();
    Err(if found { CommandError::NotExecutable(name) } else { CommandError::NotFound(name) })
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

/// A word as it has to be typed for a shell to read it back as this one.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+=@%[]{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let words = split_words(r#"python3 'my echo.py' --name="a b" c\ d ''"#).unwrap();
        assert_eq!(words, ["python3", "my echo.py", "--name=a b", "c d", ""]);
        assert_eq!(split_words("echo 'a"), Err(CommandError::OpenQuote('\'')));
        assert_eq!(split_words("  "), Err(CommandError::Empty));
    }

    #[test]
    fn a_quoted_word_is_read_back_as_it_was() {
        for word in ["a", "", "two words", "it's", "[::1]:0", "$HOME", "a\"b"] {
            assert_eq!(split_words(&quoted(word)), Ok(vec![word.to_owned()]));
        }
        assert_eq!(quoted("127.0.0.1:7007"), "127.0.0.1:7007");
    }
}
