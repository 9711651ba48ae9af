//! The custom queries that are shipped in `queries/`, and the one that docs/queries.md shows, asked of events that are known.

use crate::arrived::stored;
use crate::documented::NOW;
use metronome::http::query::pairs;
use metronome::query::custom::Definition;
use metronome::query::custom::text::Form;
use metronome::query::goal::Goals;
use metronome::query::number::json as number;
use metronome::query::question::Setting;
use metronome::query::read::read;
use metronome::query::run::run;
use metronome::store::memory::Memory;
use metronome::store::plan::Limits;
use serde_json::{Value, json};
use std::path::Path;

const EVENTS: &str = include_str!("../../fixtures/queries/events.ndjson");
const EXPECTED: &str = include_str!("../../fixtures/queries/shipped.json");
const PAGE: &str = include_str!("../../docs/queries.md");

#[tokio::test]
async fn every_shipped_query_is_answered_as_it_says() {
    let store = stored(EVENTS).await;
    let expected: Value = serde_json::from_str(EXPECTED).expect("expectations");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let files = std::fs::read_dir(folder).expect("the queries").map(|file| file.expect("a file").path());
    let mut shipped: Vec<String> = Vec::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let definition = definition(&std::fs::read_to_string(&file).expect("a query"));
        for case in expected[&name].as_array().unwrap_or_else(|| panic!("{name} is shipped and not asked")) {
            let (rows, compared) = answer(&store, &definition, case["given"].as_str().expect("parameters")).await;
            assert_eq!(rows, case["rows"], "{name} {}", case["given"]);
            let is_compared = definition.written["query"]["include"]["compare"].is_string();
            assert_eq!(is_compared.then_some(&compared), case.get("compared"), "{name} {}", case["given"]);
        }
        shipped.push(name);
    }
    assert_eq!(shipped.len(), expected.as_object().expect("by name").len(), "{shipped:?}");
}

#[tokio::test]
async fn the_query_that_the_page_shows_is_answered_as_it_says() {
    let store = stored(&crate::documented::events()).await;
    let block = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a definition");
    let definition = definition(block);
    let mut asked = 0;
    for example in PAGE.split("`GET /queries/readers.json?").skip(1) {
        let (given, rest) = example.split_once('`').expect("parameters");
        let expected = rest.trim_start().strip_prefix("→ `").and_then(|rest| rest.split('`').next()).expect("rows");
        let expected: Value = serde_json::from_str(expected).expect("rows");
        assert_eq!(answer(&store, &definition, given).await.0, expected, "{given}");
        asked += 1;
    }
    assert_eq!(asked, 2);
}

fn definition(toml: &str) -> Definition {
    let definition = Definition::read_text(toml.as_bytes(), Form::Toml).unwrap_or_else(|unfit| panic!("{unfit:#?}"));
    definition.try_out(&Goals::new(), NOW).unwrap_or_else(|unfit| panic!("{unfit:#?}"));
    definition
}

/// The rows of an answer, labels then numbers; and what they were in the range before.
async fn answer(store: &Memory, definition: &Definition, given: &str) -> (Value, Value) {
    let question = definition.fill(&pairs(given).expect("parameters")).unwrap_or_else(|unfit| panic!("{unfit:#?}"));
    let (site, site_zone) = ("default".to_owned(), jiff::tz::TimeZone::UTC);
    let setting = Setting { site, site_zone, goals: &[], now: NOW, limits: Limits::default() };
    let query = read(&question, &setting).unwrap_or_else(|unfit| panic!("{unfit:#?}"));
    let answered = run(store, &query).await.expect("an answer");
    let numbers = |values: &[Option<f64>]| values.iter().copied().map(number).collect::<Vec<_>>();
    let row = |row: &metronome::query::run::Shown| -> Value {
        row.labels.iter().map(|label| json!(label)).chain(numbers(&row.values)).collect()
    };
    let compared = answered.rows.iter().map(|row| json!(numbers(row.compared.as_deref().unwrap_or_default())));
    (answered.rows.iter().map(row).collect(), compared.collect())
}
