//! Who pays for a transfer: how long it takes until the last of many has a file, when all get it from
//! one, and when each gives what it has. The programs are the same, and each may send so much and
//! no more; only who is connected with whom differs.

mod network;

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::chart::{Chart, Curve, Ink, Spacing};
use super::{Measure, Measured, RATE, RUNS, SIZE, line, median};
use crate::net::noise;
use crate::program::Template;
use crate::trial::Folder;

pub(super) const WHO_PAYS: Measure = Measure {
    name: "who-pays",
    what: "how long it takes until many have a file, from one and from each other (3 minutes)",
    lab: "swarm",
    run: measure,
};

/// How many want the file.
const COUNTS: [usize; 5] = [1, 2, 4, 8, 16];

/// Who is connected with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Each with the one that has the file, and with nobody else.
    Star,
    /// Each with each.
    Mesh,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Star => "all from one",
            Self::Mesh => "each from each",
        }
    }
}

/// What one transfer to all has taken.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Until the last one had the file.
    time: Duration,
    /// What the one that had the file has sent, in bytes.
    by_the_first: u64,
    /// What all others have sent.
    by_the_others: u64,
}

/// For so many: the run in the middle of several, of each shape.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// How many want the file.
    count: usize,
    star: Run,
    mesh: Run,
}

impl Row {
    /// How long it takes one line to carry the file so many times.
    fn formula(&self) -> f64 {
        self.count as f64 * SIZE as f64 / f64::from(RATE)
    }
}

fn measure(program: &Template, progress: &dyn Fn(&str)) -> io::Result<Measured> {
    let folder = Folder::new(WHO_PAYS.name)?;
    let file = folder.path().join("file.bin");
    fs::write(&file, noise(27, SIZE))?;
    let torrent = folder.path().join("file.torrent");
    let own = program.words().first().map_or("", String::as_str);
    // They know each other from the command line: nobody is asked.
    let mut make = Command::new(own);
    make.arg("make").arg(&file).arg("none:").arg(&torrent).stderr(Stdio::null());
    if !make.status()?.success() {
        return Err(io::Error::other("the program could not make a torrent"));
    }
    let mut rows = Vec::new();
    for count in COUNTS {
        let median = |shape: Shape| {
            let run = |number| {
                let what = shape.name();
                progress(&format!("{count} get the file, {what}: run {number} of {RUNS}"));
                network::run(program, &torrent, &file, shape, count)
            };
            median(run, |run: &Run| run.time)
        };
        rows.push(Row { count, star: median(Shape::Star)?, mesh: median(Shape::Mesh)? });
    }
    Ok(Measured { table: table(&rows), chart: chart(&rows) })
}

fn table(rows: &[Row]) -> String {
    const WIDTHS: [usize; 7] = [4, 11, 11, 11, 11, 11, 11];
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    let seconds = |time: Duration| format!("{:.1}", time.as_secs_f64());
    let mut text = format!(
        "A file of {} MB, and programs that send {} MB a second each; {RUNS} runs, and the median of them.\n\
         Seconds until the last one has it, and megabytes that were sent:\n\n",
        SIZE >> 20,
        RATE >> 20
    );
    text += &line(&WIDTHS, &["", "", "all from", "sent by", "each from", "sent by", "sent by"]);
    text += &line(&WIDTHS, &["N", "N x F / U", "one", "the one", "each", "the one", "the others"]);
    for row in rows {
        let cells = [
            row.count.to_string(),
            format!("{:.1}", row.formula()),
            seconds(row.star.time),
            megabytes(row.star.by_the_first),
            seconds(row.mesh.time),
            megabytes(row.mesh.by_the_first),
            megabytes(row.mesh.by_the_others),
        ];
        text += &line(&WIDTHS, &cells.each_ref().map(String::as_str));
    }
    text
}

fn chart(rows: &[Row]) -> String {
    let of = |seconds: fn(&Row) -> f64| rows.iter().map(seconds).collect();
    let star = of(|row| row.star.time.as_secs_f64());
    let mesh = of(|row| row.mesh.time.as_secs_f64());
    let told = |row: &Row| {
        let (star, mesh) = (row.star.time.as_secs_f64(), row.mesh.time.as_secs_f64());
        format!("for {}: {star:.1} from one, {mesh:.1} from each other", row.count)
    };
    let told: Vec<_> = rows.iter().map(told).collect();
    let chart = Chart {
        across: "how many want the file",
        numbers: &rows.iter().map(|row| row.count).collect::<Vec<_>>(),
        spacing: Spacing::Even,
        curves: &[
            Curve { name: "N x F / U", ink: Ink::Formula, seconds: of(Row::formula) },
            Curve { name: Shape::Star.name(), ink: Ink::Dashed, seconds: star },
            Curve { name: Shape::Mesh.name(), ink: Ink::Solid, seconds: mesh },
        ],
        in_words: &format!("Seconds until the last one has the file, {}.", told.join("; ")),
    };
    chart.draw()
}
