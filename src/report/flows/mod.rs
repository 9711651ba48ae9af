//! Flows: how visits go from page to page.
//! - An edge `a → b` is a view of `b` whose previous is `a`; `(entry)` leads to a visit's first page view, `(exit)`
//!   follows its last: what flows into a page flows out of it.
//! - One step is asked of the events' `previous`, which sealed days keep answers of; several are walked along trails.
//! - Time is that of the visit's start. What is asked of events alone must be the same on all events of a visit.
//! - Bounded by the rows of an answer and the events of trails; edges shown are the heaviest.

mod walk;

use crate::event::{Key, Known};
use crate::query::meta::Meta;
use crate::query::range::Range;
use crate::query::recipe::{VISIT_KEYS, is_visit_key};
use crate::query::rekey::keys_of;
use crate::query::scope::{of_actions, of_site};
use crate::store::plan::{Bots, Filter, Group, Label, Limits, Measure, Metric, Plan, TimeKey, TimeRange};
use crate::store::trails::{TrailLimits, TrailPlan, Visits};
use crate::store::{Store, StoreError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use walk::{Walk, Weights};

/// Before a visit's first page view.
pub const ENTRY: &str = "(entry)";
/// Behind a visit's last page view.
pub const EXIT: &str = "(exit)";
/// Steps at the most.
pub const STEPS_MAX: usize = 5;

/// Which flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// That of the whole site, which has one step.
    Whole,
    /// From a page on.
    From(String),
    /// To a page.
    To(String),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// When visits began.
    pub range: Range,
    /// Whether bots count.
    pub bots: Bots,
    /// Which visits alone.
    pub only: Filter,
    /// Which flow.
    pub way: Way,
    /// From 1 to [`STEPS_MAX`].
    pub steps: usize,
    /// Edges at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// How often one page followed another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Which step from the page that was asked for, or to it; absent for the whole site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The page before.
    pub from: String,
    /// The page after.
    pub to: String,
    /// How often.
    pub weight: u64,
}

/// What flows through a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// How many steps it is from the page that was asked for; absent for the whole site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The page.
    pub page: String,
    /// What flows through it, edges not shown too.
    pub weight: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The heaviest first, ties by step and text.
    pub edges: Vec<Edge>,
    /// The ends of these edges, in the same order.
    pub nodes: Vec<Node>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// Why a filter does not fit: a key of it is not one of whole visits.
pub fn unfit(only: &Filter) -> Option<String> {
    let mut wrong = None;
    keys_of(only, &mut |key| {
        if !is_visit_key(key) && *key != Key::Known(Known::Visitor) {
            wrong.get_or_insert_with(|| key.name().to_owned());
        }
    });
    wrong.map(|name| {
        format!("{name} may differ within a visit; flows take {VISIT_KEYS}, and pages as from_path or to_path")
    })
}

/// How visits flow.
pub async fn flow(store: &dyn Store, question: &Question) -> Result<Flow, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    meta.notes.push("time is that of the visit's start".to_owned());
    if !(1..=STEPS_MAX).contains(&question.steps) {
        return Err(StoreError::Invalid(format!("steps: {}; it may be 1 to {STEPS_MAX}", question.steps)));
    }
    let weights = match (&question.way, question.steps) {
        (Way::Whole, 2..) => {
            let text = "steps: several begin at from_path or end at to_path; (entry) and (exit) are pages too";
            return Err(StoreError::Invalid(text.to_owned()));
        }
        (_, 1) => fetch_edges(store, question).await?,
        _ => fetch_paths(store, question).await?,
    };
    let (edges, nodes) = shown(weights, &question.way, question.limit);
    Ok(Flow { edges, nodes, meta })
}

impl Question {
    fn range(&self) -> TimeRange {
        TimeRange { key: TimeKey::VisitAt, from: self.range.from, to: self.range.to }
    }

    fn views(&self) -> Filter {
        of_site(&self.site, self.bots).and(self.only.clone()).and(of_actions(&["view"]))
    }

