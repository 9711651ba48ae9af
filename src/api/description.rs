//! `/openapi.json`: the description of the API: what is committed, and beside it each custom query with its parameters.
//! - The description is open to all; what the custom queries are called and ask is told to those alone who may read them.

use super::Parts;
use super::format::{json, typed};
use super::queries::visible;
use crate::http::{Caller, Problem};
use crate::query::custom::Definition;
use crate::query::custom::parameter::{Kind, Parameter, TEXT_BYTES_MAX, TEXTS_MAX};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json as object};
use std::sync::Arc;

const DESCRIPTION: &str = include_str!("../../openapi.json");
/// The path that stands for every custom query.
const ANY: &str = "/queries/{name}.json";

/// `GET /openapi.json`.
pub(super) async fn description(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let entries = if caller.may_read { visible(&parts, &caller).await? } else { Vec::new() };
    let queries = entries.into_iter().filter_map(|entry| Some((entry.name, entry.definition.ok()?)));
    let queries: Vec<(String, Definition)> = queries.collect();
    match serde_json::from_str::<Value>(DESCRIPTION) {
        Ok(mut whole) if !queries.is_empty() => {
            for (name, definition) in &queries {
                whole["paths"][format!("/queries/{name}.json")] = described(&whole["paths"][ANY], name, definition);
            }
            Ok(json(&whole))
        }
        _ => Ok(typed("application/json", DESCRIPTION)),
    }
}

/// The path of a query: that of any, with what is its own.
fn described(any: &Value, name: &str, definition: &Definition) -> Value {
    let mut path = any.clone();
    let operation = &mut path["get"];
    operation["operationId"] = format!("queries_{name}").into();
    operation["summary"] = definition.written["title"].as_str().unwrap_or(name).into();
    if let Some(description) = definition.written["description"].as_str() {
        operation["description"] = description.into();
    }
    let own = definition.parameters.iter().map(|(name, parameter)| parameter_of(name, parameter));
    let shared = ["site", "partial"].map(|name| object!({"$ref": format!("#/components/parameters/{name}")}));
    operation["parameters"] = own.chain(shared).collect();
    path
}

fn parameter_of(name: &str, parameter: &Parameter) -> Value {
    let mut shown = object!({"name": name, "in": "query", "schema": schema(parameter)});
    if parameter.default.is_none() {
        shown["required"] = true.into();
    }
    if let Some(title) = &parameter.title {
        shown["description"] = title.as_str().into();
    }
    if let Some(example) = &parameter.example {
        shown["example"] = example.clone();
    }
    shown
}

fn schema(parameter: &Parameter) -> Value {
    let mut one = match parameter.kind {
        Kind::Text | Kind::Texts => object!({"type": "string", "maxLength": TEXT_BYTES_MAX}),
        Kind::Integer => object!({"type": "integer"}),
        Kind::Number => object!({"type": "number"}),
        Kind::Boolean => object!({"type": "boolean"}),
    };
    if !parameter.choices.is_empty() {
        one["enum"] = parameter.choices.clone().into();
    }
    let bounds = [("minimum", parameter.min), ("maximum", parameter.max)];
    bounds.into_iter().for_each(|(name, bound)| {
        if let Some(bound) = bound {
            one[name] = bound.into();
        }
    });
    let mut schema =
        if parameter.is_list() { object!({"type": "array", "items": one, "maxItems": TEXTS_MAX}) } else { one };
    if let Some(default) = &parameter.default {
        schema["default"] = default.clone();
    }
    schema
}
