//! The examples of docs/metrics.md, asked of the events it gives: a definition that says one thing and counts another fails.

use crate::arrived::stored;
use metronome::event::{Key, Known};
use metronome::query::goal::Goal;
use metronome::query::number::json as number;
use metronome::query::question::{Query, Setting};
use metronome::query::range::Range;
use metronome::query::read::read;
use metronome::query::run::run;
use metronome::query::unfit::Unfit;
use metronome::query::{dates, filter, metrics, names};
use metronome::report::flows::{self, Edge, Way};
use metronome::report::funnels::definition::{Definition, Words};
use metronome::report::funnels::{self, Step};
use metronome::store::memory::Memory;
use metronome::store::plan::{Bots, Filter, Limits};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../docs/metrics.md");
const QUERIES: &str = include_str!("../../docs/queries.md");
/// Noon of 2015-01-23, UTC.
pub const NOW: i64 = 1_422_014_400_000;
/// Examples on the page; a page that lost some would test less in silence.
const EXAMPLES: usize = 15;

#[tokio::test]
async fn every_example_is_answered_as_it_says() {
    let store = stored(&events()).await;
    let blocks = blocks();
    let examples: Vec<&Block> = blocks.iter().filter(|block| block.answer.is_some()).collect();
    assert_eq!(examples.len(), EXAMPLES);
    for example in examples {
        let question = serde_json::from_str(example.text).expect("a question");
        let answer = match example.language {
            "json" => answer(&store, &question).await,
            "funnel" => reached(&store, &question).await,
            "flow" => edges(&store, &question).await,
            other => panic!("no question is written in {other}"),
        };
        let expected: Json = serde_json::from_str(example.answer.expect("an answer")).expect("JSON");
        assert_eq!(answer, expected, "{}", example.text);
    }
}

#[test]
fn everything_that_can_be_asked_stands_on_a_page() {
    let members = known(&asked(&json!({"metrics": ["views"], "zodiac": 1})).expect_err("no member"));
    let operators = known(&[filter::read(&json!(["zodiac", "path", ["/"]]), "where", &[]).expect_err("no operator")]);
    let functions = metrics::FUNCTIONS.iter().filter(|name| **name != "pNN").map(|name| (*name).to_owned());
    let metrics = metrics::NAMED.iter().map(|(name, _)| (*name).to_owned()).chain(functions).collect();
    let times = names::TIMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let ranges = dates::WORDS.iter().map(|word| (*word).to_owned()).collect();
    let table: [(&str, &str, Vec<String>); 5] = [
        ("members", QUERIES, members),
        ("operators", QUERIES, operators),
        ("times", QUERIES, times),
        ("ranges", QUERIES, ranges),
        ("metrics", PAGE, metrics),
    ];
    for (what, page, words) in table {
        let told = told(page);
        let missing: Vec<&String> = words.iter().filter(|word| !told.contains(word.as_str())).collect();
        assert!(words.len() >= 5 && missing.is_empty(), "{what} that no page tells: {missing:?} of {words:?}");
    }
}

#[test]
fn every_question_and_filter_on_the_page_is_read() {
    let questions = QUERIES.split("/query -d '").skip(1).filter_map(|rest| rest.split('\'').next());
    for question in questions {
        let json = serde_json::from_str(question).expect("JSON");
        assert!(asked(&json).is_ok(), "{question}: {:?}", asked(&json));
    }
    let is_filter = |json: &Json| json[0].is_string() && json[1] != "event:goal";
    let spans = QUERIES.split('`').filter_map(|span| serde_json::from_str(span).ok());
    let filters: Vec<Json> = spans.filter(is_filter).collect();
    for json in &filters {
        filter::read(json, "where", &[]).unwrap_or_else(|unfit| panic!("{json}: {unfit:?}"));
    }
    assert!(filters.len() >= 5, "{filters:?}");
}

/// A question of the page, typed.
fn asked(json: &Json) -> Result<Query, Vec<Unfit>> {
    let (site, site_zone) = ("default".to_owned(), jiff::tz::TimeZone::UTC);
    read(json, &Setting { site, site_zone, goals: &goals(), now: NOW, limits: Limits::default() })
}

/// The words that a refusal says are known.
fn known(refusal: &[Unfit]) -> Vec<String> {
    let message = &refusal[0].message;
    let (_, words) = message.split_once("known are ").unwrap_or_else(|| panic!("{message}"));
    words.split(", ").map(str::to_owned).collect()
}

