//! Table: what tables on a terminal are made of: labels, bars and aligned columns.
//! - Labels come from whoever sends events: a control character in one must not reach the terminal.

use std::iter;

/// Cells of the longest bar.
const BAR_CELLS: f64 = 30.0;
/// Eighths of a cell, from empty to full.
const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Characters of a label at the most.
const LABEL_CHARS_MAX: usize = 60;

/// A bar in proportion to the longest; none for what is not above 0.
pub(super) fn bar(value: f64, most: f64) -> String {
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let eighths = (value.min(most) / most * BAR_CELLS * 8.0) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A label as it can be shown: without control characters, cut where it is long.
pub(super) fn label(text: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut chars = text.chars().map(shown);
    let mut label: String = chars.by_ref().take(LABEL_CHARS_MAX - 1).collect();
    let (last, more) = (chars.next(), chars.next());
    label.extend(if more.is_some() { Some('…') } else { last });
    label
}

/// A column: its title over its cells.
#[derive(Debug)]
pub(super) struct Column {
    title: String,
    cells: Vec<String>,
    side: Side,
}

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Column {
    pub(super) fn new(title: &str, side: Side, cells: impl IntoIterator<Item = String>) -> Self {
        Self { title: label(title), cells: cells.into_iter().collect(), side }
    }
}

/// The columns beside each other, a line for the titles and one for each row.
pub(super) fn aligned(columns: &[Column]) -> String {
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or_default();
    let mut lines = vec![String::new(); rows + 1];
    for column in columns {
        let cells = || iter::once(&column.title).chain(&column.cells);
        let width = cells().map(|cell| cell.chars().count()).max().unwrap_or_default();
        for (line, cell) in lines.iter_mut().zip(cells()) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let pad = " ".repeat(width - cell.chars().count());
            match column.side {
                Side::Left => line.extend([cell, pad.as_str()]),
                Side::Right => line.extend([pad.as_str(), cell]),
            }
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_to_the_eighth() {
        let table = [(8.0, 8.0, 240), (4.0, 8.0, 120), (0.41, 0.82, 120), (1.0, 240.0, 1), (1.0, 241.0, 0)];
        for (value, most, eighths) in table {
            let expected = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
            assert_eq!(bar(value, most), expected, "{value} of {most}");
        }
        for (value, most) in [(0.0, 0.0), (-3.0, 8.0), (-3.0, -3.0)] {
            assert_eq!(bar(value, most), "", "{value} of {most}");
        }
    }

    #[test]
    fn a_label_reaches_the_terminal_cut_and_without_control_characters() {
        assert_eq!(label("/a\u{1b}[2J\nb"), "/a\u{fffd}[2J\u{fffd}b");
        assert_eq!(label(&"ü".repeat(60)), "ü".repeat(60));
        assert_eq!(label(&"ü".repeat(61)), "ü".repeat(59) + "…");
    }

    #[test]
    fn columns_are_aligned_to_their_side() {
        let cells = |cells: [&str; 2]| cells.map(str::to_owned);
        let columns = [
            Column::new("path", Side::Left, cells(["/größe", "/a"])),
            Column::new("views", Side::Right, cells(["1200", "–"])),
            Column::new("", Side::Left, cells(["██", ""])),
        ];
        assert_eq!(aligned(&columns), "path    views\n/größe   1200  ██\n/a          –\n");
        assert_eq!(aligned(&[]), "\n");
    }
}
