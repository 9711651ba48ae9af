//! Flows: how visits go from page to page.
//! - An edge `a → b` is a view of `b` whose previous is `a`; `(entry)` leads to a visit's first page view, `(exit)`
//!   follows its last: what flows into a page flows out of it.
//! - One step is asked of the events' `previous`; several are walked along trails.
//! - Time is that of the visit's start. A filter is of keys that are the same on all events of a visit, and of `path`: it
//!   leaves the edges that have a page it matches at an end, so that what flows into such a page still flows out of it.
//! - Bounded by the events of trails and by the memory of different edges; those shown are the heaviest.

mod edges;
mod walk;
mod weights;

use self::weights::Weights;
use crate::event::Known;
use crate::query::account::Counted;
use crate::query::meta::{Meta, Substitution, Sums};
use crate::query::range::Range;
use crate::query::recipe::{VISIT_KEYS, is_visit_key};
use crate::query::rekey::keys_of;
use crate::query::scope::{having, not, of_actions, of_site};
use crate::store::plan::{Bots, Filter, Limits, Measure, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use serde::Serialize;

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
    /// Which visits and pages alone.
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

/// Why a filter does not fit: a key of it is neither one of whole visits nor `path`.
pub fn unfit(only: &Filter) -> Option<String> {
    let mut wrong = None;
    keys_of(only, &mut |key| {
        if !is_visit_key(key) && *key != Known::Visitor.into() && *key != Known::Path.into() {
            wrong.get_or_insert_with(|| key.name().to_owned());
        }
    });
    wrong.map(|name| format!("{name} may differ within a visit; flows take path, {VISIT_KEYS}"))
}

/// Whether a filter depends on pages.
fn names_path(only: &Filter) -> bool {
    let mut found = false;
    keys_of(only, &mut |key| found |= *key == Known::Path.into());
    found
}

/// How visits flow.
pub async fn flow(store: &dyn Store, question: &Question) -> Result<Flow, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    meta.notes.push("time is that of the visit's start".to_owned());
    if names_path(&question.only) {
        let substitution = Substitution::new("weight", &Known::Path.into(), &Known::Previous.into());
        meta.substitutions.push(substitution);
    }
    if !(1..=STEPS_MAX).contains(&question.steps) {
        return Err(StoreError::Invalid(format!("steps: {}; it may be 1 to {STEPS_MAX}", question.steps)));
    }
    if question.way == Way::Whole && question.steps > 1 {
        let text = "steps: several begin at from_path or end at to_path; (entry) and (exit) are pages too";
        return Err(StoreError::Invalid(text.to_owned()));
    }
    let weights = fetch(store, question).await?;
    let total = weights.total();
    let (edges, nodes) = weights.shown(&question.way, question.limit);
    let bots = fetch(store, &Question { bots: Bots::Only, ..question.clone() }).await?.total();
    let shown = edges.iter().map(|edge| edge.weight).sum();
    meta.sums = Some(Sums::of(total, shown, Some(question.fetch_visitless(store).await?), bots));
    meta.notes.push("sums are of weights, without_visitor of page views that have no visit".to_owned());
    Ok(Flow { edges, nodes, meta })
}

async fn fetch(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    match question.steps {
        1 => edges::fetch(store, question).await,
        _ => walk::fetch(store, question).await,
    }
}

impl Question {
    fn range(&self) -> TimeRange {
        TimeRange { key: TimeKey::VisitAt, from: self.range.from, to: self.range.to }
    }

    /// Views of pages asked for that are in no visit, and so in no flow.
    async fn fetch_visitless(&self, store: &dyn Store) -> Result<u64, StoreError> {
        let pages = Filter::Or(vec![having(Known::Path), having(Known::Id)]);
        let counted = Counted {
            site: &self.site,
            only: of_actions(&["view"]).and(pages).and(self.of_pages()).and(not(having(Known::Visit))),
            range: TimeRange { key: TimeKey::Timestamp, ..self.range() },
            measure: Measure::Events,
            limits: self.limits,
        };
        let [views] = counted.of_each(store, self.bots, [Filter::All]).await?;
        Ok(views)
    }

    /// Views of anything, whatever is asked for.
    fn views(&self) -> Filter {
        of_site(&self.site, self.bots).and(of_actions(&["view"]))
    }
}

#[cfg(test)]
mod tests;
