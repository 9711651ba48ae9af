//! What the embedded store takes, keeps and answers: a million events of one day, 17 keys and about 300 B of JSON each.
//!
//! `cargo bench --bench store` (`STORE_BENCH_EVENTS=n` for another number). Prints events taken a second (durable and
//! visible at the end), bytes an event open and sealed, seconds of sealing, and medians of some plans, open and sealed.

use metronome::event::{Day, Event, Known, Value};
use metronome::store::embedded::{Embedded, EmbeddedOptions};
use metronome::store::plan::{Direction, Filter, Group, Limits, Measure, Metric, OrderBy, Plan, TimeKey, TimeRange};
use metronome::store::{Entry, Store};
use metronome::visits::{VisitorDay, step};
use std::path::Path;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DAY: i32 = 20_000;
const DAY_MS: i64 = 86_400_000;
const BATCH: usize = 5_000;
const ROUNDS: usize = 9;

/// A small seeded generator (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// Skewed: half of all fall on a thousandth.
    fn skewed(&mut self, bound: u64) -> u64 {
        let below = [1, bound / 1000, bound / 30, bound][self.below(4) as usize].max(1);
        self.below(below)
    }
}

fn event(dice: &mut Dice, number: usize, many: usize) -> Event {
    let at = i64::from(DAY) * DAY_MS + (number as i64 * DAY_MS) / many as i64;
    // A visitor is here for some minutes and leaves five events.
    let visitor = number as u64 / 5 + dice.below(2_000);
    let item = dice.skewed(20_000);
    let of_visitor = |of: &[&str]| Value::text(of[(visitor % of.len() as u64) as usize]);
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(at));
    event.set(Known::ReceivedAt, Value::Int(at + dice.below(900) as i64));
    event.set(Known::Site, Value::text("docs"));
    event.set(Known::Day, Value::Int(i64::from(DAY)));
    let action = ["view", "view", "view", "view", "view", "view", "download", "click"][dice.below(8) as usize];
    event.set(Known::Action, Value::text(action));
    event.set(Known::Id, Value::text(format!("/datasets/{item:05}")));
    event.set(Known::Path, Value::text(format!("/datasets/{item:05}")));
    event.set(Known::UrlHost, Value::text("data.example.org"));
    event.set(Known::Status, Value::Int([200, 200, 200, 304, 404][dice.below(5) as usize]));
    event.set(Known::Bytes, Value::Int(dice.skewed(2_000_000) as i64));
    event.set(Known::DurationMs, Value::number(dice.below(30_000) as f64 / 10.0).expect("finite"));
    event.set(Known::Visitor, Value::hash((visitor + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1));
    event.set(Known::Browser, of_visitor(&["Chrome", "Firefox", "Safari", "Edge"]));
    event.set(Known::Os, of_visitor(&["Windows", "macOS", "Linux", "Android", "iOS"]));
    event.set(Known::Device, of_visitor(&["desktop", "mobile", "tablet"]));
    event.set(Known::Country, of_visitor(&["DE", "FR", "US", "PL", "BR", "IN", "JP"]));
    event.set(Known::Channel, Value::text("Direct"));
    if dice.below(4) == 0 {
        event.set(Known::Referer, Value::text(format!("site{}.example/page", dice.skewed(3_000))));
    }
    if action == "download" {
        event.set(Known::Format, Value::text(["csv", "zip", "json"][dice.below(3) as usize]));
    }
    event.set(metronome::event::Key::named("plan"), of_visitor(&["free", "pro", "team"]));
    event
}

