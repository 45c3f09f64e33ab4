//! What every listening program owes, whatever its protocol: the bodies of checks. A lab says how
//! its program is started (`Listens`) and which of them it has, and gives each its own sentences
//! in the table of its step:
//!
//! ```text
//! contract! { SERVER: binds_no_wider listens_on_ipv6 is_idle }
//! ```

mod address;
mod descriptors;
mod greetings;
mod growth;
mod lasting;
mod memory;
mod ready;
mod refusals;
mod resources;
mod silence;
mod writes;

use std::net::SocketAddr;
use std::rc::Rc;

use crate::net::{Service, Terms};
use crate::program::{Given, Stdin};
use crate::trial::{Running, Trial, Verdict};

pub(crate) use address::{
    binds_no_wider, has_only_its_listeners, listens_on_a_name, listens_on_ipv6,
    listens_on_the_given_address,
};
pub(crate) use greetings::{DRIBBLE, GIVES_UP, SlowToGreet};
pub(crate) use lasting::{is_idle, leaves_nothing_behind, restarts_on_the_same_port};
pub(crate) use memory::MORE;
pub(crate) use ready::{
    prints_the_ready_line, prints_the_ready_line_and, tells_the_port_that_it_got,
    tells_the_port_that_it_got_and,
};
pub(crate) use refusals::{
    refuses_a_foreign_address, refuses_a_privileged_port, refuses_a_taken_port,
    refuses_bad_arguments,
};
pub(crate) use resources::{
    closes_what_has_ended, keeps_nothing_of_many_clients, survives_few_descriptors,
};

pub(crate) use writes::SHORT;

/// Declares checks of the contract for a lab's program: a function by the name of each, or by another
/// one (`is_idle_alone = is_idle`).
///
/// Where all that they look at is given, the lab names a function that looks whether the step that they
/// belong to has been written at all; each ends with it: `contract! { WEB, expect_step_1: is_idle }`.
macro_rules! contract {
    ($listens:ident: $($name:ident)*) => {$(
        fn $name(t: &mut $crate::trial::Trial) -> $crate::trial::Verdict {
            $crate::contract::$name(t, &$listens)
        }
    )*};
    ($listens:ident, $then:ident: $($name:ident $(= $other:ident)?)*) => {
        $($crate::contract::contract! { @ $listens $then $name $($other)? })*
    };
    (@ $listens:ident $then:ident $name:ident) => {
        $crate::contract::contract! { @ $listens $then $name $name }
    };
    (@ $listens:ident $then:ident $name:ident $other:ident) => {
        fn $name(t: &mut $crate::trial::Trial) -> $crate::trial::Verdict {
            $crate::contract::$other(t, &$listens)?;
            $then(t)
        }
    };
}
pub(crate) use contract;

/// How a lab's program is started as one that listens. A program that listens in several places
/// has one of these for each: what is not asked about is free to choose for its `given`.
#[derive(Debug)]
pub(crate) struct Listens {
    /// The lab whose program it is.
    pub(crate) lab: &'static str,
    /// What the reader calls it: `server`.
    pub(crate) called: &'static str,
    /// Its standard input.
    pub(crate) stdin: Stdin,
    /// All that it is given, where this is the address to listen on: `HOST:PORT`, right or wrong.
    pub(crate) given: fn(&Trial, &str) -> Verdict<Given>,
    /// What it must refuse besides, with the address of a program that has just been right.
    pub(crate) bad: fn(SocketAddr) -> Vec<Bad>,
    /// How many sockets it has while nobody is connected: TCP listeners, and bound UDP sockets.
    pub(crate) sockets: (usize, usize),
    /// What it owes on a connection.
    pub(crate) terms: &'static Terms,
}

/// Arguments that a program must refuse.
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) given: Given,
    /// What is wrong with them, as a noun: `an address without a port`.
    pub(crate) what: &'static str,
    /// The exit statuses that are right.
    pub(crate) statuses: &'static [i32],
}

/// What it must refuse of which nothing more than the usage is wrong.
const USAGE: &[i32] = &[2];
/// What it must refuse where the cause shows only when it is tried.
const FAILURE_OR_USAGE: &[i32] = &[1, 2];

impl Bad {
    /// Arguments of a wrong number.
    pub(crate) fn usage(given: Given, what: &'static str) -> Self {
        Self { given, what, statuses: USAGE }
    }

    /// Arguments of which one is wrong.
    pub(crate) fn value(given: Given, what: &'static str) -> Self {
        Self { given, what, statuses: FAILURE_OR_USAGE }
    }
}

impl Listens {
    /// Starts it on a free loopback address and waits until it listens.
    pub(crate) fn start(&self, t: &Trial) -> Verdict<Service> {
        self.start_at(t, t.addresses().free_address())
    }

    /// Starts it on `address` and waits until it listens.
    pub(crate) fn start_at(&self, t: &Trial, address: SocketAddr) -> Verdict<Service> {
        self.start_or(t, &address.to_string(), address, "")
    }

    /// Starts it on the address that `text` says, and waits until it listens; `cause` is why it
    /// may end instead.
    fn start_or(
        &self,
        t: &Trial,
        text: &str,
        address: SocketAddr,
        cause: &str,
    ) -> Verdict<Service> {
        let running = self.start_with(t, &(self.given)(t, text)?)?;
        Ok(t.listening_or(running, address, cause)?.owing(self.terms))
    }

    /// Starts it with these arguments, and goes on at once.
    fn start_with(&self, t: &Trial, given: &Given) -> Verdict<Rc<Running>> {
        let (command, shown) = t.template_of(self.lab)?.fill(given);
        t.start_command(self.called, command, &shown, self.stdin)
    }
}
