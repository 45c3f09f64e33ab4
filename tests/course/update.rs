//! What a student wrote survives `lab reset` and `lab update`, to the last byte, whatever it is.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sockets_lab::labs::{self, Lab};
use sockets_lab::region;
use sockets_lab::workspace::contents::source_of;
use sockets_lab::workspace::steps::{self, StepState};
use sockets_lab::workspace::update::{Change, OnConflict, update};
use sockets_lab::workspace::{Error, make};
use tempfile::TempDir;

use super::corpus::{self, Asked};
use super::stubs::written_up_to;
use super::workspace::{Workspace, files, lab, text, unpacked_course};

const SERVER: &str = "labs/01-server/src/main.rs";

/// A workspace of this course, in a folder that goes with it.
fn workspace_of(course: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    make::make(course, folder.path()).unwrap();
    folder
}

/// Replaces some text of a file.
fn edit(root: &Path, path: &str, from: &str, to: &str) {
    let text = corpus::read(&root.join(path));
    assert!(text.contains(from), "{path}: {from}");
    fs::write(root.join(path), text.replacen(from, to, 1)).unwrap();
}

/// The body of a region.
fn body(source: &[u8], name: &str) -> Vec<u8> {
    let regions = region::parse(source).unwrap();
    source[regions.into_iter().find(|region| region.name == name).unwrap().body].to_vec()
}

/// The file with this body in the place of a step's.
fn with_body(source: &[u8], name: &str, body: &[u8]) -> Vec<u8> {
    region::fill(source, |region| (region == name).then_some(body)).unwrap()
}

fn server() -> &'static Lab {
    labs::lab("server").unwrap()
}

/// A course in which everything that can be newer is: what is given in a lab, a stub, a file of
/// the harness, a page, a new file, and one file less.
fn newer_course() -> TempDir {
    let course = unpacked_course();
    let root = course.path();
    edit(root, SERVER, "fn main() -> ExitCode {", "/// Newer.\nfn main() -> ExitCode {");
    edit(root, "fixtures/01-server/stubs/serve.rs", "it hangs up", "(newer) it hangs up");
    edit(root, "harness/src/lib.rs", "//! The harness", "//! The newer harness");
    edit(root, "book/src/glossary.md", "# ", "# Newer ");
    fs::write(root.join("book/src/newer.md"), "# Newer\n").unwrap();
    fs::remove_file(root.join("book/src/port-table.md")).unwrap();
    course
}

#[test]
fn an_update_to_the_same_course_changes_nothing() {
    let workspace = workspace_of(corpus::root());
    let before = files(workspace.path());
    let summary = update(corpus::root(), workspace.path(), OnConflict::Show).unwrap();
    assert_eq!(summary.changes, []);
    assert_eq!(summary.saved, None);
    assert!(files(workspace.path()) == before);
}

#[test]
fn an_update_takes_what_is_newer_and_keeps_what_is_written() {
    let (course, workspace) = (newer_course(), workspace_of(corpus::root()));
    let source = source_of(workspace.path(), server());
    let mine = with_body(&fs::read(&source).unwrap(), "listen", b"    mine\xff\r\n");
    fs::write(&source, &mine).unwrap();
    fs::write(workspace.path().join("notes.txt"), "mine").unwrap();

    let summary = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    let expected = [
        ("book/src/glossary.md", Change::Changed),
        ("book/src/newer.md", Change::Added),
        ("book/src/port-table.md", Change::Removed),
        ("fixtures/01-server/stubs/serve.rs", Change::Changed),
        ("harness/src/lib.rs", Change::Changed),
        (SERVER, Change::Changed),
    ];
    assert_eq!(summary.changes, expected.map(|(path, change)| (path.to_owned(), change)));

    // But for the student's own, the workspace is what the newer course makes.
    let now = fs::read(&source).unwrap();
    assert_eq!(body(&now, "listen"), b"    mine\xff\r\n");
    let fresh = workspace_of(course.path());
    let stub = body(&fs::read(source_of(fresh.path(), server())).unwrap(), "listen");
    fs::write(&source, with_body(&now, "listen", &stub)).unwrap();
    let saved = summary.saved.unwrap();
    let own = |path: &str| path.starts_with("saved/") || path == "notes.txt";
    let mut all = files(workspace.path());
    all.retain(|(path, _)| !own(path));
    assert!(all == files(fresh.path()));

    // What was changed is saved as it was.
    assert_eq!(fs::read(saved.join(SERVER)).unwrap(), mine);
    assert!(saved.join("book/src/port-table.md").is_file());
    assert!(!saved.join("book/src/newer.md").exists());
}

