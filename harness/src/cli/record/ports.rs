//! What `lab ports` shows while a server has one client and another one waits.

use std::io;

use crate::json::Json;
use crate::labs;
use crate::run::pool::Pool;
use crate::run::protocol::{PORTS, Request};
use crate::run::session;

/// Has the table made by a worker.
pub(super) fn record(pool: &Pool) -> io::Result<String> {
    let program = |lab: &str| -> io::Result<_> {
        Ok((lab.to_owned(), session::built(lab)?.map_err(io::Error::other)?))
    };
    let programs =
        labs::PORTS.programs.iter().map(|lab| program(lab)).collect::<io::Result<_>>()?;
    let request = Request { check: PORTS.to_owned(), programs };
    let answer = pool.ask_alone(&request.to_json())?;
    let text = answer.get(PORTS).and_then(Json::as_str).map(str::to_owned);
    text.ok_or_else(|| io::Error::other("the worker could not show the ports"))
}
