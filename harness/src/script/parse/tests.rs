use super::super::{Action, Bytes, Premise, Wording};
use super::*;

/// All that a lab can have.
const ALL: Vocabulary = Vocabulary {
    services: &["SMTP", "POP3"],
    console: true,
    replies: true,
    messages: Some(&Wording { form: "`note NUMBER`", bytes: note }),
    files: true,
    given: &["user NAME PASSWORD"],
    then: &["there is 1 mail for NAME"],
};
const LEAST: Vocabulary = Vocabulary::LEAST;

fn note(words: &str) -> Option<String> {
    Some(format!("ff u16le {}", words.strip_prefix("note ")?))
}

fn error(text: &str) -> String {
    parse("a.txt", text, &ALL).unwrap_err().to_string()
}

#[test]
fn a_conversation_is_read_line_by_line() {
    let text = "# A comment.\n\nthe program is ann or bob\nbob calls ann\n\
                bob says HELLO  bob \n  ann sends-hex 48 0A\nbob repeats 3 ab\nann is silent\nbob says\n";
    let conversation = parse("a.txt", text, &LEAST).unwrap();
    assert_eq!(conversation.sides, ["bob", "ann"]);
    assert_eq!(conversation.programs, [[1], [0]]);
    let acts: Vec<_> = conversation.lines.iter().map(|line| line.act.clone()).collect();
    assert_eq!(
        acts,
        [
            Action::Calls(1, None),
            Action::Says("HELLO  bob ".into()),
            Action::Sends(Bytes::exact(b"H\n".to_vec())),
            Action::Sends(Bytes::exact(b"ababab".to_vec())),
            Action::IsSilent,
            Action::Says(String::new()),
        ]
    );
    assert_eq!(conversation.lines[2].number, 6);
    assert_eq!(conversation.line_end, LineEnd::Lf);
}

#[test]
fn the_head_tells_what_is_given_and_how_lines_end() {
    let text = "given file a.txt: hello\ngiven user bob builder 1\nthe programs are ann, bob and eve\r\n\
                ends lines with CRLF\n\ncarl calls ann for POP3\nbob calls ann\neve calls bob\n\
                then file a.txt is hello\nthen there is 1 mail for bob\n";
    let conversation = parse("a.txt", text, &ALL).unwrap();
    assert_eq!(conversation.sides, ["carl", "ann", "bob", "eve"]);
    assert_eq!(conversation.programs, [[1, 2, 3]]);
    assert_eq!(conversation.line_end, LineEnd::CrLf);
    assert_eq!(conversation.given[0], Premise::File("a.txt".into(), b"hello".to_vec()));
    assert_eq!(conversation.given.len(), 2);
    assert_eq!(conversation.lines[0].act, Action::Calls(1, Some("POP3")));
    assert_eq!(conversation.lines[3].side, None);
    assert!(matches!(conversation.lines[4].act, Action::Holds(_)));
}

