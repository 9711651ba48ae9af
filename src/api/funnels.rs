//! `/funnels`: how many come how far through steps.
//! - What all questions take may stand in the body or in the address, each once.

use super::Parts;
use super::ask::{Asked, known, marked, unfit};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::event::Key;
use crate::http::query::{Parameters, cut, pairs};
use crate::http::{Caller, Problem};
use crate::query;
use crate::query::meta::Meta;
use crate::report::funnels::run::Between;
use crate::report::funnels::{self, Funnel, Over, Question, STEPS_MAX, STEPS_MIN, Step};
use crate::store::plan::Filter;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const OWN: [&str; 5] = ["window", "strict", "by", "over", "limit"];
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

#[derive(Serialize)]
struct Answer<'a> {
    steps: &'a [Step],
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<Row<'a>>>,
    meta: &'a Meta,
}

/// One row: the key with its value, and its steps.
struct Row<'a>(&'a str, &'a funnels::Row);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.0, &self.1.0)?;
        map.serialize_entry("steps", &self.1.1)?;
        map.end()
    }
}

/// `POST /funnels.FORMAT {"steps": […]}`.
pub(super) async fn funnel(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let (_, format) = Format::split(head.uri.path())?;
    let in_address = pairs(head.uri.query().unwrap_or_default()).map_err(|text| Problem::invalid("query", text))?;
    let body = parts.bodies.read(&head.headers, body).await?;
    let (steps, in_body) = read(&body)?;
    let parameters = Parameters::of([in_address, in_body].concat(), &known(&OWN))?;
    let asked = Asked::read(&parts, &caller, &parameters).await?;
    let steps = filters(&parts, &asked.site, &steps).await?;
    let by = parameters.get("by").map(str::to_owned);
    let key = by.as_deref().map(query::names::key).transpose().map_err(|text| Problem::invalid("by", text))?;
    let named: Vec<(Key, String)> = key.iter().map(|key| (key.clone(), "by".to_owned())).collect();
    parts.check_keys(&named).await?;
    let between = [("true", Between::NoView), ("false", Between::Anything)];
    let store = asked.wanted.store(&parts);
    let question = Question {
        site: asked.site,
        range: asked.when.range,
        bots: asked.bots,
        only: asked.only,
        steps,
        window: parameters.get("window").map(window).transpose()?,
        between: parameters.choice("strict", &between, Between::Anything)?,
        over: parameters.choice("over", &Over::NAMED, Over::Visitor)?,
        by: key,
        limit: parameters.number("limit", 1..=10_000, 100)?,
        limits: parts.questions.limits,
    };
    let funnel = parts.ask("funnels", funnels::funnel(store, &question)).await?;
    Ok(marked(written(format, by.as_deref(), &funnel), &funnel.meta.damaged_days))
}

/// Names with their values.
type Pairs = Vec<(String, String)>;

/// The steps of a body, and what else stands in it as parameters would.
fn read(body: &[u8]) -> Result<(Vec<Value>, Pairs), Problem> {
    const SHAPE: &str = r#"the body is a funnel such as {"steps":[["is","path",["/a"]],["is","path",["/b"]]]}"#;
    let Value::Object(mut members) = query::json::read(body, "body").map_err(unfit)? else {
        return Err(Problem::invalid("body", SHAPE));
    };
    let Some(Value::Array(steps)) = members.remove("steps") else { return Err(Problem::invalid("steps", SHAPE)) };
    if !(STEPS_MIN..=STEPS_MAX).contains(&steps.len()) {
        let text = format!("steps are {}; there may be {STEPS_MIN} to {STEPS_MAX}", steps.len());
        return Err(Problem::invalid("steps", text));
    }
    let others = members.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    });
    Ok((steps, others.collect()))
}

async fn filters(parts: &Parts, site: &str, steps: &[Value]) -> Result<Vec<Filter>, Problem> {
    let mut filters = Vec::with_capacity(steps.len());
    let mut keys = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let at = format!("steps[{place}]");
        let filter = query::filter::read(step, &at, parts.goals(site)).map_err(unfit)?;
        keys.extend(query::keys::of_filter(&filter, &at));
        filters.push(filter);
    }
    parts.check_keys(&keys).await?;
    Ok(filters)
}

/// A span of time such as `30m`.
fn window(text: &str) -> Result<Duration, Problem> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
    let ms = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    ms.map(Duration::from_millis).ok_or_else(|| {
        let text = format!("window is {:?}; it may be a whole number with ms, s, m, h or d, such as 30m", cut(text));
        Problem::invalid("window", text)
    })
}

fn written(format: Format, by: Option<&str>, funnel: &Funnel) -> Response {
    if format != Format::Csv {
        let results = by.map(|by| funnel.rows.iter().map(|row| Row(by, row)).collect());
        return json(&Answer { steps: &funnel.steps, results, meta: &funnel.meta });
    }
    let own = ["step", "reached", "rate", "rate_from_previous", "median_ms"];
    let mut csv = Csv::new(by.into_iter().chain(own));
    let mut add = |label: Option<Cell<'_>>, steps: &[Step]| {
        for (at, step) in steps.iter().enumerate() {
            let of = |number: Option<f64>| number.map_or(Value::Null, Value::from);
            let wait = crate::query::number::json(step.median_ms);
            let (rate, from_previous) = (of(step.rate), of(step.rate_from_previous));
            let cells = [Cell::Number(at as u64 + 1), Cell::Number(step.reached)];
            let numbers = [&rate, &from_previous, &wait];
            let numbers = numbers.map(|value| if value.is_null() { Cell::Empty } else { Cell::Json(value) });
            csv.row(label.into_iter().chain(cells).chain(numbers));
        }
    };
    match by {
        None => add(None, &funnel.steps),
        Some(_) => {
            let rows = funnel.rows.iter();
            rows.for_each(|(label, steps)| add(Some(label.as_deref().map_or(Cell::Empty, Cell::Text)), steps));
        }
    }
    csv.into_response()
}
