//! Run: one question answered whole: its rows, what they are compared with, and an account of its numbers.
//! - `sums` reconciles each count: total, shown, the rest, what has no visitor, and what bots did beside.
//! - A rest is told only where rows add up.

use super::answer::{Part, Row, Table, compared, sort, table, too_many};
use super::meta::{Meta, Substitution, Sums, distinct_error, percentile_error};
use super::metrics::Metric;
use super::number::json;
use super::question::{Dimension, Query};
use super::range::Range;
use super::recipe::{Estimate, Reading, Sum};
use super::scope::{having, not};
use crate::clock::Millis;
use crate::event::Known;
use crate::store::plan::{Bots, Filter, Label};
use crate::store::{Store, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What an answer says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct QueryMeta {
    /// What every answer says.
    #[serde(flatten)]
    pub meta: Meta,
    /// Metrics whose rows do not add up to the total.
    pub not_additive: Vec<String>,
    /// How each count adds up.
    pub sums: BTreeMap<String, Sums<Value>>,
    /// Rows before pagination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_rows: Option<usize>,
    /// The labels of each dimension of time, over the whole range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_labels: Option<Vec<String>>,
    /// The range compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison_range: Option<[String; 2]>,
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The labels' texts; `None` for the events without the key.
    pub labels: Vec<Option<String>>,
    /// One number a metric.
    pub values: Vec<Option<f64>>,
    /// The same of the range compared with, where there is one.
    pub compared: Option<Vec<Option<f64>>>,
}

/// A question answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The rows of the page asked for.
    pub rows: Vec<Shown>,
    /// What the answer says of itself.
    pub meta: QueryMeta,
}

/// Answers a question.
pub async fn run(store: &dyn Store, query: &Query) -> Result<Answered, StoreError> {
    let all: Vec<usize> = (0..query.metrics.len()).collect();
    let part = Part {
        dimensions: &query.dimensions,
        metrics: &all,
        bots: query.bots,
        only: Filter::All,
        range: &query.when.range,
    };
    let mut whole = table(store, query, &part).await?;
    sort(&mut whole.rows, &query.order);
    let earlier = match &query.include.compare {
        Some(compare) => Some(compared(store, query, compare, &part).await?),
        None => None,
    };
    let page: Vec<Row> = whole.rows.iter().skip(query.offset).take(query.limit).cloned().collect();
    let meta = account(store, query, &whole, &page, earlier.as_ref().map(|earlier| &earlier.range)).await?;
    let names = Names::of(query, &query.when.range)?;
    let rows = page.into_iter().map(|row| Shown {
        compared: earlier.as_ref().map(|then| then.rows.get(&row.labels).unwrap_or(&then.nothing).clone()),
        labels: row.labels.iter().enumerate().map(|(at, label)| names.text(at, label)).collect(),
        values: row.values,
    });
    Ok(Answered { rows: rows.collect(), meta })
}

/// What the times of a question's dimensions are called.
struct Names(HashMap<(usize, Millis), String>);

impl Names {
    fn of(query: &Query, range: &Range) -> Result<Self, StoreError> {
        let mut names = HashMap::new();
        for (at, dimension) in query.dimensions.iter().enumerate() {
            if let Dimension::Time(interval) = dimension {
                let buckets = range.buckets(*interval).ok_or_else(too_many)?;
                names.extend(buckets.into_iter().map(|bucket| ((at, bucket.from), bucket.name)));
            }
        }
        Ok(Self(names))
    }

    fn text(&self, at: usize, label: &Label) -> Option<String> {
        match label {
            Label::Null => None,
            Label::Text(text) => Some(text.to_string()),
            Label::Time(from) => self.0.get(&(at, *from)).cloned(),
        }
    }
}

