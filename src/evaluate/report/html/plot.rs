//! Bars, drawn as SVG within the page: one a case or a submission, in their order.

use std::fmt::Write as _;

use super::page::text;

/// The most bars of one plot.
pub(super) const MOST_BARS: usize = 2_000;

/// The fewest that fill the width: a few bars stay bars.
const FEWEST_BARS: usize = 24;

/// One bar.
pub(super) struct Bar {
    /// What it stands for.
    pub(super) name: String,
    /// How high it is; none where there is no figure.
    pub(super) value: Option<f64>,
    /// Whether it is one of those to look at.
    pub(super) is_marked: bool,
}

/// Draws bars with a caption; nothing where none has a figure.
pub(super) fn draw(what: &str, bars: &[Bar], unit: &dyn Fn(f64) -> String) -> String {
    let largest = bars.iter().filter_map(|bar| bar.value).fold(0.0, f64::max);
    let count = bars.iter().filter(|bar| bar.value.is_some()).count();
    if count == 0 || largest <= 0.0 {
        return String::new();
    }
    let most = unit(largest);
    let mut plot = format!(
        "<figure><svg class=\"plot\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{what}: {count} figures, the largest is {most}\">",
        bars.len().max(FEWEST_BARS) * 10
    );
    for (at, bar) in bars.iter().enumerate() {
        let (height, class, figure) = match bar.value {
            Some(value) => ((value / largest * 98.0).max(0.5), if bar.is_marked { "not" } else { "" }, unit(value)),
            None => (100.0, "none", "not measured".to_owned()),
        };
        let _ = write!(
            plot,
            "<rect class=\"{class}\" x=\"{}\" y=\"{:.2}\" width=\"8\" height=\"{height:.2}\"><title>{}: {figure}</title></rect>",
            at * 10 + 1,
            100.0 - height,
            text(&bar.name)
        );
    }
    let more = if bars.len() == MOST_BARS { format!("; the first {MOST_BARS}") } else { String::new() };
    let red = if bars.iter().any(|bar| bar.is_marked) { "; what did not pass is red" } else { "" };
    let _ = writeln!(plot, "</svg><figcaption>{what}; the highest bar is {most}{red}{more}</figcaption></figure>");
    plot
}
