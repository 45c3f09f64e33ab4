//! What a student gets back: the points, the first failure of each step, whole, and the board.

use super::marks::Marks;
use super::page::{bar, page};
use super::scheme::Points;
use crate::report::{self, First};
use crate::show::trace::Recording;
use crate::show::{ladder, svg};
use crate::term::Style;
use crate::words::markup;

/// What is not used of a submission is listed up to here.
const MOST_UNUSED: usize = 20;

/// What both forms tell.
pub(super) struct Feedback<'a> {
    marks: &'a Marks<'a>,
    failures: Vec<First<'a>>,
    board: String,
    unused: Vec<String>,
}

fn unused(marks: &Marks<'_>) -> Vec<String> {
    let mut lines = marks.unused.clone();
    if lines.len() > MOST_UNUSED {
        let more = lines.split_off(MOST_UNUSED).len();
        lines.push(format!("and {more} more"));
    }
    lines
}

const NO_SOURCE: &str = "No source of a lab was found in what was handed in: labs/01-server/src/main.rs and its neighbours.";
const WHAT_HAPPENED: &str = "What happened there, step by step, when it was tried once more";
const OTHER_POINTS: &str =
    "The marks above count as your instructor has set them; the board counts as the course does.";
const UNUSED: &str = "Only the sources of labs are judged. This was handed in, too, and not used:";

impl<'a> Feedback<'a> {
    /// On these marks.
    pub(super) fn on(marks: &'a Marks<'a>) -> Self {
        let failures = report::first_of_each_step(&marks.records);
        let board = report::board_alone(&marks.records, &marks.notes, Style::plain());
        Self { marks, failures, board, unused: unused(marks) }
    }

    /// What happened in the check that failed, where it was recorded.
    fn ladder(&self, failure: &First<'_>) -> Option<&Recording> {
        let id = failure.record?.check.id();
        self.marks.ladders.iter().find(|recording| recording.id == id)
    }

    /// Whether the board shows other points than those that count.
    fn counts_otherwise(&self) -> bool {
        !self.marks.scheme.shares.is_empty() || !self.marks.scheme.points.is_empty()
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        let Self { marks, failures, board, unused } = self;
        let total = marks.total();
        let mut text = format!("# {}\n\n**{total} of {} points**\n\n", marks.name, total.most);
        let shares = !marks.scheme.shares.is_empty();
        let (share, line) = if shares { (" share of the marks |", " ---: |") } else { ("", "") };
        text.push_str(&format!("| part | points | of |{share}\n| --- | ---: | ---: |{line}\n"));
        for (part, Points { score, most }) in marks.parts() {
            let share = marks.scheme.share(part).map_or_else(String::new, |n| format!(" {n} |"));
            text.push_str(&format!("| {part} | {score} | {most} |{share}\n"));
        }
        if marks.sources.is_empty() {
            text.push_str(&format!("\n{NO_SOURCE}\n"));
        }
        if !failures.is_empty() {
            text.push_str("\n## The first failure of each step\n");
            for failure in failures {
                text.push_str(&format!("\n{}", fenced(&failure.text)));
                if let Some(recording) = self.ladder(failure) {
                    let steps = ladder::render(recording, Style::plain());
                    text.push_str(&format!("\n{WHAT_HAPPENED}:\n\n{}", fenced(&steps)));
                }
            }
        }
        text.push_str(&format!("\n## The board\n\n{}", fenced(board)));
        if self.counts_otherwise() {
            text.push_str(&format!("\n{OTHER_POINTS}\n"));
        }
        if !unused.is_empty() {
            text.push_str(&format!("\n{UNUSED}\n\n"));
            for line in unused {
                text.push_str(&format!("- `{}`\n", line.replace('`', "'")));
            }
        }
        text
    }

    /// As a page of its own.
    pub(super) fn html(&self) -> String {
        let Self { marks, failures, board, unused } = self;
        let total = marks.total();
        let share = if marks.scheme.shares.is_empty() {
            ""
        } else {
            "<th class=\"number\">share of the marks</th>"
        };
        let mut body = format!(
            "<h1>{}</h1>\n<p><strong>{total} of {} points</strong> {}</p>\n<table>\n<tr><th>part</th><th class=\"number\">points</th><th class=\"number\">of</th>{share}<td></td></tr>\n",
            markup(&marks.name),
            total.most,
            bar(total.percent())
        );
        for (part, points) in marks.parts() {
            let share = marks.scheme.share(part);
            body.push_str(&format!(
                "<tr><td>{part}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>{}<td>{}</td></tr>\n",
                points.score,
                points.most,
                share.map_or_else(String::new, |share| format!("<td class=\"number\">{share}</td>")),
                bar(points.percent())
            ));
        }
        body.push_str("</table>\n");
        if marks.sources.is_empty() {
            body.push_str(&format!("<p>{NO_SOURCE}</p>\n"));
        }
        if !failures.is_empty() {
            body.push_str("<h2>The first failure of each step</h2>\n");
            for failure in failures {
                body.push_str(&format!("<pre>{}</pre>\n", markup(failure.text.trim_end())));
                if let Some(recording) = self.ladder(failure) {
                    body.push_str(&format!(
                        "<details><summary>{WHAT_HAPPENED}</summary>\n<div class=\"ladder\">\n{}</div>\n<details><summary>The same as text</summary>\n<pre>{}</pre>\n</details>\n</details>\n",
                        svg::document(recording),
                        markup(ladder::render(recording, Style::plain()).trim_end())
                    ));
                }
            }
        }
        body.push_str(&format!("<h2>The board</h2>\n<pre>{}</pre>\n", markup(board.trim_end())));
        if self.counts_otherwise() {
            body.push_str(&format!("<p>{OTHER_POINTS}</p>\n"));
        }
        if !unused.is_empty() {
            body.push_str(&format!("<p>{UNUSED}</p>\n<ul>\n"));
            for line in unused {
                body.push_str(&format!("<li><code>{}</code></li>\n", markup(line)));
            }
            body.push_str("</ul>\n");
        }
        page(&marks.name, &body)
    }
}

/// As a block that shows each byte as it is: with a fence that does not stand in it.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_holds_what_looks_like_a_fence() {
        assert_eq!(fenced("a\n```\nb\n"), "````text\na\n```\nb\n````\n");
    }
}
