//! The subject of a test: one store, what was written to it, and plain ways to ask it.
//! - Positions count up by themselves; what was written is kept as the journal would, to be written again.
//! - Questions panic on an error: a promise that expects one asks the store itself.

use crate::events::{all_time, shown};
use metronome::event::{Day, Event, Key};
use metronome::store::plan::{Filter, Measure, Metric, Plan, TimeRange, UsageAnswer, UsagePlan};
use metronome::store::trails::{TrailBatch, TrailPlan};
use metronome::store::{Cursor, DayState, Derive, Entry, Field, Page, Position, Store, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Opens one store, and opens it again on what it kept.
#[async_trait::async_trait]
pub trait Backend: Send {
    /// Opens the store; called again after the store it gave was dropped, it gives one that kept what was synced.
    async fn open(&mut self) -> Arc<dyn Store>;
}

/// A named promise.
pub type Promise = (&'static str, fn(&mut Subject));

/// Names promises by their functions.
macro_rules! promises {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name)),*] };
}
pub(crate) use promises;

/// Holds fresh stores to each promise; names all that were broken.
pub fn run(promises: &[Promise], make: impl Fn() -> Box<dyn Backend>) {
    let broken: Vec<&str> = promises
        .iter()
        .filter(|(name, promise)| {
            let broken = catch_unwind(AssertUnwindSafe(|| promise(&mut Subject::open(make())))).is_err();
            eprintln!("{name}: {}", if broken { "BROKEN" } else { "kept" });
            broken
        })
        .map(|(name, _)| *name)
        .collect();
    assert!(broken.is_empty(), "broken promises: {broken:#?}");
}

/// A store under test.
pub struct Subject {
    runtime: Runtime,
    backend: Box<dyn Backend>,
    store: Option<Arc<dyn Store>>,
    /// All that was ever written, as the journal has it.
    journal: Vec<Entry>,
    /// The position of the next event.
    end: Position,
}

impl Subject {
    /// A fresh one.
    pub fn open(mut backend: Box<dyn Backend>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let store = Some(runtime.block_on(backend.open()));
        Self { runtime, backend, store, journal: Vec::new(), end: 0 }
    }

    /// Drops the store as it is and opens it again.
    pub fn reopen(&mut self) {
        self.store = None;
        self.store = Some(self.runtime.block_on(self.backend.open()));
    }

    /// The store itself.
    pub fn store(&self) -> &dyn Store {
        self.store.as_deref().expect("open")
    }

    /// Begins to seal a day, beside what else is done with the store.
    pub fn begin_to_seal(&self, day: Day, derive: Derive) -> tokio::task::JoinHandle<()> {
        let store = self.store.clone().expect("open");
        self.runtime.spawn(async move { store.seal(day, derive).await.expect("seal") })
    }

    /// Waits for an answer of the store.
    pub fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// What was written, and the position past it.
    pub fn journal(&self) -> (Vec<Entry>, Position) {
        (self.journal.clone(), self.end)
    }

    /// Takes events at the next positions.
    pub fn write(&mut self, events: impl IntoIterator<Item = Event>) {
        let first = self.end;
        let entries: Vec<Entry> = (first..).zip(events).map(|(position, event)| Entry { position, event }).collect();
        self.end += entries.len() as Position;
        self.journal.extend(entries.iter().cloned());
        self.write_entries(entries, self.end);
    }

    /// Takes entries as they are.
    pub fn write_entries(&self, entries: Vec<Entry>, end: Position) {
        self.wait(self.store().write(entries, end)).expect("write");
    }

    /// Writes again what the store may have lost, as its owner does after a start.
    pub fn resume(&self) {
        let from = self.position();
        let entries = self.journal.iter().filter(|entry| entry.position >= from).cloned().collect();
        self.write_entries(entries, self.end);
    }

    /// Passes over positions, as of events that were duplicates.
    pub fn pass_over(&mut self, positions: Position) {
        self.end += positions;
    }

    /// Takes events and makes them visible.
    pub fn take(&mut self, events: impl IntoIterator<Item = Event>) {
        self.write(events);
        self.flush();
    }

    /// Makes all that was written durable and visible.
    pub fn flush(&self) {
        self.wait(self.store().flush()).expect("flush");
    }

