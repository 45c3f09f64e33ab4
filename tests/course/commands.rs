//! The commands around a lab: `list`, `hint` and `reset`.

use std::fs;
use std::path::Path;

use sockets_lab::labs;
use sockets_lab::workspace::contents::source_of;

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
        "   1 listen            written          book/src/04-bind-and-listen.md\n",
        "   2 accept_loop       begun            book/src/05-accept.md\n",
        "   3 serve             not written yet  book/src/06-endings.md\n",
    ] {
        assert!(list.contains(line), "{list}");
    }
    let (checks, _) = say(&workspace.root, &["list", "server"]);
    assert!(checks.contains("  server/half-close "), "{checks}");
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
    let (reset, status) = say(&workspace.root, &["reset", "serve"]);
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
        (&["reset"], "lab reset serve"),
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

    let (said, status) = say(&workspace.root, &["reset", "accept_loop"]);
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
