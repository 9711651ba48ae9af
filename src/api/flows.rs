//! `/flows`: how visits go from page to page.
//! - A page that begins with `/` is brought to the one form in which paths are stored.

use super::Parts;
use super::ask::{Asked, known, marked};
use super::csv::{Cell, Csv};
use super::format::{Format, json};
use super::tock::stored_page;
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::query::meta::Meta;
use crate::report::flows::{self, Edge, Flow, Node, Question, STEPS_MAX, Way};
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

const OWN: [&str; 4] = ["from_path", "to_path", "steps", "limit"];

#[derive(Serialize)]
struct Answer<'a> {
    edges: &'a [Edge],
    nodes: &'a [Node],
    meta: &'a Meta,
}

/// `GET /flows.FORMAT?from_path=&to_path=&steps=`.
pub(super) async fn flows(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (_, format) = Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &known(&OWN))?;
    let asked = Asked::of_events(&parts, &caller, &parameters).await?;
    let page = |name| parameters.get(name).map(|page| stored_page(&parts, &asked.site, page));
    let way = match (page("from_path"), page("to_path")) {
        (None, None) => Way::Whole,
        (Some(page), None) => Way::From(page),
        (None, Some(page)) => Way::To(page),
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("to_path", "from_path and to_path exclude each other".to_owned()));
        }
    };
    if let Some(why) = flows::unfit(&asked.only) {
        return Err(Problem::invalid("where", why));
    }
    let steps = parameters.number("steps", 1..=STEPS_MAX, 1)?;
    if way == Way::Whole && steps > 1 {
        let text = "several steps begin at from_path or end at to_path; (entry) and (exit) are pages too";
        return Err(Problem::invalid("steps", text.to_owned()));
    }
    let (limit, limits) = (parameters.number("limit", 1..=10_000, 100)?, parts.questions.limits);
    let store = asked.wanted.store(&parts);
    let (range, bots, only) = (asked.when.range, asked.bots, asked.only);
    let question = Question { site: asked.site, range, bots, only, way, steps, limit, limits };
    let flow = parts.ask("flows", flows::flow(store, &question)).await?;
    Ok(marked(written(format, &flow), &flow.meta.damaged_days))
}

fn written(format: Format, flow: &Flow) -> Response {
    if format != Format::Csv {
        return json(&Answer { edges: &flow.edges, nodes: &flow.nodes, meta: &flow.meta });
    }
    let mut csv = Csv::new(["step", "from", "to", "weight"]);
    for edge in &flow.edges {
        let step = edge.step.map_or(Cell::Empty, |step| Cell::Number(step as u64));
        csv.row([step, Cell::Text(&edge.from), Cell::Text(&edge.to), Cell::Number(edge.weight)]);
    }
    csv.into_response()
}
