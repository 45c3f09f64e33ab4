//! What reads text from outside never panics, whatever the text.

use proptest::prelude::*;
use sockets_lab::json::Json;
use sockets_lab::kernel::{self, Table};
use sockets_lab::program::split_words;
use sockets_lab::region;

const TABLE: &str = include_str!("../../fixtures/tables/tcp");

/// Text that is almost a table: the real one with a piece of it replaced.
fn damaged_table() -> impl Strategy<Value = String> {
    (0..TABLE.len(), 0..40_usize, ".{0,20}").prop_map(|(from, length, text)| {
        let from = (0..=from).rev().find(|at| TABLE.is_char_boundary(*at)).unwrap_or(0);
        let to = (from + length).min(TABLE.len());
        let to = (from..=to).rev().find(|at| TABLE.is_char_boundary(*at)).unwrap_or(from);
        format!("{}{text}{}", &TABLE[..from], &TABLE[to..])
    })
}

/// Lines that are markers, or nearly.
fn marked_text() -> impl Strategy<Value = String> {
    let line = prop_oneof!["// ANCHOR: [ab]", "// ANCHOR_END: [ab]", "//ANCHOR:", ".{0,12}"];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        (-1e15..1e15).prop_map(Json::Number),
        any::<u32>().prop_map(Json::from),
        any::<String>().prop_map(Json::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            proptest::collection::vec((any::<String>(), inner), 0..6).prop_map(Json::Object),
        ]
    })
}

proptest! {
    #[test]
    fn a_table_is_read_or_refused(text in prop_oneof![any::<String>(), damaged_table()]) {
        for table in Table::ALL {
            let _ = kernel::parse(table, &text);
        }
    }

    #[test]
    fn json_is_read_or_refused(text in prop_oneof![any::<String>(), r#"[\[\]{}",:0-9eE.\\u+ -]*"#]) {
        let _ = Json::parse(&text);
    }

    #[test]
    fn json_comes_back_as_it_was(value in json()) {
        prop_assert_eq!(Json::parse(&value.to_string()).unwrap(), value.clone());
        prop_assert_eq!(Json::parse(&value.pretty()).unwrap(), value);
    }

    #[test]
    fn regions_are_found_or_refused(text in marked_text()) {
        if let Ok(regions) = region::parse(&text) {
            for found in regions {
                prop_assert!(text.get(found.body.clone()).is_some());
                let same = region::replace(&text, &found.name, &text[found.body.clone()]).unwrap();
                prop_assert_eq!(same, text.clone());
            }
        }
    }

    #[test]
    fn a_command_is_split_or_refused(text in prop_oneof![any::<String>(), "[a\\\\'\" ]*"]) {
        let _ = split_words(&text);
    }

    #[test]
    fn a_quoted_word_is_one_word(word in "[^']+") {
        prop_assert_eq!(split_words(&format!("'{word}'")).unwrap(), [word]);
    }
}
