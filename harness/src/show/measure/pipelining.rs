//! What it is worth to ask for more before something has come: how long a file takes over a line that is
//! long, by how many requests are in flight. The program gives the file; the harness asks for it.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::chart::{Chart, Curve, Ink, Spacing};
use super::line::{Gate, Line, relay};
use super::programs::{BACKSTOP, Peer};
use super::{Measure, Measured, RATE, RUNS, SIZE, line, median};
use crate::labs::swarm::fetch::Song;
use crate::program::Template;
use crate::trial::Folder;

pub(super) const PIPELINING: Measure = Measure {
    name: "pipelining",
    what: "how long a file takes over a long line, by how many requests are in flight (a minute)",
    lab: "swarm",
    run: measure,
};

/// How many requests are in flight.
const DEPTHS: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// How long a byte is under way, in each direction.
const DELAY: Duration = Duration::from_millis(20);

/// With so many requests in flight: the run in the middle of several.
#[derive(Clone, Copy, Debug)]
struct Row {
    depth: usize,
    time: Duration,
}

impl Row {
    /// A block is whole as long after its request as the request and its bytes are under way, and it takes
    /// to send it. Meanwhile so many others can come; but the line carries no more than it can.
    fn formula(&self) -> f64 {
        let (blocks, line) = (SIZE as f64 / f64::from(Song::BLOCK), f64::from(RATE));
        let round_trip = 2.0 * DELAY.as_secs_f64() + f64::from(Song::BLOCK) / line;
        (blocks * round_trip / self.depth as f64).max(SIZE as f64 / line)
    }

    fn seconds(&self) -> f64 {
        self.time.as_secs_f64()
    }
}

fn measure(program: &Template, progress: &dyn Fn(&str)) -> io::Result<Measured> {
    let (song, folder) = (Song::new(SIZE), Folder::new(PIPELINING.name)?);
    let torrent = folder.path().join("song.torrent");
    fs::write(&torrent, song.torrent())?;
    let seed = folder.path().join("seed");
    fs::create_dir(&seed)?;
    fs::write(seed.join(song.name()), song.bytes())?;
    // What it prints is of no interest, and little; it has to stay readable.
    let (seed, _stdout) = Peer::start(program, &torrent, &seed, Vec::new())?;
    let mut rows = Vec::new();
    for depth in DEPTHS {
        let run = |number| {
            progress(&format!("{depth} in flight: run {number} of {RUNS}"));
            let (near, far) = (Line::delayed(RATE, DELAY), Line::delayed(RATE, DELAY));
            let gate = Arc::new(Gate::default());
            gate.open();
            let stream = TcpStream::connect(relay(seed.address, &near, &far, &gate)?)?;
            stream.set_read_timeout(Some(BACKSTOP))?;
            song.fetch(&stream, depth)
        };
        rows.push(Row { depth, time: median(run, |time| *time)? });
    }
    Ok(Measured { table: table(&rows), chart: chart(&rows) })
}

fn table(rows: &[Row]) -> String {
    const WIDTHS: [usize; 4] = [9, 11, 11, 13];
    let mut text = format!(
        "A file of {} MB in blocks of {} bytes, over a line of {} MB a second and {} ms there and back;\n\
         {RUNS} runs, and the median of them.\n\n",
        SIZE >> 20,
        Song::BLOCK,
        RATE >> 20,
        2 * DELAY.as_millis()
    );
    text += &line(&WIDTHS, &["requests", "by the", "", ""]);
    text += &line(&WIDTHS, &["in flight", "formula", "measured", "MB a second"]);
    for row in rows {
        let rate = (SIZE >> 20) as f64 / row.seconds();
        let cells = [
            row.depth.to_string(),
            format!("{:.2}", row.formula()),
            format!("{:.2}", row.seconds()),
            format!("{rate:.1}"),
        ];
        text += &line(&WIDTHS, &cells.each_ref().map(String::as_str));
    }
    text
}

fn chart(rows: &[Row]) -> String {
    let of = |seconds: fn(&Row) -> f64| rows.iter().map(seconds).collect();
    let told: Vec<_> =
        rows.iter().map(|row| format!("with {}: {:.2}", row.depth, row.seconds())).collect();
    let chart = Chart {
        across: "requests in flight",
        numbers: &DEPTHS,
        spacing: Spacing::Doubling,
        curves: &[
            Curve { name: "by the formula", ink: Ink::Formula, seconds: of(Row::formula) },
            Curve { name: "measured", ink: Ink::Solid, seconds: of(Row::seconds) },
        ],
        in_words: &format!(
            "Seconds until the file has come, by requests in flight, {}.",
            told.join("; ")
        ),
    };
    chart.draw()
}
