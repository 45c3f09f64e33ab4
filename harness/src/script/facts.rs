//! What is given, and what is then true: files, and what only a lab's room understands.

use super::bytes::Files;
use super::cursor::Cursor;
use super::{Action, Bytes, Fact, Premise, SyntaxError, Vocabulary};

/// How files are spoken of.
const GIVEN_FILE: [&str; 2] = ["file NAME: TEXT", "file NAME holds BYTES"];
const THEN_FILE: [&str; 3] =
    ["file NAME is TEXT", "file NAME holds BYTES", "there is no file NAME"];

/// The rest of a line behind `given`.
pub(super) fn given(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    files: &mut Files,
) -> Result<Premise, SyntaxError> {
    let expected = one_of(&GIVEN_FILE, vocabulary.files, vocabulary.given);
    if vocabulary.files && cursor.takes(&["file"]) {
        let (name, separator) = file_name(cursor, &[":", " holds "], &expected)?;
        let content = content(cursor, separator, files)?;
        files.insert(name.clone(), content.clone());
        return Ok(Premise::File(name, content));
    }
    fact(cursor, vocabulary.given, &expected).map(Premise::Fact)
}

/// The rest of a line behind `then`.
pub(super) fn then(
    cursor: &mut Cursor<'_>,
    vocabulary: &Vocabulary,
    files: &Files,
) -> Result<Action, SyntaxError> {
    let expected = one_of(&THEN_FILE, vocabulary.files, vocabulary.then);
    if vocabulary.files && cursor.takes(&["file"]) {
        let (name, separator) = file_name(cursor, &[" is", " holds "], &expected)?;
        return Ok(Action::HasFile(name, content(cursor, separator, files)?));
    }
    if vocabulary.files && cursor.takes(&["there", "is", "no", "file"]) {
        let start = *cursor;
        let name = cursor.rest("the name of a file")?.trim();
        return Ok(Action::HasNoFile(fine_name(name, &start)?));
    }
    fact(cursor, vocabulary.then, &expected).map(Action::Holds)
}

fn one_of(of_files: &[&str], files: bool, forms: &[&str]) -> String {
    let of_files = if files { of_files } else { &[] };
    let all: Vec<_> = of_files.iter().chain(forms).map(|form| format!("`{form}`")).collect();
    match all.len() {
        0 => "another line: in the conversations of this lab nothing is given".into(),
        _ => all.join(" or "),
    }
}

fn file_name<'s>(
    cursor: &mut Cursor<'_>,
    separators: &[&'s str],
    expected: &str,
) -> Result<(String, &'s str), SyntaxError> {
    let start = *cursor;
    let (name, separator) = cursor.before(separators, expected)?;
    Ok((fine_name(name, &start)?, separator))
}

/// A name of a file can't lead out of the folder.
fn fine_name(name: &str, start: &Cursor<'_>) -> Result<String, SyntaxError> {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if name.split('/').all(part) {
        Ok(name.to_owned())
    } else {
        Err(start.error("the name of a file in the folder of the conversation"))
    }
}

/// Text behind a colon or `is`, bytes behind `holds`.
fn content(
    cursor: &mut Cursor<'_>,
    separator: &str,
    files: &Files,
) -> Result<Vec<u8>, SyntaxError> {
    if separator.trim() != "holds" {
        return Ok(cursor.rest_or_nothing("what stands in it")?.as_bytes().to_vec());
    }
    let start = *cursor;
    let bytes = Bytes::read(cursor, files)?;
    if bytes.is_free() || bytes.recalls().next().is_some() {
        Err(start.error("the bytes themselves: nothing is free in a file"))
    } else {
        Ok(bytes.like(b"", &Default::default()))
    }
}

