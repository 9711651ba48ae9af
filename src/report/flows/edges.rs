//! Edges: the flow of one step, asked of the views by what was before them.
//! - What flows into a page and not on to another left the site there.

use super::{ENTRY, EXIT, Question, Way, Weights, names_path};
use crate::event::Known;
use crate::query::recipe::Reading;
use crate::query::rekey::rekeyed;
use crate::query::scope::{having, not};
use crate::store::plan::{Filter, Group, Label, Measure, Metric, Plan};
use crate::store::{Store, StoreError};
use std::collections::BTreeMap;

/// Edges without their steps.
type Edges = BTreeMap<(String, String), u64>;

/// The edges of one step, exits among them.
pub(super) async fn fetch(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    let mut found = Found::default();
    let without_path = not(having(Known::Path)).and(having(Known::Id));
    for (page, only) in [(Known::Path, having(Known::Path)), (Known::Id, without_path)] {
        for row in store.aggregate(&question.plan(page, only)).await?.rows {
            let mut labels = row.labels.into_iter().map(|label| match label {
                Label::Text(text) => text.into(),
                Label::Null | Label::Time(_) => ENTRY.to_owned(),
            });
            let (Some(from), Some(to)) = (labels.next(), labels.next()) else { continue };
            found.add(from, to, &row.values);
        }
    }
    let edges = found.finish(question.has_exits()).into_iter();
    let wanted = |from: &str, to: &str| match &question.way {
        Way::Whole => true,
        Way::From(page) => from == page,
        Way::To(page) => to == page,
    };
    let edges = edges.filter(|((from, to), weight)| *weight > 0 && wanted(from, to));
    Ok(edges.map(|((from, to), weight)| ((1, from, to), weight)).collect())
}

/// What was found, as it grows.
#[derive(Default)]
struct Found {
    edges: Edges,
    /// What flows into each page that is asked for, and on from it.
    flows: BTreeMap<String, (u64, u64)>,
}

impl Found {
    /// Adds the views of a page after another: all, those of a page asked for, those behind a page asked for.
    fn add(&mut self, from: String, to: String, values: &[Option<f64>]) {
        // Counts are whole numbers below 2^53. Where every page is asked for there is one number.
        let count = |at: usize| values.get(at).or(values.first()).copied().flatten().unwrap_or_default() as u64;
        self.flows.entry(to.clone()).or_default().0 += count(1);
        if from != ENTRY {
            self.flows.entry(from.clone()).or_default().1 += count(2);
        }
        *self.edges.entry((from, to)).or_default() += count(0);
    }

    fn finish(mut self, has_exits: bool) -> Edges {
        if has_exits {
            let exits =
                self.flows.into_iter().map(|(page, (into, on))| ((page, EXIT.to_owned()), into.saturating_sub(on)));
            self.edges.extend(exits);
        }
        self.edges
    }
}

impl Question {
    fn has_exits(&self) -> bool {
        match &self.way {
            Way::Whole => true,
            Way::From(from) => from != ENTRY,
            Way::To(to) => to == EXIT,
        }
    }

    /// Views by what was before them, of pages that are named by `page`.
    fn plan(&self, page: Known, only: Filter) -> Plan {
        let is = |key: Known, text: &str| Filter::is(key, text);
        let near = match &self.way {
            Way::From(from) if from == ENTRY => not(having(Known::Previous)),
            Way::From(from) => Filter::Or(vec![is(page, from), is(Known::Previous, from)]),
            Way::To(to) if to != EXIT => is(page, to),
            Way::To(_) | Way::Whole => Filter::All,
        };
        let (asked, parts) = self.asked(page);
        let metric = |only| Metric { measure: Measure::Events, only };
        Plan {
            filter: self.views().and(asked).and(only).and(near),
            range: self.range(),
            groups: vec![Group::Key(Known::Previous.into()), Group::Key(page.into())],
            metrics: [Filter::All].into_iter().chain(parts).map(metric).collect(),
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }

    /// The views that are asked for; and, where that depends on pages, those of a page asked for and those behind one.
    fn asked(&self, page: Known) -> (Filter, Vec<Filter>) {
        if !names_path(&self.only) {
            return (self.only.clone(), Vec::new());
        }
        let named = if page == Known::Id { Reading::ById } else { Reading::Asked };
        let read = |reading: Reading| rekeyed(&self.only, &|key| reading.key(key));
        let (of, behind) = (read(named), having(Known::Previous).and(read(Reading::Leaving)));
        (Filter::Or(vec![of.clone(), behind.clone()]), vec![of, behind])
    }
}
