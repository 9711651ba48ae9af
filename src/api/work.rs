//! Work: jobs and imports over the wire, for admin keys alone.
//! - A job is begun and asked after; an import is begun, fed with lines, and ended, which seals the days it touched.
//! - Absent: what is done (`jobs`), and the files of an import (`shell`).

use super::format::json;
use crate::error::Kind;
use crate::event::Day;
use crate::http::{Bodies, Caller, Need, Problem, Routes, Type, chain, query::Parameters};
use crate::indexer::{Handle, Loss, Sealing};
use crate::ingest::{Receipt, Rejected};
use crate::jobs::JobError;
use crate::jobs::imports::{Coming, Imports};
use crate::jobs::registry::{Registry, TooMany};
use crate::jobs::verify::{Pace, mend, verify};
use crate::journal::Journal;
use crate::normalize::access_line::LineFormat;
use crate::store::Store;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json as object;
use std::sync::Arc;

/// Bytes of a site's name.
const SITE_BYTES_MAX: usize = 64;
const FORMATS: &str = "combined, common, vhost, json, cloudfront or fluentd";

/// What the routes stand on.
pub struct Parts {
    /// Where events wait.
    pub journal: Journal,
    /// Where events are.
    pub store: Arc<dyn Store>,
    /// Seals days.
    pub indexer: Handle,
    /// Reads bodies within bounds.
    pub bodies: Bodies,
    /// Jobs, begun and ended.
    pub jobs: Registry,
    /// Imports under way.
    pub imports: Imports,
}

/// The routes of long work.
pub fn routes(parts: &Arc<Parts>) -> Routes {
    Routes::default()
        .add(Method::POST, &["/jobs"], Need::Admin, begin_job, parts)
        .add(Method::GET, &["/jobs/{id}"], Need::Admin, job, parts)
        .add(Method::POST, &["/imports"], Need::Admin, begin_import, parts)
        .add(Method::POST, &["/imports/{id}/lines"], Need::Admin, import_lines, parts)
        .add(Method::POST, &["/imports/{id}/end"], Need::Admin, end_import, parts)
}

/// What a job is to do.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Asked {
    Seal {
        #[serde(default)]
        days: Vec<String>,
    },
    Verify {
        #[serde(default)]
        days: Vec<String>,
        #[serde(default)]
        recount: bool,
        #[serde(default)]
        repair: bool,
        #[serde(default)]
        accept_loss: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeginImport {
    #[serde(default)]
    site: Option<String>,
    #[serde(default)]
    live: bool,
}

#[derive(Serialize)]
struct Taken<'a> {
    accepted: u64,
    duplicates: u64,
    bots: u64,
    rejected: Vec<NotTaken<'a>>,
}

#[derive(Serialize)]
struct NotTaken<'a> {
    at: usize,
    reason: &'static str,
    message: &'a str,
}

async fn begin_job(State(parts): State<Arc<Parts>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let body = parts.bodies.read(&headers, body).await?;
    let asked: Asked = read(&body)?;
    let begun = match asked {
        Asked::Seal { days } => {
            let (days, indexer) = (read_days(&days)?, parts.indexer.clone());
            parts.jobs.begin("seal", |progress| async move {
                let which = if days.is_empty() { Sealing::All } else { Sealing::Days(days) };
                let sealed = indexer.seal(which).await.map_err(|error| chain(&error))?;
                progress.advance(sealed.len() as u64);
                let sealed: Vec<String> = sealed.iter().map(Day::to_string).collect();
                Ok(object!({"sealed": sealed}))
            })
        }
        Asked::Verify { accept_loss: true, repair: false, .. } => {
            return Err(Problem::invalid("accept_loss", "accept_loss needs repair: true"));
        }
        Asked::Verify { days, recount, repair, accept_loss } => {
            let days = read_days(&days)?;
            let loss = if accept_loss { Loss::Accepted } else { Loss::Kept };
            begin_verify(&parts, days, recount, repair.then_some(loss))
        }
    };
    let id = begun.map_err(|busy| Problem::new(Type::Overloaded, busy.to_string()))?;
    Ok((StatusCode::ACCEPTED, json(&object!({"id": id}))).into_response())
}

