//! Tally: runs of all who go through a funnel, counted step by step.
//! - Visitors and visits are counted as their trails come; users once all of their events are there.
//! - Held: a number for each step that somebody reached, and of users every event.

use super::run::{Rule, run};
use super::{Over, Row, Step};
use crate::clock::Millis;
use crate::event::Day;
use crate::store::trails::{NONE, Several, Trail, TrailBatch};
use std::collections::{BTreeMap, HashMap};

/// One event of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    at: Millis,
    whose: (Day, Option<u64>),
    /// Its place among those of one trail.
    place: usize,
    marks: u64,
    /// The place of its values of the key.
    by: u32,
}

/// The waits before each step, of all who reached it.
#[derive(Debug, Clone)]
struct Reached(Vec<Vec<Millis>>);

/// Counts so far.
#[derive(Debug)]
pub(super) struct Tally {
    rule: Rule,
    over: Over,
    has_key: bool,
    /// Whether somebody is in several rows.
    is_overlapping: bool,
    all: Reached,
    rows: BTreeMap<Option<Box<str>>, Reached>,
    /// The values of the key, and where each stands.
    values: Vec<Several>,
    places: HashMap<Several, u32>,
    users: HashMap<Box<str>, Vec<Seen>>,
    /// The run at hand.
    run: Vec<usize>,
}

/// What was counted.
#[derive(Debug)]
pub(super) struct Counts {
    /// The steps of all.
    pub steps: Vec<Step>,
    /// The most at the first step first, ties by text.
    pub rows: Vec<Row>,
    /// Whether somebody is in several rows.
    pub is_overlapping: bool,
}

impl Tally {
    pub(super) fn new(rule: Rule, over: Over, has_key: bool) -> Self {
        Self {
            rule,
            over,
            has_key,
            is_overlapping: false,
            all: Reached::none(rule.steps),
            rows: BTreeMap::new(),
            values: Vec::new(),
            places: HashMap::new(),
            users: HashMap::new(),
            run: Vec::new(),
        }
    }

    /// Takes the trails of a batch.
    pub(super) fn take(&mut self, batch: &TrailBatch) {
        let by = self.by(batch);
        let by = |place: usize| by.get(place).copied().unwrap_or(NONE);
        for trail in &batch.trails {
            let (from, to) = (trail.events.start, trail.events.end);
            match self.over {
                Over::Visitor => self.count(&batch.at[from..to], &batch.marks[from..to], |at| by(from + at)),
                Over::Visit => self.take_visits(batch, trail, &by),
                Over::User => {
                    let Some(users) = batch.labels.last() else { continue };
                    for place in trail.events.clone() {
                        let Some(user) = users.of(place).first() else { continue };
                        let (whose, at, marks) = ((trail.day, trail.visitor), batch.at[place], batch.marks[place]);
                        let seen = Seen { at, whose, place, marks, by: by(place) };
                        self.users.entry(user.clone()).or_default().push(seen);
                    }
                }
            }
        }
    }

    /// Takes the visits of a trail: a visit is a few of its visitor's events, mostly side by side.
    fn take_visits(&mut self, batch: &TrailBatch, trail: &Trail, by: &impl Fn(usize) -> u32) {
        let mut visits: Vec<(u64, Vec<usize>)> = Vec::new();
        for place in trail.events.clone() {
            let Some(visit) = batch.visits[place] else { continue };
            match visits.iter_mut().rev().find(|(id, _)| *id == visit.id) {
                Some((_, places)) => places.push(place),
                None => visits.push((visit.id, vec![place])),
            }
        }
        for (_, places) in visits {
            let at: Vec<Millis> = places.iter().map(|place| batch.at[*place]).collect();
            let marks: Vec<u64> = places.iter().map(|place| batch.marks[*place]).collect();
            self.count(&at, &marks, |at| by(places[at]));
        }
    }

    /// The places of each event's values of the key; nothing without a key.
    fn by(&mut self, batch: &TrailBatch) -> Vec<u32> {
        let Some(labels) = batch.labels.first().filter(|_| self.has_key) else { return Vec::new() };
        let mut place = |several: &Several| {
            *self.places.entry(several.clone()).or_insert_with(|| {
                self.values.push(several.clone());
                self.values.len() as u32 - 1 // values are fewer than events, which are bounded far below a u32
            })
        };
        let places: Vec<u32> = labels.texts.iter().map(&mut place).collect();
        labels.codes.iter().map(|code| places.get(*code as usize).copied().unwrap_or(NONE)).collect()
    }

    /// Counts the run of somebody's events, which are in order.
    fn count(&mut self, at: &[Millis], marks: &[u64], by: impl Fn(usize) -> u32) {
        run(&self.rule, at, marks, &mut self.run);
        let Some(first) = self.run.first() else { return };
        self.all.add(at, &self.run);
        if !self.has_key {
            return;
        }
        let values = self.values.get(by(*first) as usize);
        let labels = values.map_or(vec![None], |values| values.iter().cloned().map(Some).collect());
        self.is_overlapping |= labels.len() > 1;
        for label in labels {
            self.rows.entry(label).or_insert_with(|| Reached::none(self.rule.steps)).add(at, &self.run);
        }
    }

    /// What was counted.
    pub(super) fn finish(mut self) -> Counts {
        for (_, mut events) in std::mem::take(&mut self.users) {
            events.sort_unstable();
            let at: Vec<Millis> = events.iter().map(|event| event.at).collect();
            let marks: Vec<u64> = events.iter().map(|event| event.marks).collect();
            self.count(&at, &marks, |place| events[place].by);
        }
        let rows = self.rows.into_iter().map(|(label, reached)| (label.map(String::from), reached.steps()));
        let mut rows: Vec<Row> = rows.collect();
        // Stable: the map is in order of its texts.
        rows.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.first().map(|step| step.reached)));
        Counts { steps: self.all.steps(), rows, is_overlapping: self.is_overlapping }
    }
}

impl Reached {
    fn none(steps: usize) -> Self {
        Self(vec![Vec::new(); steps])
    }

    /// Adds a run by the places of its events, of which these are the times.
    fn add(&mut self, at: &[Millis], run: &[usize]) {
        for (step, place) in run.iter().enumerate() {
            let before = if step == 0 { *place } else { run[step - 1] };
            self.0[step].push(at[*place] - at[before]);
        }
    }

    fn steps(mut self) -> Vec<Step> {
        let reached: Vec<usize> = self.0.iter().map(Vec::len).collect();
        // Whole numbers far below 2^53.
        let ratio = |a: usize, b: usize| (b > 0).then(|| a as f64 / b as f64);
        let steps = self.0.iter_mut().enumerate();
        let step = |(at, waits): (usize, &mut Vec<Millis>)| Step {
            reached: reached[at] as u64,
            rate: ratio(reached[at], reached[0]),
            rate_from_previous: at.checked_sub(1).and_then(|before| ratio(reached[at], reached[before])),
            median_ms: if at == 0 { None } else { median(waits) },
        };
        steps.map(step).collect()
    }
}

/// The middle one, or half way between the two in the middle.
fn median(waits: &mut [Millis]) -> Option<f64> {
    if waits.is_empty() {
        return None;
    }
    let (middle, is_even) = (waits.len() / 2, waits.len().is_multiple_of(2));
    let (below, upper, _) = waits.select_nth_unstable(middle);
    let upper = *upper as f64; // far below 2^53 ms
    match below.iter().max().filter(|_| is_even) {
        Some(lower) => Some((*lower as f64 + upper) / 2.0),
        None => Some(upper),
    }
}
