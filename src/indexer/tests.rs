use super::*;
use crate::clock::Millis;
use crate::event::{Day, Event, IdScope, Known, Value};
use crate::journal::{self, Batch};
use crate::store::memory::Memory;
use crate::store::plan::{Answer, Filter, Plan, TimeKey, TimeRange, UsageAnswer, UsagePlan};
use crate::store::trails::{TrailPlan, Trails};
use crate::store::{
    Capabilities, Cursor, Damaged, DayState, Derive, Entry, Field, Page, Position, Remedy, Scan, StoreError,
};
use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

const DAY_MS: Millis = 86_400_000;
const HOUR_MS: Millis = 3_600_000;
const ALL_TIME: TimeRange = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };

/// A store that fails some of its writes, after it has taken a part of them.
#[derive(Default)]
struct Flaky {
    memory: Memory,
    writes: AtomicU64,
    flushes: AtomicU64,
    /// Every write of this number fails; 0: none.
    every: u64,
    /// The next write is taken, and forgotten; the flush after it says so.
    forgets: AtomicBool,
    forgot: AtomicBool,
    /// What every write waits for, where there is one.
    gate: Option<Semaphore>,
    /// Days that are damaged, and the position at which each was repaired.
    damaged: Vec<Day>,
    repaired: Mutex<Vec<(Day, Position)>>,
}

#[async_trait]
impl Store for Flaky {
    async fn write(&self, mut entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(gate) = &self.gate {
            gate.acquire().await.expect("it stays").forget();
        }
        if self.forgets.swap(false, Ordering::Relaxed) {
            self.forgot.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if self.every > 0 && number.is_multiple_of(self.every) {
            entries.truncate(entries.len() / 2);
            let position = self.memory.position().await?;
            self.memory.write(entries, position).await?;
            return Err(StoreError::Invalid("flaky".to_owned()));
        }
        self.memory.write(entries, end).await
    }
    async fn position(&self) -> Result<Position, StoreError> {
        self.memory.position().await
    }
    async fn flush(&self) -> Result<(), StoreError> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        match self.forgot.swap(false, Ordering::Relaxed) {
            true => Err(StoreError::Invalid("forgotten".to_owned())),
            false => Ok(()),
        }
    }
    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        self.memory.known(site, days, ids).await
    }
    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError> {
        self.memory.aggregate(plan).await
    }
    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
        self.memory.usage(plan).await
    }
    async fn events(
        &self,
        of: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.memory.events(of, range, after, limit).await
    }
    async fn scan(
        &self,
        of: &Filter,
        range: TimeRange,
        keys: Option<&[crate::event::Key]>,
    ) -> Result<Scan, StoreError> {
        self.memory.scan(of, range, keys).await
    }
    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError> {
        self.memory.trails(plan).await
    }
    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError> {
        self.memory.fields(days).await
    }
    async fn days(&self) -> Result<Vec<DayState>, StoreError> {
        self.memory.days().await
    }
    async fn seal(&self, day: Day, derive: Derive) -> Result<(), StoreError> {
        self.memory.seal(day, derive).await
    }
    async fn verify(&self, day: Day) -> Result<Vec<String>, StoreError> {
        self.memory.verify(day).await
    }

    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError> {
        self.memory.expire(events, items).await
    }
    async fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        let damaged = |day: &Day| Damaged { day: *day, parts: Vec::new(), from: None, is_plain: true };
        Ok(self.damaged.iter().map(damaged).collect())
    }
    async fn repair(&self, day: Day, _: Remedy, _: Derive) -> Result<(), StoreError> {
        let position = self.memory.position().await?;
        self.repaired.lock().expect("no panic").push((day, position));
        Ok(())
    }
    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }
}

struct House {
    folder: tempfile::TempDir,
    store: Arc<Flaky>,
    clock: Clock,
    options: Options,
}

struct Running {
    journal: Journal,
    handle: Handle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), IndexerError>>,
}