async fn account(
    store: &dyn Store,
    query: &Query,
    whole: &Table,
    page: &[Row],
    compared: Option<&Range>,
) -> Result<QueryMeta, StoreError> {
    let mut meta = Meta::of(store, &query.site, &query.when.range, query.bots).await?.counting(query.counting);
    let mut not_additive = Vec::new();
    let mut countable = Vec::new();
    for (at, metric) in query.metrics.iter().enumerate() {
        let recipe = query.recipe(metric, &query.dimensions).map_err(StoreError::Invalid)?;
        let adds = recipe.sum == Sum::Adds && !whole.overlap;
        if !adds {
            not_additive.push(metric.name());
        }
        if recipe.sum != Sum::None {
            countable.push((at, adds));
        }
        meta.approximate.extend(approximation(store, recipe.estimate, &metric.name()));
        for reading in [Reading::Entering, Reading::Leaving] {
            if recipe.terms.iter().any(|term| term.reading == reading) {
                meta.substitutions.extend(substituted(query, &metric.name(), reading));
            }
        }
    }
    if query.metrics.iter().any(|metric| metric.name() == "visitors") {
        meta.notes.push("visitors are counted once a day; days add up".into());
    }
    let names_currency = query.keys().iter().any(|(key, _)| *key == Known::Currency.into());
    if query.metrics.iter().any(Metric::is_revenue) && !names_currency {
        meta.notes.push("revenue adds values up whatever their currency; `currency` is a key to ask by".into());
    }
    if query.offset > 0 && query.offset >= whole.rows.len() {
        meta.notes.push(format!("offset {} is past the last of {} rows", query.offset, whole.rows.len()));
    }
    if whole.rows.len() > query.offset + page.len() && !page.is_empty() {
        let (from, to) = (query.offset + 1, query.offset + page.len());
        meta.notes.push(format!("cut: rows {from} to {to} of {}; pagination asks for more", whole.rows.len()));
    }
    Ok(QueryMeta {
        meta,
        not_additive,
        sums: sums(store, query, whole, page, &countable).await?,
        total_rows: query.include.total_rows.then_some(whole.rows.len()),
        time_labels: if query.include.time_labels { Some(time_labels(query)?) } else { None },
        comparison_range: compared.map(Range::ends),
    })
}

fn approximation(store: &dyn Store, estimate: Option<Estimate>, name: &str) -> Option<String> {
    let can = store.capabilities();
    match estimate? {
        Estimate::Distinct => distinct_error(can, name),
        Estimate::Percentile => percentile_error(can, name),
    }
}

fn substituted(query: &Query, metric: &str, reading: Reading) -> Vec<Substitution> {
    let mut keys: Vec<_> = query.keys().into_iter().filter(|(_, at)| at != "goal").map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| reading.key(key) != *key);
    changed.map(|key| Substitution::new(metric, &key, &reading.key(&key))).collect()
}

/// Every label of the dimensions of time.
fn time_labels(query: &Query) -> Result<Vec<String>, StoreError> {
    let mut labels = Vec::new();
    for dimension in &query.dimensions {
        if let Dimension::Time(interval) = dimension {
            let buckets = query.when.range.buckets(*interval).ok_or_else(too_many)?;
            labels.extend(buckets.into_iter().map(|bucket| bucket.name));
        }
    }
    Ok(labels)
}

/// Total, shown, rest, without visitor and bots of each count.
async fn sums(
    store: &dyn Store,
    query: &Query,
    whole: &Table,
    page: &[Row],
    countable: &[(usize, bool)],
) -> Result<BTreeMap<String, Sums<Value>>, StoreError> {
    let metrics: Vec<usize> = countable.iter().map(|(at, _)| *at).collect();
    if metrics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let part = |bots, only| Part { dimensions: &[], metrics: &metrics, bots, only, range: &query.when.range };
    // Rows that add up are asked for nothing more.
    let total = match countable.iter().all(|(_, adds)| *adds) {
        true => None,
        false => Some(table(store, query, &part(query.bots, Filter::All)).await?),
    };
    let bots = table(store, query, &part(Bots::Only, Filter::All)).await?;
    let nobodys = table(store, query, &part(query.bots, not(having(Known::Visitor)))).await?;
    let of = |table: &Table, place: usize| table.rows.first().and_then(|row| row.values[place]).unwrap_or_default();
    let mut sums = BTreeMap::new();
    for (place, (at, adds)) in countable.iter().enumerate() {
        let shown: f64 = page.iter().filter_map(|row| row.values[*at]).sum();
        let added = || whole.rows.iter().filter_map(|row| row.values[*at]).sum();
        let total = total.as_ref().map_or_else(added, |total| of(total, place));
        let is_all = whole.rows.len() == page.len() && query.dimensions.is_empty();
        let sum = Sums {
            total: json(Some(total)),
            shown: json(Some(shown)),
            rest: (*adds || is_all).then(|| json(Some(total - shown))),
            without_visitor: Some(json(Some(of(&nobodys, place)))),
            bots: json(Some(of(&bots, place))),
        };
        sums.insert(query.metrics[*at].name(), sum);
    }
    Ok(sums)
}
