//! Seconds over a number, as an inline SVG in the page's own colours.

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 52.0;

const INK: &str = "var(--ladder-ink, light-dark(#1f2328, #e6e6e6))";
const FAINT: &str = "var(--ladder-line, light-dark(#6b7280, #8892a6))";
const CALL: &str = "var(--ladder-call, light-dark(#1e3a8a, #9cc7ff))";

/// What is drawn.
pub(super) struct Chart<'a> {
    /// What is counted from left to right.
    pub(super) across: &'a str,
    /// The numbers there, from the least to the greatest.
    pub(super) numbers: &'a [usize],
    pub(super) spacing: Spacing,
    pub(super) curves: &'a [Curve],
    /// The same for those who hear the page.
    pub(super) in_words: &'a str,
}

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spacing {
    /// Twice as far to the right where it is twice as much.
    Even,
    /// A step to the right where it is twice as much: both ends of a long row can be read.
    Doubling,
}

/// Seconds at each of the numbers.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) ink: Ink,
    pub(super) seconds: Vec<f64>,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// What is computed. A measurement may run where it does: so its name stands a little higher.
    Formula,
    Dashed,
    Solid,
}

impl Ink {
    fn style(self) -> String {
        match self {
            Self::Formula => format!("stroke: {FAINT}; stroke-width: 1.5; stroke-dasharray: 2 4"),
            Self::Dashed => format!("stroke: {INK}; stroke-width: 2; stroke-dasharray: 8 4"),
            Self::Solid => format!("stroke: {CALL}; stroke-width: 2.6"),
        }
    }
}

impl Chart<'_> {
    /// Where a number stands, of the way from left to right.
    fn place(&self, number: usize) -> f64 {
        let most = self.numbers.last().map_or(1.0, |&most| most as f64);
        match self.spacing {
            Spacing::Even => number as f64 / most,
            Spacing::Doubling => (number as f64).log2() / most.log2(),
        }
    }

    pub(super) fn draw(&self) -> String {
        let Self { across, numbers, curves, in_words, .. } = self;
        let longest = curves.iter().flat_map(|curve| &curve.seconds).copied().fold(1.0, f64::max);
        let top = longest.ceil();
        let right = WIDTH - RIGHT;
        let x = |number: usize| LEFT + (right - LEFT) * self.place(number);
        let y = |seconds: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * seconds / top;
        let mut svg = vec![format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{in_words}">"#
        )];
        let step = [1.0, 2.0, 4.0, 5.0, 10.0, 20.0].into_iter().find(|step| top / step <= 8.0);
        let step = step.unwrap_or(50.0);
        let mut mark = 0.0;
        while mark <= top {
            let style = format!("stroke: {FAINT}; stroke-width: 0.5; opacity: 0.5");
            svg.push(stroke((LEFT, y(mark)), (right, y(mark)), &style));
            svg.push(text((LEFT - 8.0, y(mark) + 4.0), "end", &format!("{mark} s")));
            mark += step;
        }
        for &number in *numbers {
            svg.push(text((x(number), HEIGHT - BOTTOM + 20.0), "middle", &number.to_string()));
        }
        svg.push(text(((LEFT + right) / 2.0, HEIGHT - 10.0), "middle", across));
        for Curve { name, ink, seconds } in *curves {
            let points = numbers.iter().zip(seconds);
            let points: Vec<_> = points.map(|(&number, &at)| (x(number), y(at))).collect();
            for two in points.windows(2) {
                svg.push(stroke(two[0], two[1], &ink.style()));
            }
            if let Some(&(x, y)) = points.last() {
                let aside = if *ink == Ink::Formula { -8.0 } else { 10.0 };
                svg.push(text((x + 8.0, y + aside), "start", name));
            }
        }
        svg.push("</svg>".to_owned());
        svg.join("\n") + "\n"
    }
}

fn text((x, y): (f64, f64), anchor: &str, words: &str) -> String {
    format!(
        r#"  <text x="{x:.0}" y="{y:.0}" text-anchor="{anchor}" style="fill: {INK}; font-size: 13px">{words}</text>"#
    )
}

fn stroke(from: (f64, f64), to: (f64, f64), style: &str) -> String {
    format!(
        r#"  <line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" style="{style}"/>"#,
        from.0, from.1, to.0, to.1
    )
}
