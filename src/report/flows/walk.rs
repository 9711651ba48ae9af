//! Walk: the paths that pages of visits make, from a page on or back from it.
//! - A path begins at each view of the page whose previous is another page, or none; backward it ends there.
//! - `(entry)` stands before a visit's first page view, `(exit)` behind its last.

use super::weights::{ENTRY_NUMBER, EXIT_NUMBER, Pages, Weight, Weights};
use super::{Question, Way, names_path};
use crate::event::{Key, Known};
use crate::query::recipe::Reading;
use crate::query::rekey::rekeyed;
use crate::query::scope::{having, not};
use crate::store::plan::Filter;
use crate::store::trails::{NONE, TrailBatch, TrailLimits, TrailPlan, Visits};
use crate::store::{Store, StoreError};
use rustc_hash::FxHashMap;

/// The bit of a view of a page that is asked for.
const ASKED: u64 = 1 << 1;

/// The edges of paths of several steps.
pub(super) async fn fetch(store: &dyn Store, question: &Question) -> Result<Weights, StoreError> {
    let mut walk = Walk::new(question.way.clone(), question.steps);
    let mut trails = store.trails(&question.trails()).await?;
    while let Some(batch) = trails.recv().await {
        let batch = batch?;
        // Off the threads that answer everybody.
        let walked = tokio::task::spawn_blocking(move || {
            walk.take(&batch);
            walk
        });
        walk = walked.await.map_err(|_| StoreError::Stopped)?;
        walk.pages.check(walk.weights.len(), &question.limits)?;
    }
    Ok(walk.finish())
}

impl Question {
    /// Views of pages within visits, and which of them are of a page asked for: a path leads through the others too.
    fn trails(&self) -> TrailPlan {
        let keys: [Key; 2] = [Known::Path.into(), Known::Id.into()];
        let paged = Filter::Or(keys.iter().cloned().map(Filter::Exists).collect());
        let (of_visits, of_pages) = match names_path(&self.only) {
            true => (Filter::All, self.of_pages()),
            false => (self.only.clone(), Filter::All),
        };
        TrailPlan {
            filter: self.views().and(of_visits).and(having(Known::Visit)),
            range: self.range(),
            marks: vec![paged.clone(), paged.and(of_pages)],
            labels: keys.to_vec(),
            visits: Visits::Given,
            visits_with: None,
            limits: TrailLimits { time_max: self.limits.time_max, ..TrailLimits::default() },
        }
    }

    /// The filter with `path` read as the page's name, which is a path or else an id.
    pub(super) fn of_pages(&self) -> Filter {
        let by_id = rekeyed(&self.only, &|key| Reading::ById.key(key));
        let by_path = having(Known::Path).and(self.only.clone());
        Filter::Or(vec![by_path, not(having(Known::Path)).and(by_id)])
    }
}

/// A page by its number, and whether it is asked for.
type Page = (u32, bool);

/// Walks visits as their trails come.
#[derive(Debug)]
pub(super) struct Walk {
    way: Way,
    steps: usize,
    pages: Pages,
    weights: FxHashMap<(usize, u32, u32), u64>,
}

impl Walk {
    pub(super) fn new(way: Way, steps: usize) -> Self {
        Self { way, steps, pages: Pages::default(), weights: FxHashMap::default() }
    }

    /// Takes the trails of a batch, whose labels are path and id.
    pub(super) fn take(&mut self, batch: &TrailBatch) {
        let [paths, ids] = batch.labels.as_slice() else { return };
        let mut numbers_of = |texts: &[Box<[Box<str>]>]| -> Vec<u32> {
            texts.iter().map(|one| one.first().map_or(NONE, |page| self.pages.number(page))).collect()
        };
        let (of_path, of_id) = (numbers_of(&paths.texts), numbers_of(&ids.texts));
        let of = |numbers: &[u32], code: u32| numbers.get(code as usize).copied();
        for trail in &batch.trails {
            let mut visits: Vec<(u64, Vec<Page>)> = Vec::new();
            for place in trail.events.clone() {
                let page = of(&of_path, paths.codes[place]).or_else(|| of(&of_id, ids.codes[place]));
                let (Some(number), Some(visit)) = (page, batch.visits[place]) else { continue };
                let page = (number, batch.marks[place] & ASKED != 0);
                match visits.iter_mut().rev().find(|(id, _)| *id == visit.id) {
                    Some((_, pages)) => pages.push(page),
                    None => visits.push((visit.id, vec![(ENTRY_NUMBER, false), page])),
                }
            }
            for (_, mut pages) in visits {
                pages.push((EXIT_NUMBER, false));
                self.visit(&pages);
            }
        }
    }

    /// Takes a visit: its pages in order, entry and exit at the ends.
    fn visit(&mut self, pages: &[Page]) {
        let (page, is_forward) = match &self.way {
            Way::Whole => return,
            Way::From(page) => (page, true),
            Way::To(page) => (page, false),
        };
        let Some(wanted) = self.pages.find(page) else { return };
        for place in (0..pages.len()).filter(|place| pages[*place].0 == wanted) {
            if place.checked_sub(1).is_some_and(|before| pages[before].0 == wanted) {
                continue;
            }
            for step in 1..=self.steps {
                let from = if is_forward { Some(place + step - 1) } else { place.checked_sub(step) };
                let edge = from.and_then(|from| Some((*pages.get(from)?, *pages.get(from + 1)?)));
                let Some(((from, is_from_asked), (to, is_to_asked))) = edge else { break };
                if is_from_asked || is_to_asked {
                    *self.weights.entry((step, from, to)).or_default() += 1;
                }
            }
        }
    }

    /// What was found.
    pub(super) fn finish(self) -> Weights {
        let edge = |((step, from, to), weight)| Weight { step, from, to, weight };
        Weights { edges: self.weights.into_iter().map(edge).collect(), pages: self.pages }
    }
}
