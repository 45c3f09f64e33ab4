//! A lab that is built for a single judgement is built by rustc alone, which is faster. Nobody must be able
//! to tell: neither the program nor the words about a source that does not build.

use std::fs;
use std::process::Command;

use sockets_lab::labs;
use sockets_lab::run::build::{Built, How, build_as};

/// A source of lab server in a tree of its own, built in both ways.
fn built(source: &str) -> [Result<String, String>; 2] {
    let root = tempfile::tempdir().unwrap();
    // Rustc says where a file is as it was told, which is a name without links.
    let root = root.path().canonicalize().unwrap();
    let server = labs::lab("server").unwrap();
    let file = root.join(server.folder).join("src/main.rs");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, source).unwrap();
    [How::Again, How::Once].map(|how| match build_as(how, &root, server).unwrap() {
        Built::Program(file) => {
            let output = Command::new(file).env_remove("RUST_BACKTRACE").output().unwrap();
            let part = |bytes| String::from_utf8_lossy(bytes).into_owned();
            // The number of a thread that panics differs from run to run.
            let words = part(&output.stderr);
            let at = words.find('(').zip(words.find(')'));
            let words = at
                .map_or(words.clone(), |(open, close)| words[..open].to_owned() + &words[close..]);
            Ok(part(&output.stdout) + &words)
        }
        Built::Broken(words) => Err(words),
    })
}

#[test]
fn a_program_can_not_tell_which_way_it_was_built() {
    let told = [
        "CARGO",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION",
        "CARGO_PKG_VERSION_MAJOR",
        "CARGO_PKG_VERSION_MINOR",
        "CARGO_PKG_VERSION_PATCH",
        "CARGO_PKG_VERSION_PRE",
        "CARGO_PKG_AUTHORS",
        "CARGO_PKG_DESCRIPTION",
        "CARGO_PKG_HOMEPAGE",
        "CARGO_PKG_REPOSITORY",
        "CARGO_PKG_LICENSE",
        "CARGO_PKG_LICENSE_FILE",
        "CARGO_PKG_RUST_VERSION",
        "CARGO_PKG_README",
        "OUT_DIR",
        "TARGET",
        "PROFILE",
        "RUSTC",
    ];
    let lines =
        told.map(|name| format!("    println!(\"{name}={{:?}}\", option_env!(\"{name}\"));\n"));
    let source = format!(
        "#![deny(warnings)]\nfn main() {{\n{}    println!(\"{{}} {{}} {{}}\", cfg!(debug_assertions), file!(), \
         module_path!());\n    if cfg!(feature = \"none\") || cfg!(docsrs) {{ return; }}\n    \
         let most = std::hint::black_box(u8::MAX);\n    println!(\"{{}}\", most + 1);\n}}\n",
        lines.concat()
    );
    // A name that cargo does not know is a warning for both.
    let [again, once] = built(&source);
    assert_eq!(again, once);
    let [again, once] = built(&source.replace("feature = \"none\"", "test"));
    assert_eq!(again, once);
    let text = once.unwrap();
    assert!(text.contains("attempt to add with overflow"), "{text}");
    assert!(text.contains("CARGO_PKG_VERSION=Some(\"0.1.0\")"), "{text}");
}

#[test]
fn a_source_that_does_not_build_is_told_of_in_the_same_words() {
    for source in [
        "fn main( {\n",
        "fn main() { let x: u8 = \"no\"; y() }\n",
        "mod missing;\nfn main() {}\n",
        "fn main() { unsafe { std::hint::unreachable_unchecked() } }\n",
        "compile_error!(\"x\");\nfn main() { let unused = 1; }\n",
        "",
    ] {
        let [again, once] = built(source);
        assert!(again.is_err(), "{source}");
        assert_eq!(again, once, "{source}");
    }
}
