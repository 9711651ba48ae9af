//! How many allocations one event costs on its way in and on its way into the store. A bound that is passed is a change to
//! explain, or to lower after an improvement. Counted over the whole process in a debug build, so one test does it all.

use metronome::catalog::{Catalog, salts::Salts};
use metronome::clock::Clock;
use metronome::event::{Event, IdScope};
use metronome::indexer::{self, Indexer};
use metronome::ingest::{self, Ingest, Item};
use metronome::journal::{self, Journal};
use metronome::load::mix::Mix;
use metronome::normalize::json::{Layout, read_all};
use metronome::normalize::{Limits, Receiver, Sender, SiteRules, Sites};
use metronome::store::Store;
use metronome::store::embedded::{Embedded, EmbeddedOptions};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::path::Path;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NOW: i64 = 1_431_900_000_000;
const EVENTS: u64 = 10_000;
const BATCH: u64 = 1_000;
/// Each is a sync.
const SINGLE: u64 = 200;

/// What → allocations an event at the most: what was measured, and a twentieth.
const BOUNDS: &[(&str, f64)] = &[
    ("batch: body to raw events", 3.5),
    ("batch: raw events to the receipt", 20.0),
    ("single: body to the receipt", 38.0),
    ("payload to event", 1.4),
    ("journal to the store, committed", 28.0),
];

#[test]
fn an_event_costs_few_allocations() {
    let folder = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let measured = runtime.block_on(measure(folder.path()));
    for ((what, bound), count) in BOUNDS.iter().zip(measured) {
        println!("{what:36} {count:7.2} allocations an event, {bound} at the most");
    }
    for ((what, bound), count) in BOUNDS.iter().zip(measured) {
        assert!(count <= *bound, "{what}: {count:.2} allocations an event, {bound} at the most");
    }
}

/// In the order of [`BOUNDS`].
async fn measure(folder: &Path) -> [f64; BOUNDS.len()] {
    metronome::normalize::client::prepare();
    let (journal, ingest) = open(folder);
    // What is made once (patterns, salts, the writer's buffers) is made by the first batch.
    take(&ingest, items(0, BATCH)).await;
    take(&ingest, items(BATCH, BATCH + 1)).await;

    let bodies: Vec<Vec<u8>> = (2..12).map(|batch| body(batch * BATCH, (batch + 1) * BATCH)).collect();
    let region = Region::new(ALLOCATOR);
    let batches: Vec<Vec<Item>> = bodies.iter().map(|body| read(body)).collect();
    let reading = per_event(&region, EVENTS);

    let region = Region::new(ALLOCATOR);
    for batch in batches {
        take(&ingest, batch).await;
    }
    let taking = per_event(&region, EVENTS);

    let bodies: Vec<Vec<u8>> = (12 * BATCH..12 * BATCH + SINGLE).map(|number| body(number, number + 1)).collect();
    let region = Region::new(ALLOCATOR);
    for body in &bodies {
        take(&ingest, read(body)).await;
    }
    let single = per_event(&region, SINGLE);

    let payloads = payloads(&journal);
    let region = Region::new(ALLOCATOR);
    let decoded = payloads.iter().take(EVENTS as usize).map(|payload| Event::from_payload(payload).expect("an event"));
    let decoded: Vec<(Event, IdScope)> = decoded.collect();
    let decoding = per_event(&region, EVENTS);
    drop(decoded);

    let indexing = index(folder, &journal, payloads.len() as u64).await;
    [reading, taking, single, decoding, indexing]
}

fn per_event(region: &Region<'_, System>, events: u64) -> f64 {
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / events as f64
}

fn open(folder: &Path) -> (Journal, Ingest) {
    let (journal, _) = Journal::open(&folder.join("journal"), journal::Options::default()).expect("journal");
    let catalog = Arc::new(Catalog::open(&folder.join("catalog")).expect("catalog"));
    let ingest = Ingest::open(ingest::Parts {
        journal: journal.clone(),
        stored: tokio::sync::watch::channel(u64::MAX).1,
        salts: Arc::new(Salts::open(catalog).expect("salts")),
        sites: Arc::new(Sites::new(Vec::new(), SiteRules::named("default"))),
        places: None,
        limits: Limits::default(),
        keep_user_agent: false,
        options: ingest::Options::default(),
    });
    (journal, ingest.expect("ingest"))
}

/// Events as the load generator writes them, one a line.
fn body(from: u64, to: u64) -> Vec<u8> {
    let mix = Mix::new(7, "counted", NOW - 3_600_000, 3_600_000, 100_000);
    let mut body = Vec::new();
    for number in from..to {
        mix.write(number, &mut body);
        body.push(b'\n');
    }
    body
}

fn items(from: u64, to: u64) -> Vec<Item> {
    read(&body(from, to))
}

fn read(body: &[u8]) -> Vec<Item> {
    let events = read_all(body, Layout::Lines, &Limits::default(), BATCH as usize).expect("lines");
    events.into_iter().map(|(at, raw)| Item { at, raw }).collect()
}

async fn take(ingest: &Ingest, items: Vec<Item>) {
    let sent = items.len() as u64;
    let receipt = ingest.take(items, Sender::unknown(Receiver::Tick, NOW)).await.expect("taken");
    assert_eq!(receipt.accepted, sent);
}

fn payloads(journal: &Journal) -> Vec<Vec<u8>> {
    let mut reader = journal.reader(0).expect("reader");
    let mut payloads = Vec::new();
    while let Some(block) = reader.read(1_000).expect("a block") {
        payloads.extend(block.iter().map(<[u8]>::to_vec));
    }
    payloads
}

/// Everything that is in the journal into a store, until it is committed.
async fn index(folder: &Path, journal: &Journal, events: u64) -> f64 {
    let store: Arc<dyn Store> =
        Arc::new(Embedded::open(&folder.join("store"), EmbeddedOptions::default()).expect("store"));
    let (indexer, handle) = Indexer::new(indexer::Parts {
        journal: journal.clone(),
        store,
        zone_of: Arc::new(|_| jiff::tz::TimeZone::UTC),
        clock: Clock::manual(NOW),
        options: indexer::Options::default(),
    });
    let region = Region::new(ALLOCATOR);
    let running = tokio::spawn(indexer.run(std::future::pending()));
    handle.flush().await.expect("flush");
    let count = per_event(&region, events);
    running.abort();
    count
}
