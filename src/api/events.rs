//! `/events`: the events themselves, newest first, a page at a time.
//! - `q` searches `message` and `stack`; a text without a word is refused.
//! - A page ends with a cursor; handed back as `after` it begins the next one.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::event::{Event, Key};
use crate::http::query::{Parameters, cut};
use crate::http::{Caller, Problem};
use crate::query::meta::Meta;
use crate::query::scope::of_site;
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::store::words::phrases;
use crate::store::{Cursor, Page};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

const OWN: [&str; 3] = ["limit", "after", "q"];

/// Bytes of a search at the most.
const SEARCH_BYTES_MAX: usize = 1_024;

/// Bytes of a cursor at the most.
const CURSOR_BYTES_MAX: usize = 512;

#[derive(Serialize)]
struct Answer {
    events: Vec<Value>,
    next: Option<String>,
    meta: Meta,
}

/// `GET /events.FORMAT`.
pub(super) async fn events(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let limit = parameters.number("limit", 1..=1_000, 100)?;
    let after = parameters.get("after");
    if after.is_some_and(|after| after.len() > CURSOR_BYTES_MAX) {
        return Err(Problem::invalid("after", "after is no cursor of an earlier page"));
    }
    let after = after.map(|after| Cursor(after.to_owned()));
    let range = TimeRange { key: TimeKey::Timestamp, from: asked.when.range.from, to: asked.when.range.to };
    let filter = of_site(&asked.site, asked.bots).and(asked.only).and(searched(&parameters)?);
    let found = asked.wanted.store(&parts).events(&filter, range, after.as_ref(), limit);
    let found = parts.ask("events", found).await.map_err(|problem| problem.about("after"))?;
    let meta = Meta::of(asked.wanted.store(&parts), &asked.site, &asked.when.range, asked.bots);
    let meta = parts.ask("days", meta).await?;
    let damaged = meta.damaged_days.clone();
    Ok(marked(written(format, found, meta), &damaged))
}

/// What `q` asks.
pub(super) fn searched(parameters: &Parameters) -> Result<Filter, Problem> {
    let Some(text) = parameters.get("q") else { return Ok(Filter::All) };
    if text.len() > SEARCH_BYTES_MAX {
        return Err(Problem::invalid("q", format!("q is longer than {SEARCH_BYTES_MAX} bytes")));
    }
    if phrases(text).is_empty() {
        let message = format!("q is {:?}, without a word; it may be words and \"quoted phrases\"", cut(text));
        return Err(Problem::invalid("q", message));
    }
    Ok(Filter::Search(text.to_owned()))
}

fn written(format: Format, page: Page, meta: Meta) -> Response {
    if format == Format::Csv {
        return csv(&page.events);
    }
    let events = page.events.iter().map(Event::to_json).collect();
    json(&Answer { events, next: page.next.map(|cursor| cursor.0), meta })
}

/// A column for every key that one of the events has.
fn csv(events: &[Event]) -> Response {
    let keys: BTreeSet<&Key> = events.iter().flat_map(|event| event.fields().iter().map(|(key, _)| key)).collect();
    let mut csv = Csv::new(keys.iter().map(|key| key.name()));
    for event in events {
        let held: Vec<Option<Value>> = keys
            .iter()
            .map(|key| {
                let value = event.get(key)?;
                Some(match key {
                    Key::Known(known) => known.shape().json(value),
                    Key::Free(_) => value.json(),
                })
            })
            .collect();
        let texts: Vec<Option<String>> =
            held.iter().map(|value| value.as_ref().filter(|value| value.is_array()).map(Value::to_string)).collect();
        csv.row(held.iter().zip(&texts).map(|(value, list)| match (value, list) {
            (_, Some(list)) => Cell::Text(list),
            (Some(Value::String(text)), None) => Cell::Text(text),
            (Some(scalar), None) => Cell::Json(scalar),
            (None, None) => Cell::Empty,
        }));
    }
    csv.into_response()
}
