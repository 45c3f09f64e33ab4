//! Step 4 of lab 5, at its hardest: the program is killed in the middle of a delivery, at one system
//! call after the other where strace can do that, and at random moments elsewhere.

use std::collections::BTreeSet;
use std::hint::spin_loop;
use std::time::{Duration, Instant};

use super::Mail;
use super::client::on_the_way;
use super::deliver::{of_delivery, stored};
use super::mailbox::ALICE;
use super::pop3::large;
use crate::net::noise;
use crate::trial::{Order, Shown, Stop, Trial, Verdict};
use crate::words::count;

checks! { $ mail_crash, "mail" step 4:
    loses_nothing_wherever_it_dies, 4 points: "loses nothing after the 250, wherever it is killed";
    "Killed before the 250: in each mailbox whole or not at all. Behind it: nothing is lost."
}

/// How often the check kills.
const KILLS: usize = 16;

fn loses_nothing_wherever_it_dies(t: &mut Trial) -> Verdict {
    // Who never promises anything has nothing to lose.
    Mail::start(t)?.send(&ALICE, &TO, b"Subject: a promise\r\n\r\nhello\r\n")?;
    t.new_scene()?;
    kill_in_deliveries(t, KILLS).map(drop)
}

/// What came of many deaths.
#[derive(Clone, Debug, Default)]
pub struct Deaths {
    /// How often the program was killed before it had said 250.
    pub before: usize,
    /// How often it had said 250.
    pub behind: usize,
    /// The system calls that it was about to make; none where it was killed at random.
    pub calls: BTreeSet<String>,
}

/// Where the program dies.
enum Death {
    /// As it enters this call for this time.
    Call(String, usize),
    /// After so long.
    Moment(Duration),
}

/// A message that was sent, and whether its client has read 250.
struct Sent {
    message: Vec<u8>,
    is_promised: bool,
}

/// The messages go to these.
const TO: [&str; 2] = ["bob", "carol"];

/// Kills the program in one delivery after the other, at most so many times, each time at another
/// place, and expects that nothing is lost and nothing is half. The mailboxes are never emptied: an
/// id that is given twice overwrites a message.
pub fn kill_in_deliveries(t: &Trial, most: usize) -> Verdict<Deaths> {
    let mut mail = Mail::start(t)?;
    let (mut deaths, mut sent) = (Deaths::default(), Vec::new());
    for death in plan(&mail, &mut sent, most)? {
        t.new_story();
        t.note(format!("{} messages were sent to bob and carol before", sent.len()));
        let Some(message) = deliver(&mail, sent.len(), &death)? else {
            mail = mail.kill_and_start_again()?;
            judge(&mail, &sent)?;
            continue;
        };
        if let (Death::Call(call, _), false) = (&death, message.is_promised) {
            deaths.calls.insert(call.clone());
        }
        if message.is_promised {
            deaths.behind += 1
        } else {
            deaths.before += 1
        }
        sent.push(message);
        mail = mail.kill_and_start_again()?;
        judge(&mail, &sent)?;
    }
    Ok(deaths)
}

/// Where to kill: one delivery is looked at first.
fn plan(mail: &Mail, sent: &mut Vec<Sent>, most: usize) -> Verdict<Vec<Death>> {
    // Before the client comes: a read that has a time-out, and is blocked when strace arrives, fails
    // with EINTR (signal(7)).
    let all = match mail.doors.trial().trace(&mail.doors.running, Order::Show("all")) {
        Ok(tracer) => {
            sent.push(hand_over(mail.call_to_data(&ALICE, &TO)?, sent.len())?);
            let _ = tracer.wait_until(|calls| of_delivery(calls).is_some())?;
            of_calls(&tracer.end()?)
        }
        Err(Stop::Skip(_)) => None,
        Err(other) => return Err(other),
    };
    let all = match all {
        Some(calls) => calls,
        None => {
            let client = mail.call_to_data(&ALICE, &TO)?;
            let began = Instant::now();
            sent.push(hand_over(client, sent.len())?);
            at_random(began.elapsed() * 5 / 4, most)
        }
    };
    judge(mail, sent)?;
    // As many as there may be, over the whole of the delivery.
    let kept = all.len().min(most);
    let mut chosen: Vec<_> = (0..kept).map(|index| index * all.len() / kept).collect();
    chosen.dedup();
    let mut all: Vec<_> = all.into_iter().map(Some).collect();
    Ok(chosen.into_iter().filter_map(|index| all[index].take()).collect())
}

/// Each call of a delivery that may change what others see, as the how manieth of its name in its
/// thread; `None` where strace does not show which those are.
fn of_calls(calls: &[Shown]) -> Option<Vec<Death>> {
    let (asked, promised) = of_delivery(calls)?.into_inner();
    let number = |index: usize, call: &Shown| {
        let same = |other: &&Shown| other.thread == call.thread && other.name == call.name;
        calls[..=index].iter().filter(same).count()
    };
    let behind = calls.iter().enumerate().take(promised + 1).skip(asked + 1);
    let changing = behind.filter(|(_, call)| !HARMLESS.contains(&call.name.as_str()));
    Some(changing.map(|(at, call)| Death::Call(call.name.clone(), number(at, call))).collect())
}

