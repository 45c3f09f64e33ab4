//! Step 1 of lab 5, before anything is read: how the program starts. That is given, and whoever
//! changes it, or writes the program in another language, is told here.

use std::rc::Rc;

use super::mailbox::stands_in_a_mailbox;
use super::reply::Protocol;
use super::{CALLED, LAB, Mail, NOBODY_IS_LATE, POP3, SMTP, USERS, doors, given, run, users};
use crate::contract::{self, Listens};
use crate::net::Started;
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Scratch, Trial, Verdict};
use crate::words::quote_short;

checks! { $ mail_start, "mail" step 1:
    listens_twice, 1 point: "listens on both addresses that it was given";
    "A program that listens, listens on ADDR: here on one for SMTP and on one for POP3."

    binds_no_wider, 1 point: "is bound to those addresses and no wider";
    "A program binds the addresses it is given and no other: 127.0.0.1 is not 0.0.0.0."

    says_where_it_listens, 1 point: "says where it listens, in a line for each protocol";
    "Two lines on stdout when both listen, in this order: `listening on ADDR for SMTP`, `listening on ADDR for POP3`."

    refuses_a_taken_port, 1 point: "says in one line that either port is taken";
    "One that can't: the error line with that address, status 1, nothing on stdout, nothing stays open."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing or surplus arguments, SECONDS not from 1 to 3600: one usage line on stderr, exit status 2."

    refuses_bad_users, 1 point: "says which line of USERS is bad, and not what stands there";
    "USERS unusable: `cannot read USERS: CAUSE`, with the line's number, never its text, status 1."

    refuses_a_bad_spool, 1 point: "says in one line that SPOOL is no folder";
    "SPOOL, an existing directory, unusable: `cannot use SPOOL: CAUSE`, status 1."

    makes_its_folders, 1 point: "makes a mailbox for each user, and empties its tmp";
    "Folders SPOOL/NAME/{tmp,new,cur} are made; what stands in a tmp at the start is removed."

    restarts_with_open_connections, 1 point: "can be restarted at once, over open connections";
    "A listener that was stopped can be started again on the same port at once."
}

/// These checks are of a program that is given: each ends with a look whether step 1, which they
/// belong to, has been written at all.
fn on_both(t: &Trial, check: fn(&Trial, &Listens) -> Verdict) -> Verdict {
    check(t, &SMTP)?;
    t.new_scene()?;
    check(t, &POP3)?;
    expect_step_1(t)
}

fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    let mail = Mail::start(t)?;
    mail.expect_service()?;
    t.expect_written()
}

fn listens_twice(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    mail.doors.expect_no_other_door("one listener for SMTP and one for POP3")?;
    t.new_scene()?;
    on_both(t, contract::listens_on_ipv6)
}

fn binds_no_wider(t: &mut Trial) -> Verdict {
    on_both(t, contract::binds_no_wider)
}

const READY: &str = "two lines, exactly so and in this order, once both listen; nothing else goes to \
    standard output";

fn says_where_it_listens(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    mail.doors.expect_ready_lines(READY)?;
    t.new_scene()?;
    let mut any = t.addresses().free_address();
    any.set_port(0);
    let running = run(t, given(t)?, any, any)?;
    let mail = t.doors(running, &doors(any, any))?;
    mail.expect_ready_lines(READY)?;
    expect_step_1(t)
}

fn refuses_a_taken_port(t: &mut Trial) -> Verdict {
    on_both(t, contract::refuses_a_taken_port)
}

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    contract::refuses_bad_arguments(t, &SMTP)?;
    expect_step_1(t)
}

