//! A whole house on a folder: opened, stopped, killed and opened again as an arrival says.

use crate::said::{Arrival, Said, Then};
use metronome::catalog::{Catalog, salts::Salts};
use metronome::clock::Clock;
use metronome::event::{Key, Known};
use metronome::indexer::{self, Handle, Indexer, Sealing};
use metronome::ingest::{self, Ingest, Item};
use metronome::journal::{self, Journal};
use metronome::normalize::{Limits, Receiver, Sender, SiteRules, Sites, json};
use metronome::store::Store;
use metronome::store::embedded::{Embedded, EmbeddedOptions};
use metronome::store::memory::Memory;
use metronome::store::plan::{Answer, Direction, Filter, Group, Measure, Metric, OrderBy, Plan, TimeKey, TimeRange};
use metronome::visits::recount::Recount;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2024-01-10T00:00:00Z, in ms: after all that is said.
const NOW: i64 = 1_704_844_800_000;
const ALL_TIME: TimeRange = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };

/// Which store the house has.
#[derive(Debug, Clone, Copy)]
pub enum Engine {
    /// The oracle: it outlives the house in memory.
    Memory,
    /// The embedded one: it is opened anew each time.
    Embedded,
}

/// What can be read at the end.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// Every event with all it bears but `received_at`, as JSON, sorted.
    pub events: Vec<String>,
    /// Answers to plans.
    pub answers: Vec<Answer>,
    /// What a recount finds wrong.
    pub differences: Vec<String>,
}

/// Secrets that all lives of one test share, so that visitors have the same numbers.
pub fn salts() -> Arc<Salts> {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = Catalog::open(&folder.path().join("catalog.db")).expect("open the catalog");
    // The folder goes with the test's process; the salts are in memory.
    std::mem::forget(folder);
    Arc::new(Salts::open(Arc::new(catalog)).expect("salts"))
}

/// A whole life: all that arrives, the sealing of all days, and what can be read then.
pub fn live_through(engine: Engine, events: &[Said], arrival: &Arrival, salts: &Arc<Salts>) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Arc::new(Memory::new());
    let open_store = || -> Arc<dyn Store> {
        match engine {
            Engine::Memory => Arc::<Memory>::clone(&memory),
            Engine::Embedded => Arc::new(open_embedded(&folder.path().join("store"))),
        }
    };
    runtime.block_on(async {
        let mut house = House::open(folder.path(), open_store(), salts);
        for (number, (batch, then)) in arrival.batches.iter().enumerate() {
            house.take(events, batch, NOW + number as i64 * 60_000).await;
            match then {
                Then::GoOn => {}
                Then::Seal => drop(house.handle.seal(Sealing::All).await.expect("seal")),
                Then::Stop | Then::Kill => {
                    house.end(*then).await;
                    house = House::open(folder.path(), open_store(), salts);
                }
            }
        }
        house.handle.seal(Sealing::All).await.expect("seal");
        house.outcome().await
    })
}

/// Two events make a segment, and seven a commit.
fn open_embedded(folder: &Path) -> Embedded {
    let options =
        EmbeddedOptions { commit_events_max: 7, segment_events_max: 2, threads: 1, ..EmbeddedOptions::default() };
    Embedded::open(folder, options).expect("open the store")
}

struct House {
    journal: Journal,
    ingest: Ingest,
    store: Arc<dyn Store>,
    handle: Handle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), indexer::IndexerError>>,
}

