//! What many people believe about sockets, each with a demonstrator: a few calls of std, made
//! for real, with what came of them. Where a run shows anything else than the truth that is told
//! here, the demonstrator fails; so the book can't be wrong for long.
//!
//! A demonstrator is a function over the verbs of [`Stage`]. It runs in a worker, in a network
//! of its own where the system allows that.

mod addresses;
mod asking;
mod backend;
mod boxes;
mod costs;
mod crowds;
mod datagrams;
mod directory;
mod ends;
mod failing;
mod flooding;
mod handover;
mod messages;
pub(crate) mod page;
mod parts;
mod pieces;
mod queues;
mod relays;
mod requests;
mod roles;
mod sessions;
mod sharing;
mod silence;
mod stage;
mod streams;
mod tracking;
mod transfers;

pub use addresses::bind_and_end;
pub use backend::halves;
pub use handover::keep;
pub use silence::stay;
pub use stage::{DemoStep, Mismatch, Stage};

use crate::json::Json;
use crate::trial::Addresses;

/// What a step says that can't be shown on this system.
pub const NOT_SHOWN: &str = "not shown: ";

/// One misconception.
#[derive(Debug)]
pub struct Demo {
    /// What the command line and the book call it: `accept-gives-a-port`.
    pub name: &'static str,
    /// What is believed, as a sentence.
    pub claim: &'static str,
    /// What holds instead.
    pub truth: &'static str,
    run: fn(&mut Stage) -> Result<(), Mismatch>,
}

/// All of them; the number of each is its place, from 1.
pub static DEMOS: &[Demo] = &[
    roles::SERVER_IS_A_MACHINE,
    roles::ONE_REQUEST_A_CONNECTION,
    addresses::SOCKET_IS_A_PORT,
    queues::WRITE_SENDS_A_PACKET,
    addresses::ACCEPT_GIVES_A_PORT,
    addresses::TCP_BLOCKS_UDP,
    addresses::PORT_IS_MACHINE_WIDE,
    addresses::IN_USE_IS_TIME_WAIT,
    queues::CONNECT_WAITS_FOR_ACCEPT,
    queues::BACKLOG_CAPS_CLIENTS,
    ends::OK_MEANS_DELIVERED,
    ends::SIGPIPE_KILLS,
    ends::ZERO_IS_NOTHING_YET,
    ends::DROPPING_IS_POLITE,
    ends::DROPPING_A_CLONE_CLOSES,
    streams::ONE_WRITE_ONE_READ,
    streams::TIME_OUT_IS_NOTHING,
    streams::WRITE_TAKES_ALL,
    queues::BOTH_WRITE_FIRST,
    roles::PEERS_HAVE_NO_SERVERS,
    roles::SOURCE_PORT_IS_THE_PEER,
    addresses::BIND_THEN_LISTEN,
    requests::ONE_READ,
    requests::NO_END,
    requests::ENCODED_PATH,
    transfers::LOST_REPLY,
    transfers::HALF_A_FILE,
    transfers::CONNECTIONS,
    crowds::DRIBBLE,
    crowds::PLACES,
    datagrams::UDP_CONNECTS,
    datagrams::EMPTY_DATAGRAM,
    datagrams::DATAGRAM_IN_PARTS,
    datagrams::SENT_IS_ARRIVED,
    datagrams::LOOPBACK_LOSES_NOTHING,
    messages::STRUCT_IS_THE_MESSAGE,
    messages::NAME_IS_TEXT,
    messages::LENGTHS_ARE_RIGHT,
    asking::TIME_OUT_EACH,
    asking::ID_IS_ENOUGH,
    asking::NEW_TRY_NEW_ID,
    asking::SILENCE_IS_NO,
    asking::DNS_IS_UDP_ONLY,
    costs::TCP_COSTS_NO_MORE,
    sessions::FORGED,
    sessions::BASE64,
    sessions::PIPELINED,
    handover::KILL_NINE,
    handover::SMUGGLED,
    boxes::NO_QUIT,
    boxes::NEVER_MEET,
    directory::THROUGH_THE_SERVER,
    directory::CALLERS_PORT,
    silence::DEAD_MACHINE,
    parts::SAME_NAME,
    directory::INDEX_DOWN,
    parts::RANGE_IS_HONOURED,
    parts::END_IS_COMPLETE,
    flooding::NO_ADDRESS,
    flooding::TTL_STOPS_IT,
    flooding::NOBODY_HAS_IT,
    flooding::SHORTEST_WAY,
    tracking::TRACKER_HAS_IT,
    tracking::HASH_IN_A_URL,
    tracking::ONE_ID,
    pieces::MORE_IN_FLIGHT,
    sharing::FIRST_PIECE_FIRST,
    pieces::SILENT_PEER,
    pieces::LIAR,
    sharing::ALWAYS_FASTER,
    sharing::COSTS_NOTHING,
    relays::SEES_THE_CLIENT,
    relays::END_PASSES,
    relays::ONE_SOCKET,
    failing::OUTLIVES_A_CRASH,
    failing::CONNECT_IS_HEALTH,
    failing::TWO_IS_ENOUGH,
];

/// The misconception of this name or number.
pub fn find(what: &str) -> Option<&'static Demo> {
    DEMOS.iter().find(|demo| demo.name == what || demo.number().to_string() == what)
}

impl Demo {
    /// Its place in [`DEMOS`], from 1.
    pub fn number(&self) -> usize {
        DEMOS.iter().position(|demo| demo.name == self.name).map_or(0, |index| index + 1)
    }
}

/// The member of a worker's request that names a demonstrator.
pub(crate) const REQUEST: &str = "demo";

/// What a demonstration has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What was done, and what came of it.
    pub steps: Vec<DemoStep>,
    /// Why it is no proof: a run that differs from the truth.
    pub wrong: Option<String>,
}

impl Shown {
    fn to_json(&self) -> Json {
        let steps = self.steps.iter().map(DemoStep::to_json).collect();
        let wrong = self.wrong.as_deref().map_or(Json::Null, Json::from);
        Json::object([("steps", Json::Array(steps)), ("wrong", wrong)])
    }

    pub(crate) fn from_json(json: &Json) -> Option<Self> {
        let steps = json.get("steps")?.as_array()?.iter().map(DemoStep::from_json);
        let wrong = json.get("wrong")?.as_str().map(str::to_owned);
        Some(Self { steps: steps.collect::<Option<_>>()?, wrong })
    }
}

/// The worker's part: demonstrates, and answers with a [`Shown`].
pub(crate) fn answer(name: &str, addresses: &Addresses) -> Json {
    let Some(demo) = find(name) else { return Json::Null };
    let mut stage = Stage::new(addresses.clone());
    let wrong = (demo.run)(&mut stage).err().map(|wrong| wrong.to_string());
    Shown { steps: stage.into_steps(), wrong }.to_json()
}
