//! `/funnels`: how many come how far through steps, those of a question or of a funnel that the site has a name for.
//! - What all questions take may stand in the body or in the address, each once.

use super::Parts;
use super::ask::{Asked, known, marked, unfit};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use crate::event::Key;
use crate::http::query::{Parameters, decode, pairs};
use crate::http::{Caller, Problem, Type};
use crate::query;
use crate::query::meta::Meta;
use crate::report::funnels::definition::{self, Definition, Words};
use crate::report::funnels::{self, Funnel, Question, Step};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

const OWN: [&str; 5] = ["window", "strict", "by", "over", "limit"];

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
    let asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let definition = Definition::of(&steps, parts.goals(&asked.site)).map_err(unfit)?;
    answer(&parts, asked, definition, &parameters, format).await
}

/// `GET /funnels/{name}.FORMAT`: parameters go over what the configuration says of the funnel.
pub(super) async fn named(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (path, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let raw = path.strip_prefix("/funnels/").unwrap_or_default();
    let name = decode(raw).unwrap_or_else(|| raw.to_owned());
    let definition =
        definition::named(parts.funnels(&asked.site), &name).map_err(|why| Problem::new(Type::NotFound, why))?.clone();
    answer(&parts, asked, definition, &parameters, format).await
}

async fn answer(
    parts: &Parts,
    asked: Asked,
    definition: Definition,
    parameters: &Parameters,
    format: Format,
) -> Result<Response, Problem> {
    let [window, strict, over, by] = ["window", "strict", "over", "by"].map(|name| parameters.get(name));
    let definition = definition.with(Words { window, strict, over, by }).map_err(unfit)?;
    parts.check_keys(&definition.keys()).await?;
    let store = asked.wanted.store(parts);
    let question = Question {
        site: asked.site,
        range: asked.when.range,
        bots: asked.bots,
        only: asked.only,
        definition,
        limit: parameters.number("limit", 1..=10_000, 100)?,
        limits: parts.questions.limits,
    };
    let funnel = parts.ask("funnels", funnels::funnel(store, &question)).await?;
    let by = question.definition.by.as_ref().map(Key::name);
    Ok(marked(written(format, by, &funnel), &funnel.meta.damaged_days))
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
    let others = members.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    });
    Ok((steps, others.collect()))
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
