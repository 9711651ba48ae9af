//! Measure: what a row holds of each metric until all segments and days are merged.
//! - States merge in any order to the same answer; they are what the cache of partial answers keeps.
//! - Percentiles are exact for a handful of numbers, beyond that by a DDSketch: within 1 % of the number.

use super::distinct::{Distinct, Visits};
use crate::store::StoreError;
use crate::store::plan::Measure;
use serde::{Deserialize, Serialize};
use sketches_ddsketch::{Config, DDSketch};

/// Relative error of a percentile.
pub const PERCENTILE_ERROR: f64 = 0.01;
/// Memory of a sketch of either kind: 2^14 registers, or [`BUCKETS`] counts.
pub const SKETCH_BYTES: usize = 16 << 10;
/// Up to so many numbers are kept as they are.
const NUMBERS_EXACT: usize = 64;
/// Buckets of a sketch: 2048 at 1 % span more than 17 powers of ten.
const BUCKETS: u32 = 2048;
/// Numbers nearer to zero than this are zero to a sketch.
const NEAR_ZERO: f64 = 1e-9;

/// What a metric has seen in one row.
#[derive(Clone, Serialize, Deserialize)]
pub enum State {
    /// How many.
    Count(u64),
    /// A sum, and what rounding left over.
    Sum(f64, f64),
    /// The smallest.
    Least(Option<f64>),
    /// The largest.
    Most(Option<f64>),
    /// Different values.
    Distinct(Distinct),
    /// How numbers are spread.
    Spread(Spread),
    /// Different visits.
    Visits(Visits),
}

impl State {
    /// Of nothing seen yet.
    pub fn empty(measure: &Measure) -> Self {
        match measure {
            Measure::Events | Measure::Having(_) | Measure::Numbers(_) => Self::Count(0),
            Measure::Sum(_) => Self::Sum(0.0, 0.0),
            Measure::Min(_) => Self::Least(None),
            Measure::Max(_) => Self::Most(None),
            Measure::Distinct(_) | Measure::Daily(_) => Self::Distinct(Distinct::default()),
            Measure::Percentile(..) => Self::Spread(Spread::default()),
            Measure::Visits => Self::Visits(Visits::default()),
        }
    }

    /// Memory it holds, about.
    pub fn bytes(&self) -> usize {
        let held = match self {
            Self::Distinct(distinct) => distinct.bytes(),
            Self::Visits(visits) => visits.bytes(),
            Self::Spread(Spread { few, sketch }) => {
                few.capacity() * size_of::<f64>() + sketch.as_ref().map_or(0, |_| SKETCH_BYTES)
            }
            _ => 0,
        };
        size_of::<Self>() + held
    }

    /// Counts an event or a number.
    pub fn count(&mut self) {
        if let Self::Count(many) = self {
            *many += 1;
        }
    }

    /// Counts so many events, or takes one number in so many times.
    pub fn many(&mut self, many: usize, number: f64) {
        match self {
            Self::Count(held) => *held += many as u64,
            Self::Sum(sum, rest) => add(sum, rest, many as f64 * number),
            _ => (0..many).for_each(|_| self.number(number)),
        }
    }

    /// Takes a number in.
    pub fn number(&mut self, number: f64) {
        match self {
            Self::Count(many) => *many += 1,
            Self::Sum(sum, rest) => add(sum, rest, number),
            Self::Least(least) => *least = Some(least.map_or(number, |held| held.min(number))),
            Self::Most(most) => *most = Some(most.map_or(number, |held| held.max(number))),
            Self::Spread(spread) => spread.add(number),
            Self::Distinct(_) | Self::Visits(_) => {}
        }
    }

    /// Takes the hash of a text form in.
    pub fn text(&mut self, hash: u64) {
        if let Self::Distinct(distinct) = self {
            distinct.add(hash);
        }
    }

    /// Counts a value that no other state will see.
    pub fn settle(&mut self) {
        match self {
            Self::Distinct(distinct) => distinct.settle(),
            Self::Visits(visits) => visits.settle(),
            _ => {}
        }
    }

