//! Pages that need nothing but themselves: no script, no other file.

use crate::words::markup;

/// A page with this title and this body.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        markup(title)
    )
}

/// A part of a line, as a bar with its share in per cent.
pub(super) fn bar(percent: u32) -> String {
    format!(
        "<span class=\"bar\" aria-hidden=\"true\"><span style=\"width:{}%\"></span></span>",
        percent.min(100)
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --bar: #2f7d4f; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1rem; }
h1 { line-height: 1.2; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .25rem; font-size: .85rem; line-height: 1.4; }
.ladder { overflow-x: auto; }
.ladder svg { min-width: 44rem; }
summary { cursor: pointer; }
.bar { display: inline-block; width: min(8rem, 25vw); height: .7rem; border: 1px solid var(--line); }
.bar span { display: block; height: 100%; background: var(--bar); }
";
