//! A recording as a ladder: who takes part side by side, one step below the other.

use crate::show::trace::{Event, Known, Recording};
use crate::term::Style;
use crate::term::layout::{columns, pad, wrap};
use crate::words::{count, quote};

/// Columns of the whole.
const WIDTH: usize = 110;
/// Columns for the number of a step.
const MARGIN: usize = 5;
/// More have no room side by side: then the harness's ends share one column.
const MOST_LANES: usize = 4;
/// Bytes of a step that are shown.
const SHOWN: usize = 24;

/// Who stands where: a lane for each that takes part, those who dial first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// The heads of the lanes.
    pub heads: Vec<String>,
    /// Each that takes part, and its lane.
    places: Vec<(String, usize)>,
}

impl Lanes {
    /// The lanes of a recording.
    pub fn of(recording: &Recording) -> Self {
        let dials = |who: &str| {
            recording.steps.iter().any(|step| step.by == who && step.call == "connect")
                || recording
                    .steps
                    .iter()
                    .find(|step| ["send", "send_to"].contains(&step.call.as_str()))
                    .is_some_and(|first| first.by == who)
        };
        let all = recording.participants();
        let (mut order, rest): (Vec<_>, Vec<_>) = all.iter().copied().partition(|who| dials(who));
        order.extend(rest);
        if order.len() <= MOST_LANES {
            let heads: Vec<String> = order.iter().map(|who| (*who).to_owned()).collect();
            let places = heads.iter().cloned().zip(0..).collect();
            return Self { heads, places };
        }
        let programs = recording.programs();
        let is_program = |who: &str| programs.iter().any(|program| program == who);
        let places = order.iter().map(|who| ((*who).to_owned(), usize::from(is_program(who))));
        let second = if let [only] = &programs[..] { only.clone() } else { "programs".to_owned() };
        let heads = vec!["the harness".to_owned(), second];
        Self { heads, places: places.collect() }
    }

    /// The lane of one that takes part.
    pub fn place(&self, who: &str) -> usize {
        self.places.iter().find(|(name, _)| name == who).map_or(0, |(_, lane)| *lane)
    }

    /// The sockets after a step, in the lanes of who has them.
    pub fn states(&self, step: &Event) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = vec![Vec::new(); self.heads.len()];
        for socket in &step.sockets {
            let same = step.sockets.iter().filter(|other| other.who == socket.who);
            // Which of its connections it is, where it has several.
            let several = same.filter(|other| other.with.is_some()).count() > 1;
            let with = socket.with.as_ref().filter(|_| several);
            let with = with.map_or(String::new(), |with| format!("{with}: "));
            let text = format!("{}{with}{}", self.prefix(&socket.who), socket.describe());
            all[self.place(&socket.who)].push(text);
        }
        all
    }

    /// What is said before a text of this one: its name, where it shares its lane.
    pub fn prefix(&self, who: &str) -> String {
        if self.heads.iter().any(|head| head == who) { String::new() } else { format!("{who}: ") }
    }
}

/// What a step says of itself: `write 6 bytes "hello\n"`.
pub fn label(step: &Event) -> String {
    let mut text = step.call.clone();
    if !step.text.is_empty() {
        text += &format!(" {}", step.text);
    }
    if !step.meaning.is_empty() {
        text += &format!(": {}", step.meaning);
    } else if !step.bytes.is_empty() {
        let shown = &step.bytes[..step.bytes.len().min(SHOWN)];
        let cut = if step.length > shown.len() { "…" } else { "" };
        text += &format!(" {}{cut}", quote(shown));
    }
    text
}

/// How a step is known, where the harness did not do it itself.
pub fn how_known(known: Known) -> &'static str {
    match known {
        Known::Done => "",
        Known::Kernel => "seen in the kernel's tables",
        Known::Inferred => "inferred, not seen",
    }
}

/// The end of an arrow that does not reach its receiver.
const LOST: &str = "✗";