#[test]
fn what_the_student_changed_and_the_course_did_not_stays() {
    let (course, workspace) = (newer_course(), workspace_of(corpus::root()));
    edit(workspace.path(), "harness/src/main.rs", "//! `lab`", "//! mine `lab`");
    edit(workspace.path(), "labs/02-client/src/main.rs", "use std::env;", "use std::env as env;");
    fs::write(workspace.path().join("book/src/port-table.md"), "mine").unwrap();
    let summary = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    let kept: Vec<_> =
        summary.changes.iter().filter(|(_, c)| matches!(c, Change::Kept(_))).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(corpus::read(&workspace.path().join("harness/src/main.rs")).contains("mine"));
    let client = corpus::read(&workspace.path().join("labs/02-client/src/main.rs"));
    assert!(client.contains("use std::env as env;"));
    assert_eq!(corpus::read(&workspace.path().join("book/src/port-table.md")), "mine");
    // Nor is it forgotten that it was changed.
    let again = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    assert!(again.changes.iter().all(|(_, change)| matches!(change, Change::Kept(_))));
}

/// A workspace in conflict with the newer course: in a lab's source, and in a page.
fn in_conflict() -> TempDir {
    let workspace = workspace_of(corpus::root());
    edit(workspace.path(), SERVER, "use std::env;", "use std::env as env;");
    edit(workspace.path(), SERVER, "    todo!(\"step 1", "    mine!(\"step 1");
    edit(workspace.path(), "book/src/glossary.md", "# ", "# Mine ");
    workspace
}

#[test]
fn a_conflict_is_shown_and_nothing_is_changed_until_it_is_decided() {
    let (course, workspace) = (newer_course(), in_conflict());
    let before = files(workspace.path());
    let summary = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    let conflicts: Vec<_> = summary.conflicts().map(|(path, _)| path).collect();
    assert_eq!(conflicts, ["book/src/glossary.md", SERVER]);
    assert_eq!(summary.saved, None);
    assert!(files(workspace.path()) == before);
}

#[test]
fn a_conflict_decided_for_the_student_leaves_their_files_and_takes_the_others() {
    let (course, workspace) = (newer_course(), in_conflict());
    let mine = fs::read(source_of(workspace.path(), server())).unwrap();
    update(course.path(), workspace.path(), OnConflict::Keep).unwrap();
    assert_eq!(fs::read(source_of(workspace.path(), server())).unwrap(), mine);
    assert!(corpus::read(&workspace.path().join("harness/src/lib.rs")).contains("newer harness"));
    // It was decided: it is not asked again.
    let again = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    assert_eq!(again.conflicts().count(), 0);
}

#[test]
fn a_conflict_decided_for_the_course_leaves_the_steps_and_saves_the_rest() {
    let (course, workspace) = (newer_course(), in_conflict());
    let mine = fs::read(source_of(workspace.path(), server())).unwrap();
    let summary = update(course.path(), workspace.path(), OnConflict::Take).unwrap();
    let now = fs::read(source_of(workspace.path(), server())).unwrap();
    assert_eq!(body(&now, "listen"), body(&mine, "listen"));
    assert!(String::from_utf8_lossy(&now).contains("/// Newer."));
    assert_eq!(fs::read(summary.saved.unwrap().join(SERVER)).unwrap(), mine);
}

#[test]
fn marks_that_the_student_broke_are_a_conflict_that_names_the_line() {
    let (course, workspace) = (newer_course(), workspace_of(corpus::root()));
    edit(workspace.path(), SERVER, "    // ANCHOR_END: listen\n", "");
    let summary = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    let conflicts: Vec<_> = summary.conflicts().collect();
    assert!(conflicts[0].1.starts_with("line "), "{conflicts:?}");
    assert_eq!(conflicts[0].0, SERVER);
}

