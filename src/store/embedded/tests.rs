//! Tests of the embedded store's own promises: what a kill leaves at each step of a swap, what damage does, what a cache
//! answers. The contract suite has the rest.

mod damage;
mod faults;
mod leaving;
mod missing;

use super::*;
use crate::event::{Event, Known, Value};
use crate::store::plan::{Group, Label, Limits, Measure, Metric, TimeKey};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const DAY: Day = Day(20_000);

fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        commit_every: Duration::from_secs(3600),
        commit_events_max: 1_000_000,
        segment_events_max: 4,
        threads: 2,
    }
}

fn entry(number: u64) -> Entry {
    let mut event = Event::default();
    let at = i64::from(DAY.0) * 86_400_000 + 60_000 * (number as i64 * 7 % 31);
    event.set(Known::Timestamp, Value::Int(at));
    event.set(Known::ReceivedAt, Value::Int(at));
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Day, Value::Int(DAY.0.into()));
    event.set(Known::Action, Value::text("view"));
    event.set(Known::Id, Value::text(format!("i{}", number % 3)));
    event.set(Known::EventId, Value::text(format!("e{number}")));
    event.set(Known::Visitor, Value::hash(number % 4 + 1));
    Entry { position: number, event }
}

fn plan(groups: Vec<Group>) -> Plan {
    Plan {
        filter: Filter::All,
        range: all_time(),
        groups,
        metrics: vec![Metric::of(Measure::Events)],
        order: vec![],
        offset: 0,
        limit: 100,
        limits: Limits::default(),
    }
}

