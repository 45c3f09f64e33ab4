//! Building programs of the corpus. All bodies of a lab go into one program, each in a module of
//! its own: most of what rustc does for one of them is the same for all, and so is the linking. Given
//! modules that do not depend on a body are there once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sockets_lab::labs::Lab;
use sockets_lab::program::Template;
use tempfile::TempDir;

use super::corpus::{self, Program, Source};
use super::languages;

/// A built program, in a folder that goes with the last one in it.
pub(crate) struct Built {
    _folder: Arc<TempDir>,
    file: PathBuf,
    /// How it is started.
    pub(crate) template: Template,
}

/// What a lab allows, since an unwritten step leaves things unused; every other warning counts.
const FLAGS: [&str; 17] = [
    "--edition",
    "2024",
    "-C",
    "debuginfo=0",
    "-C",
    "codegen-units=8",
    "-D",
    "warnings",
    "-A",
    "dead_code",
    "-A",
    "unused_imports",
    "-A",
    "unused_mut",
    "-A",
    "unused_variables",
    "-Funsafe_code",
];

/// What the one program that holds them all does: it is whom it is called by.
const DISPATCH: &str = "
use std::process::{ExitCode, Termination};

fn main() -> ExitCode {
    let file = std::env::args_os().next().unwrap_or_default();
    let folder = std::path::Path::new(&file).parent().and_then(std::path::Path::file_name);
    match folder.and_then(std::ffi::OsStr::to_str) {
        // ARMS
        other => panic!(\"there is no program {other:?}\"),
    }
}
";

impl Built {
    /// Builds the source of a lab.
    pub(crate) fn new(lab: &Lab, name: &str, source: &str) -> Self {
        let mut all = Self::all(lab, &[(name.to_owned(), source.to_owned())]);
        all.pop().expect("as many as there are sources")
    }

    /// Builds sources of a lab, each with a name, without cargo. Panics with rustc's words where
    /// they do not build without a warning.
    pub(crate) fn all(lab: &Lab, sources: &[(String, String)]) -> Vec<Self> {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let place = |name: &str| folder.path().join(name);
        let write = |file: PathBuf, text: &str| fs::write(file, text).expect("a source");
        let (mut modules, mut arms) = (String::new(), String::new());
        let (shared, own) = given_modules(lab);
        for (module, text) in &shared {
            write(place(&format!("{module}.rs")), text);
            modules += &format!("mod {module};\n");
        }
        for (name, source) in sources {
            fs::create_dir(place(name)).expect("a folder");
            // What calls itself the crate is a module here.
            let as_module = |text: &str| text.replace("crate::", &format!("crate::{name}::"));
            for (module, text) in &own {
                write(place(name).join(format!("{module}.rs")), &as_module(text));
            }
            let mut source = as_module(source);
            for module in shared.keys() {
                let (own, other) = (format!("\nmod {module};"), format!("\nuse crate::{module};"));
                source = source.replace(&own, &other);
            }
            let start = "pub(super) fn start() -> impl std::process::Termination { main() }\n";
            write(place(name).join("main.rs"), &(source + start));
            modules += &format!("#[path = \"{name}/main.rs\"]\nmod {name};\n");
            arms += &format!("Some(\"{name}\") => {name}::start().report(),\n");
        }
        write(place("main.rs"), &(modules + &DISPATCH.replace("// ARMS", &arms)));
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command.args(FLAGS).args(["--crate-name", "all", "main.rs"]).current_dir(folder.path());
        let output = command.output().expect("rustc");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} does not build:\n{words}", lab.name);
        let built = sources.iter().map(|(name, _)| {
            let file = place(name).join(lab.name);
            fs::hard_link(place("all"), &file).expect("a second name of a file");
            let template = Template::new(&file, lab.arguments, lab.name);
            Self { _folder: Arc::clone(&folder), file, template }
        });
        built.collect()
    }

    /// Builds programs of the corpus. `None`, and a word about it, where a language is missing.
    pub(crate) fn corpus(lab: &Lab, programs: &[Program]) -> Vec<Option<Self>> {
        let text = |program: &Program| match &program.source {
            Source::Text(source) => Some((program.name.clone(), source.clone())),
            Source::File(_) => None,
        };
        let texts: Vec<_> = programs.iter().filter_map(text).collect();
        let mut bodies = Self::all(lab, &texts).into_iter();
        let build = |program: &Program| match &program.source {
            Source::Text(_) => bodies.next(),
            Source::File(file) => Self::of_language(lab, file),
        };
        programs.iter().map(build).collect()
    }

    fn of_language(lab: &Lab, file: &Path) -> Option<Self> {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let language = languages::language(file).expect("the corpus has only what it knows");
        let words = match language.build(file, folder.path()) {
            Ok(words) => words,
            Err(why) => {
                println!("skipped: {}: {why}", file.display());
                return None;
            }
        };
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let line = format!("{} {{args}}", quoted.join(" "));
        let template = Template::parse(&line, lab.arguments).unwrap_or_else(|e| panic!("{e}"));
        Some(Self { _folder: folder, file: file.to_owned(), template })
    }

    /// The program's file; of one that is not compiled, its source.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// Sources by the names of their modules.
type Modules = BTreeMap<String, String>;

/// The sources of a lab besides the one that has its regions: first those that are the same module
/// whatever that one says, since they use nothing but one another, then the others.
fn given_modules(lab: &Lab) -> (Modules, Modules) {
    let files = corpus::files(&corpus::root().join(lab.folder).join("src"));
    let name = |file: &Path| file.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut shared: Modules = files
        .iter()
        .map(|file| (name(file), corpus::read(file)))
        .filter(|it| it.0 != "main")
        .collect();
    let mut own = Modules::new();
    loop {
        let names: BTreeSet<String> = shared.keys().cloned().collect();
        let (others, rest): (Modules, Modules) =
            shared.into_iter().partition(|(_, text)| used(text).any(|used| !names.contains(&used)));
        shared = rest;
        if others.is_empty() {
            return (shared, own);
        }
        own.extend(others);
    }
}

/// What a module names of its crate: the `text` of `crate::text::File`. Of a list, its brace.
fn used(text: &str) -> impl Iterator<Item = String> {
    let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '{');
    text.split("crate::").skip(1).map(move |rest| rest.chars().take_while(is_part).collect())
}
