//! The commands around a lab: `list`, `hint` and `reset`.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sockets_lab::json::Json;
use sockets_lab::labs::{self, LABS};
use sockets_lab::workspace::contents::source_of;

use super::corpus;
use super::workspace::{Workspace, lab, text};

/// What a command says, and its exit status.
fn say(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = lab(folder).args(arguments).output().unwrap();
    (text(&output), output.status.code().unwrap())
}

#[test]
fn a_list_says_how_far_each_step_is() {
    let workspace = Workspace::start();
    let server = labs::lab("server").unwrap();
    workspace.write_steps(server, 1);
    let source = source_of(&workspace.root, server);
    let begun = fs::read_to_string(&source)
        .unwrap()
        .replace("    todo!(\"step 2", "    x();\n    todo!(\"step 2");
    fs::write(&source, begun).unwrap();
    let (list, status) = say(&workspace.root, &["list"]);
    assert_eq!(status, 0);
    for line in [
        "   1 listen            written                    book/src/04-bind-and-listen.md\n",
        "   2 accept_loop       begun                      book/src/05-accept.md\n",
        "   3 serve             not written yet            book/src/06-endings.md\n",
        "\nnothing was checked yet\n",
    ] {
        assert!(list.contains(line), "{list}");
    }
    let (checks, _) = say(&workspace.root, &["list", "server"]);
    assert!(checks.contains("  server/half-close "), "{checks}");
}

#[test]
fn a_list_says_how_many_checks_passed_and_when_that_was() {
    let workspace = Workspace::start();
    let server = labs::lab("server").unwrap();
    workspace.write_steps(server, 1);
    say(&workspace.root, &["check", "server"]);
    let (list, _) = say(&workspace.root, &["list"]);
    let line = "   1 listen            written          13 of 13  book/src/04-bind-and-listen.md\n";
    assert!(list.contains(line), "{list}");
    let of_serve = server.checks().filter(|check| check.step == 3).count();
    let serve = format!("   3 serve             not written yet   0 of {of_serve}  ");
    assert!(list.contains(&serve), "{list}");
    let all =
        format!("  13 of {} checks   0 of {} labs complete\n", labs::checks().count(), LABS.len());
    assert!(list.contains(&all), "{list}");
    assert!(list.contains("passed: as of the last run, "), "{list}");
    assert!(!list.contains("saved since then"), "{list}");
    let source = fs::File::options().append(true).open(source_of(&workspace.root, server)).unwrap();
    source.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
    let (list, _) = say(&workspace.root, &["list"]);
    assert!(list.contains("ago; saved since then: server\n"), "{list}");
    let (checks, _) = say(&workspace.root, &["list", "1"]);
    assert!(checks.contains("● server/listens-on-the-given-address "), "{checks}");
    assert!(checks.contains("○ server/half-close "), "{checks}");
}