impl House {
    /// Every bound is so small that whatever it bounds is forgotten all the time.
    fn open(folder: &Path, store: Arc<dyn Store>, salts: &Arc<Salts>) -> Self {
        let options = journal::Options { segment_bytes_max: 16 << 10, record_bytes_max: 8 << 10, ..Default::default() };
        let (journal, _) = Journal::open(&folder.join("journal"), options).expect("open the journal");
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
        let berlin = SiteRules { zone, ..SiteRules::named("berlin") };
        let sites = Arc::new(Sites::new(vec![berlin], SiteRules::named("default")));
        let ingest = Ingest::open(ingest::Parts {
            journal: journal.clone(),
            stored: tokio::sync::watch::channel(u64::MAX).1,
            salts: Arc::clone(salts),
            sites: Arc::clone(&sites),
            places: None,
            limits: Limits::default(),
            keep_user_agent: false,
            options: ingest::Options { ids_max: 8, refill_events_max: 4, ..Default::default() },
        });
        let (indexer, handle) = Indexer::new(indexer::Parts {
            journal: journal.clone(),
            store: Arc::clone(&store),
            zone_of: Arc::new(move |site| sites.get(site).zone.clone()),
            clock: Clock::manual(NOW),
            options: indexer::Options {
                batch_events_max: 5,
                live_max: 4,
                ids_max: 8,
                refill_events_max: 20,
                retry: Duration::from_millis(1),
                ..Default::default()
            },
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(indexer.run(async { drop(stopped.await) }));
        Self { journal, ingest: ingest.expect("open ingest"), store, handle, stop, task }
    }

    async fn take(&self, events: &[Said], batch: &[usize], received_at: i64) {
        let read = |place: &usize| json::read(events[*place].text.as_bytes(), &Limits::default());
        let items: Vec<Item> = batch.iter().map(|place| Item { at: *place, raw: read(place) }).collect();
        let sent = items.len() as u64;
        let receipt = self.ingest.take(items, Sender::unknown(Receiver::Tick, received_at)).await.expect("taken");
        assert_eq!((receipt.accepted + receipt.duplicates, receipt.rejected.as_slice()), (sent, &[][..]));
    }

    async fn end(self, how: Then) {
        match how {
            Then::Kill => self.task.abort(),
            _ => self.stop.send(()).expect("it runs"),
        }
        match self.task.await {
            Ok(stopped) => stopped.expect("no failure"),
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
        self.journal.close();
    }

    async fn outcome(&self) -> Outcome {
        let mut scan = self.store.scan(&Filter::All, ALL_TIME, None).await.expect("scan");
        let (mut events, mut recount) = (Vec::new(), Recount::default());
        while let Some(batch) = scan.recv().await {
            for mut event in batch.expect("events") {
                recount.push(event.clone());
                event.remove(&Known::ReceivedAt.into());
                events.push(event.to_json().to_string());
            }
        }
        events.sort();
        let mut answers = Vec::new();
        for plan in plans() {
            answers.push(self.store.aggregate(&plan).await.expect("an answer"));
        }
        let differences = recount.finish().differences.iter().map(|difference| format!("{difference:?}")).collect();
        Outcome { events, answers, differences }
    }
}

/// Every increment summed, by what visits are asked about.
fn plans() -> Vec<Plan> {
    let by = [Known::Site, Known::Entry, Known::Source, Known::Channel, Known::Previous, Known::UtmCampaign];
    let sums = [
        Known::VisitorStart,
        Known::VisitStart,
        Known::Engaged,
        Known::VisitMs,
        Known::DwellMs,
        Known::Counted,
        Known::Unique,
    ];
    let mut metrics: Vec<Metric> = sums.iter().map(|known| Metric::of(Measure::Sum((*known).into()))).collect();
    metrics.push(Metric::of(Measure::Events));
    metrics.push(Metric::of(Measure::Having(Known::Previous.into())));
    metrics.push(Metric::of(Measure::Distinct(Known::Visit.into())));
    let plan = |group: Option<Group>, key: TimeKey| Plan {
        filter: Filter::All,
        range: TimeRange { key, ..ALL_TIME },
        order: group.iter().map(|_| (OrderBy::Group(0), Direction::Ascending)).collect(),
        groups: group.into_iter().collect(),
        metrics: metrics.clone(),
        offset: 0,
        limit: 1_000,
        limits: Default::default(),
    };
    let grouped = by.iter().map(|known| plan(Some(Group::Key(Key::Known(*known))), TimeKey::Timestamp));
    grouped.chain([plan(None, TimeKey::Timestamp), plan(None, TimeKey::VisitAt)]).collect()
}
