//! Trails: sequences out of columns, never out of rebuilt events.
//! - A sealed segment lies in order and holds visitors whole: it is one batch, and segments are read side by side.
//! - A day with open parts is gathered: places sorted, those of one visitor and millisecond compared in full ([`Ordered`]).
//! - What the marks match is found first, for that is what indexes are for; the filter then looks at what is left.
//! - Ends early when the reader leaves, past the deadline, and past the bound of events.

use super::ask::side_by_side;
use super::columns::Docs;
use super::deadline::Deadline;
use super::error::io_error;
use super::filter::{Compiled, compile, mark, time_key, within};
use super::parts::{DayView, Days};
use super::scan::Ordered;
use super::segment::Segment;
use super::trail_labels::{self, Joined};
use crate::clock::Millis;
use crate::event::{Day, Key, Known};
use crate::store::StoreError;
use crate::store::plan::TimeKey;
use crate::store::trails::{Labels, NONE, Trail, TrailBatch, TrailPlan, Visit, Visits};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::columnar::MonotonicallyMappableToU64;
use tokio::sync::mpsc::Sender;

/// Events of a batch of a gathered day, more only where one trail has more.
const BATCH: usize = 1 << 16;

/// A plan made ready.
pub struct Question {
    plan: TrailPlan,
    filter: Compiled,
    marks: Vec<Compiled>,
    deadline: Deadline,
    /// Events found so far.
    found: AtomicUsize,
}

impl Question {
    /// Makes a plan ready; [`StoreError::Invalid`] for a pattern that is none, or marks that do not fit.
    pub fn of(plan: &TrailPlan) -> Result<Self, StoreError> {
        plan.check()?;
        // As a conjunction, for that asks indexes first.
        let marks = plan.marks.iter().map(|mark| Ok(Compiled::And(vec![compile(mark)?])));
        Ok(Self {
            filter: compile(&plan.filter)?,
            marks: marks.collect::<Result<_, StoreError>>()?,
            deadline: Deadline::after(plan.limits.time_max),
            found: AtomicUsize::new(0),
            plan: plan.clone(),
        })
    }

    /// Counts what was found; an error past the bound.
    fn count(&self, events: usize) -> Result<(), StoreError> {
        self.deadline.check("trails")?;
        let before = self.found.fetch_add(events, Ordering::Relaxed);
        self.plan.bound(before.saturating_add(events))
    }