    /// Takes a visit in by its id.
    pub fn visit(&mut self, id: u64) {
        if let Self::Visits(visits) = self {
            visits.add(id);
        }
    }

    /// Takes in what another state of the same metric has seen.
    pub fn merge(&mut self, other: Self) -> Result<(), StoreError> {
        match (self, other) {
            (Self::Count(many), Self::Count(more)) => *many += more,
            (Self::Sum(sum, rest), Self::Sum(more, left)) => {
                add(sum, rest, more);
                *rest += left;
            }
            (this @ Self::Least(_), Self::Least(other)) | (this @ Self::Most(_), Self::Most(other)) => {
                other.into_iter().for_each(|number| this.number(number));
            }
            (Self::Distinct(distinct), Self::Distinct(other)) => distinct.merge(other)?,
            (Self::Spread(spread), Self::Spread(other)) => spread.merge(other)?,
            (Self::Visits(visits), Self::Visits(other)) => visits.merge(other),
            _ => return Err(mixed()),
        }
        Ok(())
    }

    /// The metric's number.
    pub fn value(self, measure: &Measure) -> Option<f64> {
        match self {
            Self::Count(many) => Some(many as f64),
            Self::Sum(sum, rest) => Some(sum + rest),
            Self::Least(number) | Self::Most(number) => number,
            Self::Distinct(distinct) => Some(distinct.count()),
            Self::Visits(visits) => Some(visits.count()),
            Self::Spread(spread) => match measure {
                Measure::Percentile(_, percent) => spread.percentile(*percent),
                _ => None,
            },
        }
    }
}

/// Two states that cannot be of one metric.
pub fn mixed() -> StoreError {
    StoreError::Corrupt { object: "a partial answer".to_owned(), why: "its states are of another question".to_owned() }
}

/// Adds with the rounding kept apart (Neumaier's sum), so that order does not matter to 1e-9.
fn add(sum: &mut f64, rest: &mut f64, number: f64) {
    let total = *sum + number;
    *rest += if sum.abs() >= number.abs() { (*sum - total) + number } else { (number - total) + *sum };
    *sum = total;
}

/// Numbers, as they are or in buckets.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Spread {
    few: Vec<f64>,
    sketch: Option<Box<DDSketch>>,
}

impl Spread {
    fn add(&mut self, number: f64) {
        match &mut self.sketch {
            Some(sketch) => sketch.add(number),
            None if self.few.len() < NUMBERS_EXACT => self.few.push(number),
            None => {
                let mut sketch = DDSketch::new(Config::new(PERCENTILE_ERROR, BUCKETS, NEAR_ZERO));
                std::mem::take(&mut self.few).into_iter().for_each(|number| sketch.add(number));
                sketch.add(number);
                self.sketch = Some(Box::new(sketch));
            }
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), StoreError> {
        if let Some(theirs) = other.sketch {
            match &mut self.sketch {
                Some(sketch) => sketch.merge(&theirs).map_err(|_| mixed())?,
                None => {
                    let few = std::mem::take(&mut self.few);
                    self.sketch = Some(theirs);
                    few.into_iter().for_each(|number| self.add(number));
                }
            }
        }
        other.few.into_iter().for_each(|number| self.add(number));
        Ok(())
    }

    /// The smallest number that at least `percent` per cent do not exceed.
    fn percentile(mut self, percent: f64) -> Option<f64> {
        let many = self.sketch.as_ref().map_or(self.few.len(), |sketch| sketch.count());
        let place = ((percent * many as f64 / 100.0).ceil() as usize).clamp(1, many.max(1)) - 1;
        match self.sketch {
            None => {
                self.few.sort_by(f64::total_cmp);
                self.few.get(place).copied()
            }
            // The sketch rounds its rank down: half a place more lands on the place itself.
            Some(sketch) => {
                let found = sketch.quantile(((place as f64 + 0.5) / (many - 1) as f64).min(1.0)).ok().flatten();
                found.map(|number| number.max(sketch.min().unwrap_or(number)).min(sketch.max().unwrap_or(number)))
            }
        }
    }
}
