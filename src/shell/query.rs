//! `metronome query`: any question of the query language, or a custom query by its name, as a table with bars on a terminal, as
//! the API's JSON or CSV elsewhere.
//! - Rows stand as the API orders them: by time, ascending, the bars draw its course.
//! - Numbers are rounded in the table only.

use super::args::Output;
use super::table::{Column, Side, aligned, bar, label};
use super::{ShellError, client::Client};
use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// What stands where an event has no such key.
const NO_LABEL: &str = "(none)";
/// What stands where there is no number.
const NO_NUMBER: &str = "–";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// A question as JSON.
    Json(Vec<u8>),
    /// A custom query: its name with its parameters, as they stand in an address.
    Custom(String, String),
}

/// The question that an argument means: itself, where it begins with `{`; else a file's, or standard input's for `-`;
/// a custom query's, where it has parameters, or is a name that no file here has.
pub fn question(argument: &str, parameters: &[(String, String)]) -> Result<Question, ShellError> {
    let in_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    let is_name = argument != "-" && argument.bytes().all(in_name);
    if is_name && (!parameters.is_empty() || !Path::new(argument).exists()) {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        return Ok(Question::Custom(argument.to_owned(), pairs.collect::<Vec<_>>().join("&")));
    }
    if !parameters.is_empty() {
        let why = "parameters go with the name of a custom query".to_owned();
        return Err(ShellError::Format { path: Path::new(argument).to_owned(), why });
    }
    if argument.trim_start().starts_with('{') {
        return Ok(Question::Json(argument.as_bytes().to_vec()));
    }
    let mut question = Vec::new();
    let read = match argument {
        "-" => std::io::stdin().read_to_end(&mut question).map(|_| question),
        file => std::fs::read(file),
    };
    read.map(Question::Json).map_err(|source| ShellError::Read { path: Path::new(argument).to_owned(), source })
}

