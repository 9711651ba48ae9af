//! CSV (RFC 4180): a header row, then one line a row.
//! - A text that a spreadsheet would take for a formula gets a `'` in front (OWASP: CSV injection).

use crate::event::Known;
use std::fmt::Write;

/// A table being written.
#[derive(Debug, Default)]
pub(super) struct Csv {
    text: String,
}

impl Csv {
    /// A table with this header.
    pub(super) fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut csv = Self::default();
        // Names of ours are no formulas, though one begins with `@`.
        csv.row(
            header
                .into_iter()
                .map(|name| if Known::named(name).is_some() { Cell::Name(name) } else { Cell::Text(name) }),
        );
        csv
    }

    /// Adds a row.
    pub(super) fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            match cell {
                Cell::Text(text) => self.quoted(text),
                Cell::Name(name) => self.text.push_str(name),
                // Writing to a text cannot fail.
                Cell::Number(number) => {
                    let _ = write!(self.text, "{number}");
                }
                Cell::Json(serde_json::Value::Null) | Cell::Empty => {}
                Cell::Json(value) => self.text.push_str(&value.to_string()),
            }
        }
        self.text.push_str("\r\n");
    }

    fn quoted(&mut self, text: &str) {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let mark = if formula { "'" } else { "" };
        if text.contains(['"', ',', '\n', '\r']) {
            let _ = write!(self.text, "\"{mark}{}\"", text.replace('"', "\"\""));
        } else {
            let _ = write!(self.text, "{mark}{text}");
        }
    }

    /// The table.
    pub(super) fn into_response(self) -> axum::response::Response {
        super::format::typed("text/csv; charset=utf-8", self.text)
    }
}

/// One cell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    /// The name of a canonical key.
    Name(&'a str),
    Number(u64),
    /// A JSON number or boolean; nothing for `null`.
    Json(&'a serde_json::Value),
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_made_inert() {
        let table = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("", ""),
        ];
        for (text, cell) in table {
            let mut csv = Csv::new(["h", "n"]);
            csv.row([Cell::Text(text), Cell::Number(7)]);
            assert_eq!(csv.text, format!("h,n\r\n{cell},7\r\n"));
        }
        let mut csv = Csv::default();
        csv.row([Cell::Json(&serde_json::json!(-1.5)), Cell::Empty, Cell::Json(&serde_json::json!(true))]);
        assert_eq!(csv.text, "-1.5,,true\r\n");
    }
}
