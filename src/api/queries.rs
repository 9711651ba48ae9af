//! `/queries`: custom queries: listed, shown, asked by their parameters, put and deleted.
//! - A key that is bound to a site sees and asks no query that is fixed to another, nor one that does not read any more: whose
//!   that is cannot be told.
//! - What a file configures is shown and not changed: 409.
//! - Absent: what a definition may be (`query::custom`), how it is answered (`query`).

use super::Parts;
use super::ask::unfits;
use super::format::{Format, json};
use super::query::answer;
use crate::catalog::CatalogError;
use crate::catalog::queries::Put;
use crate::http::query::{Parameters, cut, pairs};
use crate::http::{Body, Caller, Problem, Type};
use crate::query::custom::book::{BookError, Entry};
use crate::query::custom::text::Form;
use crate::query::custom::{BYTES_MAX, Definition, NAME, SHARED, is_name};
use axum::Extension;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json as object};
use std::sync::Arc;

/// `GET /queries.json`.
pub(super) async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Parameters::read(query.as_deref(), &[])?;
    let entries = visible(&parts, &caller).await?;
    Ok(json(&object!({"queries": entries.iter().map(listed).collect::<Vec<_>>()})))
}

/// `GET /queries/NAME`, and `GET /queries/NAME.FORMAT`, which asks it.
pub(super) async fn get(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (name, format) = match path.rsplit_once('.') {
        Some((name, "json")) => (name, Some(Format::Json)),
        Some((name, "csv")) => (name, Some(Format::Csv)),
        _ => (path.as_str(), None),
    };
    let definition = found(&parts, &caller, name).await?;
    let Some(format) = format else {
        Parameters::read(query.as_deref(), &[])?;
        return Ok(json(&definition.written));
    };
    let given = pairs(query.as_deref().unwrap_or_default()).map_err(|message| Problem::invalid("query", message))?;
    let (shared, own): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| SHARED.contains(&name.as_str()));
    let mut question = definition.fill(&own).map_err(unfits)?;
    share(&mut question, &Parameters::of(shared, &SHARED)?)?;
    let read = parts.query(&caller, &question).await;
    answer(&parts, &read.map_err(|problem| problem.placed(|at| definition.origin_of(at)))?, format).await
}

/// Puts the parameters that every query takes into a question.
fn share(question: &mut Value, shared: &Parameters) -> Result<(), Problem> {
    let Some(members) = question.as_object_mut() else { return Ok(()) };
    if let Some(site) = shared.get("site") {
        let own = ["site_id", "site"].into_iter().find_map(|name| members.get(name)?.as_str());
        if let Some(own) = own.filter(|own| *own != site) {
            return Err(Problem::invalid("site", format!("this query is of the site {:?}, and of no other", cut(own))));
        }
        members.insert("site_id".to_owned(), site.into());
    }
    if let Some(partial) = shared.choice("partial", &[("true", Some(true)), ("false", Some(false))], None)? {
        members.insert("partial".to_owned(), partial.into());
    }
    Ok(())
}

/// `PUT /queries/NAME`.
pub(super) async fn put(
    State(parts): State<Arc<Parts>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    Parameters::read(head.uri.query(), &[])?;
    let body = parts.bodies.read(&head.headers, body).await?;
    if !is_name(&name) {
        return Err(Problem::invalid("name", format!("{:?} is no name of a query: that is {NAME}", cut(&name))));
    }
    if body.len() > BYTES_MAX {
        let detail = format!("a query has at most {BYTES_MAX} bytes, this one {}", body.len());
        return Err(Problem::new(Type::TooLarge, detail));
    }
    let form = form(&head.headers, &body)?;
    let changed = off_thread(&parts, move |parts| {
        let definition = Definition::read_text(&body, form).map_err(unfits)?;
        definition.try_out(&parts.goals, parts.clock.now()).map_err(unfits)?;
        let put = parts.queries.put(&name, &definition).map_err(|error| unchanged(&error))?;
        Ok((put, definition.written))
    });
    let (put, written) = changed.await??;
    let status = if put == Put::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, json(&written)).into_response())
}