/// Asks and gives back what to print.
pub async fn run(
    client: &Client,
    question: Question,
    output: Option<Output>,
    terminal: bool,
) -> Result<String, ShellError> {
    let output = Output::chosen(output, terminal);
    let body = match (question, output) {
        (Question::Json(question), Output::Csv) => client.ask(Method::POST, "/query.csv", question).await?,
        (Question::Json(question), _) => client.ask(Method::POST, "/query", question).await?,
        (Question::Custom(name, parameters), output) => {
            let format = if output == Output::Csv { "csv" } else { "json" };
            client.ask(Method::GET, &format!("/queries/{name}.{format}?{parameters}"), Vec::new()).await?
        }
    };
    if output != Output::Table {
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
    table(&serde_json::from_slice(&body).map_err(|error| ShellError::Answer(error.to_string()))?)
}

fn table(answer: &Value) -> Result<String, ShellError> {
    let list = |value: &Value, name: &str| {
        let list = value[name].as_array().cloned();
        list.ok_or_else(|| ShellError::Answer(format!("it has no list of {name}")))
    };
    let (results, query, meta) = (list(answer, "results")?, &answer["query"], &answer["meta"]);
    let (dimensions, metrics) = (list(query, "dimensions")?, list(query, "metrics")?);
    let word = |name: &str| label(meta[name].as_str().unwrap_or_default());
    let mut out = format!("{}, {} to {} ({})\n\n", word("site"), word("from"), word("to"), word("tz"));
    if results.is_empty() {
        out.push_str("nothing in this range\n");
    } else {
        out.push_str(&aligned(&columns(&dimensions, &metrics, &results)));
    }
    let notes = meta["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    out.extend(notes.map(|note| format!("\n{note}\n")));
    Ok(out)
}

/// The dimensions, the metrics with what they changed by where that was asked, and the first metric's bars.
fn columns(dimensions: &[Value], metrics: &[Value], results: &[Value]) -> Vec<Column> {
    let title = |name: &Value| name.as_str().unwrap_or_default().to_owned();
    let mut columns = Vec::new();
    for (at, name) in dimensions.iter().enumerate() {
        let shown = |row: &Value| row["dimensions"][at].as_str().map_or_else(|| NO_LABEL.to_owned(), label);
        columns.push(Column::new(&title(name), Side::Left, results.iter().map(shown)));
    }
    let is_compared = results.iter().any(|row| row["comparison"].is_object());
    for (at, name) in metrics.iter().enumerate() {
        columns.push(Column::new(&title(name), Side::Right, results.iter().map(|row| number(&row["metrics"][at]))));
        if is_compared {
            let cells = results.iter().map(|row| change(&row["comparison"]["change"][at]));
            columns.push(Column::new("change", Side::Right, cells));
        }
    }
    // A bar beside nothing says nothing.
    if results.len() > 1 {
        let value = |row: &Value| row["metrics"][0].as_f64().unwrap_or_default();
        let most = results.iter().map(value).fold(0.0, f64::max);
        columns.push(Column::new("", Side::Left, results.iter().map(|row| bar(value(row), most))));
    }
    columns
}

/// A number, a fraction to three digits.
fn number(value: &Value) -> String {
    match value.as_f64() {
        None => NO_NUMBER.to_owned(),
        Some(_) if value.is_i64() || value.is_u64() => value.to_string(),
        Some(number) => {
            let rounded = format!("{number:.3}");
            let short = rounded.trim_end_matches('0').trim_end_matches('.');
            if short == "-0" { "0".to_owned() } else { short.to_owned() }
        }
    }
}

fn change(value: &Value) -> String {
    value.as_f64().map_or_else(|| NO_NUMBER.to_owned(), |percent| format!("{percent:+.1} %"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use serde_json::json;

    fn answer(dimensions: Value, metrics: Value, results: Value) -> Value {
        let meta = json!({"site": "shop", "from": "2026-03-01", "to": "2026-03-02", "tz": "UTC"});
        json!({"results": results, "meta": meta, "query": {"dimensions": dimensions, "metrics": metrics}})
    }

    #[test]
    fn rows_by_time_read_as_a_course() {
        let results = json!([
            {"dimensions": ["2026-03-01", "a.example"], "metrics": [4, 0.333_333]},
            {"dimensions": ["2026-03-02", null], "metrics": [8, null]},
        ]);
        let text = table(&answer(json!(["day", "source"]), json!(["visitors", "bounce_rate"]), results)).unwrap();
        let expected = format!(
            "shop, 2026-03-01 to 2026-03-02 (UTC)\n\n\
             day         source     visitors  bounce_rate\n\
             2026-03-01  a.example         4        0.333  {}\n\
             2026-03-02  (none)            8            –  {}\n",
            "█".repeat(15),
            "█".repeat(30),
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn one_row_has_no_bar_and_a_comparison_its_change() {
        let row =
            json!([{"dimensions": [], "metrics": [9, 1], "comparison": {"metrics": [8, 0], "change": [12.5, null]}}]);
        let mut answer = answer(json!([]), json!(["views", "errors"]), row);
        answer["meta"]["notes"] = json!(["days before 2026-01-01 have expired"]);
        let expected =
            "views   change  errors  change\n    9  +12.5 %       1       –\n\ndays before 2026-01-01 have expired\n";
        let text = table(&answer).unwrap();
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn an_empty_answer_says_so_and_a_strange_one_is_an_error() {
        let text = table(&answer(json!(["day"]), json!(["views"]), json!([]))).unwrap();
        assert!(text.ends_with("\n\nnothing in this range\n"), "{text}");
        assert!(matches!(table(&json!({})), Err(ShellError::Answer(_))));
    }

    #[test]
    fn fractions_are_rounded_and_whole_numbers_are_not() {
        let table = [
            (json!(1_234_567_890_123_u64), "1234567890123"),
            (json!(-7), "-7"),
            (json!(0.41), "0.41"),
            (json!(2.0), "2"),
            (json!(100.0), "100"),
            (json!(0.666_666), "0.667"),
            (json!(-0.000_1), "0"),
            (Value::Null, "–"),
        ];
        for (value, shown) in table {
            assert_eq!(number(&value), shown, "{value}");
        }
    }

    #[test]
    fn an_argument_is_a_question_or_names_a_file_with_one() {
        let json = |text: &str| Question::Json(text.as_bytes().to_vec());
        assert_eq!(question(" \n{\"metrics\":[]}", &[]).unwrap(), json(" \n{\"metrics\":[]}"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("views.json");
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(question(file.to_str().unwrap(), &[]).unwrap(), json("{}"));
        let missing = question("no-such.json", &[]).unwrap_err();
        assert_eq!(missing.to_string(), "read no-such.json");
        assert_eq!(missing.kind(), crate::error::Kind::Invalid);
    }

    #[test]
    fn a_name_is_a_custom_query_and_its_parameters_are_encoded() {
        let given = [("section".to_owned(), "/a b&c".to_owned()), ("n".to_owned(), "7".to_owned())];
        let custom = |parameters: &str| Question::Custom("pages".to_owned(), parameters.to_owned());
        assert_eq!(question("pages", &[]).unwrap(), custom(""));
        assert_eq!(question("pages", &given).unwrap(), custom("section=%2Fa%20b%26c&n=7"));
        for other in ["{}", "pages.json", "-"] {
            let refused = question(other, &given).unwrap_err().to_string();
            assert!(refused.contains("the name of a custom query"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_pipe_gets_the_answer_as_it_is_and_csv_is_asked_for_as_such() {
        let echo = |body: Bytes| async move { body };
        let router = Router::new().route("/query", post(echo)).route("/query.csv", post(|| async { "day,views\r\n" }));
        let client = Client::Local(router);
        let ask = async |output, terminal| run(&client, Question::Json(b"{\"a\": 1}".to_vec()), output, terminal).await;
        assert_eq!(ask(None, false).await.unwrap(), "{\"a\": 1}");
        assert_eq!(ask(Some(Output::Json), true).await.unwrap(), "{\"a\": 1}");
        assert_eq!(ask(Some(Output::Csv), true).await.unwrap(), "day,views\r\n");
        assert!(matches!(ask(None, true).await, Err(ShellError::Answer(_))));
    }
}