type Statement = (&'static str, fn() -> Action);

/// Statements as a person writes them, and what they mean.
const STATEMENTS: [Statement; 20] = [
    ("bob says a # b", || Action::Says("a # b".into())),
    ("bob sends a ", || Action::Sends(Bytes::exact(b"a ".to_vec()))),
    ("bob sends-hex u16 258", || Action::Sends(Bytes::exact(vec![1, 2]))),
    ("bob hears a*", || Action::Hears("a*".into())),
    ("bob receives-hex 0102", || Action::Receives(Bytes::exact(vec![1, 2]))),
    ("bob sends-message note 258", || Action::Sends(Bytes::exact(vec![255, 2, 1]))),
    ("bob receives-message  note 1", || Action::Receives(Bytes::exact(vec![255, 1, 0]))),
    ("ann answers 250 *", || Action::Answers("250 *".into())),
    ("ann ends", || Action::Ends),
    ("ann is silent", || Action::IsSilent),
    ("ann freezes", || Action::Freezes),
    ("ann thaws", || Action::Thaws),
    ("ann types", || Action::Types(String::new())),
    ("ann quits", || Action::Quits),
    ("ann prints left bob", || Action::Prints("left bob".into())),
    ("then file b is  x", || Action::HasFile("b".into(), b" x".to_vec())),
    ("then file b holds zeros 1", || Action::HasFile("b".into(), vec![0])),
    ("then there is no file b", || Action::HasNoFile("b".into())),
    ("bob ends", || Action::Ends),
    ("ann says a*b", || Action::Says("a*b".into())),
];

proptest::proptest! {
    #[test]
    fn what_is_written_is_read(chosen in proptest::collection::vec(0..STATEMENTS.len(), 1..12)) {
        let lines: Vec<_> = chosen.iter().map(|index| STATEMENTS[*index].0).collect();
        let text = format!("the program is ann\nbob calls ann\n{}\n", lines.join("\n"));
        let conversation = parse("a.txt", &text, &ALL).unwrap();
        for ((index, line), number) in chosen.iter().zip(&conversation.lines[1..]).zip(3..) {
            proptest::prop_assert_eq!(&line.act, &STATEMENTS[*index].1());
            proptest::prop_assert_eq!((line.number, &*line.text), (number, STATEMENTS[*index].0));
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        head in "(given (file a: b|user a b)\n)?(the programs? (is|are) ann(,? (or|and) bob)?\\r?\n(ends lines with CRLF\n)?(bob calls ann\n)?)?",
        lines in proptest::collection::vec(
            "(bob|ann|then|eve)? ?(says|sends-hex|receives-hex|repeats 3|is|calls|answers|dies|closes|file)? \
             ?(u16|text \"|@a:2|@a|\\.\\.|file a from|killed|started again|ann for)? ?.{0,12}", 0..6),
        everything in proptest::bool::ANY,
    ) {
        let text = format!("{head}{}", lines.join("\n"));
        if let Err(error) = parse("a.txt", &text, if everything { &ALL } else { &LEAST }) {
            let line = text.lines().nth(error.line - 1).unwrap_or_default();
            proptest::prop_assert!(error.column <= line.chars().count() + 1, "{error}");
        }
    }
}

#[test]
fn an_error_of_the_head_names_the_place_and_what_should_stand_there() {
    let start = "the program is ann\nbob calls ann\n";
    for (text, words) in [
        ("", "a.txt, line 1, column 1: expected `the program is NAME`"),
        ("bob calls ann\n", "a.txt, line 1, column 1: expected `the program is NAME`"),
        ("the program is\n", "a.txt, line 1, column 15: expected the name of a side"),
        ("the program is ann, bob\n", "a.txt, line 1, column 16: expected the name of a side"),
        ("the program is ann bob\n", "a.txt, line 1, column 20: expected `or`"),
        ("the programs are ann, bob eve\n", "line 1, column 27: expected `and`"),
        ("the programs are ann and ann\n", "line 1, column 26: expected the name of a side"),
        ("the programs were ann\n", "a.txt, line 1, column 5: expected `the program is NAME`"),
        ("the program is ann\nthe program is bob\n", "line 2, column 1: expected one line that"),
        ("the program is ann\n", "a.txt, line 2, column 1: expected `NAME calls NAME`"),
        ("the program is ann\nbob says x\n", "a.txt, line 2, column 5: expected `calls`"),
        ("the program is ann\nbob calls\n", "a.txt, line 2, column 10: expected the name of the"),
        ("the program is ann\nbob calls bob\n", "line 2, column 1: expected a call in which ann"),
        ("the program is ann\nann calls ann\n", "line 2, column 11: expected another name"),
        ("the program is ann\nbob calls eve\nbob ends", "line 2, column 1: expected a call in"),
        ("ends lines with LF\n", "line 1, column 17: expected `ends lines with CRLF`"),
        ("given nothing\n", "line 1, column 7: expected `file NAME: TEXT`"),
        (start, "a.txt, line 3, column 1: expected a line that says what a side does"),
    ] {
        assert!(error(text).contains(words), "{text:?}: {}", error(text));
    }
}

#[test]
fn an_error_of_a_line_names_the_place_and_what_should_stand_there() {
    for (line, words) in [
        ("eve says x", "line 3, column 1: expected `bob` or `ann`, found `eve`"),
        ("bob", "line 3, column 4: expected a verb: one of calls, says, sends, sends-hex"),
        ("bob  shouts x", "line 3, column 6: expected a verb: one of calls, says"),
        ("bob sends", "line 3, column 10: expected a space and what it sends"),
        ("ann answers", "line 3, column 12: expected a space and what the reply is"),
        ("bob sends-hex 4", "line 3, column 15: expected bytes: pairs"),
        ("bob sends-hex 48 +1", "line 3, column 18: expected bytes: pairs"),
        ("bob sends-message nothing", "line 3, column 19: expected `note NUMBER`, found `nothing`"),
        ("bob sends-message note 70000", "line 3, column 19: expected `note NUMBER`"),
        ("bob sends-message", "line 3, column 18: expected a space and `note NUMBER`"),
        ("bob repeats x y", "line 3, column 13: expected how often"),
        ("bob repeats 9000000 ab", "line 3, column 20: expected less"),
        ("bob ends now", "line 3, column 10: expected the end of the line, found `now`"),
        ("ann exits 300", "line 3, column 11: expected an exit status"),
        ("bob is loud", "line 3, column 8: expected `silent`, `killed` or `started again`"),
        ("bob calls", "line 3, column 10: expected the name of a side"),
        ("bob calls ann to", "line 3, column 15: expected `for SMTP` or `for POP3`"),
        ("bob calls ann for IMAP", "line 3, column 19: expected `for SMTP` or `for POP3`"),
        ("then nothing", "line 3, column 6: expected `file NAME is TEXT`"),
    ] {
        let text = format!("the program is ann\nbob calls ann\n{line}\n");
        assert!(error(&text).contains(words), "{line:?}: {}", error(&text));
    }
}

#[test]
fn what_a_lab_does_not_have_is_a_syntax_error() {
    for (line, words) in [
        ("bob calls ann for SMTP", "line 3, column 15: expected the end of the line"),
        ("ann answers 250", "line 3, column 5: expected a verb: one of calls, says"),
        ("ann prints x", "line 3, column 5: expected a verb"),
        ("bob sends-message note 1", "line 3, column 5: expected a verb"),
        ("then there is no file x", "line 3, column 6: expected another line"),
    ] {
        let text = format!("the program is ann\nbob calls ann\n{line}\n");
        let error = parse("a.txt", &text, &LEAST).unwrap_err().to_string();
        assert!(error.contains(words), "{line:?}: {error}");
        assert!(!error.contains("answers,") && !error.contains("prints,"), "{error}");
    }
}

#[test]
fn what_nobody_can_play_is_a_syntax_error() {
    for (lines, words) in [
        ("bob says HELLO *", "line 3, column 16: expected the bytes themselves"),
        ("bob sends-hex 01 ..", "line 3, column 1: expected the bytes themselves: the harness"),
        ("bob sends-hex @id:2", "line 3, column 1: expected the bytes themselves: the harness"),
        ("ann sends-hex 00 @id", "line 3, column 18: expected `@id:2` where the bytes come first"),
        ("bob answers 250", "line 3, column 1: expected `bob says` or `bob sends`"),
        ("bob freezes", "line 3, column 1: expected this of a program only: the harness plays bob"),
        ("ann hears x", "line 3, column 1: expected the name of a side that the harness plays"),
        ("ann receives-hex 00", "line 3, column 1: expected the name of a side that the harness"),
        (
            "bob calls ann",
            "line 3, column 1: expected `bob closes` before it: bob has a connection",
        ),
        ("eve calls bob", "line 3, column 1: expected a call in which a program takes part"),
        ("bob closes\nbob says x", "line 4, column 1: expected a call before it: bob has no"),
        ("ann closes\nann says x", "line 4, column 1: expected a call before it: ann has no"),
        ("ann is started again", "line 3, column 1: expected `ann is killed` before it: it runs"),
        ("ann dies\nann says x", "line 4, column 1: expected `ann is started again` before it"),
        ("ann dies\neve calls ann", "line 4, column 1: expected `ann is started again` before it"),
    ] {
        let text = format!("the program is ann\nbob calls ann\n{lines}\n");
        assert!(error(&text).contains(words), "{lines:?}: {}", error(&text));
    }
    let text = "the programs are ann and bob\nann calls bob\nbob quits\n";
    assert!(error(text).contains("line 2, column 1: expected `the programs are bob and ann`"));
}