/// Whether a word of a form stands for any word.
pub(super) fn is_place(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn fact(
    cursor: &mut Cursor<'_>,
    forms: &[&'static str],
    expected: &str,
) -> Result<Fact, SyntaxError> {
    let start = *cursor;
    let fit = forms.iter().find_map(|form| {
        *cursor = start;
        Some(Fact { form, words: words(cursor, form)? })
    });
    if fit.is_none() {
        *cursor = start;
        cursor.is_at_end();
    }
    fit.ok_or_else(|| cursor.error(expected))
}

/// What stands in the places of a form, if the line is of that form.
fn words(cursor: &mut Cursor<'_>, form: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut form = form.split(' ').peekable();
    while let Some(next) = form.next() {
        if !is_place(next) {
            cursor.keyword(next, "").ok()?;
        } else if form.peek().is_some() {
            words.push(cursor.word("").ok()?.1.to_owned());
        } else {
            let rest = cursor.rest("").ok()?;
            words.push((!rest.is_empty()).then(|| rest.to_owned())?);
        }
    }
    cursor.is_at_end().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: Vocabulary = Vocabulary {
        files: true,
        given: &["user NAME PASSWORD"],
        then: &["there is 1 mail for NAME", "there are COUNT mails for NAME"],
        ..Vocabulary::LEAST
    };

    fn line(line: &str) -> Cursor<'_> {
        Cursor { file: "a.txt", number: 1, line, at: 0 }
    }

    fn files() -> Files {
        Files::from([("a.txt".to_owned(), b"hello".to_vec())])
    }

    #[test]
    fn a_file_is_given_as_text_or_as_bytes() {
        let read = |text| given(&mut line(text), &LAB, &mut files());
        let file = |name: &str, content: &[u8]| Ok(Premise::File(name.into(), content.to_vec()));
        assert_eq!(read("file b.txt: hello: you "), file("b.txt", b"hello: you "));
        assert_eq!(
            read("file my song.ogg holds zeros 2 text \"x\""),
            file("my song.ogg", b"\0\0x")
        );
        assert_eq!(read("file d/b.txt:"), file("d/b.txt", b""));
        assert_eq!(read("file b holds file a.txt from 4"), file("b", b"o"));
    }

    #[test]
    fn what_a_room_understands_has_words_in_its_places() {
        let read = |text| then(&mut line(text), &LAB, &files());
        assert_eq!(read("file a.txt is  x"), Ok(Action::HasFile("a.txt".into(), b" x".to_vec())));
        assert_eq!(read("there is no file b/c d"), Ok(Action::HasNoFile("b/c d".into())));
        let Ok(Premise::Fact(fact)) = given(&mut line(" user bob builder  1"), &LAB, &mut files())
        else {
            panic!("a fact")
        };
        assert_eq!(fact.words, ["bob", "builder  1"]);
        assert_eq!(fact.to_string(), "user bob builder  1");
        let Ok(Action::Holds(fact)) = read("there are 2 mails for bob") else { panic!("a fact") };
        assert_eq!((fact.form, fact.words.len()), (LAB.then[1], 2));
    }

    #[test]
    fn an_error_names_the_place_and_what_should_stand_there() {
        for (text, words) in [
            ("", "column 1: expected `file NAME: TEXT` or `file NAME holds BYTES` or `user NAME"),
            (" usher bob x", "column 2: expected `file NAME: TEXT` or"),
            (" user bob", "column 2: expected `file NAME: TEXT` or"),
            (" file a.txt", "column 7: expected `file NAME: TEXT` or"),
            (" file a.txt:x", "column 13: expected a space and what stands in it"),
            (" file ../b: x", "column 6: expected the name of a file in the folder"),
            (" file a holds ..", "column 15: expected the bytes themselves: nothing is free"),
            (" file a holds 4", "column 15: expected bytes: pairs"),
        ] {
            let error = given(&mut line(text), &LAB, &mut files()).unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        for (text, words) in [
            (" file a.txt was x", "column 7: expected `file NAME is TEXT` or `file NAME holds"),
            (" there is no file /x", "column 18: expected the name of a file in the folder"),
            (" there is nothing", "column 2: expected `file NAME is TEXT` or"),
        ] {
            let error = then(&mut line(text), &LAB, &files()).unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        let nothing = Vocabulary::LEAST;
        let error = given(&mut line(" file a: b"), &nothing, &mut files()).unwrap_err();
        assert!(error.to_string().contains("nothing is given"), "{error}");
    }
}