/// Calls that change nothing but the program's own memory: who dies there might as well die at the
/// next one.
const HARMLESS: [&str; 33] = [
    "accept",
    "accept4",
    "brk",
    "clock_gettime",
    "clock_nanosleep",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "exit",
    "fcntl",
    "fstat",
    "futex",
    "getpid",
    "getrandom",
    "gettid",
    "gettimeofday",
    "ioctl",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "nanosleep",
    "newfstatat",
    "poll",
    "read",
    "recvfrom",
    "restart_syscall",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "setsockopt",
    "statx",
];

/// Moments of a time, from a seed.
fn at_random(within: Duration, count: usize) -> Vec<Death> {
    let bytes = noise(29, count);
    let part = |byte: u8| Death::Moment(within * u32::from(byte) / u32::from(u8::MAX));
    bytes.into_iter().map(part).collect()
}

/// The text of the message of this number: long enough for several writes of a program that has a
/// buffer.
fn text(number: usize) -> Vec<u8> {
    [format!("X-Number: {number}\r\n").as_bytes(), &large(20_000)].concat()
}

fn hand_over(mut client: super::client::Client, number: usize) -> Verdict<Sent> {
    let text = text(number);
    client.send_as(&on_the_way(&text), "the text of a message to bob and carol")?;
    let is_promised = client.promised()?;
    Ok(Sent { message: stored(&text), is_promised })
}

/// Sends a message, and lets the program die meanwhile. `None` where it has died before it could ask
/// for the text: not every program makes its calls in the same threads again.
fn deliver(mail: &Mail, number: usize, death: &Death) -> Verdict<Option<Sent>> {
    let (t, running) = (mail.doors.trial(), &mail.doors.running);
    match death {
        Death::Call(call, times) => {
            let tracer = t.trace(running, Order::KillAt(call, *times))?;
            t.note(format!(
                "strace kills it when one of its threads comes to its {}",
                nth(call, *times)
            ));
            let client = match mail.call_to_data(&ALICE, &TO) {
                Err(Stop::Fail(failure)) => {
                    let ended = t.look_until(|| Ok(running.program.exited()?))?;
                    return ended.map_or(Err(Stop::Fail(failure)), |_| Ok(None));
                }
                come => come?,
            };
            let sent = hand_over(client, number)?;
            drop(tracer);
            Ok(Some(sent))
        }
        Death::Moment(after) => {
            let (mut client, text) = (mail.call_to_data(&ALICE, &TO)?, text(number));
            client.send_as(&on_the_way(&text), "the text of a message to bob and carol")?;
            let began = Instant::now();
            while began.elapsed() < *after {
                spin_loop();
            }
            running.program.crash()?;
            t.note(format!("it was killed {} µs later", after.as_micros()));
            let is_promised = client.promised()?;
            Ok(Some(Sent { message: stored(&text), is_promised }))
        }
    }
}

/// `call of rename`, or `call of rename number 2`.
fn nth(call: &str, times: usize) -> String {
    match times {
        1 => format!("call of {call}"),
        _ => format!("call of {call} number {times}"),
    }
}

/// Expects all that was promised in both mailboxes, and each message once and whole.
fn judge(mail: &Mail, sent: &[Sent]) -> Verdict {
    let t = mail.doors.trial();
    for name in TO {
        let mut there = vec![0; sent.len()];
        for (id, message) in mail.messages(name)? {
            let whole = sent.iter().position(|one| one.message == message);
            let Some(index) = whole else {
                return Err(t
                    .fail("after a crash there is a message that nobody has sent like that")
                    .expected("each message whole, or not at all")
                    .seen(format!("SPOOL/{name}/new/{id}, {}", count(message.len())))
                    .difference(&sent[sent.len() - 1].message, &message)
                    .cause(HALF)
                    .stop());
            };
            there[index] += 1;
        }
        for (index, (one, times)) in sent.iter().zip(there).enumerate() {
            let wrong = match (one.is_promised, times) {
                (_, 2..) => Some((format!("{times} times"), TWICE)),
                (true, 0) => Some(("nowhere".to_owned(), LOST)),
                _ => None,
            };
            if let Some((seen, cause)) = wrong {
                let told =
                    if one.is_promised { "250 has come for it" } else { "no 250 has come for it" };
                return Err(t
                    .fail(match times {
                        0 => "a message for which 250 has come is lost",
                        _ => "a message that was sent once is there more than once",
                    })
                    .expected(format!(
                        "message {} of {}, once in SPOOL/{name}/new ({told})",
                        index + 1,
                        sent.len()
                    ))
                    .seen(seen)
                    .cause(cause)
                    .stop());
            }
        }
    }
    Ok(())
}

const HALF: &str = "a program can die between any two of its system calls: write in tmp, and rename it to new when \
    it is whole";
const LOST: &str = "250 may be said only when the message stands in new of every recipient. Later ones must not \
    take its place either: an id is never given again, also not after a restart";
const TWICE: &str = "each delivery makes one file in each mailbox";
