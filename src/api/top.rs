//! `/top`: the busiest items, or values of any key.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::event::Key;
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::query::meta::{COUNTING, Meta};
use crate::report::top::{self, By, Question, Row, Top};
use crate::store::plan::Counting;
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Names that mean intervals of time.
const TIMES: [&str; 4] = ["minute", "hour", "week", "month"];
const OWN: [&str; 4] = ["by", "metric", "counting", "limit"];

/// Bytes of a key's name at the most.
const KEY_BYTES_MAX: usize = 128;

#[derive(Serialize)]
struct Answer<'a> {
    results: Vec<Result<'a>>,
    meta: &'a Meta,
}

/// One row: the key with its value, the metric with its count.
struct Result<'a> {
    key: &'a str,
    metric: &'static str,
    row: &'a Row,
}

impl Serialize for Result<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.key, &self.row.0)?;
        map.serialize_entry(self.metric, &self.row.1)?;
        map.end()
    }
}

/// `GET /top.FORMAT?by=&metric=`.
pub(super) async fn top(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> std::result::Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let asked = Asked::read(&parts, &caller, &parameters).await?;
    let name = parameters.get("by").unwrap_or("id");
    if TIMES.contains(&name) {
        let fits = if name == "minute" { "hour" } else { name };
        let text = format!("{name} is a time and no key; /tock.json?interval={fits} answers by time");
        return Err(Problem::invalid("by", text));
    }
    if name.len() > KEY_BYTES_MAX {
        return Err(Problem::invalid("by", format!("by is longer than {KEY_BYTES_MAX} bytes")));
    }
    let question = Question {
        site: asked.site,
        key: Key::named(name),
        by: parameters.choice("metric", &By::NAMED, By::Views)?,
        range: asked.when.range,
        only: asked.only,
        site_zone: asked.site_zone,
        bots: asked.bots,
        counting: parameters.choice("counting", &COUNTING, Counting::Raw)?,
        limit: parameters.number("limit", 1..=10_000, 100)?,
        limits: parts.questions.limits,
    };
    let answer = parts.ask("top", top::top(asked.wanted.store(&parts), &question)).await?;
    Ok(marked(written(format, name, question.by.name(), &answer), &answer.meta.damaged_days))
}

fn written(format: Format, key: &str, metric: &'static str, answer: &Top) -> Response {
    if format == Format::Csv {
        let mut csv = Csv::new([key, metric]);
        for (label, count) in &answer.rows {
            csv.row([label.as_deref().map_or(Cell::Empty, Cell::Text), Cell::Number(*count)]);
        }
        return csv.into_response();
    }
    let results = answer.rows.iter().map(|row| Result { key, metric, row }).collect();
    json(&Answer { results, meta: &answer.meta })
}