impl House {
    fn new() -> Self {
        let retry = Duration::from_millis(1);
        let options = Options { retry, retry_max: retry, batch_events_max: 7, ..Options::default() };
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, store: Arc::default(), clock: Clock::manual(0), options }
    }

    fn run(&self) -> Running {
        let options = journal::Options { segment_bytes_max: 8 << 10, record_bytes_max: 4 << 10, ..Default::default() };
        let (journal, _) = Journal::open(self.folder.path(), options).expect("open the journal");
        let (indexer, handle) = Indexer::new(Parts {
            journal: journal.clone(),
            store: Arc::<Flaky>::clone(&self.store),
            zone_of: Arc::new(|_| TimeZone::UTC),
            clock: self.clock.clone(),
            options: self.options.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(indexer.run(async { drop(stopped.await) }));
        Running { journal, handle, stop, task }
    }

    async fn stored(&self) -> Vec<Event> {
        let mut scan = self.store.scan(&Filter::All, ALL_TIME, None).await.expect("scan");
        let mut events = Vec::new();
        while let Some(batch) = scan.recv().await {
            events.extend(batch.expect("events"));
        }
        events
    }

    async fn ids(&self) -> String {
        let mut ids: Vec<String> =
            self.stored().await.iter().map(|event| event.text(Known::EventId).unwrap_or("-").to_owned()).collect();
        ids.sort();
        ids.join(" ")
    }
}

impl Running {
    async fn append(&self, events: &[(Event, IdScope)]) {
        let mut batch = Batch::default();
        for (event, scope) in events {
            batch.push(&event.to_payload(*scope).expect("encode"));
        }
        self.journal.append(batch).await.expect("append");
    }

    async fn take(&self, events: &[Event]) {
        let events: Vec<_> = events.iter().map(|event| (event.clone(), IdScope::Day)).collect();
        self.append(&events).await;
        self.handle.flush().await.expect("flush");
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("no panic").expect("no error");
        self.journal.close();
    }
}

/// A view by visitor 7.
fn view(at: Millis, path: &str, id: &str) -> Event {
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(at));
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Day, Value::Int(at.div_euclid(DAY_MS)));
    event.set(Known::Action, Value::text("view"));
    event.set(Known::Path, Value::text(path));
    event.set(Known::Visitor, Value::hash(7));
    if !id.is_empty() {
        event.set(Known::EventId, Value::text(id));
    }
    event
}

/// Of each event the page before it, and its own.
fn paths(events: &[Event]) -> Vec<(&str, &str)> {
    events
        .iter()
        .map(|event| (event.text(Known::Previous).unwrap_or(""), event.text(Known::Path).unwrap_or("")))
        .collect()
}

#[tokio::test]
async fn events_get_provisional_increments_and_true_ones_when_sealed() {
    let house = House::new();
    let running = house.run();
    running.take(&[view(2_000, "/b", "b"), view(1_000, "/a", "a"), view(3_000, "/c", "c")]).await;
    assert_eq!(paths(&house.stored().await), [("/b", "/a"), ("", "/b"), ("/a", "/c")]);
    assert_eq!(running.handle.seal(Sealing::All).await.expect("seal"), [Day(0)]);
    assert_eq!(paths(&house.stored().await), [("", "/a"), ("/a", "/b"), ("/b", "/c")]);
    assert_eq!(running.handle.seal(Sealing::All).await.expect("seal"), [], "it is sealed");
    assert_eq!(running.handle.seal(Sealing::Days(vec![Day(9)])).await.expect("seal"), [], "it is not held");
    running.stop().await;
}

