//! Collect: a plan over one segment, then rows of segments and days merged by their labels.
//! - The same shape at each level: [`Partial`] merges with [`Partial`]; the order of merging changes nothing.
//! - Rows held are bounded and their memory by the plan's limits, time by its deadline; both are checked while collecting.

use super::columns::Docs;
use super::deadline::Deadline;
use super::distinct::DayAs;
use super::error::io_error;
use super::filter::{Compiled, compile, within};
use super::groups::Rows;
use super::measure::{State, hash_of, hash_on};
use super::segment::Segment;
use crate::event::{Key, Known};
use crate::store::StoreError;
use crate::store::plan::{Filter, Group, Label, Limits, Measure, Plan, TimeRange};
use rustc_hash::FxHashMap;
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
    /// Where their day lies.
    pub day: DayAs,
    /// When.
    pub range: TimeRange,
    /// By what.
    pub groups: Vec<Group>,
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

/// Rows that some metric saw an event in.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Partial {
    /// By their labels, a state a metric.
    pub rows: FxHashMap<Box<[Label]>, Vec<State>>,
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
    let masks = question.only.iter().map(|only| Mask::of(only, segment, &docs)).collect::<Result<Vec<_>, _>>()?;
    let (rows, labels) = Rows::of(segment, &cut.groups, &docs, question.limits.rows_max)?;
    question.deadline.check("aggregate")?;
    let seen = seen(&rows, &masks, question, docs.len());
    let mut states: Vec<Vec<State>> = Vec::with_capacity(question.metrics.len());
    for (measure, only) in &question.metrics {
        question.deadline.check("aggregate")?;
        let mut row_states = vec![State::empty(measure); rows.len()];
        let seer = Seer { segment, day: cut.day, docs: &docs, rows: &rows, mask: &masks[*only] };
        seer.measure(measure, &mut row_states)?;
        states.push(row_states);
    }
    let kept: Vec<usize> = (0..rows.len()).filter(|row| seen[*row]).collect();
    let mut names = Vec::with_capacity(labels.len());
    for (group, labels) in labels.iter().enumerate() {
        let codes = kept.iter().map(|row| rows.codes(*row)[group]);
        names.push(labels.read(codes).map_err(io_error("read texts of", segment.day))?);
    }
    let mut columns: Vec<_> = states.into_iter().map(|states| states.into_iter()).collect();
    let overlap = rows.of_several().any(|place| masks.iter().any(|mask| mask.sees(place)));
    let mut partial = Partial { overlap, ..Partial::default() };
    for (row, seen) in seen.into_iter().enumerate() {
        let states: Vec<State> = columns.iter_mut().filter_map(Iterator::next).collect();
        if seen {
            let labels: Box<[Label]> =
                rows.codes(row).iter().zip(&names).filter_map(|(code, names)| names.get(code).cloned()).collect();
            partial.bytes += row_bytes(&labels, &states);
            partial.rows.insert(labels, states);
        }
    }
    Ok(partial)
}

/// Which documents a metric sees.
struct Mask(Option<Vec<bool>>);

impl Mask {
    fn of(only: &Compiled, segment: &Segment, docs: &Docs) -> Result<Self, StoreError> {
        if only.is_all() {
            return Ok(Self(None));
        }
        let matching = only.restrict(segment, docs.clone())?;
        let mut passing = vec![false; docs.len()];
        super::filter::mark(docs, &matching, &mut passing);
        Ok(Self(Some(passing)))
    }

    fn sees(&self, place: usize) -> bool {
        self.0.as_ref().is_none_or(|passing| passing[place])
    }
}

/// The rows in which some metric saw an event.
fn seen(rows: &Rows, masks: &[Mask], question: &Question<'_>, many: usize) -> Vec<bool> {
    let mut seen = vec![false; rows.len()];
    if question.metrics.is_empty() {
        return seen;
    }
    for place in (0..many).filter(|place| masks.iter().any(|mask| mask.sees(*place))) {
        rows.each(place, |row| seen[row] = true);
    }
    seen
}

/// One metric looking at one segment.
struct Seer<'a> {
    segment: &'a Segment,
    day: DayAs,
    docs: &'a Docs,
    rows: &'a Rows,
    mask: &'a Mask,
}

impl Seer<'_> {
    fn measure(&self, measure: &Measure, states: &mut [State]) -> Result<(), StoreError> {
        match measure {
            Measure::Events => {
                for place in (0..self.docs.len()).filter(|place| self.mask.sees(*place)) {
                    self.rows.each(place, |row| states[row].count());
                }
            }
            Measure::Having(key) => {
                let having = self.segment.columns(key)?.having(self.docs);
                for place in (0..self.docs.len()).filter(|place| having[*place] && self.mask.sees(*place)) {
                    self.rows.each(place, |row| states[row].count());
                }
            }
            Measure::Distinct(key) => self.distinct(key, hash_of, states)?,
            Measure::Daily(key) => self.distinct(key, |text| hash_on(self.segment.day, text), states)?,
            Measure::Visits => self.visits(states)?,
            Measure::Sum(key)
            | Measure::Numbers(key)
            | Measure::Min(key)
            | Measure::Max(key)
            | Measure::Percentile(key, _) => {
                let columns = self.segment.columns(key)?;
                let read = columns.numbers(self.docs, |place, number| {
                    if self.mask.sees(place) {
                        self.rows.each(place, |row| states[row].number(number));
                    }
                });
                read.map_err(io_error("read numbers of", self.segment.day))?;
            }
        }
        Ok(())
    }

    fn visits(&self, states: &mut [State]) -> Result<(), StoreError> {
        for part in &self.segment.columns(&Known::Visit.into())?.parts {
            part.source.for_each(self.docs, |place, raw| {
                if let Some(id) = part.form.hash(raw).filter(|_| self.mask.sees(place)) {
                    self.rows.each(place, |row| states[row].visit(id, self.day));
                }
            });
        }
        Ok(())
    }

    /// Hashes each different value of each row once.
    fn distinct(&self, key: &Key, hash: impl Fn(&str) -> u64, states: &mut [State]) -> Result<(), StoreError> {
        let columns = self.segment.columns(key)?;
        for part in &columns.parts {
            let mut pairs: Vec<(u64, u32)> = Vec::new();
            part.source.for_each(self.docs, |place, raw| {
                if self.mask.sees(place) {
                    self.rows.each(place, |row| {
                        let pair = (raw, row as u32); // rows are u32
                        if pairs.last() != Some(&pair) {
                            pairs.push(pair);
                        }
                    });
                }
            });
            pairs.sort_unstable();
            pairs.dedup();
            let mut raws: Vec<u64> = pairs.iter().map(|(raw, _)| *raw).collect();
            raws.dedup();
            let mut hashes = vec![0; raws.len()];
            let read = part.form.values(&raws, |at, value| hashes[at] = hash(&columns.text(&value)));
            read.map_err(io_error("read texts of", self.segment.day))?;
            let mut at = 0;
            for (raw, row) in pairs {
                while raws[at] != raw {
                    at += 1;
                }
                states[row as usize].text(hashes[at]);
            }
        }
        Ok(())
    }
}
