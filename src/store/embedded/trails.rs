//! Trails: sequences out of columns, never out of rebuilt events.
//! - A sealed segment lies in order and holds visitors whole: it is one batch, and segments are read side by side.
//! - A day with open parts is put together first (`gathered`).
//! - What the marks match is found first, for that is what indexes are for; the filter then looks at what is left. Where
//!   visits with some event are asked for, that event is found before all else, and then looked around.
//! - Ends early when the reader leaves, past the deadline, and past the bound of events.

use super::ask::side_by_side;
use super::bits::Bits;
use super::deadline::Deadline;
use super::docs::{Docs, places};
use super::error::io_error;
use super::filter::{Compiled, compile, time_key, within};
use super::gathered::gathered;
use super::parts::{DayView, Days};
use super::segment::Segment;
use super::trail_labels;
use super::whole_visits::around;
use crate::clock::Millis;
use crate::event::{Day, Key, Known};
use crate::store::StoreError;
use crate::store::plan::TimeKey;
use crate::store::trails::{Trail, TrailBatch, TrailPlan, Visit, Visits};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::columnar::MonotonicallyMappableToU64;
use tokio::sync::mpsc::Sender;

/// A plan made ready.
pub struct Question {
    pub(super) plan: TrailPlan,
    pub(super) filter: Compiled,
    pub(super) marks: Vec<Compiled>,
    pub(super) visits_with: Option<Compiled>,
    pub(super) deadline: Deadline,
    /// Events found so far.
    found: AtomicUsize,
}

impl Question {
    /// Makes a plan ready; [`StoreError::Invalid`] for a pattern that is none, or marks that do not fit.
    pub fn of(plan: &TrailPlan) -> Result<Self, StoreError> {
        plan.check()?;
        Ok(Self {
            filter: compile(&plan.filter)?,
            marks: plan.marks.iter().map(compile).collect::<Result<_, _>>()?,
            visits_with: plan.visits_with.as_ref().map(compile).transpose()?,
            deadline: Deadline::after(plan.limits.time_max),
            found: AtomicUsize::new(0),
            plan: plan.clone(),
        })
    }

    /// Counts what was found; an error past the bound.
    pub(super) fn count(&self, events: usize) -> Result<(), StoreError> {
        self.deadline.check("trails")?;
        let before = self.found.fetch_add(events, Ordering::Relaxed);
        self.plan.bound(before.saturating_add(events))
    }

    /// What of a segment matches, and the marks of each.
    fn matching(&self, segment: &Segment) -> Result<(Docs, Vec<u64>), StoreError> {
        if self.filter.is_never(segment)? {
            return Ok((Docs::Some(Vec::new()), Vec::new()));
        }
        let near = match &self.visits_with {
            Some(with) => around(segment, &self.seeds(segment, with)?)?,
            None => segment.docs(),
        };
        let (mut bits, mut marked) = (vec![0_u64; near.len()], Bits::none(near.len()));
        for (at, mark) in self.marks.iter().enumerate() {
            let matching = mark.restrict(segment, near.clone())?;
            places(&near, &matching, |place| {
                bits[place] |= 1 << at;
                marked.set(place, true);
            });
        }
        let docs = self.filter.restrict(segment, near.clone().pick(&marked))?;
        let docs = within(segment, self.plan.range, docs)?;
        let mut marks = Vec::with_capacity(docs.len());
        places(&near, &docs, |place| marks.push(bits[place]));
        Ok((docs, marks))
    }

    /// The events whose visits are asked for.
    pub(super) fn seeds(&self, segment: &Segment, with: &Compiled) -> Result<Docs, StoreError> {
        let docs = self.filter.restrict(segment, with.restrict(segment, segment.docs())?)?;
        within(segment, self.plan.range, docs)
    }
}

/// What is read together.
enum Job {
    Segment(Arc<Segment>),
    Day(Arc<DayView>),
}