fn all_time() -> TimeRange {
    TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("list").map(|entry| entry.expect("entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { assert!(fs::copy(entry.path(), to).is_ok()) }
    }
}

/// Folders as a kill would have left them, by what had just been done.
struct Kills {
    dir: TempDir,
    steps: Vec<(&'static str, PathBuf)>,
}

impl Kills {
    fn keep(&mut self, step: &'static str, store: &Path) {
        let to = self.dir.path().join(self.steps.len().to_string());
        copy(store, &to);
        self.steps.push((step, to));
    }
}

/// Seals `0..20`, writes `20..30` late, and seals again step by step with `30..35` written meanwhile.
async fn live(kills: &mut Kills) {
    let dir = TempDir::new().expect("folder");
    let path = dir.path();
    let store = Embedded::open(path, options()).expect("open");
    store.write((0..20).map(entry).collect(), 20).await.expect("write");
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    kills.keep("sealed", path);
    store.write((20..30).map(entry).collect(), 30).await.expect("write");
    kills.keep("taken", path);
    store.flush().await.expect("flush");
    kills.keep("committed", path);
    let reader = store.shared.day(DAY).expect("held");
    let frozen = store.tell(|done| Command::Freeze(DAY, done)).await.expect("freeze").expect("held");
    kills.keep("frozen", path);
    store.write((30..35).map(entry).collect(), 35).await.expect("write");
    store.flush().await.expect("flush");
    kills.keep("late beside a seal", path);
    let (open, day) = (frozen.open, frozen.dir.clone());
    let mut derive: Derive = Box::new(|_| {});
    let generation = blocking(move || seal::seal(&frozen, 4, &mut derive)).await.expect("seal");
    kills.keep("written, not named", path);
    let half = kills.steps.last().expect("kept").1.join("days").join(DAY.to_string()).join("g2");
    fs::remove_file(half.join("day.json")).expect("manifest");
    fs::write(day.join("CURRENT.tmp"), "g2 op").expect("file");
    kills.keep("half a name", path);
    store.tell(|done| Command::Swap(Arc::new(generation), open, Mended::No, done)).await.expect("swap");
    kills.keep("named, the old still read", path);
    assert_eq!(reader.segments().expect("segments").iter().map(|segment| segment.len()).sum::<u32>(), 30);
    drop(reader);
    kills.keep("the old gone", path);
}

async fn count(store: &Embedded) -> f64 {
    store.aggregate(&plan(vec![])).await.expect("answer").rows[0].values[0].expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_seal_loses_nothing_and_doubles_nothing() {
    let mut kills = Kills { dir: TempDir::new().expect("folder"), steps: Vec::new() };
    live(&mut kills).await;
    for (step, dir) in &kills.steps {
        let store = Embedded::open(dir, options()).expect(step);
        let position = store.position().await.expect("position");
        assert!([20, 30, 35].contains(&position), "{step}: {position}");
        assert_eq!(count(&store).await as u64, position, "{step}");
        let day = dir.join("days").join(DAY.to_string());
        let generations = fs::read_dir(&day)
            .expect("list")
            .filter(|entry| entry.as_ref().expect("entry").file_name().to_string_lossy().starts_with('g'));
        assert_eq!(generations.count(), 1, "{step}: one sealed part is left");
        assert!(!day.join("CURRENT.tmp").exists(), "{step}");
        // Written again from the position, and from before it.
        store.write((0..40).map(entry).collect(), 40).await.expect("write");
        let ids: Vec<String> = (0..41).map(|number| format!("e{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let known = store.known("s", (DAY, DAY), &ids).await.expect("known");
        assert_eq!(known.iter().filter(|known| **known).count(), 40, "{step}");
        store.flush().await.expect("flush");
        store.seal(DAY, Box::new(|_| {})).await.expect("seal");
        assert_eq!(count(&store).await, 40.0, "{step}");
        assert_eq!(store.position().await.expect("position"), 40, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_day_answers_the_same_until_it_is_sealed_again() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write((0..20).map(entry).collect(), 20).await.expect("write");
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    let start = i64::from(DAY.0) * 86_400_000;
    let edges: Vec<i64> = (-2..=2).map(|day| start + day * 86_400_000).collect();
    let by_day = Plan {
        range: TimeRange { from: edges[0], to: edges[4], ..all_time() },
        ..plan(vec![Group::Time { key: TimeKey::Timestamp, edges }])
    };
    let by_id = plan(vec![Group::Key(Known::Id.into())]);
    let first = (store.aggregate(&by_day).await.expect("answer"), store.aggregate(&by_id).await.expect("answer"));
    assert_eq!(first.0.rows.len(), 1);
    assert_eq!((&first.0.rows[0].labels[0], first.0.rows[0].values[0]), (&Label::Time(start), Some(20.0)));
    let cached = || {
        let part = dir.path().join("days").join(DAY.to_string()).join("g1");
        fs::metadata(part.join(cache::CACHE)).expect("partial answers").len()
    };
    let held = cached();
    assert!(held > 0);
    let again = (store.aggregate(&by_day).await.expect("answer"), store.aggregate(&by_id).await.expect("answer"));
    assert_eq!((&again, cached()), (&first, held));
    store.write((20..23).map(entry).collect(), 23).await.expect("write");
    store.flush().await.expect("flush");
    assert_eq!(store.aggregate(&by_day).await.expect("answer").rows[0].values[0], Some(23.0));
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    assert_eq!(store.aggregate(&by_day).await.expect("answer").rows[0].values[0], Some(23.0));
}

#[tokio::test]
async fn what_was_given_up_on_the_way_is_not_kept() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), EmbeddedOptions { threads: 1, ..options() }).expect("open");
    store.write((0..20).map(entry).collect(), 20).await.expect("write");
    store.flush().await.expect("flush");
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    let by_id = |limits| Plan { limits, ..plan(vec![Group::Key(Known::EventId.into())]) };
    let next = |number: u64| {
        let mut entry = entry(number);
        entry.event.set(Known::Day, Value::Int(i64::from(DAY.0) + 1));
        entry
    };
    store.write((20..80).map(next).collect(), 80).await.expect("write");
    store.flush().await.expect("flush");
    let limits = Limits { rows_max: 50, ..Limits::default() };
    let refused = store.aggregate(&by_id(limits)).await.expect_err("more rows than it may have");
    assert!(refused.to_string().contains("50 rows"), "{refused}");
    assert_eq!(store.aggregate(&by_id(Limits::default())).await.expect("answer").rows.len(), 80);
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    let refused = Embedded::open(dir.path(), options()).err().expect("refused");
    assert!(refused.to_string().contains("another process"), "{refused}");
    drop(store);
    Embedded::open(dir.path(), options()).expect("open again");
}
