//! SVG: an item's views as a small line, with their sum beside it: a badge to put on a page.
//! - Drawn from numbers alone; the one text, the item's id, is escaped.
//! - No script, no style sheet, no outside reference.

use std::fmt::Write;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;
const LINE_WIDTH: f64 = 76.0;
const MARGIN: f64 = 2.0;

/// The badge of a line of counts, oldest first, named by `title`.
pub(super) fn sparkline(title: &str, counts: &[u64]) -> String {
    let total: u64 = counts.iter().sum();
    let title = escaped(&format!("{title}: {total} views"));
    let points = points(counts);
    let middle = HEIGHT / 2.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\"><title>{title}</title>\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"#36c\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>\
         <text x=\"{}\" y=\"{middle}\" text-anchor=\"end\" dominant-baseline=\"central\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#444\">{}</text></svg>",
        WIDTH - MARGIN,
        short(total)
    )
}

/// The corners of the line; one count is a level line.
fn points(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let single = [counts.first().copied().unwrap_or(0); 2];
    let counts = if counts.len() < 2 { &single[..] } else { counts };
    let step = (LINE_WIDTH - 2.0 * MARGIN) / (counts.len() - 1) as f64;
    let mut points = String::new();
    for (at, count) in counts.iter().enumerate() {
        let x = MARGIN + step * at as f64;
        let y = HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * *count as f64 / most;
        let space = if at > 0 { " " } else { "" };
        // Writing to a text cannot fail.
        let _ = write!(points, "{space}{x:.1},{y:.1}");
    }
    points
}

/// A number in at most five characters: `9200`, `123k`, `4.5M`.
fn short(number: u64) -> String {
    let scaled = |unit: f64, letter| {
        let scaled = number as f64 / unit;
        if scaled < 10.0 { format!("{scaled:.1}{letter}") } else { format!("{scaled:.0}{letter}") }
    };
    match number {
        0..=9_999 => number.to_string(),
        10_000..=999_499 => scaled(1e3, 'k'),
        999_500..=999_499_999 => scaled(1e6, 'M'),
        _ => scaled(1e9, 'G'),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no place for the other control characters, not even escaped.
            '\t' | '\n' | '\r' => out.push(' '),
            letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_inert() {
        let svg = sparkline("</title><script>alert(1)</script>\"'&\0", &[1, 2]);
        assert!(
            svg.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\u{FFFD}: 3 views"),
            "{svg}"
        );
        assert_eq!(svg.matches("<script").count(), 0);
    }

    #[test]
    fn the_line_goes_from_oldest_to_newest_within_the_frame() {
        assert_eq!(points(&[0, 5, 10]), "2.0,22.0 38.0,12.0 74.0,2.0");
        assert_eq!(points(&[]), "2.0,22.0 74.0,22.0");
        assert_eq!(points(&[7]), "2.0,2.0 74.0,2.0");
    }

    #[test]
    fn sums_are_short() {
        let table =
            [(0, "0"), (9_999, "9999"), (12_345, "12k"), (999_499, "999k"), (999_500, "1.0M"), (4_500_000_000, "4.5G")];
        for (number, text) in table {
            assert_eq!(short(number), text);
        }
    }
}
