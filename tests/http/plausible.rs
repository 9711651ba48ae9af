//! The queries of Plausible's Stats API documentation (v2), sent as they stand: answered in its shape with the right numbers,
//! or refused by naming what is missing. `fixtures/queries/plausible.json` holds events, queries and what is expected.
//! - Where a query is refused, the same in words that are had here follows it.
//! - Two things differ by definition: rates are shares of one, and a visitor counts once a day.

use crate::arrived::stored;
use crate::support::{App, Setup, request};
use axum::body::Body;
use metronome::event::Known;
use metronome::query::filter;
use metronome::query::goal::Goal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const FIXTURE: &str = include_str!("../../fixtures/queries/plausible.json");
/// Cases at the least; a fixture that lost some would test less in silence.
const CASES_MIN: usize = 50;

#[tokio::test]
async fn documented_queries_are_answered_in_its_shape_or_refused_by_what_is_missing() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let app = app(&fixture).await;
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() >= CASES_MIN, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let query = case["query"].to_string();
        let said = app.send(request("POST", "/query").body(Body::from(query)).unwrap()).await;
        let differs = match case.get("refused") {
            Some(refused) => refusal_differs(said.status, &said.json(), refused),
            None => answer_differs(said.status, &said.json(), case),
        };
        wrong.extend(differs.map(|what| format!("{}: {}: {what}: {}", case["of"], case["query"], said.text())));
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

/// The fixture's events and goals, at its time.
async fn app(fixture: &Value) -> App {
    let lines: Vec<String> = fixture["events"].as_array().unwrap().iter().map(Value::to_string).collect();
    let goals = fixture["goals"].as_object().unwrap().iter().map(|(name, json)| Goal {
        name: name.clone(),
        filter: filter::read(json, "goal", &[]).unwrap(),
        value: Known::Value.into(),
    });
    let goals = HashMap::from([("dummy.site".to_owned(), goals.collect())]);
    let now = fixture["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    Setup { store: Arc::new(stored(&lines.join("\n")).await), goals, now, ..Setup::default() }.start()
}

/// What of an answer is not as the case says: its rows, the question it repeats, what it tells beside.
fn answer_differs(status: u16, answer: &Value, case: &Value) -> Option<&'static str> {
    let query = &case["query"];
    let row = |row: &Value| json!({"dimensions": row[0], "metrics": row[1]});
    let expected: Vec<Value> = case["results"].as_array().unwrap().iter().map(row).collect();
    let members: Vec<&String> = answer.as_object().map(|members| members.keys().collect()).unwrap_or_default();
    let long = |list: &Value| list.as_array().map_or(0, Vec::len);
    let echo = &answer["query"];
    let told = case["meta"].as_object().into_iter().flatten();
    let checks = [
        (status == 200, "its status"),
        (members == ["meta", "query", "results"] || members == ["results", "meta", "query"], "its members"),
        (answer["results"] == Value::Array(expected), "its rows"),
        (told.clone().all(|(name, value)| answer["meta"][name] == *value), "its meta"),
        (echo["site_id"] == query["site_id"] && long(&echo["date_range"]) == 2, "the site and range of its query"),
        (
            ["metrics", "dimensions"].iter().all(|name| long(&echo[name]) == long(&query[name])),
            "the names of its query",
        ),
        (echo["filters"] == *query.get("filters").unwrap_or(&json!([])), "the filters of its query"),
    ];
    checks.iter().find(|(is_right, _)| !is_right).map(|(_, what)| *what)
}

/// What of a refusal is not as the case says: every place, each with what is said of it.
fn refusal_differs(status: u16, problem: &Value, refused: &Value) -> Option<&'static str> {
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused = refused.as_array().unwrap();
    let is_told = |expected: &Value| {
        let says = expected[1].as_str().unwrap();
        errors.iter().any(|error| error["at"] == expected[0] && error["message"].as_str().unwrap().contains(says))
    };
    let checks = [
        (status == 400, "its status"),
        (errors.len() == refused.len(), "how much is refused"),
        (refused.iter().all(is_told), "what is refused"),
    ];
    checks.iter().find(|(is_right, _)| !is_right).map(|(_, what)| *what)
}
