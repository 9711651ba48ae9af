//! Memory: the oracle. Every promise of the store contract in the plainest possible way, to hold other stores against.
//! - All answers are worked out from the events themselves: no index, no cache, no approximation.
//! - A write is visible and as durable as it gets at once; what is held ends with the process.
//! - Of an expired day a table of its items' usage stays, which holds nothing about a person.
//! - Absent: speed; every question reads every event of the days it may touch. Its tests are the contract suite itself,
//!   whose answers are worked out by hand.

mod items;
mod rows;
mod select;
mod trails;

use super::plan::{Answer, Filter, Plan, TimeKey, TimeRange, UsageAnswer, UsagePlan};
use super::trails::{TrailPlan, Trails};
use super::{Capabilities, Cursor, DayState, Derive, Entry, Field, Page, Position, Scan, Store, StoreError};
use super::{forms, order};
use crate::clock::Millis;
use crate::event::{Day, Event, Key, Known};
use async_trait::async_trait;
use select::Test;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Events of one batch of a scan.
const SCAN_BATCH_EVENTS: usize = 1_000;
/// Batches of a scan that wait for their reader.
const SCAN_BATCHES_MAX: usize = 2;

/// The store that keeps everything in maps.
#[derive(Debug, Default)]
pub struct Memory {
    held: RwLock<Held>,
}

/// What is held.
#[derive(Debug, Default)]
struct Held {
    /// Days with events.
    days: BTreeMap<Day, Partition>,
    /// Usage of the events that expired.
    expired: BTreeMap<Day, items::Table>,
    /// Positions of all entries ever taken.
    taken: BTreeSet<Position>,
    /// Everything before it was taken.
    position: Position,
}

/// One day's events.
#[derive(Debug, Default)]
struct Partition {
    /// In order of arrival.
    entries: Vec<Entry>,
    /// How many of them there were when the day was last sealed.
    sealed: Option<usize>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The entries that match, day by day, in order of arrival.
    fn matching(&self, filter: &Filter, range: TimeRange) -> Result<Vec<&Entry>, StoreError> {
        let test = Test::of(filter)?;
        let within = |event: &Event| time(event, range.key).is_some_and(|at| range.from <= at && at < range.to);
        let entries = self.days.values().flat_map(|partition| &partition.entries);
        Ok(entries.filter(|entry| within(&entry.event) && test.matches(&entry.event)).collect())
    }

    /// Each day's usage: what is left of expired events, and that of the events at hand.
    fn tables(&self, days: (Day, Day)) -> BTreeMap<Day, items::Table> {
        let mut tables: BTreeMap<Day, items::Table> = BTreeMap::new();
        for (day, table) in &self.expired {
            tables.entry(*day).or_default().join(table);
        }
        for (day, partition) in &self.days {
            let table = tables.entry(*day).or_default();
            partition.entries.iter().for_each(|entry| table.add(&entry.event));
        }
        tables.retain(|day, _| days.0 <= *day && *day <= days.1);
        tables
    }
}

#[async_trait]
impl Store for Memory {
    async fn write(&self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        let mut held = self.change();
        for entry in entries {
            if held.taken.insert(entry.position) {
                held.days.entry(entry.event.day()).or_default().entries.push(entry);
            }
        }
        held.position = held.position.max(end);
        Ok(())
    }