fn main() {
    let many = std::env::var("STORE_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let dir = tempfile::tempdir().expect("folder");
    let store = Embedded::open(dir.path(), EmbeddedOptions::default()).expect("open");
    runtime.block_on(async {
        taking(&store, many, dir.path()).await;
        asking(&store, "open").await;
        let (mut state, mut last) = (VisitorDay::default(), None);
        let derive = Box::new(move |event: &mut Event| {
            let visitor = event.hash(Known::Visitor);
            if last != visitor || visitor.is_none() {
                state = VisitorDay::default();
            }
            last = visitor;
            step(&mut state, event).write(event);
        });
        let start = Instant::now();
        store.seal(Day(DAY), derive).await.expect("seal");
        println!("sealed in {:.1} s, peak memory {} MB", start.elapsed().as_secs_f64(), peak_memory_mb());
        println!("sealed: {:.1} B per event", bytes(&dir.path().join("days")) as f64 / many as f64);
        sizes(&dir.path().join("days"), many);
        asking(&store, "sealed").await;
    });
}

async fn taking(store: &Embedded, many: usize, dir: &Path) {
    let mut dice = Dice(7);
    let (mut spent, mut json) = (Duration::ZERO, 0);
    for first in (0..many).step_by(BATCH) {
        let numbers = first..many.min(first + BATCH);
        let end = numbers.end as u64;
        let entries: Vec<Entry> =
            numbers.map(|number| Entry { position: number as u64, event: event(&mut dice, number, many) }).collect();
        json += entries.first().map_or(0, |entry| entry.event.to_json().to_string().len() * entries.len());
        let start = Instant::now();
        store.write(entries, end).await.expect("write");
        spent += start.elapsed();
    }
    let start = Instant::now();
    store.flush().await.expect("flush");
    spent += start.elapsed();
    println!("{many} events of {} B as JSON", json / many);
    println!("taken: {:.0} events/s, peak memory {} MB", many as f64 / spent.as_secs_f64(), peak_memory_mb());
    println!("open: {:.1} B per event", bytes(&dir.join("days")) as f64 / many as f64);
}

fn plan(groups: Vec<Group>, metrics: Vec<Measure>, filter: Filter) -> Plan {
    Plan {
        filter,
        range: TimeRange { key: TimeKey::Timestamp, from: 0, to: i64::MAX },
        groups,
        order: vec![(OrderBy::Metric(0), Direction::Descending)],
        metrics: metrics.into_iter().map(Metric::of).collect(),
        offset: 0,
        limit: 10,
        limits: Limits::default(),
    }
}

async fn asking(store: &Embedded, state: &str) {
    let by = |known: Known| vec![Group::Key(known.into())];
    let item = |number: u64| Filter::is(Known::Id, format!("/datasets/{number:05}"));
    let sums = || vec![Measure::Sum(Known::VisitStart.into()), Measure::Sum(Known::Engaged.into()), Measure::Events];
    let percentiles = [50.0, 95.0, 99.0].map(|percent| Measure::Percentile(Known::DurationMs.into(), percent)).to_vec();
    let plans = [
        ("overview: sums over all", plan(vec![], sums(), Filter::All)),
        ("overview: by source", plan(by(Known::Referer), sums(), Filter::All)),
        ("visitors", plan(vec![], vec![Measure::Distinct(Known::Visitor.into())], Filter::All)),
        ("top paths", plan(by(Known::Path), vec![Measure::Events], Filter::is(Known::Action, "view"))),
        ("p50 p95 p99 by path", plan(by(Known::Path), percentiles, Filter::All)),
        ("hot item by action", plan(by(Known::Action), vec![Measure::Events], item(0))),
        ("cold item by action", plan(by(Known::Action), vec![Measure::Events], item(19_999))),
    ];
    for (name, plan) in &plans {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            store.aggregate(plan).await.expect("answer");
            times.push(start.elapsed());
        }
        report(state, name, times);
    }
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let range = TimeRange { key: TimeKey::Timestamp, from: 0, to: i64::MAX };
        store.events(&Filter::All, range, None, 100).await.expect("events");
        times.push(start.elapsed());
    }
    report(state, "newest 100", times);
}

fn report(state: &str, name: &str, mut times: Vec<Duration>) {
    times.sort();
    println!("{state}: {name}: {:.1} ms (first {:.1})", ms(times[times.len() / 2]), ms(times[times.len() - 1]));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Bytes of all files below a folder.
fn bytes(dir: &Path) -> u64 {
    files(dir).iter().map(|(_, bytes)| bytes).sum()
}

fn files(dir: &Path) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("list").map(|entry| entry.expect("entry").path()) {
        if entry.is_dir() {
            files.extend(self::files(&entry));
        } else {
            let ending = entry.extension().unwrap_or_default().to_string_lossy().into_owned();
            files.push((ending, entry.metadata().expect("file").len()));
        }
    }
    files
}

/// Bytes an event by the endings of files.
fn sizes(dir: &Path, many: usize) {
    let mut by_ending = std::collections::BTreeMap::<String, u64>::new();
    for (ending, bytes) in files(dir) {
        *by_ending.entry(ending).or_default() += bytes;
    }
    for (ending, bytes) in by_ending {
        println!("  .{ending}: {:.2} B per event", bytes as f64 / many as f64);
    }
}

/// The most memory this process ever had, anonymous and mapped.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
}