/// The recording as text for a terminal.
pub fn render(recording: &Recording, style: Style) -> String {
    let lanes = Lanes::of(recording);
    let width = (WIDTH - MARGIN) / lanes.heads.len().max(1);
    let column = |lane: usize| MARGIN + lane * width;
    let mut lines =
        vec![style.bold(&format!("{}: {}", recording.id, recording.title)), String::new()];
    let heads = lanes.heads.iter().map(|head| pad(head, width)).collect::<String>();
    lines.push(style.bold(&format!("{}{}", " ".repeat(MARGIN), heads.trim_end())));
    for (index, step) in recording.steps.iter().enumerate() {
        lines.push(String::new());
        lines.push(arrow(index + 1, step, &lanes, &column));
        if !step.bytes.is_empty() {
            let at = column(lanes.place(&step.by));
            lines.push(style.dim(&indent(at, &hex(step))));
        }
        if !how_known(step.known).is_empty() {
            let at = column(lanes.place(&step.by));
            lines.push(style.dim(&indent(at, &format!("({})", how_known(step.known)))));
        }
        for call in &step.calls {
            lines.push(style.link(&indent(column(lanes.heads.len() - 1), &format!("| {call}"))));
        }
        lines.extend(
            states(step, &lanes, width).iter().map(|line| style.good(&indent(MARGIN, line))),
        );
        for doing in &step.doing {
            lines.push(style.dim(&indent(MARGIN, doing)));
        }
    }
    lines.push(String::new());
    let legend = legend(recording);
    let legend = legend.iter().flat_map(|line| wrap(line, WIDTH));
    lines.extend(legend.map(|line| style.dim(&line)));
    lines.join("\n") + "\n"
}

fn indent(at: usize, text: &str) -> String {
    format!("{}{text}", " ".repeat(at)).trim_end().to_owned()
}

/// The line of the step itself, with an arrow to whom it reaches. A line of dashes with gaps is
/// of packets that nobody saw.
fn arrow(number: usize, step: &Event, lanes: &Lanes, column: &dyn Fn(usize) -> usize) -> String {
    let text = format!("{}{}", lanes.prefix(&step.by), label(step));
    let from = lanes.place(&step.by);
    let number = format!("{number:>3}  ");
    let to = step.to.as_ref().map(|to| lanes.place(to)).filter(|to| *to != from);
    let line = if step.packets.is_empty() { "─" } else { "┄" };
    let packets = match step.packets.as_str() {
        "" => String::new(),
        packets => format!(" {packets} "),
    };
    let shaft = |length: usize| {
        let rest = length.saturating_sub(columns(&packets));
        format!("{}{packets}{}", line.repeat(rest / 2), line.repeat(rest - rest / 2))
    };
    let tip = |whole: &'static str| if step.lost { LOST } else { whole };
    match to {
        None => number + &" ".repeat(column(from) - MARGIN) + &text,
        Some(to) if to > from => {
            let start = column(from) - MARGIN;
            let room = (column(to) - column(from)).saturating_sub(columns(&text) + 4);
            let head = format!("{number}{}{text} ", " ".repeat(start));
            format!("{head}{}{}", shaft(room.max(columns(&packets) + 2)), tip("▶"))
        }
        Some(to) => {
            let start = column(to) - MARGIN;
            let room = (column(from) - column(to)).saturating_sub(2);
            format!("{number}{}{}{} {text}", " ".repeat(start), tip("◀"), shaft(room))
        }
    }
}

/// The first bytes in hexadecimal.
fn hex(step: &Event) -> String {
    let shown = &step.bytes[..step.bytes.len().min(SHOWN)];
    let words: Vec<_> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = match step.length - shown.len() {
        0 => String::new(),
        rest => format!(" … and {} more", count(rest)),
    };
    words.join(" ") + &more
}

/// The sockets after the step, side by side.
fn states(step: &Event, lanes: &Lanes, width: usize) -> Vec<String> {
    let columns_of = lanes.states(step);
    let height = columns_of.iter().map(Vec::len).max().unwrap_or_default();
    (0..height)
        .map(|at| {
            let cells = columns_of.iter().map(|lane| lane.get(at).map_or("", String::as_str));
            cells.map(|cell| pad(cell, width)).collect::<String>().trim_end().to_owned()
        })
        .collect()
}

/// What the signs mean, as far as they occur, and the notes.
pub fn legend(recording: &Recording) -> Vec<String> {
    let any = |fits: fn(&Event) -> bool| recording.steps.iter().any(fits);
    let mut lines = vec![
        "Below each step: the sockets as the kernel shows them after it, and what the program is in."
            .to_owned(),
    ];
    // A traced program is not held still; a scene without a connection has no need of it.
    if any(|step| step.to.is_some()) && !any(|step| !step.calls.is_empty()) {
        lines.push(
            "While the harness acts, the program is held still, so that what arrives can be seen."
                .into(),
        );
    }
    if any(|step| !step.packets.is_empty()) {
        lines.push(
            "A dashed arrow: packets that nobody watched; they follow from the states.".into(),
        );
    }
    if any(|step| step.lost) {
        lines.push(format!(
            "An arrow that ends in {LOST}: a datagram that was dropped; its sender is not told."
        ));
    }
    if any(|step| step.known == Known::Inferred) {
        lines
            .push("`inferred, not seen`: nobody saw this call; it follows from the queues.".into());
    }
    lines.extend(recording.notes.iter().map(|note| format!("note: {note}")));
    lines
}
