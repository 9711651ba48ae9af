//! Collect: a plan over one segment, then rows of segments and days merged by their labels.
//! - The same shape at each level: [`Partial`] merges with [`Partial`]; the order of merging changes nothing.
//! - Rows held are bounded and their memory by the plan's limits, time by its deadline; both are checked while collecting.

use super::deadline::Deadline;
use super::docs::{Docs, Passing};
use super::error::io_error;
use super::filter::{Compiled, compile, within};
use super::groups::Rows;
use super::labels::Labels;
use super::measure::State;
use super::seer::Seer;
use super::segment::Segment;
use crate::store::StoreError;
use crate::store::plan::{Filter, Group, Label, Limits, Measure, Plan, TimeRange};
use foldhash::HashMap;
use serde::{Deserialize, Serialize};

/// Memory of a row without labels and states: its place in the map, and two allocations.
const ROW_BYTES: usize = 80;

/// A plan made ready to be asked of segments.
pub struct Question<'a> {
    /// Which events.
    pub filter: Compiled,
    /// What is measured, each with the place of its own filter.
    pub metrics: Vec<(&'a Measure, usize)>,
    /// The metrics' own filters, each once.
    pub only: Vec<Compiled>,
    /// Rows and memory held at the most.
    pub limits: Limits,
    /// When the answer is no longer wanted.
    pub deadline: Deadline,
}

/// How a question cuts events into rows.
pub struct Cut {
    /// When.
    pub range: TimeRange,
    /// By what.
    pub groups: Vec<Group>,
    /// Whether no event of the segment's visitors lies elsewhere: then what is different within a visitor's day is counted
    /// once and for all.
    pub alone: bool,
}

impl<'a> Question<'a> {
    /// Makes a plan ready; [`StoreError::Invalid`] for a pattern that is none.
    pub fn of(plan: &'a Plan, deadline: Deadline) -> Result<Self, StoreError> {
        let mut filters: Vec<&Filter> = Vec::new();
        let mut metrics = Vec::with_capacity(plan.metrics.len());
        for metric in &plan.metrics {
            let at = filters.iter().position(|filter| **filter == metric.only).unwrap_or_else(|| {
                filters.push(&metric.only);
                filters.len() - 1
            });
            metrics.push((&metric.measure, at));
        }
        Ok(Self {
            filter: compile(&plan.filter)?,
            metrics,
            only: filters.into_iter().map(compile).collect::<Result<_, _>>()?,
            limits: plan.limits,
            deadline,
        })
    }
}

impl Question<'_> {
    /// Whether the numbers that metrics measure tell by themselves which events a filter of metrics lets through.
    fn is_told(&self, only: usize, segment: &Segment) -> Result<bool, StoreError> {
        let Compiled::Exists(key) = &self.only[only] else { return Ok(false) };
        let mut of_filter = self.metrics.iter().filter(|(_, at)| *at == only);
        Ok(of_filter.all(|(measure, _)| measure.of_numbers() == Some(key)) && segment.columns(key)?.is_of_numbers())
    }
}

/// Rows that some metric saw an event in.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Partial {
    /// By their labels, a state a metric.
    pub rows: HashMap<Box<[Label]>, Vec<State>>,
    /// Whether some event that a metric saw is in several of them.
    pub overlap: bool,
    /// Memory of the rows, about.
    #[serde(skip)]
    pub bytes: usize,
}

impl Partial {
    /// The same with its memory known, which a file does not say.
    pub fn weighed(mut self) -> Self {
        self.bytes = self.rows.iter().map(|(labels, states)| row_bytes(labels, states)).sum();
        self
    }

    /// Takes in the rows of another.
    pub fn merge(&mut self, mut other: Self, limits: &Limits) -> Result<(), StoreError> {
        if other.rows.len() > self.rows.len() {
            std::mem::swap(self, &mut other);
        }
        self.overlap |= other.overlap;
        for (labels, states) in other.rows {
            match self.rows.get_mut(&labels) {
                Some(held) => {
                    for (state, more) in held.iter_mut().zip(states) {
                        let before = state.bytes();
                        state.merge(more)?;
                        self.bytes += state.bytes().saturating_sub(before);
                    }
                }
                None => {
                    self.bytes += row_bytes(&labels, &states);
                    self.rows.insert(labels, states);
                }
            }
        }
        let over = |limit: usize, of| Err(StoreError::Limit { operation: "aggregate", limit: limit as u64, of });
        if self.rows.len() > limits.rows_max {
            return over(limits.rows_max, "rows");
        }
        if self.bytes > limits.bytes_max {
            return over(limits.bytes_max, "bytes of rows");
        }
        Ok(())
    }
}