    /// Views by what was before them, of pages that are named by `page`.
    fn plan(&self, page: Known, only: Filter) -> Plan {
        let is = |key: Known, text: &str| Filter::is(key, text);
        let near = match &self.way {
            Way::From(from) if from == ENTRY => Filter::Not(Box::new(Filter::Exists(Known::Previous.into()))),
            Way::From(from) => Filter::Or(vec![is(page, from), is(Known::Previous, from)]),
            Way::To(to) if to != EXIT => is(page, to),
            Way::To(_) | Way::Whole => Filter::All,
        };
        Plan {
            filter: self.views().and(only).and(near),
            range: self.range(),
            groups: vec![Group::Key(Known::Previous.into()), Group::Key(page.into())],
            metrics: vec![Metric::of(Measure::Events)],
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

/// The edges of one step, exits among them.
async fn fetch_edges(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    let has = |key: Known| Filter::Exists(key.into());
    let without_path = Filter::Not(Box::new(has(Known::Path))).and(has(Known::Id));
    let mut edges: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (page, only) in [(Known::Path, has(Known::Path)), (Known::Id, without_path)] {
        for row in store.aggregate(&question.plan(page, only)).await?.rows {
            let mut labels = row.labels.into_iter().map(|label| match label {
                Label::Text(text) => text.into(),
                Label::Null | Label::Time(_) => ENTRY.to_owned(),
            });
            let (Some(from), Some(to)) = (labels.next(), labels.next()) else { continue };
            // Counts are whole numbers below 2^53.
            let count = row.values.first().copied().flatten().unwrap_or_default() as u64;
            *edges.entry((from, to)).or_default() += count;
        }
    }
    if !matches!(&question.way, Way::To(to) if to != EXIT) && !matches!(&question.way, Way::From(from) if from == ENTRY)
    {
        let exits = exits(&edges);
        edges.extend(exits);
    }
    let wanted = |from: &str, to: &str| match &question.way {
        Way::Whole => true,
        Way::From(page) => from == page,
        Way::To(page) => to == page,
    };
    let edges = edges.into_iter().filter(|((from, to), weight)| *weight > 0 && wanted(from, to));
    Ok(edges.map(|((from, to), weight)| ((1, from, to), weight)).collect())
}

/// What flows into each page and not on to another.
fn exits(edges: &BTreeMap<(String, String), u64>) -> Vec<((String, String), u64)> {
    let mut flows: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for ((from, to), weight) in edges {
        flows.entry(to).or_default().0 += weight;
        flows.entry(from).or_default().1 += weight;
    }
    let pages = flows.into_iter().filter(|(page, _)| *page != ENTRY);
    pages.map(|(page, (into, out))| ((page.to_owned(), EXIT.to_owned()), into.saturating_sub(out))).collect()
}

/// The edges of paths of several steps.
async fn fetch_paths(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    let keys: [Key; 2] = [Known::Path.into(), Known::Id.into()];
    let plan = TrailPlan {
        filter: question.views().and(Filter::Exists(Known::Visit.into())),
        range: question.range(),
        marks: vec![Filter::Or(keys.iter().cloned().map(Filter::Exists).collect())],
        labels: keys.to_vec(),
        visits: Visits::Given,
        limits: TrailLimits { time_max: question.limits.time_max, ..TrailLimits::default() },
    };
    let mut walk = Walk::new(question.way.clone(), question.steps);
    let mut trails = store.trails(&plan).await?;
    while let Some(batch) = trails.recv().await {
        let batch = batch?;
        // Off the threads that answer everybody.
        let walked = tokio::task::spawn_blocking(move || {
            walk.take(&batch);
            walk
        });
        walk = walked.await.map_err(|_| StoreError::Stopped)?;
    }
    Ok(walk.finish())
}

/// The heaviest edges, and what flows through their ends.
fn shown(weights: Weights, way: &Way, limit: usize) -> (Vec<Edge>, Vec<Node>) {
    let is_whole = *way == Way::Whole;
    // The pages before and after an edge, by their steps from the page that was asked for.
    let ends = |step: usize| match way {
        Way::Whole => (0, 0),
        Way::From(_) => (step - 1, step),
        Way::To(_) => (step, step - 1),
    };
    let mut flows: BTreeMap<(usize, String), (u64, u64)> = BTreeMap::new();
    for ((step, from, to), weight) in &weights {
        let (before, after) = ends(*step);
        flows.entry((before, from.clone())).or_default().1 += weight;
        flows.entry((after, to.clone())).or_default().0 += weight;
    }
    let mut edges: Vec<((usize, String, String), u64)> = weights.into_iter().collect();
    edges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight)); // stable: the map is in order of steps and texts
    edges.truncate(limit);
    let shown: BTreeSet<(usize, &str)> = edges
        .iter()
        .flat_map(|((step, from, to), _)| {
            let (before, after) = ends(*step);
            [(before, from.as_str()), (after, to.as_str())]
        })
        .collect();
    let nodes = flows.iter().filter(|((step, page), _)| shown.contains(&(*step, page.as_str())));
    let mut nodes: Vec<Node> = nodes
        .map(|((step, page), (into, out))| Node {
            step: (!is_whole).then_some(*step),
            page: page.clone(),
            weight: *into.max(out),
        })
        .collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(node.weight));
    let edges = edges.into_iter().map(|((step, from, to), weight)| Edge {
        step: (!is_whole).then_some(step),
        from,
        to,
        weight,
    });
    (edges.collect(), nodes)
}

#[cfg(test)]
mod tests;
