//! `/tock`: an item's usage, many items' at once, or the whole site's.
//! - The id is taken from the raw path: its escapes are decoded once, its last suffix is the format.
//! - An id that begins with `/` is a path, brought to the one form in which paths are stored.

use super::Parts;
use super::ask::{Asked, known, last_named, listed, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json, typed};
use super::svg::sparkline;
use crate::http::query::{Parameters, cut, decode};
use crate::http::{Caller, Problem, Type};
use crate::normalize::path;
use crate::query::meta::COUNTING;
use crate::query::range::Interval;
use crate::report::usage::{self, Field, Held, ItemUsage, Question};
use crate::store::plan::{Counting, Filter};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::HashMap;
use std::sync::Arc;

/// Ids in one question at the most.
const IDS_MAX: usize = 1_000;

/// Bytes of an id at the most.
const ID_BYTES_MAX: usize = 2_048;

const OWN: [&str; 5] = ["interval", "counting", "fill", "limit", "fields"];

const INTERVALS: [(&str, Interval); 4] =
    [("hour", Interval::Hour), ("day", Interval::Day), ("week", Interval::Week), ("month", Interval::Month)];

/// `GET /tock/{id}.FORMAT`.
pub(super) async fn item(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (id, format) = id_of_path(&uri, "/tock/")?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    one(&parts, &caller, &parameters, format, Some(id)).await
}

/// `GET /tock.FORMAT?id=`, and without `id` the whole site.
pub(super) async fn whole(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &[&known(&OWN)[..], &["id"]].concat())?;
    let id = parameters.given("id").map(str::to_owned);
    one(&parts, &caller, &parameters, format, id).await
}

/// `POST /tocks.FORMAT {"ids": […]}`.
pub(super) async fn many(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let (_, format) = Format::split(head.uri.path())?;
    let parameters = Parameters::read(head.uri.query(), &known(&OWN))?;
    let body = parts.bodies.read(&head.headers, body).await?;
    let ids = ids(&body)?;
    let (items, damaged) = answer(&parts, &caller, &parameters, Some(&ids), false).await?;
    let response = match format {
        Format::Csv => csv(&items, true),
        _ => json(&ById(&items)),
    };
    Ok(marked(response, &damaged))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ids {
    ids: Vec<String>,
}

fn ids(body: &[u8]) -> Result<Vec<String>, Problem> {
    let Ids { mut ids } = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid("body", format!("the body is not {{\"ids\":[\"…\"]}}: {error}")))?;
    if ids.len() > IDS_MAX {
        return Err(Problem::invalid("ids", format!("ids are {}; they may be {IDS_MAX} at the most", ids.len())));
    }
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// Items by the id they were asked by.
struct ById<'a>(&'a [(String, ItemUsage)]);

impl Serialize for ById<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, item)| (id, item)))
    }
}

async fn one(
    parts: &Parts,
    caller: &Caller,
    parameters: &Parameters,
    format: Format,
    id: Option<String>,
) -> Result<Response, Problem> {
    let ids = id.clone().map(|id| vec![id]);
    let (items, damaged) = answer(parts, caller, parameters, ids.as_deref(), format == Format::Svg).await?;
    let Some((_, item)) = items.first() else {
        return Err(Problem::new(Type::Internal, "the store answered no item"));
    };
    let response = match format {
        Format::Json => json(item),
        Format::Csv => csv(&items, false),
        Format::Svg => badge(&id.unwrap_or_else(|| "all".to_owned()), item),
    };
    Ok(marked(response, &damaged))
}

