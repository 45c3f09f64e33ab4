//! Figures that a page repeats are those of the recording that it leads to.

use std::collections::BTreeSet;

use super::corpus;

/// The heading, from which on the links of a page are looked at.
const TABLE: &str = "## What does it cost?";

fn page(name: &str) -> String {
    corpus::read(&corpus::root().join("book/src").join(name))
}

/// What mdBook makes of a heading, where it names no fragment of its own.
fn fragment(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim();
    if let Some((_, own)) = text.split_once("{#") {
        return own.trim_end_matches('}').to_owned();
    }
    let words = text.to_lowercase().replace(' ', "-");
    words.chars().filter(|it| it.is_alphanumeric() || matches!(it, '-' | '_')).collect()
}

/// What a part of a page shows: its recordings, up to the next heading.
fn recordings(page: &str, wanted: &str) -> String {
    let mut lines = page.lines().skip_while(|line| {
        let is_it = line.starts_with('#') && fragment(line) == wanted;
        !is_it
    });
    assert!(lines.next().is_some(), "no heading has the fragment {wanted}");
    let part = lines.take_while(|line| !line.starts_with('#'));
    let files = part
        .filter_map(|line| line.strip_prefix("{{#include ../recordings/")?.strip_suffix(".txt}}"));
    let text = |file| corpus::read(&corpus::root().join(format!("book/recordings/{file}.txt")));
    files.map(text).collect()
}

/// The numbers of a text: `64.1`, `896`, `5000000` (also written with commas).
fn numbers(text: &str) -> BTreeSet<String> {
    let text = text.replace(',', "");
    let words = text.split(|it: char| !it.is_ascii_digit() && it != '.');
    let words = words.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Each link of a text: what is said, the page and its fragment.
fn links(text: &str) -> Vec<(&str, &str, &str)> {
    let link = |rest: &'_ str| -> Option<(usize, usize, usize)> {
        let (end, close) = (rest.find("](")?, rest.find(')')?);
        (end < close).then_some((end, rest[..close].find('#')?, close))
    };
    let rests = text.match_indices('[').map(|(at, _)| &text[at + 1..]);
    rests
        .filter_map(|rest| {
            let (end, hash, close) = link(rest)?;
            Some((&rest[..end], &rest[end + 2..hash], &rest[hash + 1..close]))
        })
        .collect()
}

#[test]
fn the_last_table_of_architectures_repeats_what_was_recorded() {
    let text = page("architectures.md");
    let (_, table) = text.split_once(TABLE).expect("the table");
    let rows = table.lines().filter(|line| line.starts_with("| **"));
    let mut cells = 0;
    for row in rows {
        for cell in row.split('|').skip(2).filter(|cell| !cell.trim().is_empty()) {
            let links = links(cell);
            assert!(!links.is_empty(), "no figure: {cell}");
            for (said, file, wanted) in links {
                let recorded = recordings(&page(file), wanted);
                let (said_there, shown) = (numbers(said), numbers(&recorded));
                let missing: Vec<_> = said_there.difference(&shown).collect();
                assert!(missing.is_empty(), "{file}#{wanted} does not show {missing:?}: {said}");
                assert!(!numbers(said).is_empty(), "no number: {said}");
            }
            cells += 1;
        }
    }
    assert_eq!(cells, 12, "three cells for each of four architectures");
}

#[test]
fn links_and_numbers_are_found() {
    let text = "so [64.1 MB for 4](a.md#b) and [another](c.md).";
    assert_eq!(links(text), [("64.1 MB for 4", "a.md", "b")]);
    assert_eq!(
        numbers("64.1 MB for 4, of 5,000."),
        ["4", "5000", "64.1"].map(str::to_owned).into()
    );
    assert_eq!(fragment("## What is lost, with whom?"), "what-is-lost-with-whom");
    assert_eq!(fragment("### Misconception 7: none {#misconception-7}"), "misconception-7");
}
