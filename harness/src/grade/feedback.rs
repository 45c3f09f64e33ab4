//! What a student gets back: the points, the first failure of each step, whole, and the board.

use super::marks::{Marks, Points};
use super::page::{bar, page};
use crate::report;
use crate::term::Style;
use crate::words::markup;

/// What is not used of a submission is listed up to here.
const MOST_UNUSED: usize = 20;

/// What both forms tell.
pub(super) struct Feedback<'a> {
    marks: &'a Marks,
    failures: Vec<String>,
    board: String,
    unused: Vec<String>,
}

/// One part of the course, and its points.
fn parts(marks: &Marks) -> impl Iterator<Item = (&'static str, Points)> {
    marks.parts().into_iter().map(|part| (part, marks.points_of(|record| record.check.lab == part)))
}

fn unused(marks: &Marks) -> Vec<String> {
    let mut lines = marks.unused.clone();
    if lines.len() > MOST_UNUSED {
        let more = lines.split_off(MOST_UNUSED).len();
        lines.push(format!("and {more} more"));
    }
    lines
}

const NO_SOURCE: &str = "No source of a lab was found in what was handed in: labs/01-server/src/main.rs and its neighbours.";
const UNUSED: &str = "Only the sources of labs are judged. This was handed in, too, and not used:";

impl<'a> Feedback<'a> {
    /// On these marks.
    pub(super) fn on(marks: &'a Marks) -> Self {
        let failures = report::first_of_each_step(&marks.records, Style::plain());
        let board = report::board_alone(&marks.records, &marks.notes, Style::plain());
        Self { marks, failures, board, unused: unused(marks) }
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        let Self { marks, failures, board, unused } = self;
        let Points { score, most } = marks.points();
        let mut text = format!("# {}\n\n**{score} of {most} points**\n\n", marks.name);
        text.push_str("| part | points | of |\n| --- | ---: | ---: |\n");
        for (part, Points { score, most }) in parts(marks) {
            text.push_str(&format!("| {part} | {score} | {most} |\n"));
        }
        if marks.sources.is_empty() {
            text.push_str(&format!("\n{NO_SOURCE}\n"));
        }
        if !failures.is_empty() {
            text.push_str("\n## The first failure of each step\n");
            for failure in failures {
                text.push_str(&format!("\n{}", fenced(failure)));
            }
        }
        text.push_str(&format!("\n## The board\n\n{}", fenced(board)));
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
        let points = marks.points();
        let mut body = format!(
            "<h1>{}</h1>\n<p><strong>{} of {} points</strong> {}</p>\n<table>\n<tr><th>part</th><th class=\"number\">points</th><th class=\"number\">of</th><td></td></tr>\n",
            markup(&marks.name),
            points.score,
            points.most,
            bar(points.percent())
        );
        for (part, points) in parts(marks) {
            body.push_str(&format!(
                "<tr><td>{part}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>\n",
                points.score,
                points.most,
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
                body.push_str(&format!("<pre>{}</pre>\n", markup(failure.trim_end())));
            }
        }
        body.push_str(&format!("<h2>The board</h2>\n<pre>{}</pre>\n", markup(board.trim_end())));
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
