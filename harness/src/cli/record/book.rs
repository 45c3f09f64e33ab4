//! The recordings that the book includes: what there must be, and whether it still holds.

use std::fs;
use std::io;
use std::path::Path;

use super::ports;
use crate::json::Json;
use crate::lab::Messages;
use crate::labs::{self, Scene};
use crate::run::pool::Pool;
use crate::run::protocol::Request;
use crate::run::session;
use crate::show::demo::page::render;
use crate::show::demo::{DEMOS, NOT_SHOWN};
use crate::show::trace::{Ports, Recording, mask, normalise, undate};
use crate::show::{ladder, svg};
use crate::term::Style;

/// A file below `book/recordings`, and what a run has just given for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Its path below the folder.
    pub(super) file: String,
    /// Its text, normalised.
    pub(super) text: String,
}

/// Records everything anew; `progress` is told what is being done.
///
/// # Errors
/// The harness's own trouble, or a run that does not show what it should.
pub(super) fn record(pool: &Pool, progress: &dyn Fn(&str)) -> io::Result<Vec<Recorded>> {
    let mut all = demos(pool, progress)?;
    for scene in labs::scenes() {
        progress(&format!("scene {}", scene.name));
        all.extend(figures(pool, scene)?);
    }
    let ports = normalise(&ports::record(pool)?);
    all.push(Recorded { file: "ports.txt".into(), text: ports });
    all.push(Recorded { file: "signs.html".into(), text: svg::signs() });
    Ok(all)
}

/// The scene that the README shows, as a drawing of its own.
const IN_README: &str = "echo";

/// A scene as data, as text and as a figure.
fn figures(pool: &Pool, scene: &Scene) -> io::Result<Vec<Recorded>> {
    let program = |lab: &&str| -> io::Result<_> {
        Ok(((*lab).to_owned(), session::built(lab)?.map_err(io::Error::other)?))
    };
    let programs = scene.programs.iter().map(program).collect::<io::Result<_>>()?;
    let request = Request { check: scene.name.to_owned(), programs };
    let mut recording = recorded(pool, &request, scene)?;
    recording.steps.iter_mut().for_each(|step| undate(&mut step.bytes));
    let messages = scene.programs.iter().find_map(|lab| labs::lab(lab)?.messages);
    if let Some(messages) = messages {
        recording.make_alike(messages);
        recording.explain(messages);
    }
    let ports = Ports::of(&recording.to_json().pretty());
    recording.steps.iter_mut().for_each(|step| ports.rename(&mut step.bytes));
    let text = normalise(&recording.to_json().pretty());
    // What is drawn is what was normalised.
    let normal = Json::parse(&text).ok().as_ref().and_then(Recording::from_json);
    let recording = normal.ok_or_else(|| io::Error::other("a recording that makes no sense"))?;
    let file = |ending, text| Recorded { file: format!("{}.{ending}", scene.name), text };
    let mut files = vec![
        file("json", text),
        // Not every port of the data is drawn.
        file("txt", normalise(&ladder::render(&recording, Style::plain()))),
        file("html", normalise(&svg::figure(&recording, scene.why))),
    ];
    if scene.name == IN_README {
        files.push(file("svg", svg::document(&recording)));
    }
    if let Some(messages) = messages {
        files.extend(specimens(messages, scene, &recording)?);
    }
    Ok(files)
}

/// How often a scene is played until it has as many steps as there are sentences on them: a
/// program that has a clock of its own acts once more where a busy machine has let it wait.
const ATTEMPTS: usize = 3;

fn recorded(pool: &Pool, request: &Request, scene: &Scene) -> io::Result<Recording> {
    let mut last = Recording::default();
    for _ in 0..ATTEMPTS {
        last = session::trace(pool, request, scene.syscalls)?;
        if last.steps.len() == scene.why.len() {
            return Ok(last);
        }
    }
    let steps = last.steps.iter().map(|step| format!("{}: {}", step.by, ladder::label(step)));
    Err(io::Error::other(format!(
        "scene {}: {} sentences on why they matter, and {} steps: {}",
        scene.name,
        scene.why.len(),
        last.steps.len(),
        steps.collect::<Vec<_>>().join("; ")
    )))
}

/// The messages of a scene that the book shows byte by byte.
fn specimens(
    messages: &Messages,
    scene: &Scene,
    recording: &Recording,
) -> io::Result<Vec<Recorded>> {
    let own = messages.specimens.iter().filter(|specimen| specimen.scene == scene.name);
    own.map(|specimen| {
        let found = recording.messages(messages).nth(specimen.message - 1);
        let bytes = &found.ok_or_else(|| io::Error::other("no such message"))?.bytes;
        let text = svg::fields(specimen.name, specimen.title, bytes, &(messages.fields)(bytes));
        Ok(Recorded { file: format!("{}.html", specimen.name), text })
    })
    .collect()
}

fn demos(pool: &Pool, progress: &dyn Fn(&str)) -> io::Result<Vec<Recorded>> {
    DEMOS
        .iter()
        .map(|demo| {
            progress(&format!("demo {}", demo.name));
            let shown = session::show(demo, pool)?;
            if let Some(wrong) = &shown.wrong {
                return Err(io::Error::other(format!("demo {}: {wrong}", demo.name)));
            }
            let text = normalise(&render(demo, &shown, Style::plain()));
            Ok(Recorded { file: format!("demos/{}.txt", demo.name), text })
        })
        .collect()
}

impl Recorded {
    /// Whether something can't be shown on this system (strace is not installed, say): then it is
    /// neither written nor compared.
    pub(super) fn is_partial(&self) -> bool {
        self.text.contains(NOT_SHOWN)
    }
}

/// Whether the file in `folder` says the same, but for numbers that differ in each run.
pub(super) fn is_same(folder: &Path, recorded: &Recorded) -> bool {
    let known = fs::read_to_string(folder.join(&recorded.file)).unwrap_or_default();
    mask(&known) == mask(&recorded.text)
}

/// Writes it, and the folder that it stands in.
///
/// # Errors
/// The file's.
pub(super) fn write(folder: &Path, recorded: &Recorded) -> io::Result<()> {
    let file = folder.join(&recorded.file);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(file, &recorded.text)
}
