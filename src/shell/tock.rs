//! `metronome tock`: an item's usage as a table with bars on a terminal, as the API's JSON or CSV elsewhere.

use super::args::{Output, Tock};
use super::table::{bar, label};
use super::{ShellError, client::Client};
use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Asks and gives back what to print.
pub async fn run(client: &Client, asked: &Tock, terminal: bool) -> Result<String, ShellError> {
    let output = Output::chosen(asked.output, terminal);
    let body = client.ask(Method::GET, &address(asked, output), Vec::new()).await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    if output != Output::Table {
        return Ok(text);
    }
    let answer: Value = serde_json::from_str(&text).map_err(|error| ShellError::Answer(error.to_string()))?;
    Ok(table(asked.id.as_deref(), &answer))
}

fn address(asked: &Tock, output: Output) -> String {
    let suffix = if output == Output::Csv { "csv" } else { "json" };
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut address = match &asked.id {
        Some(id) => format!("/tock/{}.{suffix}?", encode(id)),
        None => format!("/tock.{suffix}?"),
    };
    let parameters = [
        ("site", &asked.site),
        ("range", &asked.range),
        ("from", &asked.from),
        ("to", &asked.to_day),
        ("bots", &asked.bots),
    ];
    for (name, value) in parameters {
        if let Some(value) = value {
            address.push_str(&format!("{name}={}&", encode(value)));
        }
    }
    address.pop();
    address
}

fn table(id: Option<&str>, answer: &Value) -> String {
    let mut out = format!("{}\n", id.unwrap_or("the whole site"));
    for (title, key) in [("views", "views"), ("downloads", "downloads"), ("referers", "referers")] {
        let rows = answer[key].as_object().cloned().unwrap_or_default();
        if !rows.is_empty() {
            write_rows(&mut out, title, &rows);
        }
    }
    if out.lines().count() == 1 {
        out.push_str("nothing yet in this range\n");
    }
    out
}

fn write_rows(out: &mut String, title: &str, rows: &Map<String, Value>) {
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let most = rows.values().map(count).max().unwrap_or_default();
    let names: Vec<String> = rows.keys().map(|name| label(name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    // Writing to text cannot fail.
    let _ = writeln!(out, "\n{title} {}", rows.values().map(count).sum::<u64>());
    for (name, value) in names.iter().zip(rows.values()) {
        let pad = " ".repeat(width - name.chars().count());
        let count = count(value);
        let _ = writeln!(out, "  {name}{pad}  {count:>9}  {}", bar(count as f64, most as f64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_encoded_and_parameters_follow() {
        let asked = Tock {
            id: Some("/a b.c".to_owned()),
            site: None,
            range: Some("7d".to_owned()),
            from: None,
            to_day: None,
            bots: Some("only".to_owned()),
            output: None,
            through: super::super::args::Through::default(),
        };
        assert_eq!(address(&asked, Output::Json), "/tock/%2Fa%20b%2Ec.json?range=7d&bots=only");
        assert_eq!(address(&Tock { id: None, range: None, bots: None, ..asked }, Output::Csv), "/tock.csv");
    }

    #[test]
    fn a_table_has_bars_in_proportion() {
        let answer = json!({"views": {"2015-01-22": 8, "2015-01-21": 4}, "downloads": {}, "referers": {}});
        let text = table(Some("/x"), &answer);
        assert!(text.starts_with("/x\n\nviews 12\n"), "{text}");
        assert!(text.contains(&format!("2015-01-22          8  {}\n", "█".repeat(30))), "{text}");
        assert!(text.contains(&format!("2015-01-21          4  {}\n", "█".repeat(15))), "{text}");
        assert_eq!(table(None, &json!({})), "the whole site\nnothing yet in this range\n");
    }
}
