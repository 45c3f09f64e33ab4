//! What stands in a mailbox, and how it gets there: put there by the harness, or handed over by a
//! client.

use super::Mail;
use super::client::Client;
use super::reply::Protocol;
use crate::trial::{Listing, Verdict};
use crate::words::{count, quote_short};

/// Whether this name, as a listing of SPOOL has it, stands in a folder of a mailbox.
pub(super) fn stands_in_a_mailbox(name: &str) -> bool {
    ["/new/", "/tmp/", "/cur/"].iter().any(|folder| name.contains(folder))
}

/// One of the users of the checks.
#[derive(Debug)]
pub(in crate::labs) struct User {
    pub(in crate::labs) name: &'static str,
    pub(in crate::labs) password: &'static str,
}

pub(in crate::labs) const ALICE: User = User { name: "alice", password: "wonderland" };
/// A password may have a space in it.
pub(in crate::labs) const BOB: User = User { name: "bob", password: "builder 1" };
pub(in crate::labs) const CAROL: User = User { name: "carol", password: "c4r0l" };

impl Mail {
    /// A user logs in to fetch mail.
    pub(in crate::labs) fn fetch_as(&self, user: &User) -> Verdict<Client> {
        let mut client = self.call(Protocol::Pop3)?;
        client.log_in(user)?;
        Ok(client)
    }

    /// A user hands over this text, and leaves.
    pub(in crate::labs) fn send(&self, from: &User, to: &[&str], text: &[u8]) -> Verdict {
        let mut client = self.send_as(from)?;
        client.hand_over(from, to, text)?;
        client.leave()
    }

    /// A client that has come as far as to the text, with all commands in one segment.
    pub(super) fn call_to_data(&self, user: &User, to: &[&str]) -> Verdict<Client> {
        let mut client = self.call(Protocol::Smtp)?;
        client.begin_at_once(user, to)?;
        Ok(client)
    }

    /// A client that says all of this in one segment, and then ends its sending side.
    pub(super) fn call_as(&self, protocol: Protocol, session: &[u8]) -> Verdict<Client> {
        let mut client = self.call(protocol)?;
        client.send(session)?;
        client.half_close()?;
        Ok(client)
    }

    /// A user logs in to hand over mail.
    pub(super) fn send_as(&self, user: &User) -> Verdict<Client> {
        let mut client = self.call(Protocol::Smtp)?;
        client.authenticate(user)?;
        Ok(client)
    }

    /// Puts a message into a mailbox, behind all that the harness has put there before. Returns its
    /// name. Those that the program stores come behind it.
    pub(super) fn seed(&self, name: &str, message: &[u8]) -> Verdict<String> {
        let number = self.doors.trial().next_number();
        let id = format!("00000000000000000000.{number:04}");
        self.spool.file(&format!("{name}/new/{id}"), message)?;
        Ok(id)
    }

    /// Somebody else removes a message.
    pub(super) fn remove(&self, name: &str, id: &str) -> Verdict {
        self.spool.remove(&format!("{name}/new/{id}"))
    }

    /// The messages in a mailbox now, by name, in their order.
    pub(super) fn messages(&self, name: &str) -> Verdict<Vec<(String, Vec<u8>)>> {
        let mut messages = Vec::new();
        for id in self.names(name, "new")? {
            // What has gone meanwhile is not there.
            if let Some(message) = self.spool.read(&format!("{name}/new/{id}"))? {
                messages.push((id, message));
            }
        }
        Ok(messages)
    }

    /// The names in a folder of a mailbox: `tmp`, `new`.
    pub(super) fn names(&self, name: &str, folder: &str) -> Verdict<Vec<String>> {
        let listing = self.spool.list()?;
        let inside = format!("{name}/{folder}/");
        let names = listing.names().into_iter().filter_map(|it| it.strip_prefix(&inside));
        Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Expects that in no mailbox anything has come, gone or changed since `before`. What else a
    /// program keeps in SPOOL, a file to lock say, is its own.
    pub(super) fn expect_same_mailboxes(&self, before: &Listing, cause: &str) -> Verdict {
        self.spool.expect_same_of(stands_in_a_mailbox, before, cause)
    }

    /// Expects that there are messages of these names in a mailbox, and no others.
    pub(super) fn expect_new(&self, name: &str, ids: &[&String], cause: &str) -> Verdict {
        let seen = self.names(name, "new")?;
        if seen.iter().eq(ids.iter().copied()) {
            return Ok(());
        }
        let told =
            |ids: Vec<&str>| if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") };
        Err(self
            .doors
            .trial()
            .fail(format!("in {name}'s mailbox there is not what should be"))
            .expected(format!(
                "in SPOOL/{name}/new: {}",
                told(ids.iter().map(|id| id.as_str()).collect())
            ))
            .seen(told(seen.iter().map(String::as_str).collect()))
            .cause(cause)
            .stop())
    }

    /// Expects that a mailbox has exactly these messages, in any order, and nothing under way.
    pub(super) fn expect_messages(&self, name: &str, messages: &[&[u8]], cause: &str) -> Verdict {
        let trial = self.doors.trial();
        let fail = |headline: String| trial.fail(headline).cause(cause);
        let mut seen: Vec<Vec<u8>> =
            self.messages(name)?.into_iter().map(|(_, message)| message).collect();
        let half = self.names(name, "tmp")?;
        if seen.len() != messages.len() {
            return Err(fail(format!("in {name}'s mailbox there is not what should be"))
                .expected(format!("in SPOOL/{name}/new: {}", mails(messages.len())))
                .seen(mails(seen.len()))
                .stop());
        }
        for message in messages {
            match seen.iter().position(|one| one == message) {
                Some(at) => drop(seen.swap_remove(at)),
                None => {
                    let other = seen.first().map(Vec::as_slice).unwrap_or_default();
                    return Err(fail(format!(
                        "a message in {name}'s mailbox is not what was sent"
                    ))
                    .expected(format!("{}: {}", count(message.len()), quote_short(message, 80)))
                    .seen(format!("{}: {}", count(other.len()), quote_short(other, 80)))
                    .difference(message, other)
                    .stop());
                }
            }
        }
        if let Some(left) = half.first() {
            return Err(fail(format!("something is left in {name}'s tmp"))
                .expected(format!("nothing in SPOOL/{name}/tmp"))
                .seen(left.clone())
                .stop());
        }
        trial.note(format!("SPOOL/{name}/new has {}, whole", mails(messages.len())));
        Ok(())
    }

    /// The story begins anew: what it has told so far went well, and has no part in what follows.
    pub(super) fn new_turn(&self) {
        let trial = self.doors.trial();
        trial.new_story();
        trial.note("the mail server has listened since before");
    }

    /// Waits until the program has come to rest.
    pub(super) fn settle(&self) -> Verdict {
        let _ = self.doors.trial().settle(&self.doors.running)?;
        Ok(())
    }
}

/// `no message`, `1 message`, `2 messages`.
pub(super) fn mails(count: usize) -> String {
    match count {
        0 => "no message".into(),
        1 => "1 message".into(),
        _ => format!("{count} messages"),
    }
}