    /// The store's position.
    pub fn position(&self) -> Position {
        self.wait(self.store().position()).expect("position")
    }

    /// Which ids the store knows.
    pub fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Vec<bool> {
        self.wait(self.store().known(site, days, ids)).expect("known")
    }

    /// The rows of an answer as text, and how many there are in all.
    pub fn ask(&self, plan: &Plan) -> (Vec<String>, usize) {
        let answer = self.wait(self.store().aggregate(plan)).unwrap_or_else(|error| panic!("{error}: {plan:#?}"));
        (shown(&answer), answer.rows_total)
    }

    /// The rows of an answer as text.
    pub fn rows(&self, plan: &Plan) -> Vec<String> {
        self.ask(plan).0
    }

    /// How many events match.
    pub fn count(&self, filter: Filter) -> usize {
        let plan = Plan { filter, ..crate::events::plan(vec![], vec![Metric::of(Measure::Events)]) };
        self.rows(&plan)[0].parse().expect("a whole number")
    }

    /// Usage of items.
    pub fn usage(&self, plan: &UsagePlan) -> UsageAnswer {
        self.wait(self.store().usage(plan)).unwrap_or_else(|error| panic!("{error}: {plan:#?}"))
    }

    /// One page of events.
    pub fn page(&self, filter: &Filter, range: TimeRange, after: Option<&Cursor>, limit: usize) -> Page {
        self.wait(self.store().events(filter, range, after, limit)).expect("events")
    }

    /// The events of all pages of at most `limit`.
    pub fn pages(&self, filter: &Filter, range: TimeRange, limit: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(filter, range, after.as_ref(), limit);
            assert!(page.events.len() <= limit, "a page of {} events, {limit} at most", page.events.len());
            assert!(page.next.is_none() || page.events.len() == limit, "only the last page may be short");
            events.extend(page.events);
            assert!(events.len() <= self.journal.len(), "pages hold more events than were written");
            match page.next {
                Some(next) => after = Some(next),
                None => return events,
            }
        }
    }

    /// All events, newest first.
    pub fn newest(&self) -> Vec<Event> {
        self.page(&Filter::All, all_time(), None, 100_000).events
    }

    /// All events of a scan, in its order.
    pub fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Vec<Event> {
        self.wait(async {
            let mut scan = self.store().scan(filter, range, keys).await.expect("scan");
            let mut events = Vec::new();
            while let Some(batch) = scan.recv().await {
                events.extend(batch.expect("batch"));
            }
            events
        })
    }

    /// All batches of trails, or the first error.
    pub fn trails(&self, plan: &TrailPlan) -> Result<Vec<TrailBatch>, StoreError> {
        self.wait(async {
            let mut trails = self.store().trails(plan).await?;
            let mut batches = Vec::new();
            while let Some(batch) = trails.recv().await {
                batches.push(batch?);
            }
            Ok(batches)
        })
    }

    /// The keys there are.
    pub fn fields(&self, days: (Day, Day)) -> Vec<Field> {
        self.wait(self.store().fields(days)).expect("fields")
    }

    /// The days there are.
    pub fn days(&self) -> Vec<DayState> {
        self.wait(self.store().days()).expect("days")
    }

    /// Seals a day.
    pub fn seal(&self, day: Day, derive: Derive) {
        self.wait(self.store().seal(day, derive)).expect("seal");
        self.flush();
    }

    /// Seals every day, with the increments as they are.
    pub fn seal_as_it_is(&self) {
        for state in self.days() {
            self.seal(state.day, Box::new(|_| {}));
        }
    }

    /// Drops old days.
    pub fn expire(&self, events: Day, items: Day) {
        self.wait(self.store().expire(events, items)).expect("expire");
    }

    /// Makes the same checks while days are open, after a start, sealed, and after one more start.
    pub fn in_every_state(&mut self, check: impl Fn(&Subject, &str)) {
        self.flush();
        check(self, "open");
        self.reopen();
        check(self, "open, reopened");
        self.seal_as_it_is();
        check(self, "sealed");
        self.reopen();
        check(self, "sealed, reopened");
    }

    /// The error of a plan that cannot be answered.
    pub fn refusal(&self, plan: &Plan) -> StoreError {
        self.wait(self.store().aggregate(plan)).expect_err("refused")
    }
}