#[tokio::test]
async fn of_events_with_one_id_the_first_counts() {
    let house = House::new();
    let row = |day: i64, id: &str, scope| (view(day * DAY_MS, &format!("/{day}"), id), scope);
    let (own, around) = (IdScope::Day, IdScope::DaysAround);
    let running = house.run();
    running
        .append(&[row(10, "a", own), row(10, "a", own), row(11, "a", own), row(20, "b", own), row(22, "b", around)])
        .await;
    running.append(&[row(23, "b", around), row(10, "", own), row(10, "", own)]).await;
    running.handle.flush().await.expect("flush");
    assert_eq!(house.ids().await, "- - a a b b");
    assert_eq!(running.handle.facts().duplicates, 2);
    running.stop().await;
    // Nothing is remembered any more: the store is asked.
    let running = house.run();
    running.append(&[row(10, "a", own), row(13, "a", around), row(25, "b", around), row(14, "a", around)]).await;
    running.handle.flush().await.expect("flush");
    assert_eq!(house.ids().await, "- - a a a b b");
    assert_eq!(running.handle.facts().duplicates, 3);
    running.stop().await;
}

#[tokio::test]
async fn an_id_that_is_forgotten_while_its_batch_is_sifted_is_still_known() {
    let mut house = House::new();
    house.options.ids_max = 1;
    let running = house.run();
    for round in 0..40_i64 {
        let number = |at: i64| if at < 4 { round * 4 + at } else { (round * 4 + at - 14).max(0) };
        let batch: Vec<Event> = (0..7).map(|at| view(at, "/", &number(at).to_string())).collect();
        running.take(&batch).await;
    }
    assert_eq!(house.stored().await.len(), 160);
    running.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_gets_everything_once() {
    let mut house = House::new();
    house.store = Arc::new(Flaky { every: 3, ..Flaky::default() });
    let running = house.run();
    for round in 0..20 {
        let events: Vec<Event> = (0..10).map(|at| view(at, "/", if at < 5 { "" } else { "id" })).collect();
        let with_ids = events.into_iter().enumerate().map(|(at, mut event)| {
            if event.text(Known::EventId).is_some() {
                event.set(Known::EventId, Value::text(format!("{round}-{at}")));
            }
            event
        });
        running.take(&with_ids.collect::<Vec<_>>()).await;
    }
    assert!(house.store.writes.load(Ordering::Relaxed) > 30);
    let stored = house.stored().await;
    assert_eq!(stored.len(), 200);
    let ids: std::collections::BTreeSet<_> = stored.iter().filter_map(|event| event.text(Known::EventId)).collect();
    assert_eq!(ids.len(), 100);
    running.stop().await;
}

#[tokio::test]
async fn what_a_store_took_and_forgot_is_written_again_though_nothing_follows() {
    let mut house = House::new();
    house.options.tend_every = Duration::from_millis(1);
    let running = house.run();
    house.store.forgets.store(true, Ordering::Relaxed);
    running.append(&[(view(0, "/", "a"), IdScope::Day)]).await;
    while house.ids().await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.ids().await, "a");
    running.stop().await;
}

#[tokio::test]
async fn after_a_restart_open_visits_go_on() {
    let house = House::new();
    let running = house.run();
    running.take(&[view(1_000, "/a", ""), view(2_000, "/b", "")]).await;
    running.stop().await;
    let running = house.run();
    running.take(&[view(3_000, "/c", "")]).await;
    let stored = house.stored().await;
    assert_eq!(paths(&stored), [("", "/a"), ("/a", "/b"), ("/b", "/c")]);
    assert!(stored.iter().all(|event| event.hash(Known::Visit) == stored[0].hash(Known::Visit)));
    running.stop().await;
}