/// Memory of a row, about.
fn row_bytes(labels: &[Label], states: &[State]) -> usize {
    let label = |label: &Label| match label {
        Label::Text(text) => size_of::<Label>() + text.len(),
        _ => size_of::<Label>(),
    };
    ROW_BYTES + labels.iter().map(label).sum::<usize>() + states.iter().map(State::bytes).sum::<usize>()
}

/// Asks one segment.
pub fn collect(segment: &Segment, question: &Question<'_>, cut: &Cut) -> Result<Partial, StoreError> {
    question.deadline.check("aggregate")?;
    let docs = question.filter.restrict(segment, segment.docs())?;
    let docs = within(segment, cut.range, docs)?;
    if docs.is_empty() {
        return Ok(Partial::default());
    }
    question.deadline.check("aggregate")?;
    let InRows { docs, base, rows, labels } = InRows::of(segment, &cut.groups, docs, question.limits.rows_max)?;
    let is_single = rows.of_several().next().is_none();
    let mask = |at: usize| match is_single && question.is_told(at, segment)? {
        true => Ok(Mask { passing: base.clone(), is_told: true }),
        false => {
            let passing = question.only[at].passing(segment, &docs)?;
            Ok(Mask { passing: passing.and(&base), is_told: false })
        }
    };
    let masks = (0..question.only.len()).map(mask).collect::<Result<Vec<_>, StoreError>>()?;
    question.deadline.check("aggregate")?;
    let mut seen = seen(&rows, &masks, docs.len());
    let mut states: Vec<Vec<State>> = Vec::with_capacity(question.metrics.len());
    for (measure, only) in &question.metrics {
        question.deadline.check("aggregate")?;
        let mut row_states = vec![State::empty(measure); rows.len()];
        let seer = Seer { segment, docs: &docs, rows: &rows, mask: &masks[*only].passing, alone: cut.alone };
        seer.measure(measure, &mut row_states, &mut seen)?;
        states.push(row_states);
    }
    let kept: Vec<usize> = (0..rows.len()).filter(|row| seen[*row]).collect();
    let mut names = Vec::with_capacity(labels.len());
    for (group, labels) in labels.iter().enumerate() {
        let codes = kept.iter().map(|row| rows.codes(*row)[group]);
        names.push(labels.read(codes).map_err(io_error("read texts of", segment.day))?);
    }
    let overlap = rows.of_several().any(|place| masks.iter().any(|mask| mask.passing.sees(place)));
    let mut partial = Partial { overlap, ..Partial::default() };
    partial.rows.reserve(kept.len());
    for row in kept {
        // Each state is of one row.
        let states: Vec<State> =
            states.iter_mut().map(|of_rows| std::mem::replace(&mut of_rows[row], State::Count(0))).collect();
        let labels: Box<[Label]> =
            rows.codes(row).iter().zip(&names).filter_map(|(code, names)| names.get(code).cloned()).collect();
        partial.bytes += row_bytes(&labels, &states);
        partial.rows.insert(labels, states);
    }
    Ok(partial)
}

/// Documents in rows.
struct InRows {
    docs: Docs,
    /// Which of them are meant.
    base: Passing,
    rows: Rows,
    labels: Vec<Labels>,
}

impl InRows {
    /// Cuts documents into rows. Where most are left, all are cut, beside which are meant: columns are read quicker in one
    /// piece. Unless those that are not meant would make too many rows.
    fn of(segment: &Segment, groups: &[Group], docs: Docs, rows_max: usize) -> Result<Self, StoreError> {
        if docs.len() > segment.len() as usize / 2 {
            let all = segment.docs();
            match Rows::of(segment, groups, &all, rows_max) {
                Err(StoreError::Limit { .. }) if docs != all => {}
                rows => {
                    let (base, (rows, labels)) = (Passing::among(&all, &docs), rows?);
                    return Ok(Self { docs: all, base, rows, labels });
                }
            }
        }
        let (rows, labels) = Rows::of(segment, groups, &docs, rows_max)?;
        Ok(Self { docs, base: Passing::All, rows, labels })
    }
}

/// Which documents a filter of metrics lets through.
struct Mask {
    passing: Passing,
    /// Whether the numbers that are measured tell it: then it lets through all that it may.
    is_told: bool,
}

/// The rows in which some metric sees an event by its mask.
fn seen(rows: &Rows, masks: &[Mask], many: usize) -> Vec<bool> {
    let masks = || masks.iter().filter(|mask| !mask.is_told).map(|mask| &mask.passing);
    // No row is without events.
    if masks().any(|mask| *mask == Passing::All) {
        return vec![true; rows.len()];
    }
    let mut seen = vec![false; rows.len()];
    for mask in masks().filter(|mask| **mask != Passing::None) {
        mask.each(many, |place| rows.each(place, |row| seen[row] = true));
    }
    seen
}
