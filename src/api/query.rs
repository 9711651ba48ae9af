//! `/query`: any question in one language, by body or by `q`; answers in Plausible's shape, or as CSV.

use super::Parts;
use super::ask::{Wanted, marked, unfit, unfits};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::query::number;
use crate::query::question::{Query, Setting, site_of};
use crate::query::read::read;
use crate::query::run::{Answered, QueryMeta, Shown, run};
use crate::query::{self, unfit::Unfit};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json as object};
use std::sync::Arc;

/// `GET /query.FORMAT?q=`.
pub(super) async fn asked_by_address(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &["q"])?;
    let example = r#"q={"metrics":["views"],"dimensions":["day"]}, URL-encoded"#;
    let q = parameters.get("q").ok_or_else(|| Problem::invalid("q", format!("q holds the query: {example}")))?;
    answered(&parts, &caller, &query::json::read(q.as_bytes(), "q").map_err(unfit)?, format).await
}

/// `POST /query` and `POST /query.FORMAT`.
pub(super) async fn asked_by_body(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let format = if request.uri().path().ends_with(".csv") { Format::Csv } else { Format::Json };
    Parameters::read(request.uri().query(), &[])?;
    let (head, body) = request.into_parts();
    let body = parts.bodies.read(&head.headers, body).await?;
    answered(&parts, &caller, &query::json::read(&body, "query").map_err(unfit)?, format).await
}

async fn answered(parts: &Parts, caller: &Caller, json: &Value, format: Format) -> Result<Response, Problem> {
    answer(parts, &parts.query(caller, json).await?, format).await
}

/// Answers a question that was read.
pub(super) async fn answer(parts: &Parts, query: &Query, format: Format) -> Result<Response, Problem> {
    let wanted = if query.is_partial { Wanted::Sound } else { Wanted::Whole };
    let answer = parts.ask("query", run(wanted.store(parts), query)).await.map_err(|problem| problem.about("query"))?;
    let damaged = answer.meta.meta.damaged_days.clone();
    Ok(marked(written(format, query, &answer), &damaged))
}

impl Parts {
    /// Reads a question and checks that there is what it speaks of.
    pub(super) async fn query(&self, caller: &Caller, json: &Value) -> Result<Query, Problem> {
        let site = caller.site(site_of(json).map_err(unfit)?)?;
        if site.len() > super::ask::SITE_BYTES_MAX {
            return Err(unfit(Unfit::new("site_id", "the site's name is too long")));
        }
        let setting = Setting {
            site_zone: self.sites.get(&site).zone.clone(),
            goals: self.goals(&site),
            now: self.clock.now(),
            limits: self.questions.limits,
            site: site.clone(),
        };
        let mut query = read(json, &setting).map_err(unfits)?;
        self.check_keys(&query.keys()).await?;
        query.when = self.kept(&site, query.when, "date_range").await?;
        if query.when.is_all {
            let days = self.ask("days", self.sound.days()).await?;
            query.when.begin_with(days.first().map(|state| state.day), &query.site_zone);
        }
        Ok(query)
    }
}

fn written(format: Format, query: &Query, answer: &Answered) -> Response {
    if format == Format::Csv {
        return csv(query, answer).into_response();
    }
    let results = answer.rows.iter().map(result).collect();
    json(&Wire { results, meta: &answer.meta, query: echo(query) })
}

#[derive(Serialize)]
struct Wire<'a> {
    results: Vec<Value>,
    meta: &'a QueryMeta,
    query: Value,
}

fn result(row: &Shown) -> Value {
    let numbers = |values: &[Option<f64>]| values.iter().copied().map(number::json).collect::<Vec<_>>();
    let mut result = object!({"dimensions": row.labels, "metrics": numbers(&row.values)});
    if let (Some(earlier), Some(members)) = (&row.compared, result.as_object_mut()) {
        let change = row.values.iter().zip(earlier).map(|(now, then)| number::json(change(*now, *then)));
        let comparison = object!({
            "dimensions": row.labels, "metrics": numbers(earlier), "change": change.collect::<Vec<_>>(),
        });
        members.insert("comparison".to_owned(), comparison);
    }
    result
}

/// How much more it is now, in per cent of what it was.
fn change(now: Option<f64>, then: Option<f64>) -> Option<f64> {
    let then = then.filter(|then| *then != 0.0)?;
    Some((now? - then) / then * 100.0)
}

/// The question as it was understood.
fn echo(query: &Query) -> Value {
    let metrics: Vec<String> = query.metrics.iter().map(|metric| metric.name()).collect();
    let dimensions: Vec<&str> = query.dimensions.iter().map(|dimension| dimension.name()).collect();
    object!({
        "site_id": query.site,
        "metrics": metrics,
        "date_range": query.when.range.ends(),
        "dimensions": dimensions,
        "filters": query.filters_asked,
        "pagination": {"limit": query.limit, "offset": query.offset},
    })
}

fn csv(query: &Query, answer: &Answered) -> Csv {
    let metrics: Vec<String> = query.metrics.iter().map(|metric| metric.name()).collect();
    let header = query.dimensions.iter().map(|dimension| dimension.name()).chain(metrics.iter().map(String::as_str));
    let mut csv = Csv::new(header);
    for row in &answer.rows {
        let numbers: Vec<Value> = row.values.iter().copied().map(number::json).collect();
        let labels = row.labels.iter().map(|label| label.as_deref().map_or(Cell::Empty, Cell::Text));
        let numbers = numbers.iter().map(|number| if number.is_null() { Cell::Empty } else { Cell::Json(number) });
        csv.row(labels.chain(numbers));
    }
    csv
}
