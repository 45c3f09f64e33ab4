//! Clients that load a page all the time, while one process is killed.

use std::io;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::client::Ending;
use super::site::Site;
use super::{AFTER, CLIENTS, Victim};
use crate::sync::lock;

/// No client needs longer for its pages, however slow the machine is.
const BACKSTOP: Duration = Duration::from_secs(120);

/// When a request was made, and how it ended.
struct Request {
    began: Instant,
    ended: Instant,
    ending: Ending,
}

/// What one kill has come to.
pub(super) struct Round {
    pub(super) victim: Victim,
    /// Of the requests that were under way.
    pub(super) under_way: Vec<Ending>,
    /// Of those that began when it was gone.
    pub(super) afterwards: Vec<Ending>,
}

/// Kills this one, so much later than the clients begin, and lets each of them make some requests more.
pub(super) fn run(
    site: &mut Site,
    page: &Arc<Vec<u8>>,
    which: usize,
    after: Duration,
) -> io::Result<Round> {
    let killed: Arc<OnceLock<Instant>> = Arc::default();
    let (done, requests) = mpsc::channel();
    let mut programs = Vec::new();
    for number in 0..CLIENTS {
        let (client, done) = (site.client(number), done.clone());
        let (killed, page) = (Arc::clone(&killed), Arc::clone(page));
        programs.push(client.running());
        thread::spawn(move || {
            let mut left = AFTER;
            while left > 0 {
                let began = Instant::now();
                let request = client.load(&page).map(|ending| {
                    let ended = Instant::now();
                    Request { began, ended, ending }
                });
                let is_after = killed.get().is_some_and(|at| began >= *at);
                left -= usize::from(is_after);
                if request.is_err() {
                    left = 0;
                }
                if done.send(request).is_err() {
                    // Nobody waits any more.
                    return;
                }
            }
        });
    }
    drop(done);
    thread::sleep(after);
    let before = Instant::now();
    let victim = site.kill(which)?;
    let gone = *killed.get_or_init(Instant::now);

    let mut round = Round { victim, under_way: Vec::new(), afterwards: Vec::new() };
    loop {
        match requests.recv_timeout(BACKSTOP.saturating_sub(before.elapsed())) {
            Ok(request) => {
                let Request { began, ended, ending } = request?;
                if began >= gone {
                    round.afterwards.push(ending);
                } else if began >= before {
                    // While the kill was being carried out: it is of neither kind.
                } else if ended > before {
                    round.under_way.push(ending);
                } else if ending != Ending::AtOnce {
                    let problem =
                        format!("a page did not come before anything was killed: {ending:?}");
                    return Err(io::Error::other(problem));
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(round),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                for program in &programs {
                    if let Some(child) = lock(program).as_mut() {
                        let _ = child.kill();
                    }
                }
                let problem = format!("a client was not done within {} s", BACKSTOP.as_secs());
                return Err(io::Error::other(problem));
            }
        }
    }
}