/// Answers by the ids as they were asked, and the days that something is lost of.
async fn answer(
    parts: &Parts,
    caller: &Caller,
    parameters: &Parameters,
    ids: Option<&[String]>,
    as_line: bool,
) -> Result<(Vec<(String, ItemUsage)>, Vec<String>), Problem> {
    let mut asked = Asked::read(parts, caller, parameters).await?;
    let stored = ids.map(|ids| ids.iter().map(|id| stored_id(parts, &asked.site, id)).collect::<Result<Vec<_>, _>>());
    let stored = stored.transpose()?;
    let interval = parameters.choice("interval", &INTERVALS, Interval::Day)?;
    let fill = parameters.choice("fill", &[("0", true)], as_line)?;
    // What is cut interval by interval must not begin long before the first event.
    if asked.when.is_all && (fill || is_of_events(&asked, interval)) {
        let days = parts.ask("days", parts.store.days()).await?;
        asked.when.begin_with(days.first().map(|state| state.day), &asked.site_zone);
    }
    let fields = match parameters.get("fields").filter(|_| !as_line) {
        Some(text) => listed("fields", text, &Field::NAMED)?,
        None if as_line => vec![Field::Views],
        None => Field::PLAIN.to_vec(),
    };
    let of_tables = |field: &Field| Field::PLAIN.contains(field) || *field == Field::Total;
    if is_of_events(&asked, interval) || !fields.iter().all(of_tables) {
        // Refused where none are kept; else what tables tell of the days before stays whole.
        parts.kept(&asked.site, asked.when.clone(), last_named(parameters)).await?;
    }
    let mut once: Vec<String> = stored.iter().flatten().cloned().collect();
    once.sort();
    once.dedup();
    let (damaged, store) = (asked.damaged(parts).await?, asked.wanted.store(parts));
    let question = Question {
        site: asked.site,
        ids: stored.as_ref().map(|_| once),
        range: asked.when.range,
        only: asked.only,
        site_zone: asked.site_zone,
        interval,
        bots: asked.bots,
        counting: parameters.choice("counting", &COUNTING, Counting::Raw)?,
        fill,
        limit: parameters.number("limit", 1..=10_000, 100)?,
        fields,
        limits: parts.questions.limits,
    };
    let items = parts.ask("tock", usage::usage(store, &question)).await;
    let items = items.map_err(|problem| problem.about("interval"))?;
    let (Some(ids), Some(stored)) = (ids, stored) else { return Ok((items, damaged)) };
    let items: HashMap<String, ItemUsage> = items.into_iter().collect();
    let as_asked =
        ids.iter().zip(&stored).map(|(id, stored)| (id.clone(), items.get(stored).cloned().unwrap_or_default()));
    Ok((as_asked.collect(), damaged))
}

/// Whether events are asked, and not item tables, whatever the fields.
fn is_of_events(asked: &Asked, interval: Interval) -> bool {
    interval == Interval::Hour || asked.is_elsewhere() || asked.only != Filter::All
}

/// The id in a path behind `prefix`, and the format behind it.
pub(super) fn id_of_path(uri: &Uri, prefix: &str) -> Result<(String, Format), Problem> {
    let (raw, format) = Format::split(uri.path().strip_prefix(prefix).unwrap_or_default())?;
    let id = decode(raw).ok_or_else(|| Problem::invalid("id", "the id in the path is not UTF-8 after decoding"))?;
    Ok((id, format))
}

/// The form in which an id is stored; one that is too long to be stored is refused.
pub(super) fn stored_id(parts: &Parts, site: &str, id: &str) -> Result<String, Problem> {
    let stored = stored_page(parts, site, id);
    if stored.len() > ID_BYTES_MAX {
        return Err(Problem::invalid("id", format!("{:?} is longer than {ID_BYTES_MAX} bytes", cut(&stored))));
    }
    Ok(stored)
}

/// The form in which a page is stored; what does not begin with `/` is none and stays as it is.
pub(super) fn stored_page(parts: &Parts, site: &str, page: &str) -> String {
    if page.starts_with('/') {
        return path::page(&path::split_path(page), parts.sites.get(site)).into_owned();
    }
    page.to_owned()
}

/// One line a count: its field, its key within the field, the count.
fn csv(items: &[(String, ItemUsage)], with_id: bool) -> Response {
    let header = ["id", "field", "key", "count"];
    let skip = usize::from(!with_id);
    let mut csv = Csv::new(header[skip..].iter().copied());
    for (id, item) in items {
        for (field, held) in &item.0 {
            let mut row = |key, count| {
                let cells = [Cell::Text(id), Cell::Text(field.name()), key, Cell::Number(count)];
                csv.row(cells[skip..].iter().copied());
            };
            match held {
                Held::Counts(counts) => counts.0.iter().for_each(|(key, count)| row(Cell::Text(key), *count)),
                Held::Number(count) => row(Cell::Empty, *count),
                Held::Total { views, downloads } => {
                    row(Cell::Text("views"), *views);
                    row(Cell::Text("downloads"), *downloads);
                }
            }
        }
    }
    csv.into_response()
}

fn badge(title: &str, item: &ItemUsage) -> Response {
    let counts: Vec<u64> = match item.0.first() {
        Some((_, Held::Counts(views))) => views.0.iter().rev().map(|(_, count)| *count).collect(),
        _ => Vec::new(),
    };
    let mut response = typed("image/svg+xml", sparkline(&cut(title), &counts));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}
