//! Recipe: what a metric is made of: terms that stores measure, and how their numbers become one.
//! - A term says which of an event's times it goes by, how it reads the question's keys, and which events it measures.
//! - A row exists where some term saw an event: terms see no more than they measure.

use super::goal::Reached;
use super::range::Interval;
use super::rekey::keys_of;
use super::scope::having;
use crate::event::{Key, Known};
use crate::store::plan::{Counting, Filter, Measure, TimeKey};

/// How a term reads the keys of the question's filter and dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As they are.
    Asked,
    /// `path` and `id` as those that the visit was entered by.
    Entering,
    /// `path` as the page before.
    Leaving,
    /// `path` as `id`: the page of a view that has no path.
    ById,
}

impl Reading {
    /// The key that stands for one of the question's.
    pub fn key(self, key: &Key) -> Key {
        let is = |known: Known| *key == Key::Known(known);
        match self {
            Self::Entering if is(Known::Path) => Known::Entry.into(),
            Self::Entering if is(Known::Id) => Known::EntryId.into(),
            Self::Leaving if is(Known::Path) => Known::Previous.into(),
            Self::ById if is(Known::Path) => Known::Id.into(),
            _ => key.clone(),
        }
    }
}

/// Over which events a term is measured, beside its own filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The events of each row.
    Row,
    /// All that the filters match, dimensions left out.
    All,
    /// Those of the row in the last five minutes.
    Now,
}

/// Which filter of the question a term stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// All of it.
    Filter,
    /// Without the goal that it names, if it names one.
    WithoutGoal,
}

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// How it reads keys.
    pub reading: Reading,
    /// The time it goes by.
    pub time: TimeKey,
    /// Over which events.
    pub over: Over,
    /// Of which filter.
    pub base: Base,
    /// Which of them.
    pub only: Filter,
    /// What is measured.
    pub measure: Measure,
}

impl Term {
    /// Of each row's events, by their own time.
    pub fn of(only: Filter, measure: Measure) -> Self {
        Self { reading: Reading::Asked, time: TimeKey::Timestamp, over: Over::Row, base: Base::Filter, only, measure }
    }

    /// The sum of an increment over the events that have it.
    pub fn sum(key: Known) -> Self {
        Self::of(having(key), Measure::Sum(key.into()))
    }

    /// The same by the time of the visit.
    pub fn by_visit(self) -> Self {
        Self { time: TimeKey::VisitAt, ..self }
    }

    /// The same with keys read so.
    pub fn reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// The same over other events.
    pub fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    /// The same, whether or not the goal of the filter is reached.
    pub fn without_goal(self) -> Self {
        Self { base: Base::WithoutGoal, ..self }
    }

    /// The same, of the events that this matches too.
    pub fn only(self, filter: Filter) -> Self {
        Self { only: self.only.and(filter), ..self }
    }
}

/// Whether a metric's rows add up to its total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// They do, where no event is in several rows.
    Adds,
    /// They do not: one of what is counted may be in several rows.
    Distinct,
    /// A ratio, an extreme or a percentile.
    None,
}

/// Why a number is an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// Different values are counted.
    Distinct,
    /// A percentile.
    Percentile,
}

/// A metric made ready.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What is measured.
    pub terms: Vec<Term>,
    /// The number of the terms' numbers.
    pub finish: fn(&[Option<f64>]) -> Option<f64>,
    /// Whether rows add up.
    pub sum: Sum,
    /// Why it is an estimate, if it is one.
    pub estimate: Option<Estimate>,
}

impl Recipe {
    /// One term as it is, whose rows add up.
    pub fn plain(term: Term) -> Self {
        Self { terms: vec![term], finish: |terms| terms[0], sum: Sum::Adds, estimate: None }
    }

    /// Different values of a key.
    pub fn distinct(term: Term) -> Self {
        Self { sum: Sum::Distinct, estimate: Some(Estimate::Distinct), ..Self::plain(term) }
    }

    /// The quotient of two terms.
    pub fn ratio(terms: Vec<Term>) -> Self {
        Self { terms, finish: |terms| divided(terms[0], terms[1]), sum: Sum::None, estimate: None }
    }

    /// The same with its number made otherwise.
    pub fn finished(self, finish: fn(&[Option<f64>]) -> Option<f64>) -> Self {
        Self { finish, ..self }
    }
}

/// A quotient; over nothing it is none.
pub fn divided(above: Option<f64>, below: Option<f64>) -> Option<f64> {
    let below = below.filter(|below| *below != 0.0)?;
    Some(above.unwrap_or_default() / below)
}

/// What of a question decides how a metric is measured.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The keys that rows are cut by.
    pub keys: &'a [Key],
    /// The times that rows are cut by.
    pub times: &'a [Interval],
    /// The filter.
    pub filter: &'a Filter,
    /// Whether range and zone are whole days of the site.
    pub is_site_days: bool,
    /// How clicks are counted.
    pub counting: Counting,
    /// The goal.
    pub goal: Option<&'a Reached>,
}

impl About<'_> {
    /// A key of the filter or the dimensions that `fits` does not take.
    pub fn other_key(&self, fits: impl Fn(&Key) -> bool) -> Option<Key> {
        let mut other = None;
        let mut see = |key: &Key| {
            if other.is_none() && !fits(key) {
                other = Some(key.clone());
            }
        };
        self.keys.iter().for_each(&mut see);
        keys_of(self.filter, &mut see);
        other
    }
}

/// Whether a key is the same on every event of a visitor's day.
pub fn is_visitor_key(key: &Key) -> bool {
    use Known::{Bot, Browser, BrowserVersion, City, Country, Day, Device, Os, Region, Site};
    let of_visitor = [Browser, BrowserVersion, Os, Device, Country, Region, City, Bot, Site, Day];
    matches!(key, Key::Known(known) if of_visitor.contains(known))
}

/// The keys of a visit, for messages.
pub const VISIT_KEYS: &str =
    "entry, entry_id, source, channel, utm_*, browser, os, device, country, region, city, bot, day";

/// Whether a key is the same on every event of a visit.
pub fn is_visit_key(key: &Key) -> bool {
    use Known::{
        Channel, Entry, EntryId, Source, UtmCampaign, UtmContent, UtmMedium, UtmSource, UtmTerm, Visit, VisitAt,
    };
    let of_visit =
        [Visit, VisitAt, Entry, EntryId, Source, Channel, UtmSource, UtmMedium, UtmCampaign, UtmTerm, UtmContent];
    is_visitor_key(key) || matches!(key, Key::Known(known) if of_visit.contains(known))
}