#[tokio::test]
async fn days_are_sealed_when_they_are_due() {
    let house = House::new();
    let running = house.run();
    running.take(&[view(0, "/", "a"), view(DAY_MS, "/", "b")]).await;
    let due = |now| {
        house.clock.set(now);
        running.handle.seal(Sealing::Due)
    };
    assert_eq!(due(50 * HOUR_MS - 1).await.expect("seal"), []);
    assert_eq!(due(50 * HOUR_MS).await.expect("seal"), [Day(0)]);
    running.take(&[view(9, "/late", "c")]).await;
    assert_eq!(house.store.days().await.expect("days").iter().filter(|state| state.dirty).count(), 1);
    assert_eq!(due(50 * HOUR_MS + 599_999).await.expect("seal"), []);
    assert_eq!(due(50 * HOUR_MS + 600_000).await.expect("seal"), [Day(0)]);
    assert_eq!(running.handle.facts().sealed, 2);
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_event_is_passed_over_and_a_loss_until_that_is_accepted() {
    let house = House::new();
    let running = house.run();
    let mut batch = Batch::default();
    batch.push(b"no event");
    running.journal.append(batch).await.expect("append");
    running.take(&[view(0, "/", "a")]).await;
    assert_eq!(house.ids().await, "a");
    let facts = running.handle.facts();
    assert_eq!((facts.lost, facts.position, facts.indexed), (1, 2, 1));
    running.stop().await;
    let running = house.run();
    let losses: Vec<_> = running.journal.losses().iter().map(|loss| loss.positions.start).collect();
    assert_eq!(losses, [0], "though the store has gone on");
    running.journal.accept_losses().expect("noted");
    running.stop().await;
    let running = house.run();
    assert_eq!(running.journal.losses(), []);
    running.stop().await;
}

#[tokio::test]
async fn the_end_flushes_the_store_and_the_journal_is_released() {
    let mut house = House::new();
    house.options.tend_every = Duration::from_millis(1);
    let running = house.run();
    let message = "x".repeat(1_000);
    for at in 0..100 {
        let mut event = view(at, "/", "");
        event.set(Known::Message, Value::text(format!("{message}{at}")));
        running.take(&[event]).await;
    }
    while running.journal.facts().first == 0 {
        tokio::task::yield_now().await;
    }
    let (handle, flushes) = (running.handle.clone(), house.store.flushes.load(Ordering::Relaxed));
    running.stop().await;
    assert_eq!(house.store.flushes.load(Ordering::Relaxed), flushes + 1);
    assert!(matches!(handle.flush().await, Err(IndexerError::Stopped)));
}

#[tokio::test]
async fn days_expire_when_asked_to() {
    let house = House::new();
    let running = house.run();
    running.take(&[view(0, "/", "a"), view(DAY_MS, "/", "b"), view(2 * DAY_MS, "/", "c")]).await;
    running.handle.expire(Expiry { events: Day(1), items: Day(0) }).await.expect("expire");
    assert_eq!(house.ids().await, "b c");
    running.stop().await;
}

#[tokio::test]
async fn the_damaged_days_asked_for_are_repaired_once_the_store_is_at_rest() {
    let mut house = House::new();
    let (gate, damaged) = (Some(Semaphore::new(0)), vec![Day(1), Day(2), Day(3)]);
    house.store = Arc::new(Flaky { gate, damaged, ..Flaky::default() });
    let running = house.run();
    running.append(&[(view(0, "/", "a"), IdScope::Day)]).await;
    while house.store.writes.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let release = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        house.store.gate.iter().for_each(|gate| gate.add_permits(1));
    };
    let (repaired, ()) = tokio::join!(running.handle.repair(vec![Day(2)], Loss::Kept), release);
    assert_eq!(repaired.expect("repair").len(), 1);
    running.handle.repair(Vec::new(), Loss::Kept).await.expect("repair");
    let rows = [2, 1, 2, 3].map(|day| (Day(day), 1));
    assert_eq!(*house.store.repaired.lock().expect("no panic"), rows);
    running.stop().await;
}

#[tokio::test]
async fn a_closed_journal_ends_the_reading_and_not_the_answers() {
    let house = House::new();
    let running = house.run();
    running.take(&[view(0, "/", "a")]).await;
    running.journal.clone().close();
    assert_eq!(running.handle.seal(Sealing::All).await.expect("seal"), [Day(0)]);
    running.stop().await;
    assert_eq!(house.ids().await, "a");
}

#[test]
fn visitors_are_remembered_within_a_bound() {
    let mut live = live::Live::bounded(100);
    for visitor in 0..1_000 {
        let mut event = view(0, "/", "");
        event.set(Known::Visitor, Value::hash(visitor));
        assert!(live.step(&event).visitor_start);
        assert!(!live.step(&event).visitor_start, "{visitor}");
        assert!(live.len() <= 100);
    }
}
