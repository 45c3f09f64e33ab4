//! `lab demo kills`: what clients notice when a process of a site dies.

use std::path::PathBuf;

use super::{CliError, print};
use crate::run::session;
use crate::show::kills::{self, Front, Plan, Programs};
use crate::term::Progress;

/// Kills one process after another of a site without a single server, with the labs' own programs, and
/// with real balancers in the place of the lab's.
pub(super) fn run(options: &[&str]) -> Result<u8, CliError> {
    let plan = plan(options)?;
    let own = |lab: &str| -> Result<PathBuf, CliError> {
        let program = session::built(lab)?.map_err(CliError::Trouble)?;
        Ok(program.words().first().map(PathBuf::from).unwrap_or_default())
    };
    let programs = Programs { names: own("names")?, web: own("web")?, client: own("client")? };
    let fronts = [Front::Lab(own("balance")?), Front::Haproxy, Front::Nginx];
    let (mut counts, mut missing) = (Vec::new(), Vec::new());
    let progress = Progress::on_stderr();
    for front in fronts {
        match front.missing() {
            Some(why) => missing.push(format!("{}: {why}", front.name())),
            None => {
                counts.push(kills::measure(&programs, &front, plan, &|what| progress.tell(what))?);
            }
        }
    }
    drop(progress);
    print(&kills::table(plan, &counts, &missing))?;
    Ok(0)
}

/// How many are killed, and from which seed.
fn plan(options: &[&str]) -> Result<Plan, CliError> {
    let usage = || CliError::Usage("kills takes nothing, or --kills N, --seed N".into());
    let mut plan = Plan::default();
    for option in options.chunks(2) {
        let [name, number] = option else { return Err(usage()) };
        match *name {
            "--kills" => plan.kills = number.parse().map_err(|_| usage())?,
            "--seed" => plan.seed = number.parse().map_err(|_| usage())?,
            _ => return Err(usage()),
        }
    }
    Ok(plan)
}