fn begin_verify(parts: &Parts, days: Vec<Day>, recount: bool, repair: Option<Loss>) -> Result<u64, TooMany> {
    let (journal, store, indexer) = (parts.journal.clone(), parts.store.clone(), parts.indexer.clone());
    parts.jobs.begin("verify", |progress| async move {
        let found = verify(&journal, &*store, &days, recount, Pace::Full, &progress).await;
        let mut found = found.map_err(|error| chain(&error))?;
        if let Some(loss) = repair {
            found.repaired = Some(mend(&journal, &indexer, days, loss).await.map_err(|error| chain(&error))?);
        }
        serde_json::to_value(found).map_err(|error| error.to_string())
    })
}

async fn job(State(parts): State<Arc<Parts>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let status = id.parse().ok().and_then(|id| parts.jobs.status(id));
    let unknown =
        || Problem::new(Type::NotFound, "there is no such job; jobs are forgotten when the server is restarted");
    Ok(json(&status.ok_or_else(unknown)?))
}

async fn begin_import(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = parts.bodies.read(&headers, body).await?;
    let asked: BeginImport = read(&body)?;
    let site = caller.site(asked.site.as_deref())?;
    if site.len() > SITE_BYTES_MAX {
        return Err(Problem::invalid("site", format!("longer than {SITE_BYTES_MAX} bytes")));
    }
    let coming = if asked.live { Coming::Live } else { Coming::Whole };
    let id = parts.imports.begin(&site, coming).await.map_err(|error| refused(&error))?;
    Ok((StatusCode::CREATED, json(&object!({"id": id}))).into_response())
}

async fn import_lines(
    State(parts): State<Arc<Parts>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &["format"])?;
    let name = parameters.get("format").unwrap_or("combined");
    let format = LineFormat::named(name)
        .ok_or_else(|| Problem::invalid("format", format!("{name:?} is no format: {FORMATS}")))?;
    let body = parts.bodies.read(&headers, body).await?;
    let _turn = parts.bodies.turn(&body).await?;
    let receipt = parts.imports.lines(import_id(&id)?, format, &body).await.map_err(|error| refused(&error))?;
    Ok(json(&taken(&receipt)))
}

async fn end_import(State(parts): State<Arc<Parts>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let days = parts.imports.end(import_id(&id)?).await.map_err(|error| refused(&error))?;
    let days: Vec<String> = days.iter().map(Day::to_string).collect();
    Ok(json(&object!({"sealed": days})))
}

fn taken(receipt: &Receipt) -> Taken<'_> {
    let Receipt { accepted, duplicates, bots, rejected, .. } = receipt;
    Taken {
        accepted: *accepted,
        duplicates: *duplicates,
        bots: *bots,
        rejected: rejected.iter().map(not_taken).collect(),
    }
}

fn not_taken(Rejected { at, reason, message, .. }: &Rejected) -> NotTaken<'_> {
    NotTaken { at: *at, reason: reason.name(), message }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Problem::invalid("body", error.to_string()))
}

fn read_days(days: &[String]) -> Result<Vec<Day>, Problem> {
    let read = |text: &String| {
        Day::parse(text).ok_or_else(|| Problem::invalid("days", format!("{text:?} is no day such as 2026-03-01")))
    };
    days.iter().map(read).collect()
}

fn import_id(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| refused(&JobError::NoImport(0)))
}

fn refused(error: &JobError) -> Problem {
    match error {
        JobError::NoImport(_) => Problem::new(Type::NotFound, "there is no such import under way; begin it again"),
        JobError::Busy(why) => Problem::new(Type::Overloaded, why.clone()).retry_after(10),
        JobError::Ingest(error) if error.kind() == Kind::Invalid => Problem::new(Type::TooLarge, error.to_string()),
        _ => Problem::failed(error.kind(), error),
    }
}