    async fn position(&self) -> Result<Position, StoreError> {
        Ok(self.read().position)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        let held = self.read();
        let within = held.days.iter().filter(|(day, _)| days.0 <= **day && **day <= days.1);
        let events = within.flat_map(|(_, partition)| &partition.entries).map(|entry| &entry.event);
        let there: BTreeSet<&str> =
            events.filter(|event| event.site() == site).filter_map(|event| event.text(Known::EventId)).collect();
        Ok(ids.iter().map(|id| there.contains(id)).collect())
    }

    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError> {
        let held = self.read();
        let entries = held.matching(&plan.filter, plan.range)?;
        rows::answer(plan, entries.into_iter().map(|entry| &entry.event))
    }

    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
        items::answer(plan, &self.read().tables(plan.days))
    }

    async fn events(
        &self,
        filter: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let after = after.map(Newest::read).transpose()?;
        let held = self.read();
        let mut entries = held.matching(filter, range)?;
        entries.sort_by_key(|entry| Newest::of(entry));
        entries.retain(|entry| after.is_none_or(|after| after < Newest::of(entry)));
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| Newest::of(last).cursor());
        Ok(Page { events: entries.into_iter().map(|entry| entry.event.clone()).collect(), next })
    }

    async fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Result<Scan, StoreError> {
        let mut events: Vec<Event> = {
            let held = self.read();
            let entries = held.matching(filter, range)?;
            entries.into_iter().map(|entry| entry.event.clone()).collect()
        };
        events.sort_by(|a, b| a.day().cmp(&b.day()).then_with(|| order::in_day(a, b)));
        if let Some(keys) = keys {
            events = events.into_iter().map(|event| only(event, keys)).collect();
        }
        let (sender, receiver) = tokio::sync::mpsc::channel(SCAN_BATCHES_MAX);
        tokio::spawn(async move {
            for batch in events.chunks(SCAN_BATCH_EVENTS) {
                // A reader that left ends the scan.
                if sender.send(Ok(batch.to_vec())).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }

    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError> {
        let batches = {
            let held = self.read();
            let entries = held.matching(&plan.filter, plan.range)?;
            trails::answer(plan, entries.into_iter().map(|entry| &entry.event))?
        };
        Ok(trails::stream(batches))
    }

    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError> {
        let held = self.read();
        let within = held.days.iter().filter(|(day, _)| days.0 <= **day && **day <= days.1);
        let mut fields: BTreeMap<String, Field> = BTreeMap::new();
        for (key, value) in within.flat_map(|(_, day)| &day.entries).flat_map(|entry| entry.event.fields()) {
            let field = fields.entry(key.name().to_owned());
            let field = field.or_insert_with(|| Field { key: key.clone(), texts: false, numbers: false });
            field.texts |= value.scalars().iter().any(|scalar| forms::is_text(key, scalar));
            field.numbers |= forms::numbers(key, value).next().is_some();
        }
        Ok(fields.into_values().collect())
    }

    async fn days(&self) -> Result<Vec<DayState>, StoreError> {
        let state = |(day, partition): (&Day, &Partition)| {
            let late = partition.sealed.map(|sealed| partition.entries.len() - sealed);
            DayState {
                day: *day,
                events: partition.entries.len() as u64,
                sealed: late == Some(0),
                dirty: late.is_some_and(|late| late > 0),
            }
        };
        Ok(self.read().days.iter().map(state).collect())
    }

    async fn seal(&self, day: Day, mut derive: Derive) -> Result<(), StoreError> {
        let Some(mut sealed) = self.read().days.get(&day).map(|partition| partition.entries.clone()) else {
            return Ok(());
        };
        let mut in_order: Vec<&mut Entry> = sealed.iter_mut().collect();
        in_order.sort_by(|a, b| order::in_day(&a.event, &b.event));
        in_order.into_iter().for_each(|entry| derive(&mut entry.event));
        if let Some(partition) = self.change().days.get_mut(&day) {
            partition.sealed = Some(sealed.len());
            // What was written meanwhile stands behind.
            sealed.extend(partition.entries.drain(sealed.len()..));
            partition.entries = sealed;
        }
        Ok(())
    }

    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError> {
        let mut held = self.change();
        let kept = held.days.split_off(&events);
        for (day, partition) in std::mem::replace(&mut held.days, kept) {
            let table = held.expired.entry(day).or_default();
            partition.entries.iter().for_each(|entry| table.add(&entry.event));
        }
        held.expired.retain(|day, _| *day >= items);
        Ok(())
    }

    async fn verify(&self, _day: Day) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            distinct_error: 0.0,
            distinct_exact: u64::MAX,
            percentile_error: 0.0,
            visible_within: Duration::ZERO,
        }
    }
}

/// The time of an event that a range or a group means.
fn time(event: &Event, key: TimeKey) -> Option<Millis> {
    match key {
        TimeKey::Timestamp => Some(event.at()),
        TimeKey::VisitAt => event.int(Known::VisitAt),
    }
}

/// The event with these keys alone, and those that every event has.
fn only(event: Event, keys: &[Key]) -> Event {
    const ALWAYS: [Known; 4] = [Known::Timestamp, Known::Site, Known::Day, Known::Action];
    let kept = |key: &Key| keys.contains(key) || ALWAYS.iter().any(|known| *key == Key::Known(*known));
    Event::from_fields(event.fields().iter().filter(|(key, _)| kept(key)).cloned().collect())
}

/// An entry's place among all, newest first; of one time the last to arrive first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Newest(std::cmp::Reverse<(Millis, Position)>);

impl Newest {
    fn of(entry: &Entry) -> Self {
        Self(std::cmp::Reverse((entry.event.at(), entry.position)))
    }

    fn cursor(self) -> Cursor {
        let (at, position) = self.0.0;
        Cursor(format!("{at}:{position}"))
    }

    fn read(cursor: &Cursor) -> Result<Self, StoreError> {
        let parts =
            cursor.0.split_once(':').and_then(|(at, position)| Some((at.parse().ok()?, position.parse().ok()?)));
        let place =
            parts.ok_or_else(|| StoreError::Invalid(format!("cursor {:?} is none of this store's", cursor.0)))?;
        Ok(Self(std::cmp::Reverse(place)))
    }
}