/// The words that a page tells as what is written: between backticks.
fn told(page: &str) -> BTreeSet<&str> {
    let written = page.split('`').skip(1).step_by(2);
    written.flat_map(|text| text.split(|sign: char| !sign.is_alphanumeric() && sign != '_')).collect()
}

/// The events that the page gives, one a line.
pub fn events() -> String {
    blocks().iter().filter(|block| block.language == "ndjson").map(|block| block.text).collect()
}

/// The rows of an answer: labels, then numbers.
async fn answer(store: &Memory, json: &Json) -> Json {
    let query = asked(json).unwrap_or_else(|unfit| panic!("{json}: {unfit:?}"));
    let rows = run(store, &query).await.expect("an answer").rows.into_iter().map(|row| {
        let labels = row.labels.into_iter().map(Json::from);
        labels.chain(row.values.into_iter().map(number)).collect::<Json>()
    });
    rows.collect()
}

/// The goals that the page gives the site.
fn goals() -> Vec<Goal> {
    let blocks = blocks();
    let block = blocks.iter().find(|block| block.language == "toml").expect("goals");
    let table: toml::Table = block.text.parse().expect("TOML");
    let goal = |table: &toml::Value| {
        let json = serde_json::to_value(&table["filter"]).expect("JSON");
        Goal {
            name: table["name"].as_str().expect("a name").to_owned(),
            filter: filter::read(&json, "filter", &[]).expect("a filter"),
            value: table.get("value").map_or(Known::Value.into(), |key| Key::named(key.as_str().expect("a key"))),
        }
    };
    table["goal"].as_array().expect("goals").iter().map(goal).collect()
}

/// Who reached each step: one row for all, or a row a value.
async fn reached(store: &Memory, json: &Json) -> Json {
    let word = |name: &str| json[name].as_str();
    let words = Words { window: word("window"), strict: word("strict"), over: word("over"), by: word("by") };
    let definition = Definition::of(json["steps"].as_array().expect("steps"), &[]).expect("steps");
    let definition = definition.with(words).expect("words");
    let question = funnels::Question {
        site: "default".to_owned(),
        range: word_of_range(),
        bots: Bots::Exclude,
        only: Filter::All,
        definition,
        limit: 100,
        limits: Limits::default(),
    };
    let funnel = funnels::funnel(store, &question).await.expect("an answer");
    let row = |label: Option<Json>, steps: &[Step]| {
        label.into_iter().chain(steps.iter().map(|step| step.reached.into())).collect::<Json>()
    };
    match question.definition.by {
        None => Json::Array(vec![row(None, &funnel.steps)]),
        Some(_) => funnel.rows.iter().map(|(label, steps)| row(Some(label.clone().into()), steps)).collect(),
    }
}

/// The edges: their steps where they have some, their ends, their weights.
async fn edges(store: &Memory, json: &Json) -> Json {
    let page = |name: &str| json[name].as_str().map(str::to_owned);
    let way = page("from_path").map(Way::From).or(page("to_path").map(Way::To)).unwrap_or(Way::Whole);
    let only = json.get("where").map(|json| filter::read(json, "where", &[]).expect("a filter"));
    let question = flows::Question {
        site: "default".to_owned(),
        range: word_of_range(),
        bots: Bots::Exclude,
        only: only.unwrap_or(Filter::All),
        way,
        steps: json["steps"].as_u64().unwrap_or(1) as usize,
        limit: 100,
        limits: Limits::default(),
    };
    let flow = flows::flow(store, &question).await.expect("an answer");
    let edge = |edge: Edge| {
        let step = edge.step.map(Json::from).into_iter();
        step.chain([edge.from.into(), edge.to.into(), edge.weight.into()]).collect::<Json>()
    };
    flow.edges.into_iter().map(edge).collect()
}

/// The range that questions have where they say none.
fn word_of_range() -> Range {
    dates::word(dates::DEFAULT, jiff::tz::TimeZone::UTC, NOW, "range").expect("a range").range
}

/// A fenced block, and what stands behind the arrow after it.
struct Block {
    language: &'static str,
    text: &'static str,
    answer: Option<&'static str>,
}

fn blocks() -> Vec<Block> {
    let pieces: Vec<&str> = PAGE.split("```").collect();
    let block = |pair: &[&'static str]| {
        let (language, text) = pair[0].split_once('\n').expect("a language");
        let answer = pair[1].trim_start().strip_prefix("→ `").and_then(|rest| rest.split('`').next());
        Block { language, text, answer }
    };
    pieces[1..].chunks_exact(2).map(block).collect()
}
