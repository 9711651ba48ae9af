//! `/recommendations`: items that are used together with one.
//! - The id is read as that of `/tock/{id}`: from the raw path, or from `id=` where proxies mend slashes.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use super::tock::{id_of_path, stored_id};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem, Type};
use crate::query::meta::Meta;
use crate::query::number::json as number;
use crate::report::recommendations::{self, Method, Over, Question, Recommendations, Recommended};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

const OWN: [&str; 3] = ["method", "over", "limit"];

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    method: Method,
    support: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    baskets: Option<u64>,
    results: &'a [Recommended],
    meta: &'a Meta,
}

/// `GET /recommendations/{id}.FORMAT`.
pub(super) async fn item(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (id, format) = id_of_path(&uri, "/recommendations/")?;
    if format == Format::Svg {
        return Err(Problem::new(Type::NotFound, "recommendations are answered as .json and .csv"));
    }
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    answer(&parts, &caller, &parameters, format, &id).await
}

/// `GET /recommendations.FORMAT?id=`.
pub(super) async fn asked(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &[&known(&OWN)[..], &["id"]].concat())?;
    let id = parameters.get("id").ok_or_else(|| Problem::invalid("id", "id is missing: the item to go with"))?;
    answer(&parts, &caller, &parameters, format, id).await
}

async fn answer(
    parts: &Parts,
    caller: &Caller,
    parameters: &Parameters,
    format: Format,
    id: &str,
) -> Result<Response, Problem> {
    let mut asked = Asked::of_events(parts, caller, parameters).await?;
    parameters.choice("method", &[("llr", Method::Llr)], Method::Llr)?;
    let over = parameters.choice("over", &Over::NAMED, Over::Visit)?;
    let limit = parameters.number("limit", 1..=10_000, 100)?;
    let item = stored_id(parts, &asked.site, id)?;
    asked.begin(parts).await?;
    let question = Question {
        item,
        over,
        range: asked.when.range,
        site_zone: asked.site_zone,
        only: asked.only,
        bots: asked.bots,
        limit,
        limits: parts.questions.limits,
        site: asked.site,
    };
    let found = recommendations::recommend(asked.wanted.store(parts), &question);
    let found = parts.ask("recommendations", found).await.map_err(|problem| problem.about("range"))?;
    Ok(marked(written(format, id, &found), &found.meta.damaged_days))
}

fn written(format: Format, id: &str, found: &Recommendations) -> Response {
    if format != Format::Csv {
        let Recommendations { method, support, baskets, results, meta } = found;
        return json(&Answer { id, method: *method, support: *support, baskets: *baskets, results, meta });
    }
    let mut csv = Csv::new(["id", "score", "together", "support", "views"]);
    let count = |count: Option<u64>| count.map_or(Cell::Empty, Cell::Number);
    for Recommended { id, score, together, support, views } in &found.results {
        let score = number(*score);
        csv.row([Cell::Text(id), Cell::Json(&score), count(*together), count(*support), count(*views)]);
    }
    csv.into_response()
}