    /// What of a segment matches, and the marks of all its documents.
    fn matching(&self, segment: &Segment) -> Result<(Docs, Vec<u64>), StoreError> {
        let mut bits = vec![0_u64; segment.len() as usize];
        for (at, mark) in self.marks.iter().enumerate() {
            match mark.restrict(segment, segment.docs())? {
                Docs::All(_) => bits.iter_mut().for_each(|bits| *bits |= 1 << at),
                Docs::Some(docs) => docs.iter().for_each(|doc| bits[*doc as usize] |= 1 << at),
            }
        }
        let marked = (0..segment.len()).filter(|doc| bits[*doc as usize] != 0).collect();
        let docs = self.filter.restrict(segment, segment.docs().pick(marked))?;
        Ok((within(segment, self.plan.range, docs)?, bits))
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
    let (docs, bits) = question.matching(segment)?;
    question.count(docs.len())?;
    if docs.is_empty() {
        return Ok(TrailBatch::default());
    }
    let mut batch = TrailBatch {
        at: times(segment, &docs)?,
        marks: docs.iter().map(|doc| bits[doc as usize]).collect(),
        ..read(question, segment, &docs)?
    };
    let mut visitors: Vec<Option<u64>> = vec![None; docs.len()];
    for part in &segment.columns(&Known::Visitor.into())?.parts {
        part.source.for_each(&docs, |place, raw| visitors[place] = part.form.hash(raw));
    }
    batch.trails = cut(segment.day, &visitors);
    Ok(batch)
}

/// The trails of a day with open parts.
fn gathered(question: &Question, view: &DayView) -> Result<Vec<TrailBatch>, StoreError> {
    let any = Compiled::And(vec![question.filter.clone(), Compiled::Or(question.marks.clone())]);
    let mut ordered = Ordered::of(view, &any, question.plan.range)?;
    question.count(ordered.spots().len())?;
    ordered.settle()?;
    let spots = ordered.spots();
    let many = spots.len();
    let is_given = question.plan.visits == Visits::Given;
    let mut day = TrailBatch {
        trails: Vec::new(),
        at: spots.iter().map(|spot| spot.at).collect(),
        marks: vec![0; many],
        visits: vec![None; if is_given { many } else { 0 }],
        labels: question.plan.labels.iter().map(|_| Labels { codes: vec![NONE; many], ..Labels::default() }).collect(),
    };
    let mut joined: Vec<Joined> = question.plan.labels.iter().map(|_| Joined::default()).collect();
    for (segment, places) in ordered.by_segment(spots) {
        question.deadline.check("trails")?;
        let docs = Docs::Some(places.iter().map(|place| spots[*place].doc).collect());
        for (at, one) in question.marks.iter().enumerate() {
            let mut passing = vec![false; docs.len()];
            mark(&docs, &one.restrict(segment, docs.clone())?, &mut passing);
            places.iter().zip(passing).for_each(|(place, passes)| day.marks[*place] |= u64::from(passes) << at);
        }
        let held = read(question, segment, &docs)?;
        places.iter().zip(held.visits).for_each(|(place, visit)| day.visits[*place] = visit);
        for ((labels, joined), held) in day.labels.iter_mut().zip(&mut joined).zip(&held.labels) {
            let common = joined.join(held);
            for (place, code) in places.iter().zip(&held.codes) {
                labels.codes[*place] = common.get(*code as usize).copied().unwrap_or(NONE);
            }
        }
    }
    day.labels.iter_mut().zip(joined).for_each(|(labels, joined)| labels.texts = joined.finish());
    let visitors: Vec<Option<u64>> = spots.iter().map(|spot| spot.has_visitor().then_some(spot.visitor)).collect();
    day.trails = cut(view.day, &visitors);
    Ok(parted(day))
}

/// A batch in several, cut between trails.
fn parted(day: TrailBatch) -> Vec<TrailBatch> {
    let mut batches = Vec::new();
    let mut trails = day.trails.as_slice();
    while let Some(first) = trails.first() {
        let from = first.events.start;
        let many = trails.partition_point(|trail| trail.events.end <= from + BATCH).max(1);
        let (these, rest) = trails.split_at(many);
        let events = from..these[many - 1].events.end;
        let moved =
            |trail: &Trail| Trail { events: trail.events.start - from..trail.events.end - from, ..trail.clone() };
        let labels = day
            .labels
            .iter()
            .map(|labels| Labels { codes: labels.codes[events.clone()].to_vec(), texts: labels.texts.clone() });
        batches.push(TrailBatch {
            trails: these.iter().map(moved).collect(),
            at: day.at[events.clone()].to_vec(),
            marks: day.marks[events.clone()].to_vec(),
            visits: if day.visits.is_empty() { Vec::new() } else { day.visits[events.clone()].to_vec() },
            labels: labels.collect(),
        });
        trails = rest;
    }
    batches
}

/// A trail for each run of one visitor.
fn cut(day: Day, visitors: &[Option<u64>]) -> Vec<Trail> {
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

/// The visits and labels of these documents, as far as they are asked for.
fn read(question: &Question, segment: &Segment, docs: &Docs) -> Result<TrailBatch, StoreError> {
    let visits = match question.plan.visits {
        Visits::Left => Vec::new(),
        Visits::Given => visits(segment, docs)?,
    };
    let label =
        |key: &Key| trail_labels::of(&*segment.columns(key)?, docs).map_err(io_error("read texts of", segment.day));
    let labels = question.plan.labels.iter().map(label).collect::<Result<_, _>>()?;
    Ok(TrailBatch { visits, labels, ..TrailBatch::default() })
}

fn visits(segment: &Segment, docs: &Docs) -> Result<Vec<Option<Visit>>, StoreError> {
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
