//! What was counted, as a table, and what can be read from it.

use super::client::Ending::{self, AtOnce, Cut, CutSilently, Nothing, OtherAddress};
use super::{AFTER, CLIENTS, Count, Plan, Row, SIZE, Victim};

const ALL: [Ending; 5] = [AtOnce, OtherAddress, Cut, CutSilently, Nothing];

/// A column: its head, and whom it counts.
type Column = (&'static str, &'static [Ending]);

const UNDER_WAY: [Column; 5] = [
    ("whole", &[AtOnce]),
    ("other", &[OtherAddress]),
    ("cut", &[Cut, CutSilently]),
    ("unsaid", &[CutSilently]),
    ("none", &[Nothing]),
];

const AFTERWARDS: [Column; 4] = [
    ("whole", &[AtOnce]),
    ("other", &[OtherAddress]),
    ("cut", &[Cut, CutSilently]),
    ("none", &[Nothing]),
];

const WIDTH: usize = 8;

/// A line of the table: whom it is about, and a cell of each column.
fn line(first: &str, times: &str, under_way: &[String], afterwards: &[String]) -> String {
    let cells = |cells: &[String]| cells.iter().map(|cell| format!("{cell:>WIDTH$}")).collect();
    let [under_way, afterwards]: [String; 2] = [cells(under_way), cells(afterwards)];
    format!("{first:<18}{times:>5}{under_way}  {afterwards}\n")
}

fn heads(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|(head, _)| (*head).to_owned()).collect()
}

fn cells(columns: &[Column], endings: &[Ending]) -> Vec<String> {
    columns.iter().map(|(_, which)| count(endings, which).to_string()).collect()
}

fn count(endings: &[Ending], which: &[Ending]) -> usize {
    endings.iter().filter(|ending| which.contains(ending)).count()
}

impl Row {
    /// How many of those that began when it was gone have ended like this.
    fn afterwards(&self, which: &[Ending]) -> usize {
        count(&self.afterwards, which)
    }
}

/// The counts of each kind of balancer, and what they say.
pub fn table(plan: Plan, counts: &[Count], missing: &[String]) -> String {
    let Plan { kills, seed } = plan;
    let each = if kills == 1 { "1 kill".to_owned() } else { format!("{kills} kills") };
    let mut text = format!(
        "{each} with each kind of balancer (seed {seed}), one process at a time. {CLIENTS} clients load a\n\
         page of {} MB all the time. Once the process is gone each of them loads it {AFTER} times more; then\n\
         it is started again.\n\n",
        SIZE >> 20
    );
    let under_way = UNDER_WAY.len() * WIDTH;
    text += &format!("{:23}  {:<under_way$}{}\n", "", "under way at the kill", "begun afterwards");
    text += &line("killed", "times", &heads(&UNDER_WAY), &heads(&AFTERWARDS));
    for Count { name, rows } in counts {
        text += &format!("{name}\n");
        for Row { victim, kills, under_way, afterwards } in rows {
            let first = format!("  {}", victim.name());
            let (before, after) = (cells(&UNDER_WAY, under_way), cells(&AFTERWARDS, afterwards));
            text += &line(&first, &kills.to_string(), &before, &after);
        }
    }
    text += "\n\
        whole   the page came, from the address that the client tried first\n\
        other   nobody listened there, and the page came from the other address\n\
        cut     the connection ended before the page did\n\
        unsaid  of these: the client's program ended with status 0, as if the page were whole\n\
        none    no page: no address for the name, or nobody at either address\n";
    for missing in missing {
        text += &format!("\nnot measured: {missing}\n");
    }
    text + "\n" + &what_is_left(counts)
}

/// Whose death is still everybody's, as far as these counts show it.
fn what_is_left(counts: &[Count]) -> String {
    let rows = || counts.iter().flat_map(|count| &count.rows);
    let of = |victim: Victim, which: &[Ending]| -> usize {
        rows().filter(|row| row.victim == victim).map(|row| row.afterwards(which)).sum()
    };
    let mut text = String::from("Single points of failure that are left:\n");
    for victim in Victim::ALL {
        let (none, all) = (of(victim, &[Nothing]), of(victim, &ALL));
        if none > 0 {
            text += &format!(
                "- {}: of {all} pages begun while it was gone, {none} did not come at all.\n",
                victim.name()
            );
        }
    }
    let (other, all) = (of(Victim::Balancer, &[OtherAddress]), of(Victim::Balancer, &ALL));
    if other > 0 {
        text += &format!(
            "- for a client that tries one address only, its balancer: {other} of {all} pages begun while one was\n  \
             gone came from the other address.\n"
        );
    }
    text + "- this machine: all of it runs here, and nobody has killed that.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(victim: Victim, afterwards: &[Ending]) -> Count {
        let row = Row {
            victim,
            kills: 1,
            under_way: vec![Cut, CutSilently],
            afterwards: afterwards.into(),
        };
        Count { name: "a balancer of this test", rows: vec![row] }
    }

    #[test]
    fn a_silent_cut_is_a_cut() {
        let counts = [counted(Victim::Web, &[AtOnce, OtherAddress, OtherAddress])];
        let text = table(Plan::default(), &counts, &[]);
        let line = text.lines().find(|line| line.contains("a web server")).unwrap_or_default();
        let numbers: Vec<_> = line.split_whitespace().skip(3).collect();
        assert_eq!(numbers.join(" "), "1 0 0 2 1 0 1 2 0 0");
    }

    #[test]
    fn what_is_left_is_what_was_seen() {
        let none = what_is_left(&[counted(Victim::Names, &[AtOnce])]);
        assert!(!none.contains("name server"), "{none}");
        let all = what_is_left(&[counted(Victim::Names, &[AtOnce, Nothing])]);
        assert!(all.contains("the name server: of 2 pages begun while it was gone, 1 "), "{all}");
        let one = what_is_left(&[counted(Victim::Balancer, &[OtherAddress])]);
        assert!(one.contains("1 of 1 pages begun while one was"), "{one}");
    }
}
