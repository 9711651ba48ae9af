//! Edges: the flow of one step, asked of the views by what was before them.
//! - What flows into a page and not on to another left the site there.

use super::weights::{ENTRY_NUMBER, EXIT_NUMBER, Pages, Weight, Weights};
use super::{ENTRY, EXIT, Question, Way, names_path};
use crate::event::Known;
use crate::query::recipe::Reading;
use crate::query::rekey::rekeyed;
use crate::query::scope::{having, not};
use crate::store::plan::Filter;
use crate::store::trails::{TrailBatch, TrailLimits, TrailPlan, Visits};
use crate::store::{Store, StoreError};
use rustc_hash::FxHashMap;

/// Bits of a view: it is counted, it is of a page asked for, it is behind one.
const COUNTED: u64 = 1;
const OF: u64 = 1 << 1;
const BEHIND: u64 = 1 << 2;

/// The edges of one step, exits among them.
pub(super) async fn fetch(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    let mut found = Found { has_parts: names_path(&question.only), ..Found::default() };
    let mut trails = store.trails(&question.views_by_page()).await?;
    while let Some(batch) = trails.recv().await {
        let batch = batch?;
        // Off the threads that answer everybody.
        let taken = tokio::task::spawn_blocking(move || {
            found.take(&batch);
            found
        });
        found = taken.await.map_err(|_| StoreError::Stopped)?;
        found.pages.check(found.edges.len(), &question.limits)?;
    }
    Ok(found.finish(&question.way))
}

/// What was found, as it grows.
#[derive(Default)]
struct Found {
    pages: Pages,
    /// Whether views are marked by pages.
    has_parts: bool,
    edges: FxHashMap<(u32, u32), u32>,
    /// What flows into each page that is asked for, and on from it.
    flows: Vec<(u64, u64)>,
}

impl Found {
    /// Takes the views of a batch, whose labels are the page before, path and id.
    fn take(&mut self, batch: &TrailBatch) {
        let [before, paths, ids] = batch.labels.as_slice() else { return };
        let mut numbers_of = |texts: &[Box<[Box<str>]>]| -> Vec<u32> {
            texts.iter().filter_map(|one| one.first()).map(|page| self.pages.number(page)).collect()
        };
        let [of_before, of_path, of_id] = [before, paths, ids].map(|labels| numbers_of(&labels.texts));
        let of = |numbers: &[u32], code: u32| numbers.get(code as usize).copied();
        self.flows.resize(self.pages.len(), (0, 0));
        for (place, marks) in batch.marks.iter().enumerate().filter(|(_, marks)| **marks & COUNTED != 0) {
            let page = of(&of_path, paths.codes[place]).or_else(|| of(&of_id, ids.codes[place]));
            let Some(to) = page else { continue };
            let from = of(&of_before, before.codes[place]).unwrap_or(ENTRY_NUMBER);
            let counts = |bit: u64| u64::from(!self.has_parts || marks & bit != 0);
            self.flows[to as usize].0 += counts(OF);
            if from != ENTRY_NUMBER {
                self.flows[from as usize].1 += counts(BEHIND);
            }
            *self.edges.entry((from, to)).or_default() += 1; // views of a question are fewer than a u32 holds
        }
    }

    fn finish(self, way: &Way) -> Weights {
        let wanted = |from: u32, to: u32| match way {
            Way::Whole => true,
            Way::From(page) => self.pages.find(page) == Some(from),
            Way::To(page) => self.pages.find(page) == Some(to),
        };
        let exits = (0..).zip(&self.flows).filter(|_| way.has_exits());
        let exits = exits.map(|(page, (into, on))| ((page, EXIT_NUMBER), into.saturating_sub(*on)));
        let edges = self.edges.iter().map(|(edge, weight)| (*edge, u64::from(*weight))).chain(exits);
        let edges = edges.filter(|((from, to), weight)| *weight > 0 && wanted(*from, *to));
        let edges = edges.map(|((from, to), weight)| Weight { step: 1, from, to, weight }).collect();
        Weights { edges, pages: self.pages }
    }
}

impl Way {
    fn has_exits(&self) -> bool {
        match self {
            Self::Whole => true,
            Self::From(from) => from != ENTRY,
            Self::To(to) => to == EXIT,
        }
    }
}

impl Question {
    /// Views within visits, their page and the one before.
    fn views_by_page(&self) -> TrailPlan {
        let without_path = not(having(Known::Path)).and(having(Known::Id));
        let ways = [(Known::Path, having(Known::Path)), (Known::Id, without_path)];
        let mark = |of: &dyn Fn(Known) -> Filter| {
            Filter::Or(ways.iter().map(|(page, only)| only.clone().and(of(*page))).collect())
        };
        let mut marks = vec![mark(&|page| self.near(page).and(self.asked(page)))];
        if names_path(&self.only) {
            marks.push(mark(&|page| self.of(page)));
            marks.push(mark(&|_| self.behind()));
        }
        TrailPlan {
            filter: self.views(),
            range: self.range(),
            marks,
            labels: [Known::Previous, Known::Path, Known::Id].map(Into::into).to_vec(),
            visits: Visits::Left,
            visits_with: None,
            limits: TrailLimits { time_max: self.limits.time_max, ..TrailLimits::default() },
        }
    }

    /// Views next to the page that the way begins or ends at, of pages that are named by `page`.
    fn near(&self, page: Known) -> Filter {
        let is = |key: Known, text: &str| Filter::is(key, text);
        match &self.way {
            Way::From(from) if from == ENTRY => not(having(Known::Previous)),
            Way::From(from) => Filter::Or(vec![is(page, from), is(Known::Previous, from)]),
            Way::To(to) if to != EXIT => is(page, to),
            Way::To(_) | Way::Whole => Filter::All,
        }
    }

    /// The views that are asked for.
    fn asked(&self, page: Known) -> Filter {
        match names_path(&self.only) {
            false => self.only.clone(),
            true => Filter::Or(vec![self.of(page), self.behind()]),
        }
    }

    /// Where the filter depends on pages: views of a page asked for.
    fn of(&self, page: Known) -> Filter {
        let reading = if page == Known::Id { Reading::ById } else { Reading::Asked };
        rekeyed(&self.only, &|key| reading.key(key))
    }

    /// Where the filter depends on pages: views behind a page asked for.
    fn behind(&self) -> Filter {
        having(Known::Previous).and(rekeyed(&self.only, &|key| Reading::Leaving.key(key)))
    }
}