/// How a body is written: as its type says; without one, JSON begins with a brace.
fn form(headers: &HeaderMap, body: &Body) -> Result<Form, Problem> {
    let named = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    match named.map(|named| named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()).as_deref() {
        None if body.trim_ascii_start().starts_with(b"{") => Ok(Form::Json),
        Some("application/json") => Ok(Form::Json),
        None | Some("application/toml") => Ok(Form::Toml),
        Some(_) => {
            let detail = "a query is sent as application/toml or application/json";
            Err(Problem::new(Type::UnsupportedType, detail))
        }
    }
}

/// `DELETE /queries/NAME`.
pub(super) async fn delete(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> Result<Response, Problem> {
    let removed = off_thread(&parts, move |parts| parts.queries.remove(&name));
    match removed.await? {
        Ok(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(false) => Err(absent()),
        Err(error) => Err(unchanged(&error)),
    }
}

/// The queries that a caller may ask, by name.
pub(super) async fn visible(parts: &Arc<Parts>, caller: &Caller) -> Result<Vec<Entry>, Problem> {
    let entries = off_thread(parts, |parts| parts.queries.list()).await?.map_err(|error| failed(&error))?;
    let may_see = |entry: &Entry| match &entry.definition {
        Ok(definition) => may_ask(caller, definition).is_ok(),
        Err(_) => caller.bound().is_none(),
    };
    Ok(entries.into_iter().filter(may_see).collect())
}

fn may_ask(caller: &Caller, definition: &Definition) -> Result<(), Problem> {
    definition.site().map_or(Ok(()), |site| caller.site(Some(site)).map(drop))
}

/// The query of a name, which this caller may ask.
async fn found(parts: &Arc<Parts>, caller: &Caller, name: &str) -> Result<Definition, Problem> {
    let asked = name.to_owned();
    let entry = off_thread(parts, move |parts| parts.queries.get(&asked)).await?.map_err(|error| failed(&error))?;
    match entry.ok_or_else(absent)?.definition {
        Ok(definition) => may_ask(caller, &definition).map(|()| definition),
        Err(_) if caller.bound().is_some() => Err(absent()),
        // It was put by another version of the program.
        Err(errors) => Err(unfits(errors).placed(|at| format!("{name}: {at}"))),
    }
}

fn listed(entry: &Entry) -> Value {
    let mut shown = object!({"name": entry.name, "from": entry.origin.name()});
    match &entry.definition {
        Ok(definition) => {
            let parameters = definition.parameters.iter().map(|(name, parameter)| {
                let mut shown = definition.written["parameters"][name].clone();
                shown["name"] = name.as_str().into();
                shown["required"] = parameter.default.is_none().into();
                shown
            });
            shown["parameters"] = parameters.collect();
            shown["title"] = definition.written["title"].clone();
            shown["description"] = definition.written["description"].clone();
        }
        Err(errors) => {
            let errors = errors.iter().map(|error| object!({"at": error.at, "message": error.message}));
            shown["errors"] = errors.collect();
        }
    }
    shown
}

/// The catalog blocks: it is asked off the runtime's threads.
async fn off_thread<T: Send + 'static>(
    parts: &Arc<Parts>,
    work: impl FnOnce(&Parts) -> T + Send + 'static,
) -> Result<T, Problem> {
    let parts = Arc::clone(parts);
    let done = tokio::task::spawn_blocking(move || work(&parts)).await;
    done.map_err(|error| Problem::failed(crate::error::Kind::Internal, &error))
}

fn absent() -> Problem {
    Problem::new(Type::NotFound, "there is no query of this name; GET /queries.json lists them")
}

fn unchanged(error: &BookError) -> Problem {
    match error {
        BookError::Filed { .. } => Problem::new(Type::Conflict, error.to_string()),
        BookError::Catalog(error) => failed(error),
    }
}

fn failed(error: &CatalogError) -> Problem {
    Problem::failed(error.kind(), error)
}