/// The new stubs are there and the sources are not yet renewed: the old stubs in them are nobody's
/// work, then and afterwards.
#[test]
fn an_update_that_was_cut_short_makes_nothing_begun_and_can_be_done_again() {
    let (course, workspace) = (newer_course(), workspace_of(corpus::root()));
    let root = workspace.path();
    let in_the_way = root.join("harness/src/lib.rs.lab-new");
    fs::create_dir(&in_the_way).unwrap();
    update(course.path(), root, OnConflict::Show).unwrap_err();
    assert!(corpus::read(&root.join("fixtures/01-server/stubs/serve.rs")).contains("(newer)"));
    assert!(!corpus::read(&source_of(root, server())).contains("/// Newer."));
    assert_eq!(steps::states(root, server()).unwrap(), [StepState::Unwritten; 3]);

    fs::remove_dir(&in_the_way).unwrap();
    update(course.path(), root, OnConflict::Show).unwrap();
    assert_eq!(steps::states(root, server()).unwrap(), [StepState::Unwritten; 3]);
    let mut all = files(root);
    all.retain(|(path, _)| !path.starts_with("saved/"));
    assert!(all == files(workspace_of(course.path()).path()));
}

#[test]
fn a_reset_of_a_link_changes_what_it_leads_to_and_leaves_the_link() {
    let workspace = workspace_of(corpus::root());
    let source = source_of(workspace.path(), server());
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("server.rs");
    let mine = with_body(&fs::read(&source).unwrap(), "listen", b"    mine\n");
    fs::write(&real, &mine).unwrap();
    let stub = fs::read(&source).unwrap();
    fs::remove_file(&source).unwrap();
    std::os::unix::fs::symlink(&real, &source).unwrap();
    let saved = steps::reset(workspace.path(), server(), &[&server().steps[0]]).unwrap().unwrap();
    assert_eq!(fs::read_link(&source).unwrap(), real);
    assert_eq!(fs::read(&real).unwrap(), stub);
    assert_eq!(fs::read(saved).unwrap(), mine);
}

#[test]
fn line_ends_that_git_or_an_editor_changed_are_no_conflict() {
    let (course, workspace) = (newer_course(), workspace_of(corpus::root()));
    for (path, bytes) in files(workspace.path()) {
        // A picture has no lines.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        fs::write(workspace.path().join(path), text.replace('\n', "\r\n")).unwrap();
    }
    let summary = update(course.path(), workspace.path(), OnConflict::Show).unwrap();
    assert_eq!(summary.conflicts().count(), 0, "{summary:?}");
    let now = fs::read(source_of(workspace.path(), server())).unwrap();
    let lines = |end: &[u8]| now.windows(end.len()).filter(|window| *window == end).count();
    assert_eq!(lines(b"\r\n"), lines(b"\n"));
    assert!(lines(b"/// Newer.\r\n") == 1);
    assert_eq!(steps::states(workspace.path(), server()).unwrap(), [StepState::Unwritten; 3]);
}

/// `workspace.sh` does it from the workspace's side, which has the course's harness built.
#[test]
fn an_update_says_what_is_newer_and_where_the_old_is() {
    let (course, workspace) = (newer_course(), Workspace::start());
    let output = lab(course.path()).arg("update").arg(&workspace.root).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for words in ["newer     labs/01-server/src/main.rs\n", "removed   book/src/port-table.md\n"] {
        assert!(said.contains(words), "{said}");
    }
    let saved = said.trim_end().rsplit_once("is saved as it was in ").unwrap().1;
    assert!(Path::new(saved).join(SERVER).is_file(), "{said}");
}

#[test]
fn an_update_with_conflicts_says_how_to_decide_them() {
    let (course, workspace) = (newer_course(), in_conflict());
    let output = lab(course.path()).arg("update").arg(workspace.path()).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("conflict  labs/01-server/src/main.rs: you changed it around"), "{said}");
    assert!(said.contains("Nothing was changed, because of the conflicts."), "{said}");
    assert!(said.contains(" --keep\n") && said.contains(" --take\n"), "{said}");
}

#[test]
fn what_is_no_course_or_no_workspace_is_refused() {
    let (workspace, other) = (Workspace::start(), Workspace::start());
    let nothing = tempfile::tempdir().unwrap();
    for (folder, dir, words) in [
        (&*workspace.root, &*other.root, "is a workspace too"),
        (&workspace.root, nothing.path(), "is not the folder of the course"),
        (corpus::root(), corpus::root(), "is not a workspace"),
    ] {
        let output = lab(folder).arg("update").arg(dir).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(words), "{}", text(&output));
    }
}

