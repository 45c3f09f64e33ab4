//! What the signs of a figure mean, each drawn as in the figures: for the page where a reader meets
//! the first of them.

use crate::show::ladder::how_known;
use crate::show::trace::Known;

/// The list as HTML to be included in a page.
pub fn signs() -> String {
    let arrow = |class: &str| {
        format!(
            "<line class=\"arrow{class}\" x1=\"2\" y1=\"12\" x2=\"102\" y2=\"12\"/>\
             <polygon class=\"tip\" points=\"110,12 102,7 102,17\"/>"
        )
    };
    let boxed = |class: &str| {
        format!(
            "<rect class=\"box{class}\" x=\"31\" y=\"2\" width=\"50\" height=\"20\" rx=\"4\"/>\
             <text class=\"call\" x=\"56\" y=\"16\" text-anchor=\"middle\">read</text>"
        )
    };
    let word = |class: &str, text: &str| {
        format!("<text class=\"{class}\" x=\"56\" y=\"16\" text-anchor=\"middle\">{text}</text>")
    };
    let (seen, inferred) = (how_known(Known::Kernel), how_known(Known::Inferred));
    let signs = [
        (arrow(""), "bytes that one side wrote, and that have arrived at the other".to_owned()),
        (arrow(" unseen"), "packets that nobody watched: they follow from the states".to_owned()),
        (
            "<line class=\"arrow\" x1=\"2\" y1=\"12\" x2=\"102\" y2=\"12\"/>\
             <path class=\"arrow\" d=\"M102 7L110 17M102 17L110 7\"/>"
                .to_owned(),
            "with <em>dropped</em>: a datagram that did not arrive".to_owned(),
        ),
        (boxed(""), "a call that concerns one side only: nothing goes over the wire".to_owned()),
        (
            boxed(" unseen"),
            format!("with <em>{inferred}</em>: nobody saw this call, it follows from the queues"),
        ),
        (
            word("known", "seen …"),
            format!("<em>{seen}</em>: a program did this by itself, and the tables show it"),
        ),
        (
            word("state", "ESTABLISHED"),
            "the socket's state after the step, as the kernel tells it".to_owned(),
        ),
        (word("doing", "in accept"), "the call that the program is in after the step".to_owned()),
    ];
    let mut lines = vec![r#"<div class="ladder ladder-signs">"#.to_owned(), "<table>".to_owned()];
    lines.extend(signs.iter().map(|(sign, meaning)| {
        let svg = format!(
            r#"<svg viewBox="0 0 112 24" width="112" height="24" role="presentation">{sign}</svg>"#
        );
        format!("<tr><td>{svg}</td><td>{meaning}</td></tr>")
    }));
    lines.extend(["</table>".to_owned(), "</div>".to_owned()]);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_stand_in_the_figures_are_explained() {
        for known in [Known::Kernel, Known::Inferred] {
            assert!(signs().contains(how_known(known)), "{known:?}");
        }
    }
}
