//! Which submissions are alike but for names, comments and white space: a hint to look, and never a
//! verdict.
//!
//! The steps that a student wrote are cut into tokens, and of each run of tokens a number is taken;
//! of neighbouring numbers the smallest is kept (winnowing: Schleimer, Wilkerson, Aiken, 2003). What
//! many have in common says nothing, since small steps have few right solutions: it is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::handed_in::HandedIn;
use crate::labs::LABS;
use crate::region;
use crate::workspace::contents::File;

/// Tokens in a run.
const RUN: usize = 12;
/// Neighbours of which one is kept.
const WINDOW: usize = 6;
/// As many rare runs two must share before they are told of.
const LEAST: usize = 12;
/// And this part of the rare runs of the one that has fewer, in per cent.
const SHARE: usize = 50;

/// The runs of each step of one submission: `server step 3`.
pub(super) type Runs = BTreeMap<String, BTreeSet<u64>>;

/// Two that are alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    names: [String; 2],
    percent: usize,
    /// Where.
    steps: Vec<String>,
}

/// The runs of what somebody has written, without those of the stubs.
pub(super) fn runs(handed_in: &HandedIn, course: &[File]) -> Runs {
    let mut all = Runs::new();
    for lab in LABS {
        let path = format!("{}/src/main.rs", lab.folder);
        let Some(source) = handed_in.sources.get(&path) else { continue };
        let stubs = course.iter().find(|file| file.path == path).map(|file| &file.bytes[..]);
        if stubs == Some(source) {
            continue;
        }
        let given = of_text(&String::from_utf8_lossy(stubs.unwrap_or_default()));
        // Where the marks are not in order, nobody knows what stands in which step.
        for region in region::parse(source).unwrap_or_default() {
            let Some(step) = lab.steps.iter().find(|step| step.name == region.name) else {
                continue;
            };
            let mut runs = of_text(&String::from_utf8_lossy(&source[region.body]));
            runs.retain(|run| !given.contains(run));
            all.insert(format!("{} step {}", lab.name, step.number), runs);
        }
    }
    all
}

/// The pairs that are most alike, first.
pub(super) fn pairs(class: &[(String, Runs)]) -> Vec<Pair> {
    let mut owners: HashMap<u64, usize> = HashMap::new();
    for (_, steps) in class {
        let own: BTreeSet<u64> = steps.values().flatten().copied().collect();
        for run in own {
            *owners.entry(run).or_default() += 1;
        }
    }
    let many = 2.max(class.len() / 4);
    let is_rare = |run: &&u64| owners.get(run).is_some_and(|count| *count <= many);
    let rare = |steps: &Runs| steps.values().flatten().filter(is_rare).count();
    let mut found = Vec::new();
    for (index, (one, left)) in class.iter().enumerate() {
        for (other, right) in &class[index + 1..] {
            let mut shared = 0;
            let mut steps = Vec::new();
            for (step, runs) in left {
                let here = right
                    .get(step)
                    .map_or(0, |others| runs.intersection(others).filter(is_rare).count());
                shared += here;
                if here >= LEAST / 2 {
                    steps.push(step.clone());
                }
            }
            let fewer = rare(left).min(rare(right));
            let percent = (100 * shared).checked_div(fewer).unwrap_or(0).min(100);
            if shared >= LEAST && percent >= SHARE {
                found.push(Pair { names: [one.clone(), other.clone()], percent, steps });
            }
        }
    }
    found.sort_by_key(|pair| 100 - pair.percent);
    found
}

/// For whoever looks into it.
pub(super) fn text(pairs: &[Pair]) -> String {
    let mut text = String::from(
        "Pairs whose steps are alike but for names, comments and white space, as far as few others in \
         this\nclass have the same. This is a hint to look at both, and no verdict: small steps have \
         few right\nsolutions, and who has learned together writes alike.\n\n",
    );
    if pairs.is_empty() {
        text.push_str("There is no such pair.\n");
    }
    for Pair { names: [one, other], percent, steps } in pairs {
        text.push_str(&format!("{percent:3} %  {one} and {other}: {}\n", steps.join(", ")));
    }
    text
}

fn of_text(text: &str) -> BTreeSet<u64> {
    let tokens = tokens(text);
    let runs: Vec<u64> = tokens
        .windows(RUN)
        .map(|run| {
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    let smallest = |window: &[u64]| window.iter().min().copied();
    if runs.len() < WINDOW {
        smallest(&runs).into_iter().collect()
    } else {
        runs.windows(WINDOW).filter_map(smallest).collect()
    }
}

/// The tokens of Rust source: any name is as good as another, any literal as another of its kind.
fn tokens(text: &str) -> Vec<String> {
    const KEYWORDS: &[&str] = &[
        "as", "break", "const", "continue", "else", "enum", "fn", "for", "if", "impl", "in", "let",
        "loop", "match", "move", "mut", "ref", "return", "struct", "use", "while",
    ];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            tokens.push("text".into());
            end_of_text(rest)
        } else if first.is_ascii_digit() {
            tokens.push("number".into());
            length(|c| c.is_alphanumeric() || c == '_')
        } else if first.is_alphabetic() || first == '_' {
            let end = length(|c| c.is_alphanumeric() || c == '_');
            let word = &rest[..end];
            tokens.push(if KEYWORDS.contains(&word) { word } else { "name" }.into());
            end
        } else {
            tokens.push(first.to_string());
            first.len_utf8()
        };
        rest = rest[taken..].trim_start();
    }
    tokens
}

/// Where a text in quotation marks ends.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: &str = "
        let mut buffer = [0; 1024];
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 { return Ok(()); }
            stream.write_all(&buffer[..count])?;
        }
    ";

    #[test]
    fn names_comments_literals_and_white_space_make_no_difference() {
        let other = LOOP
            .replace("buffer", "b")
            .replace("count", "how_many")
            .replace("1024", "4_096")
            .replace("loop {", "loop { // for ever \"and\" ever\n")
            .replace('\n', "\n\t");
        assert_eq!(tokens(LOOP), tokens(&other));
        assert_ne!(tokens(LOOP), tokens("io::copy(&mut &stream, &mut &stream)?;"));
        assert_eq!(tokens(r#"print("a\"b // c")"#), ["name", "(", "text", ")"]);
    }

    #[test]
    fn two_that_share_what_nobody_else_has_are_told_and_what_all_have_is_not() {
        let runs = |texts: &[&str]| {
            let text = texts.concat();
            Runs::from([("server step 3".to_owned(), of_text(&text))])
        };
        let odd: String = (0..40).map(|n| format!("f{} a[{n}]; ", "+".repeat(n % 7))).collect();
        let own: String =
            (0..40).map(|n| format!("if x {{ y({}) }} ", "-".repeat(n % 5))).collect();
        let class: Vec<(String, Runs)> = [
            ("ann", runs(&[LOOP, &odd])),
            ("bob", runs(&[LOOP, &odd.replace('a', "zz")])),
            ("carol", runs(&[LOOP])),
            ("dave", runs(&[LOOP, &own])),
        ]
        .map(|(name, runs)| (name.to_owned(), runs))
        .into();
        let found = pairs(&class);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].names, ["ann", "bob"]);
        assert!(found[0].percent > 90 && text(&found).contains("ann and bob: server step 3"));
        assert!(text(&[]).contains("no such pair"));
    }
}
