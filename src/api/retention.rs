//! `/retention`: of those who came first in a period, the share that came in each later one.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem, Type};
use crate::query::meta::Meta;
use crate::query::number::json as number;
use crate::query::range::Interval;
use crate::report::retention::{self, Cohort, Question, Retention};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

const OWN: [&str; 1] = ["by"];

const PERIODS: [(&str, Interval); 3] = [("day", Interval::Day), ("week", Interval::Week), ("month", Interval::Month)];

#[derive(Serialize)]
struct Answer<'a> {
    cohorts: Vec<Shown<'a>>,
    meta: &'a Meta,
}

#[derive(Serialize)]
struct Shown<'a> {
    cohort: &'a str,
    size: u64,
    active: Vec<serde_json::Value>,
}

/// `GET /retention.FORMAT?by=`.
pub(super) async fn retention(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let mut asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let by = parameters.choice("by", &PERIODS, Interval::Week)?;
    asked.begin(&parts).await?;
    let question = Question {
        site: asked.site,
        by,
        range: asked.when.range,
        bots: asked.bots,
        only: asked.only,
        limits: parts.questions.limits,
    };
    let answer = parts.ask("retention", retention::retention(asked.wanted.store(&parts), &question)).await;
    match answer.map_err(|problem| problem.about("by"))? {
        Retention::Cohorts(cohorts, meta) => Ok(marked(written(format, &cohorts, &meta), &meta.damaged_days)),
        Retention::NobodyToFollow => Err(Problem::new(
            Type::Unsupported,
            "the events of this range have only visitors by daily salt, who are others on the next day by design: \
             nobody can be followed; send `user`, or a `visitor` of your own, with your events",
        )),
    }
}

fn written(format: Format, cohorts: &[Cohort], meta: &Meta) -> Response {
    let share = |share: &f64| number(Some(*share));
    if format != Format::Csv {
        let cohorts = cohorts.iter().map(|Cohort { cohort, size, active }| Shown {
            cohort,
            size: *size,
            active: active.iter().map(share).collect(),
        });
        return json(&Answer { cohorts: cohorts.collect(), meta });
    }
    let mut csv = Csv::new(["cohort", "size", "period", "active"]);
    for Cohort { cohort, size, active } in cohorts {
        for (period, active) in active.iter().map(share).enumerate() {
            csv.row([Cell::Text(cohort), Cell::Number(*size), Cell::Number(period as u64), Cell::Json(&active)]);
        }
    }
    csv.into_response()
}