/// What a student may have in a file: any bytes, and lines that look like marks.
fn written() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"    // ANCHOR: serve\r\n".to_vec()),
        Just(b"// ANCHOR_END: listen\n".to_vec()),
        "[ -~]{0,40}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A lab's source with this put in at some place, in the place of as many bytes as `length`.
fn spoilt(source: &[u8], at: usize, length: usize, written: &[u8]) -> Vec<u8> {
    let at = at % (source.len() + 1);
    let end = (at + length).min(source.len());
    [&source[..at], written, &source[end..]].concat()
}

/// Whether these bytes are a file somewhere below `saved/`.
fn is_saved(root: &Path, bytes: &[u8]) -> bool {
    let saved = root.join("saved");
    saved.is_dir() && files(&saved).iter().any(|(_, saved)| saved == bytes)
}

/// A case compares all files of a workspace with all of a course.
fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(if corpus::asked() == Asked::Sample { 8 } else { 48 })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_reset_saves_every_byte_or_changes_nothing(
        at in any::<usize>(), length in 0..200_usize, text in written(), step in 0..3_usize,
    ) {
        thread_local!(static WORKSPACE: TempDir = workspace_of(corpus::root()));
        WORKSPACE.with(|workspace| {
            let (root, source) = (workspace.path(), source_of(workspace.path(), server()));
            let given = fs::read(source_of(corpus::root(), server())).unwrap();
            let mine = spoilt(&given, at, length, &text);
            fs::write(&source, &mine).unwrap();
            match steps::reset(root, server(), &[&server().steps[step]]) {
                Ok(Some(saved)) => {
                    prop_assert_eq!(fs::read(saved).unwrap(), mine.clone());
                    // All but the step is as it was.
                    let now = fs::read(&source).unwrap();
                    let name = server().steps[step].name;
                    prop_assert_eq!(with_body(&now, name, b""), with_body(&mine, name, b""));
                }
                Ok(None) | Err(Error::Marks { .. }) => {
                    prop_assert_eq!(fs::read(&source).unwrap(), mine);
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_update_keeps_every_byte_of_a_step_and_saves_every_file(
        at in any::<usize>(), length in 0..200_usize, text in written(), take in any::<bool>(),
    ) {
        thread_local!(static COURSE: TempDir = newer_course());
        thread_local!(static WORKSPACE: TempDir = workspace_of(corpus::root()));
        let newer = COURSE.with(|course| course.path().to_owned());
        let root = &*WORKSPACE.with(|workspace| workspace.path().to_owned());
        // Back to where the case before began: making a workspace takes longer.
        let source = source_of(root, server());
        let old = written_up_to(server(), 0).into_bytes();
        fs::write(&source, &old).unwrap();
        update(corpus::root(), root, OnConflict::Take).unwrap();
        prop_assert_eq!(&fs::read(&source).unwrap(), &old);

        let mine = spoilt(&old, at, length, &text);
        fs::write(&source, &mine).unwrap();
        let choice = if take { OnConflict::Take } else { OnConflict::Show };
        update(&newer, root, choice).unwrap();
        let now = fs::read(&source).unwrap();
        prop_assert!(now == mine || is_saved(root, &mine));
        // Of what can be told apart as a step, each byte is in its place. Stubs may be newer.
        if let (Ok(before), Ok(after)) = (region::parse(&mine), region::parse(&now)) {
            for region in before {
                let kept = after.iter().find(|other| other.name == region.name);
                let kept = kept.map(|region| &now[region.body.clone()]);
                let same = kept == Some(&mine[region.body.clone()]);
                let stub = steps::is_stub(&mine[region.body], &body(&old, &region.name));
                prop_assert!(same || stub, "{}", region.name);
            }
        }
    }

    #[test]
    fn nothing_is_started_over_a_student_s_file(name in "[a-z]{1,8}", text in written()) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(&name), &text).unwrap();
        prop_assert!(matches!(make::make(corpus::root(), folder.path()), Err(Error::Refused(_))));
        prop_assert_eq!(files(folder.path()), [(name, text)]);
    }
}
