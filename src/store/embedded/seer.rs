//! Seer: one metric looking at one segment.
//! - Where all documents are in one row and a column has one number, nothing is read.
//! - What is different is hashed once for each row that has it; what no other segment can have is counted at once.

use super::columns::Values;
use super::distinct::{hash_of, hash_on};
use super::docs::{Docs, Passing};
use super::error::io_error;
use super::groups::{First, NONE, Rows};
use super::measure::State;
use super::segment::Segment;
use crate::event::{Key, Known};
use crate::store::StoreError;
use crate::store::plan::Measure;

/// One metric looking at one segment.
pub struct Seer<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// The documents.
    pub docs: &'a Docs,
    /// Their rows.
    pub rows: &'a Rows,
    /// Which of them the metric sees.
    pub mask: &'a Passing,
    /// Whether no event of the segment's visitors lies elsewhere.
    pub alone: bool,
}

impl Seer<'_> {
    /// Measures, and marks the rows in which it saw a number.
    pub fn measure(&self, measure: &Measure, states: &mut [State], seen: &mut [bool]) -> Result<(), StoreError> {
        match measure {
            Measure::Events => match self.rows.single() {
                Some(First::Same(NONE)) => {}
                Some(First::Same(row)) => states[*row as usize].many(self.mask.count(self.docs.len()), 1.0),
                _ => {
                    self.mask.each(self.docs.len(), |place| self.rows.each(place, |row| states[row].count()));
                }
            },
            Measure::Having(key) => {
                let having = self.segment.columns(key)?.having(self.docs);
                let counted = having.and(self.mask);
                counted.each(self.docs.len(), |place| self.rows.each(place, |row| states[row].count()));
            }
            Measure::Distinct(key) => self.distinct(key, hash_of, states)?,
            Measure::Daily(key) if is_of_visitors(key) && self.settle(key, states)? => {}
            Measure::Daily(key) => self.distinct(key, |text| hash_on(self.segment.day, text), states)?,
            Measure::Visits if self.settle(&Known::Visit.into(), states)? => {}
            Measure::Visits => {
                for part in &self.segment.columns(&Known::Visit.into())?.parts {
                    part.source.for_each(self.docs, |place, raw| {
                        if let Some(id) = part.form.hash(raw).filter(|_| self.mask.sees(place)) {
                            self.rows.each(place, |row| states[row].visit(id));
                        }
                    });
                }
            }
            Measure::Sum(key)
            | Measure::Numbers(key)
            | Measure::Min(key)
            | Measure::Max(key)
            | Measure::Percentile(key, _) => {
                let columns = self.segment.columns(key)?;
                if let (Some(First::Same(row)), Docs::All(_), Passing::All) = (self.rows.single(), self.docs, self.mask)
                    && let Some((many, number)) = columns.same_number().filter(|_| *row != NONE)
                {
                    states[*row as usize].many(many, number);
                    seen[*row as usize] |= many > 0;
                    return Ok(());
                }
                let read = columns.numbers(self.docs, |place, number| {
                    if self.mask.sees(place) {
                        self.rows.each(place, |row| {
                            states[row].number(number);
                            seen[row] = true;
                        });
                    }
                });
                read.map_err(io_error("read numbers of", self.segment.day))?;
            }
        }
        Ok(())
    }

    /// Counts each different value of each row once and for all, if no other segment can have it; answers whether. The events
    /// of a visitor follow one another there, and so do those of a visit.
    fn settle(&self, key: &Key, states: &mut [State]) -> Result<bool, StoreError> {
        let columns = self.segment.columns(key)?;
        let [part] = columns.parts.as_slice() else { return Ok(false) };
        if self.alone {
            let mut last = vec![None; self.rows.len()];
            part.source.for_each(self.docs, |place, raw| {
                if self.mask.sees(place) {
                    self.rows.each(place, |row| {
                        if last[row] != Some(raw) {
                            last[row] = Some(raw);
                            states[row].settle();
                        }
                    });
                }
            });
        }
        Ok(self.alone)
    }

    /// Hashes each different value once, for the rows that have it.
    fn distinct(&self, key: &Key, hash: impl Fn(&str) -> u64, states: &mut [State]) -> Result<(), StoreError> {
        let columns = self.segment.columns(key)?;
        for part in &columns.parts {
            let (raws, pairs) = self.different(part);
            let mut hashes = vec![0; raws.len()];
            let read = part.form.values(&raws, |at, value| hashes[at] = hash(&columns.text(&value)));
            read.map_err(io_error("read texts of", self.segment.day))?;
            pairs.into_iter().for_each(|(at, row)| states[row as usize].text(hashes[at as usize]));
        }
        Ok(())
    }

    /// The different raw numbers, ascending, and which rows have which of them, each pair once.
    fn different(&self, part: &Values) -> (Vec<u64>, Vec<(u32, u32)>) {
        let mut runs: Vec<u64> = Vec::new();
        let mut last = vec![u32::MAX; self.rows.len()];
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        part.source.for_each(self.docs, |place, raw| {
            if self.mask.sees(place) {
                if runs.last() != Some(&raw) {
                    runs.push(raw);
                }
                let run = runs.len() as u32 - 1; // runs and rows are no more than values, which are below a u32
                self.rows.each(place, |row| {
                    if last[row] != run {
                        last[row] = run;
                        pairs.push((run, row as u32));
                    }
                });
            }
        });
        // A sealed segment lies in the order of its visitors: each is one run.
        if runs.is_sorted_by(|a, b| a < b) {
            return (runs, pairs);
        }
        let mut raws = runs.clone();
        raws.sort_unstable();
        raws.dedup();
        let places: Vec<u32> = runs.iter().map(|raw| raws.partition_point(|other| other < raw) as u32).collect();
        pairs.iter_mut().for_each(|(run, _)| *run = places[*run as usize]);
        pairs.sort_unstable();
        pairs.dedup();
        (raws, pairs)
    }
}

/// Whether each value of a key is of one visitor.
fn is_of_visitors(key: &Key) -> bool {
    [Known::Visitor, Known::Visit].iter().any(|known| *key == Key::Known(*known))
}
