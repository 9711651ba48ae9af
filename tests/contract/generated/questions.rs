//! Generated questions in the question language: any store beside the oracle, and what has to hold within one answer.
//! - Questions that do not fit (a metric by a key that it does not go with) are refused before they are asked; they count
//!   for nothing.
//! - Within an answer: counts add up to their total, bounces lie between none and all visits, filters and their
//!   negations share the events out.

use super::dice::Dice;
use crate::events::at;
use crate::subject::Subject;
use metronome::query::question::{Query, Setting};
use metronome::query::read::read;
use metronome::query::run::{Answered, run};
use metronome::store::Capabilities;
use metronome::store::plan::Limits;
use serde_json::{Value, json};

const METRICS: [&str; 26] = [
    "events",
    "views",
    "downloads",
    "errors",
    "visits",
    "entries",
    "bounces",
    "bounce_rate",
    "visit_duration",
    "views_per_visit",
    "exits",
    "exit_rate",
    "dwell_time",
    "time_on_page",
    "scroll_depth",
    "visitors",
    "users",
    "conversions",
    "conversion_rate",
    "group_conversion_rate",
    "percentage",
    "sum(price)",
    "avg(amount)",
    "count(mixed)",
    "distinct(labels)",
    "p75(duration_ms)",
];
const VISIT_KEYS: [&str; 6] = ["entry", "source", "channel", "browser", "country", "day"];
const KEYS: [&str; 8] = ["path", "id", "action", "tags", "status", "mixed", "user", "ключ"];
const TIMES: [&str; 4] = ["hour", "time:day", "week", "month"];
const ZONES: [&str; 5] = ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
const VALUES: [&str; 8] = ["/a", "/data/1", "view", "Firefox", "DE", "red", "1", "x.org"];

/// Makes questions.
pub struct Questioner {
    dice: Dice,
}

impl Questioner {
    pub fn new(dice: Dice) -> Self {
        Self { dice }
    }

    /// A question, whether or not it fits.
    pub fn question(&mut self) -> Value {
        let metrics: Vec<&str> = (0..self.dice.below(4) + 1).map(|_| *self.dice.pick(&METRICS)).collect();
        let dimensions: Vec<&str> = (0..self.dice.below(3)).map(|_| self.dimension()).collect();
        let filters: Vec<Value> = (0..self.dice.below(3)).map(|_| self.filter(2)).collect();
        let first = self.dice.below(4);
        let last = first + self.dice.below(4);
        json!({
            "site_id": "default",
            "metrics": metrics,
            "dimensions": dimensions,
            "filters": filters,
            "date_range": [format!("2024-01-{:02}", 9 + first), format!("2024-01-{:02}", 9 + last)],
            "tz": *self.dice.pick(&ZONES),
            "bots": *self.dice.pick(&["exclude", "exclude", "include", "only"]),
            "counting": *self.dice.pick(&["raw", "raw", "counter"]),
            "goal": ["is", "action", ["download"]],
        })
    }

    fn dimension(&mut self) -> &'static str {
        let from: &[&'static str] = match self.dice.below(4) {
            0 => &TIMES,
            1 => &KEYS,
            _ => &VISIT_KEYS,
        };
        let picked: &&'static str = self.dice.pick(from);
        picked
    }

    fn filter(&mut self, depth: usize) -> Value {
        if depth > 0 && self.dice.one_in(4) {
            return match self.dice.below(3) {
                0 => json!(["and", [self.filter(depth - 1), self.filter(depth - 1)]]),
                1 => json!(["or", [self.filter(depth - 1), self.filter(depth - 1)]]),
                _ => json!(["not", self.filter(depth - 1)]),
            };
        }
        let key = if self.dice.one_in(2) { *self.dice.pick(&KEYS) } else { *self.dice.pick(&VISIT_KEYS) };
        let value = *self.dice.pick(&VALUES);
        match self.dice.below(8) {
            0 => json!(["exists", key]),
            1 => json!(["gt", "amount", [self.dice.between(-3, 40)]]),
            2 => json!(["is_not", key, [value]]),
            3 => json!(["contains", key, [value], {"case_sensitive": false}]),
            4 => json!(["matches", key, ["^[/A-Z]"]]),
            5 => json!(["contains_not", key, [value]]),
            _ => json!(["is", key, [value, *self.dice.pick(&VALUES)]]),
        }
    }
}

/// Asks both a few questions; panics at the first answer that differs, or that contradicts itself.
pub fn compare(subject: &Subject, oracle: &Subject, dice: Dice, questions: usize) {
    let mut questioner = Questioner::new(dice);
    for _ in 0..questions {
        let json = questioner.question();
        let Some(query) = checked(&json) else { continue };
        let (got, expected) = (answer(subject, &query, &json), answer(oracle, &query, &json));
        assert_same(&got, &expected, &query, subject.store().capabilities(), &json);
        assert_conserved(&expected, &query, &json);
        assert_conserved(&got, &query, &json);
    }
}

fn checked(json: &Value) -> Option<Query> {
    let (site, site_zone) = ("default".to_owned(), jiff::tz::TimeZone::UTC);
    read(json, &Setting { site, site_zone, goals: &[], now: at(86_400.0), limits: Limits::default() }).ok()
}

fn answer(of: &Subject, query: &Query, json: &Value) -> Answered {
    let mut answer = of.wait(run(of.store(), query)).unwrap_or_else(|error| panic!("{error}: {json}"));
    // Ties of estimates may stand in another order.
    answer.rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    answer
}

fn assert_same(got: &Answered, expected: &Answered, query: &Query, can: Capabilities, json: &Value) {
    let labels = |answer: &Answered| answer.rows.iter().map(|row| row.labels.clone()).collect::<Vec<_>>();
    assert_eq!(labels(got), labels(expected), "rows of {json}");
    for (got, expected) in got.rows.iter().zip(&expected.rows) {
        for (metric, (got_value, value)) in query.metrics.iter().zip(got.values.iter().zip(&expected.values)) {
            let name = metric.name();
            let error = if name.starts_with('p') && name.contains('(') { can.percentile_error } else { 0.0 };
            let close = match (got_value, value) {
                (Some(got), Some(value)) => (got - value).abs() <= (error + 1e-9) * value.abs().max(1.0),
                (got, value) => got == value,
            };
            assert!(close, "{name} of {:?}: {got_value:?} instead of {value:?} in {json}", expected.labels);
        }
    }
    assert_eq!(got.meta.sums.len(), expected.meta.sums.len());
    assert_eq!(got.meta.not_additive, expected.meta.not_additive, "{json}");
}

/// What has to hold within one answer.
fn assert_conserved(answer: &Answered, query: &Query, json: &Value) {
    for (at, metric) in query.metrics.iter().enumerate() {
        let name = metric.name();
        let values = answer.rows.iter().filter_map(|row| row.values[at]);
        if !answer.meta.not_additive.contains(&name) {
            let total = answer.meta.sums[&name].total.as_f64().expect("a number");
            let sum: f64 = values.clone().sum();
            assert!((sum - total).abs() <= 1e-6 * total.abs().max(1.0), "{name}: {sum} of {total} in {json}");
        }
        if ["bounces", "exits", "entries", "visits"].contains(&name.as_str()) {
            assert!(values.clone().all(|value| value >= 0.0), "{name} below none in {json}");
        }
        if ["bounce_rate", "exit_rate", "group_conversion_rate"].contains(&name.as_str()) {
            assert!(values.clone().all(|value| (0.0..=1.0).contains(&value)), "{name} beyond all in {json}");
        }
    }
}