/// The program must not listen, but end with status 1 and one line that has these words.
fn expect_refusal(
    t: &Trial,
    users: &Scratch,
    spool: &str,
    words: &[&str],
    secret: &str,
) -> Verdict {
    let [smtp, pop3] = [(); 2].map(|()| t.addresses().free_address());
    let given = Given::address(smtp).with("addr2", pop3).with("spool", spool);
    let given = given.with("users", users.path().join("users").display());
    let running = t.start_as(CALLED, LAB.name, given, Stdin::Null)?;
    let expected =
        format!("exit status 1, and one line on standard error with {}", words.join(", "));
    let cause = "what can't be used is said before anything listens";
    let ended = match t.begun_or(Rc::clone(&running), smtp, &expected, cause)? {
        Started::Ended(ended) => ended,
        Started::Listening(_) => {
            return Err(t
                .fail(format!("the {CALLED} listens all the same"))
                .expected(expected)
                .seen(format!("it listens on {smtp}"))
                .cause(cause)
                .stop());
        }
    };
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    // The place of the file may have any digits in it.
    let names = |line: &str, word: &str| line.replace(&list_of(users), "USERS").contains(word);
    let is_right = matches!(&lines[..], [line] if words.iter().all(|word| names(line, word)));
    if lines.iter().any(|line| !secret.is_empty() && line.contains(secret)) {
        return Err(t
            .fail(format!("the {CALLED} prints what stands in USERS"))
            .expected(expected)
            .seen(format!("a line with {}", quote_short(secret.as_bytes(), 40)))
            .cause("passwords appear in no output: the number of the line is enough to find it")
            .stop());
    }
    if ended.code() == Some(1) && is_right {
        return Ok(());
    }
    Err(t
        .fail(format!("the {CALLED} does not say in one line what is wrong"))
        .expected(expected)
        .seen(format!("{}, {}", told(&lines), describe_exit(ended)))
        .cause("a user's mistake is told in one line, not with a panic or a traceback")
        .stop())
}

fn told(lines: &[String]) -> String {
    match lines {
        [] => "nothing on standard error".into(),
        [line] => format!("the line {}", quote_short(line.as_bytes(), 120)),
        lines => format!("{} lines on standard error", lines.len()),
    }
}

fn list_of(users: &Scratch) -> String {
    users.path().join("users").display().to_string()
}

/// Files of users that can't be used, and the number of the bad line.
const BAD_USERS: [(&str, &str); 5] = [
    ("# nobody\nalice\n", "2"),
    ("alice wonderland\n\nbob \n", "3"),
    ("alice wonderland\nBob s3cr3t\n", "2"),
    ("alice one\nbob two\n# again\nalice s3cr3t\n", "4"),
    ("al.ice s3cr3t\n", "1"),
];

fn refuses_bad_users(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    expect_step_1(t)?;
    for (list, number) in BAD_USERS {
        t.new_scene()?;
        let (users, spool) = (users(t, list)?, t.scratch("SPOOL")?);
        let spool = spool.path().display().to_string();
        expect_refusal(t, &users, &spool, &["USERS", number], "s3cr3t")?;
    }
    t.new_scene()?;
    let (users, spool) = (t.scratch("FOLDER")?, t.scratch("SPOOL")?);
    expect_refusal(t, &users, &spool.path().display().to_string(), &["USERS"], "")
}

fn refuses_a_bad_spool(t: &mut Trial) -> Verdict {
    expect_step_1(t)?;
    t.new_scene()?;
    let users = users(t, USERS)?;
    users.file("a-file", b"")?;
    for spool in ["missing", "a-file"] {
        let spool = users.path().join(spool).display().to_string();
        expect_refusal(t, &users, &spool, &[&spool], "")?;
    }
    Ok(())
}

fn makes_its_folders(t: &mut Trial) -> Verdict {
    let spool = t.scratch("SPOOL")?;
    spool.file("bob/tmp/half", b"Return-Path: <ali")?;
    spool.file("bob/tmp/folder/half", b"Return-Path: <ali")?;
    spool.file("bob/new/1", b"Return-Path: <alice@localhost>\r\n\r\nhello\r\n")?;
    let mail = Mail::over(t, USERS, spool, NOBODY_IS_LATE)?;
    let listing = mail.spool.list()?;
    let mut expected = vec!["bob/new/1".to_owned()];
    for name in ["alice", "bob", "carol"] {
        expected.extend(["", "cur/", "new/", "tmp/"].map(|part| format!("{name}/{part}")));
    }
    expected.sort();
    // What else it keeps there, a file to lock say, is its own.
    let counts = |name: &&str| stands_in_a_mailbox(name) || expected.iter().any(|it| it == name);
    if !listing.names().into_iter().filter(counts).eq(&expected) {
        return Err(t
            .fail("the mailboxes are not as they should be when the program listens")
            .expected(format!("in SPOOL: {}", expected.join(", ")))
            .seen(format!("in SPOOL: {}", listing.names().join(", ")))
            .cause(
                "each user has a folder with tmp, new and cur. What stands in a tmp is a delivery \
                 that was never finished; what stands in new is mail",
            )
            .stop());
    }
    t.note("each user has a mailbox, with an empty tmp");
    mail.expect_service()?;
    t.expect_written()
}

fn restarts_with_open_connections(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let clients = [mail.call(Protocol::Smtp)?, mail.call(Protocol::Pop3)?];
    let mail = mail.kill_and_start_again()?;
    mail.expect_service()?;
    drop(clients);
    t.expect_written()
}
