//! The listener's queue: who connects stands in it until the program accepts.

use super::Service;
use super::connection::Connection;
use crate::kernel::Snapshot;
use crate::trial::Verdict;

impl Service {
    /// Connects up to `most` clients, and tells of it.
    pub fn connect_many(&self, most: usize) -> Verdict<Vec<Connection>> {
        let clients = self.connect_some(most)?;
        let (count, at) = (clients.len(), self.address);
        let waits = if count < most { ", until one had to wait" } else { "" };
        self.trial().note(format!("{count} clients connected to {at}, one after the other{waits}"));
        Ok(clients)
    }

    /// Connects up to `most` clients: no more once one has to wait. How many a listener lets wait
    /// is its own affair (`listen(fd, 0)` takes one), and who comes when they are enough gets no
    /// answer.
    pub fn connect_some(&self, most: usize) -> Verdict<Vec<Connection>> {
        let mut clients = Vec::new();
        while clients.len() < most {
            clients.push(self.connect_quietly(false)?);
            if self.somebody_waits()?.unwrap_or(clients.len() > 1) {
                break;
            }
        }
        Ok(clients)
    }

    /// Whether a connection stands in the listener's queue when the program has come to rest;
    /// `None` where that can't be seen.
    fn somebody_waits(&self) -> Verdict<Option<bool>> {
        if crate::kernel::available().is_err() {
            return Ok(None);
        }
        let snapshot = self.settle()?;
        Ok(Some(self.listener(&snapshot).is_some_and(|row| row.rx_queue > 0)))
    }

    /// Waits until no connection stands in the listener's queue: all were accepted. Then until
    /// the program has come to rest over that: one that accepts and dies of it has not served.
    pub fn wait_until_accepted(&self) -> Verdict<Snapshot> {
        self.wait_for_an_empty_queue()?;
        self.settle()
    }

    /// Waits until no connection stands in the listener's queue, whatever the program does then.
    pub fn wait_for_an_empty_queue(&self) -> Verdict<Snapshot> {
        self.expect_shown(
            "a client was not accepted",
            "every connection is accepted: the listener's queue is empty",
            "nobody calls accept: the loop must come back to it at once, whatever a client does",
            |snapshot| match self.listener(snapshot) {
                Some(row) if row.rx_queue == 0 => Ok(()),
                Some(row) if row.rx_queue == 1 => {
                    Err("one connection waits in the listener's queue".into())
                }
                Some(row) => {
                    Err(format!("{} connections wait in the listener's queue", row.rx_queue))
                }
                None => Err("the listening socket is gone".into()),
            },
        )
    }
}
