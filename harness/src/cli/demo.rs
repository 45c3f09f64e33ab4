//! `lab demo`: what many people believe about sockets, shown to be wrong.

use std::fs;
use std::path::Path;

use super::{CliError, kills, print};
use crate::run::pool::Pool;
use crate::run::session;
use crate::show::demo::{self, DEMOS, Demo, page};
use crate::show::measure::{self, MEASURES, Measure};
use crate::term::{Progress, Style};

/// Shows one demonstration, all, or what there is. Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    if let [name, options @ ..] = words
        && let Some(found) = measure::find(name)
    {
        return measure(found, options);
    }
    match words {
        [] => print(&list(Style::for_stdout())).map(|()| 0),
        [KILLS, options @ ..] => kills::run(options),
        ["--all"] => show(&DEMOS.iter().collect::<Vec<_>>()),
        names => {
            let demos: Result<Vec<_>, _> = names.iter().map(|name| find(name)).collect();
            show(&demos?)
        }
    }
}

/// Measured with the programs of several labs, and with others.
const KILLS: &str = "kills";

/// Measures something with a lab's own program: as a table, and as a chart in a file.
fn measure(measure: &Measure, options: &[&str]) -> Result<u8, CliError> {
    let chart = match options {
        [] => None,
        ["--chart", file] => Some(Path::new(file)),
        _ => {
            let usage = format!("{} takes nothing, or --chart FILE", measure.name);
            return Err(CliError::Usage(usage));
        }
    };
    let program = session::built(measure.lab)?.map_err(CliError::Trouble)?;
    let progress = Progress::on_stderr();
    let measured = measure.run(&program, &|what| progress.tell(what))?;
    drop(progress);
    print(&measured.table)?;
    if let Some(file) = chart {
        let cannot = |error| CliError::Trouble(format!("cannot write {}: {error}", file.display()));
        fs::write(file, measured.chart).map_err(cannot)?;
    }
    Ok(0)
}

fn find(name: &str) -> Result<&'static Demo, CliError> {
    let unknown =
        || CliError::Usage(format!("there is no demo `{name}`; `cargo lab demo` lists them"));
    demo::find(name).ok_or_else(unknown)
}

/// Status 1 where a demonstration did not show what it should.
fn show(demos: &[&Demo]) -> Result<u8, CliError> {
    crate::kernel::available().map_err(CliError::Trouble)?;
    let pool = Pool::open()?;
    let mut status = 0;
    for (index, demo) in demos.iter().enumerate() {
        let shown = session::show(demo, &pool)?;
        if shown.wrong.is_some() {
            status = 1;
        }
        let gap = if index == 0 { "" } else { "\n" };
        print(&format!("{gap}{}", page::render(demo, &shown, Style::for_stdout())))?;
    }
    Ok(status)
}

fn list(style: Style) -> String {
    let mut text =
        String::from("What many people believe, and a run that shows what holds instead:\n\n");
    for demo in DEMOS {
        text += &format!("{:>3}  {}\n     {}\n", demo.number(), style.bold(demo.name), demo.claim);
    }
    text += "\n`cargo lab demo NAME` shows one (a number will do), `cargo lab demo --all` shows all.\n\n\
             What takes longer, measured with your own program:\n\n";
    for measure in MEASURES {
        text += &format!("     {}\n     {}\n", style.bold(measure.name), measure.what);
    }
    let kills =
        "what clients notice when a process dies, behind your balancer and others (5 minutes)";
    text + &format!("     {}\n     {kills}\n", style.bold(KILLS))
}