#[test]
fn labs_steps_and_checks_are_understood_by_number_and_by_name_everywhere() {
    let workspace = Workspace::start();
    for (arguments, words) in [
        (&["check", "half-close"][..], "WAIT  server/half-close  "),
        (&["check", "1/listen"], "1  server "),
        (&["check", "send-and-receive"], "   3 send_and_receive "),
        (&["hint", "1/2"], "hint 1 of 3 for server step 2, accept_loop:"),
        (&["list", "3"], "3  peer "),
        (&["reset", "1"], "server: nothing is written yet: listen, accept_loop, serve"),
        (&["reset", "2/send"], "client: nothing is written yet: send"),
        (&["--version"], "sockets-lab 0."),
    ] {
        let (said, _) = say(&workspace.root, arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_slip_is_answered_with_what_was_meant_as_it_is_typed() {
    let workspace = Workspace::start();
    for (arguments, words) in [
        (&["wach"][..], "there is no command `wach`; did you mean `cargo lab watch`?"),
        (&["server"], "did you mean `cargo lab check server`?"),
        (&["nonsense"], "there is no command `nonsense`\n     `cargo lab help` shows"),
        (&["watch", "servr"], "there is no lab `servr` (did you mean `server`?)"),
        (&["check", "server/half-clos"], "(did you mean `server/half-close`?)"),
        (&["start"], "`cargo lab start DIR`"),
    ] {
        let (said, status) = say(&workspace.root, arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(status, 2, "{said}");
    }
}

#[test]
fn a_list_says_where_marks_are_out_of_order() {
    let workspace = Workspace::start();
    let source = source_of(&workspace.root, labs::lab("server").unwrap());
    let broken = fs::read_to_string(&source).unwrap().replace("// ANCHOR_END: listen", "");
    fs::write(&source, broken).unwrap();
    let (list, status) = say(&workspace.root, &["list"]);
    assert_eq!(status, 0);
    assert!(list.contains("labs/01-server/src/main.rs: line "), "{list}");
    let (reset, status) = say(&workspace.root, &["reset", "server/3"]);
    assert_eq!(status, 2);
    assert!(reset.contains("labs/01-server/src/main.rs: line "), "{reset}");
}

#[test]
fn hints_become_clearer_and_are_counted_for_each_step() {
    let workspace = Workspace::start();
    let hint = |arguments: &[&str]| {
        let (said, status) = say(&workspace.root, &[&["hint"], arguments].concat());
        assert_eq!(status, 0, "{said}");
        said.lines().next().unwrap().to_owned()
    };
    assert_eq!(hint(&["server/1"]), "hint 1 of 3 for server step 1, listen:");
    assert_eq!(hint(&["peer/receive"]), "hint 1 of 3 for peer step 3, receive:");
    assert_eq!(hint(&["listen"]), "hint 2 of 3 for server step 1, listen:");
    assert_eq!(hint(&["listen", "1"]), "hint 1 of 3 for server step 1, listen:");
    // The first step that is not written.
    assert_eq!(hint(&[]), "hint 3 of 3 for server step 1, listen:");
}

#[test]
fn what_can_not_be_hinted_at_is_wrong_usage() {
    let workspace = Workspace::start();
    for (arguments, words) in [
        (&["hint", "server"][..], "server/1 (listen)"),
        (&["hint", "listen", "4"], "hints 1 to 3"),
        (&["reset"], "lab reset server/3"),
        (&["reset", "together"], "there is no step"),
        (&["list", "nothing"], "there is no lab `nothing`"),
    ] {
        let (said, status) = say(&workspace.root, arguments);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_reset_puts_one_stub_back_or_all_and_says_where_the_file_is() {
    let workspace = Workspace::start();
    let server = labs::lab("server").unwrap();
    let source = source_of(&workspace.root, server);
    let given = fs::read(&source).unwrap();
    workspace.write_steps(server, 2);
    let written = fs::read(&source).unwrap();

    let (said, status) = say(&workspace.root, &["reset", "server/accept_loop"]);
    assert_eq!(status, 0, "{said}");
    let saved = said.trim_end().rsplit_once("saved in ").unwrap().1;
    assert_eq!(fs::read(workspace.root.join(saved)).unwrap(), written);
    assert!(said.contains("saved/20"), "{said}");
    let (list, _) = say(&workspace.root, &["list"]);
    assert!(
        list.contains("1 listen            written ") && list.contains("2 accept_loop       not ")
    );

    say(&workspace.root, &["reset", "server"]);
    assert_eq!(fs::read(&source).unwrap(), given);
    let (said, status) = say(&workspace.root, &["reset", "server"]);
    assert_eq!(
        (said.as_str(), status),
        ("server: nothing is written yet: listen, accept_loop, serve\n", 0)
    );
}

#[test]
fn records_are_had_in_the_formats_that_others_read() {
    let check = |format: &str| say(corpus::root(), &["check", "server/echoes", "--format", format]);
    let (tap, status) = check("tap");
    assert_eq!(status, 0, "{tap}");
    assert!(tap.starts_with("TAP version 14\n1..1\nok 1 - server/echoes "), "{tap}");
    let (results, _) = check("gradescope");
    let results = Json::parse(&results).unwrap();
    let tests = results.get("tests").and_then(Json::as_array).unwrap();
    assert_eq!(tests[0].get("score"), tests[0].get("max_score"), "{results}");
    let (junit, _) = check("junit");
    assert!(
        junit.contains("<testcase name=\"echoes\" classname=\"sockets-lab.server\""),
        "{junit}"
    );
    let (said, status) = check("xml");
    assert!(
        status == 2 && said.contains("json, junit, gradescope, classroom50, tap, singly"),
        "{said}"
    );

    let mut command = lab(corpus::root());
    command.args(["check", "server/echoes", "--format", "classroom50"]);
    for variable in ["CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL"] {
        command.env(variable, variable.to_lowercase());
    }
    let said = text(&command.output().unwrap());
    assert!(said.contains("missing: RELEASE_URL"), "{said}");
    let output = command.env("RELEASE_URL", "https://example.org/1").output().unwrap();
    let result = Json::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
    assert_eq!(result.get("review").and_then(Json::as_str), Some("commit_url"), "{result}");
    assert!(result.get("score").is_some() && result.get("score") == result.get("max-score"));
}
