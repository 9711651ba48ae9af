//! `/errors`: errors grouped by what caused them, and one group with its newest events.

use super::Parts;
use super::ask::{Asked, Wanted, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::http::query::{Parameters, cut, decode};
use crate::http::{Caller, Problem, Type};
use crate::query::meta::Meta;
use crate::report::errors::{self, ErrorGroup, OneGroup, Question};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

const OWN: [&str; 1] = ["limit"];

#[derive(Serialize)]
struct Answer<'a> {
    results: &'a [ErrorGroup],
    meta: &'a Meta,
}

#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    group: &'a ErrorGroup,
    newest: &'a [serde_json::Value],
    meta: &'a Meta,
}

/// `GET /errors.FORMAT`.
pub(super) async fn errors(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let (question, wanted) = read(&parts, &caller, &uri).await?;
    let answer = parts.ask("errors", errors::errors(wanted.store(&parts), &question)).await;
    let errors::Errors { groups, meta } = answer.map_err(|problem| problem.about("range"))?;
    let response = match format {
        Format::Csv => csv(&groups),
        _ => json(&Answer { results: &groups, meta: &meta }),
    };
    Ok(marked(response, &meta.damaged_days))
}

/// `GET /errors/{fingerprint}.json`.
pub(super) async fn group(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let path = uri.path();
    let Some(text) = path.strip_prefix("/errors/").and_then(|rest| rest.strip_suffix(".json")) else {
        return Err(Problem::new(Type::NotFound, format!("{} does not end in .json", cut(path))));
    };
    let print = fingerprint(text)?;
    let (question, wanted) = read(&parts, &caller, &uri).await?;
    let answer = parts.ask("errors", errors::group(wanted.store(&parts), &question, print)).await;
    let Some(OneGroup { group, newest, meta }) = answer.map_err(|problem| problem.about("range"))? else {
        let [from, to] = question.range.ends();
        let detail = format!("no event of {} from {from} to {to} has the fingerprint {print:016x}", question.site);
        return Err(Problem::new(Type::NotFound, detail));
    };
    Ok(marked(json(&One { group: &group, newest: &newest, meta: &meta }), &meta.damaged_days))
}

/// A fingerprint as addresses have it.
fn fingerprint(raw: &str) -> Result<u64, Problem> {
    let text = decode(raw).unwrap_or_else(|| raw.to_owned());
    let is_hash = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let print = is_hash.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
    print
        .ok_or_else(|| Problem::invalid("fingerprint", format!("fingerprint is {:?}; it is 16 hex digits", cut(&text))))
}

async fn read(parts: &Parts, caller: &Caller, uri: &Uri) -> Result<(Question, Wanted), Problem> {
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let Asked { site, when, bots, only, wanted, .. } = Asked::of_events(parts, caller, &parameters).await?;
    let limit = parameters.number("limit", 1..=10_000, 100)?;
    Ok((Question { site, range: when.range, only, bots, limit, limits: parts.questions.limits }, wanted))
}

fn csv<'a>(groups: &'a [ErrorGroup]) -> Response {
    let header = ["fingerprint", "error_type", "message", "events", "visitors", "first_seen", "last_seen", "releases"];
    let mut csv = Csv::new(header);
    for group in groups {
        let text = |text: &'a Option<String>| text.as_deref().map_or(Cell::Empty, Cell::Text);
        let releases = group.releases.join(" ");
        csv.row([
            Cell::Text(&group.fingerprint),
            text(&group.error_type),
            text(&group.message),
            Cell::Number(group.events),
            Cell::Number(group.visitors),
            Cell::Text(&group.first_seen),
            Cell::Text(&group.last_seen),
            Cell::Text(&releases),
        ]);
    }
    csv.into_response()
}
