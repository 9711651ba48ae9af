//! `/times`: percentiles of a key's numbers, of all events or by the values of a key or by time.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::event::{Key, Known, Shape};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::query::meta::Meta;
use crate::query::names;
use crate::query::number::json as number;
use crate::report::times::{self, By, Of, PERCENTILES, Question, Row, Times};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

const OWN: [&str; 3] = ["metric", "by", "limit"];

/// `GET /times.FORMAT?metric=&by=`.
pub(super) async fn times(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let mut asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let (of, by) = (metric(&parameters)?, by(&parameters)?);
    asked.begin(&parts).await?;
    let named = [(of.key(), "metric".to_owned())].into_iter().chain(by.key().map(|key| (key.clone(), "by".to_owned())));
    parts.check_keys(&named.collect::<Vec<_>>()).await?;
    let question = Question {
        site: asked.site,
        of,
        by,
        range: asked.when.range,
        bots: asked.bots,
        only: asked.only,
        limit: parameters.number("limit", 1..=10_000, 100)?,
        limits: parts.questions.limits,
    };
    let answer = parts.ask("times", times::times(asked.wanted.store(&parts), &question)).await;
    let answer = answer.map_err(|problem| problem.about("by"))?;
    Ok(marked(written(format, parameters.get("by"), &answer), &answer.meta.damaged_days))
}

fn metric(parameters: &Parameters) -> Result<Of, Problem> {
    let name = parameters.get("metric").ok_or_else(|| {
        let text = "metric is needed: time_on_page, scroll_depth or a key that holds numbers, such as lcp_ms";
        Problem::invalid("metric", text)
    })?;
    let of = match Of::per_view(name) {
        Some(of) => of,
        None => Of::Numbers(names::key(name).map_err(|message| Problem::invalid("metric", message))?),
    };
    if let Of::Numbers(Key::Known(known)) = &of
        && !matches!(known.shape(), Shape::Int | Shape::Number)
    {
        let numbers = Known::all().filter(|known| matches!(known.shape(), Shape::Int | Shape::Number));
        let numbers: Vec<&str> = numbers.map(Known::name).collect();
        let text =
            format!("{name} holds no numbers; {}, and keys of your own that hold numbers do", numbers.join(", "));
        return Err(Problem::invalid("metric", text));
    }
    Ok(of)
}

fn by(parameters: &Parameters) -> Result<By, Problem> {
    let Some(name) = parameters.get("by") else { return Ok(By::Nothing) };
    let by = match names::time(name) {
        Some(interval) => interval.map(By::Time),
        None => names::key(name).map(By::Key),
    };
    by.map_err(|message| Problem::invalid("by", message))
}

#[derive(Serialize)]
struct Answer<'a> {
    results: Vec<Shown<'a>>,
    meta: &'a Meta,
}

/// One row: the key with its value, the count, the percentiles, the rating.
struct Shown<'a> {
    by: Option<&'a str>,
    row: &'a Row,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row { label, count, percentiles, rating } = self.row;
        let mut map = serializer.serialize_map(None)?;
        if let Some(by) = self.by {
            map.serialize_entry(by, label)?;
        }
        map.serialize_entry("count", count)?;
        for ((name, _), value) in PERCENTILES.iter().zip(percentiles) {
            map.serialize_entry(name, &number(*value))?;
        }
        map.serialize_entry("rating", &rating.map(|rating| rating.name()))?;
        map.end()
    }
}

fn written(format: Format, by: Option<&str>, answer: &Times) -> Response {
    if format != Format::Csv {
        let results = answer.rows.iter().map(|row| Shown { by, row }).collect();
        return json(&Answer { results, meta: &answer.meta });
    }
    let names = by.into_iter().chain(["count"]).chain(PERCENTILES.map(|(name, _)| name)).chain(["rating"]);
    let mut csv = Csv::new(names);
    for row in &answer.rows {
        let label = by.map(|_| row.label.as_deref().map_or(Cell::Empty, Cell::Text));
        let numbers = row.percentiles.map(number);
        let rating = row.rating.map_or(Cell::Empty, |rating| Cell::Text(rating.name()));
        let cells = label.into_iter().chain([Cell::Number(row.count)]).chain(numbers.iter().map(Cell::Json));
        csv.row(cells.chain([rating]));
    }
    csv.into_response()
}