/// Hands all trails of these days to the reader.
pub fn trails(
    days: &Days,
    threads: usize,
    question: &Question,
    reader: &Sender<Result<TrailBatch, StoreError>>,
) -> Result<(), StoreError> {
    let mut jobs = Vec::new();
    for view in days.values() {
        match &view.generation {
            _ if !view.open.is_empty() => jobs.push(Job::Day(view.clone())),
            Some(generation) if !generation.is_outside(question.plan.range) => {
                jobs.extend(generation.open()?.segments.iter().cloned().map(Job::Segment));
            }
            _ => {}
        }
    }
    let failed: Mutex<Option<StoreError>> = Mutex::default();
    side_by_side(threads, jobs.len(), |at| {
        let batches = match &jobs[at] {
            Job::Segment(segment) => sealed(question, segment).map(|batch| vec![batch]),
            Job::Day(view) => gathered(question, view),
        };
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        match batches {
            Err(error) => {
                failed.get_or_insert(error);
            }
            Ok(_) if failed.is_some() => {}
            Ok(batches) => {
                drop(failed);
                let mut batches = batches.into_iter().filter(|batch| !batch.trails.is_empty());
                return batches.all(|batch| reader.blocking_send(Ok(batch)).is_ok()) && !reader.is_closed();
            }
        }
        false
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// The trails of a sealed segment.
fn sealed(question: &Question, segment: &Segment) -> Result<TrailBatch, StoreError> {
    let (docs, marks) = question.matching(segment)?;
    question.count(docs.len())?;
    if docs.is_empty() {
        return Ok(TrailBatch::default());
    }
    let mut batch =
        TrailBatch { at: times(segment, &docs)?, marks, ..read(question, segment, &docs, question.plan.visits)? };
    batch.trails = cut(segment.day, &visitors(segment, &docs)?);
    Ok(batch)
}

/// A trail for each run of one visitor.
pub(super) fn cut(day: Day, visitors: &[Option<u64>]) -> Vec<Trail> {
    let mut trails = Vec::new();
    let mut from = 0;
    for run in visitors.chunk_by(|a, b| a == b) {
        trails.push(Trail { day, visitor: run[0], events: from..from + run.len() });
        from += run.len();
    }
    trails
}

/// When these documents were.
fn times(segment: &Segment, docs: &Docs) -> Result<Vec<Millis>, StoreError> {
    let mut times = vec![0; docs.len()];
    for part in &segment.columns(&time_key(TimeKey::Timestamp))?.parts {
        part.source.for_each(docs, |place, raw| times[place] = i64::from_u64(raw));
    }
    Ok(times)
}

/// Whose these documents are.
pub(super) fn visitors(segment: &Segment, docs: &Docs) -> Result<Vec<Option<u64>>, StoreError> {
    let mut visitors: Vec<Option<u64>> = vec![None; docs.len()];
    for part in &segment.columns(&Known::Visitor.into())?.parts {
        part.source.for_each(docs, |place, raw| visitors[place] = part.form.hash(raw));
    }
    Ok(visitors)
}

/// The labels of these documents, and their visits where they are wanted.
pub(super) fn read(
    question: &Question,
    segment: &Segment,
    docs: &Docs,
    wanted: Visits,
) -> Result<TrailBatch, StoreError> {
    let visits = match wanted {
        Visits::Left => Vec::new(),
        Visits::Given => visits(segment, docs)?,
    };
    let label =
        |key: &Key| trail_labels::of(&*segment.columns(key)?, docs).map_err(io_error("read texts of", segment.day));
    let labels = question.plan.labels.iter().map(label).collect::<Result<_, _>>()?;
    Ok(TrailBatch { visits, labels, ..TrailBatch::default() })
}

/// The visits of these documents.
pub(super) fn visits(segment: &Segment, docs: &Docs) -> Result<Vec<Option<Visit>>, StoreError> {
    let mut visits: Vec<Option<Visit>> = vec![None; docs.len()];
    for part in &segment.columns(&time_key(TimeKey::VisitAt))?.parts {
        part.source.for_each(docs, |place, raw| visits[place] = Some(Visit { at: i64::from_u64(raw), id: 0 }));
    }
    let mut having = vec![false; docs.len()];
    for part in &segment.columns(&Known::Visit.into())?.parts {
        part.source.for_each(docs, |place, raw| {
            if let (Some(visit), Some(id)) = (&mut visits[place], part.form.hash(raw)) {
                (visit.id, having[place]) = (id, true);
            }
        });
    }
    visits.iter_mut().zip(having).filter(|(_, having)| !having).for_each(|(visit, _)| *visit = None);
    Ok(visits)
}
