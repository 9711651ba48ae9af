//! Tests of what item tables are there and read after a seal and an expiry, and of what their damage does. The contract
//! suite has the answers.

use crate::error::Kind;
use crate::event::{Day, Event, Known, Value};
use crate::store::embedded::{Embedded, EmbeddedOptions};
use crate::store::plan::{Bots, Counting, Items, Limits, UsagePlan};
use crate::store::{Entry, Store, StoreError};
use std::path::Path;
use std::time::Duration;

/// 2024-10-30; the month ends a day later.
const DAY: i32 = 20_026;

async fn sealed(dir: &Path) -> Embedded {
    let options = EmbeddedOptions { commit_every: Duration::from_secs(3600), ..EmbeddedOptions::default() };
    let store = Embedded::open(dir, options).expect("open");
    write(&store, 0..3).await;
    for day in DAY..DAY + 3 {
        store.seal(Day(day), Box::new(|_| {})).await.expect("seal");
    }
    store
}

/// A view a day.
async fn write(store: &Embedded, days: std::ops::Range<i32>) {
    let first = store.position().await.expect("position");
    let entries: Vec<Entry> =
        days.zip(first..).map(|(day, position)| Entry { position, event: view(DAY + day) }).collect();
    let end = first + entries.len() as u64;
    store.write(entries, end).await.expect("write");
    store.flush().await.expect("flush");
}

fn view(day: i32) -> Event {
    let mut event = Event::default();
    event.set(Known::Timestamp, Value::Int(i64::from(day) * 86_400_000));
    event.set(Known::ReceivedAt, Value::Int(i64::from(day) * 86_400_000));
    event.set(Known::Day, Value::Int(day.into()));
    event.set(Known::Site, Value::text("s"));
    event.set(Known::Action, Value::text("view"));
    event.set(Known::Id, Value::text("a"));
    event
}

async fn views(store: &Embedded, days: std::ops::Range<i32>) -> Result<Vec<u64>, StoreError> {
    let plan = UsagePlan {
        site: "s".to_owned(),
        items: Items::Ids(vec!["a".to_owned()]),
        days: (Day(DAY + days.start), Day(DAY + days.end - 1)),
        bots: Bots::Exclude,
        counting: Counting::Raw,
        limits: Limits::default(),
    };
    Ok(store.usage(&plan).await?.remove(0).1.views.into_values().collect())
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).expect("table");
    bytes[10] ^= 1;
    std::fs::write(path, bytes).expect("table");
}

#[tokio::test]
async fn a_month_is_one_table_once_a_later_day_is_sealed_and_again_after_expiry() {
    let dir = tempfile::tempdir().expect("folder");
    let store = sealed(dir.path()).await;
    let month = dir.path().join("months/2024-10.items.tbl");
    let before = std::fs::read(&month).expect("October");
    assert!(!dir.path().join("months/2024-11.items.tbl").exists(), "November is not over");
    // The days' own tables are not needed for a whole month.
    for day in ["2024-10-30", "2024-10-31"] {
        let path = dir.path().join(format!("days/{day}/g1/items.tbl"));
        flip(&path);
        assert_eq!(views(&store, 0..2).await.expect("October alone"), [1, 1]);
        flip(&path);
    }
    store.expire(Day(DAY + 1), Day(DAY - 9)).await.expect("expire");
    assert_eq!(views(&store, 0..3).await.expect("all"), [1, 1, 1]);
    assert_eq!(std::fs::read(&month).expect("October"), before, "the day's table holds the same");
    store.expire(Day(DAY + 1), Day(DAY + 1)).await.expect("expire");
    assert_eq!(views(&store, 0..3).await.expect("all"), [1, 1]);
    assert_ne!(std::fs::read(&month).expect("October"), before, "the first day is out of it");
}

#[tokio::test]
async fn a_damaged_item_table_of_a_day_is_named_by_the_question_and_set_aside() {
    let dir = tempfile::tempdir().expect("folder");
    let store = sealed(dir.path()).await;
    let file = "days/2024-10-31/g1/items.tbl";
    flip(&dir.path().join(file));
    let error = views(&store, 1..3).await.expect_err(file);
    assert!(error.kind() == Kind::Corrupt && error.to_string().contains(file), "{error}");
    let damaged = store.damaged().await.expect("damaged");
    assert!(damaged.len() == 1 && damaged[0].parts[0].contains(file), "{damaged:?}");
}

#[tokio::test]
async fn a_damaged_item_table_of_a_month_is_dropped_and_its_days_are_read() {
    for found_by_scrub in [true, false] {
        let dir = tempfile::tempdir().expect("folder");
        let store = sealed(dir.path()).await;
        let right = views(&store, 0..3).await.expect("sound");
        let file = "months/2024-10.items.tbl";
        flip(&dir.path().join(file));
        if found_by_scrub {
            let found = store.verify(Day(DAY)).await.expect("verify");
            assert!(found.len() == 1 && found[0].contains(file), "{found:?}");
        }
        assert_eq!(views(&store, 0..3).await.expect("by days"), right);
        for state in store.days().await.expect("days") {
            assert_eq!(store.verify(state.day).await.expect("verify"), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn late_events_of_an_expired_day_add_to_its_table_and_outlive_the_next_expiry() {
    let dir = tempfile::tempdir().expect("folder");
    let store = sealed(dir.path()).await;
    let expired = dir.path().join("days/2024-10-30");
    for round in 1..=3 {
        store.expire(Day(DAY + 1), Day(DAY - 9)).await.expect("expire");
        assert_eq!(views(&store, 0..1).await.expect("stripped"), [round]);
        write(&store, 0..1).await;
        assert_eq!(views(&store, 0..1).await.expect("late"), [round + 1]);
        if round == 2 {
            store.seal(Day(DAY), Box::new(|_| {})).await.expect("seal");
            assert_eq!(views(&store, 0..1).await.expect("sealed"), [round + 1]);
        }
    }
    let folders = std::fs::read_dir(&expired)
        .expect("day")
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir()));
    assert_eq!(folders.count(), 2, "one part that stays and one that is open");
}
