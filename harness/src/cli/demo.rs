//! `lab demo`: what many people believe about sockets, shown to be wrong.

use super::{CliError, print};
use crate::run::pool::Pool;
use crate::run::session;
use crate::show::demo::{self, DEMOS, Demo, page};
use crate::term::Style;

/// Shows one demonstration, all, or what there is. Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    match words {
        [] => print(&list(Style::for_stdout())).map(|()| 0),
        ["--all"] => show(&DEMOS.iter().collect::<Vec<_>>()),
        names => {
            let demos: Result<Vec<_>, _> = names.iter().map(|name| find(name)).collect();
            show(&demos?)
        }
    }
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
    text + "\n`cargo lab demo NAME` shows one (a number will do), `cargo lab demo --all` shows all\n"
}
