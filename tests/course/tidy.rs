//! The house stays in order: its modules have one way down, and no file grows into a heap.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::corpus;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().filter(|path| !path.ends_with("target"));
    let all = files.into_iter().chain(below.flat_map(|folder| sources(folder)));
    all.filter(|file| file.extension().is_some_and(|ending| ending == "rs")).collect()
}

#[test]
fn the_modules_of_the_harness_have_one_way_down() {
    let root = corpus::root().join("harness/src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&root) {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let top = path.iter().next().unwrap().to_str().unwrap().to_owned();
        let text = corpus::read(&file);
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        for path in code.split("crate::").skip(1) {
            // `crate::{a::…, b}` names several, `crate::a` one: braces within belong to a name.
            let list = path.strip_prefix('{').and_then(|list| list.split_once("};"));
            let names = list.map_or(vec![path], |(list, _)| list.split(',').collect());
            let word =
                |name: &str| name.trim().split(|c: char| !is_name(c)).next().map(str::to_owned);
            uses.entry(top.clone()).or_default().extend(names.into_iter().filter_map(word));
        }
    }
    // What uses nothing that is left stands at the bottom: take it away, again and again.
    for (top, used) in &mut uses {
        used.remove(top);
    }
    assert!(uses.values().flatten().count() > uses.len(), "no uses were found: {uses:?}");
    while let Some(bottom) =
        uses.iter().find(|(_, used)| !used.iter().any(|it| uses.contains_key(it)))
    {
        let bottom = bottom.0.clone();
        uses.remove(&bottom);
    }
    assert!(uses.is_empty(), "a cycle is among these modules: {uses:#?}");
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let folders = ["harness", "tests", "labs"].map(|name| corpus::root().join(name));
    let files = folders.iter().flat_map(|folder| sources(folder));
    let lines = |file: &PathBuf| corpus::read(file).lines().count();
    let long: Vec<_> = files.filter(|file| lines(file) > 400).collect();
    assert!(long.is_empty(), "{long:?}");
}
