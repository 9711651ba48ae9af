//! What failures between two steps of the owner leave: nothing taken is lost, nothing is stored twice.

use super::*;
use std::sync::mpsc;
use tokio::sync::Notify;

const NEXT_DAY: Day = Day(DAY.0 + 1);

fn entry_of(day: Day, number: u64) -> Entry {
    let mut entry = entry(number);
    entry.event.set(Known::Day, Value::Int(day.0.into()));
    entry
}

async fn count(store: &Embedded) -> f64 {
    let rows = store.aggregate(&plan(vec![])).await.expect("answer").rows;
    rows.first().and_then(|row| row.values.first().copied().flatten()).unwrap_or_default()
}

fn day_dir(root: &Path) -> PathBuf {
    root.join("days").join(DAY.to_string())
}

/// A `derive` that says when it begins and then waits until it is told to go on.
fn held() -> (Derive, Arc<Notify>, mpsc::SyncSender<()>) {
    let begun = Arc::new(Notify::new());
    let (go, wait) = mpsc::sync_channel(1);
    let (mut is_first, told) = (true, begun.clone());
    let derive = move |_: &mut Event| {
        if std::mem::take(&mut is_first) {
            told.notify_one();
            wait.recv().expect("told to go on");
        }
    };
    (Box::new(derive), begun, go)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_follows_a_failed_commit_while_its_day_is_sealed_stays() {
    let dir = TempDir::new().expect("folder");
    let store = Arc::new(Embedded::open(dir.path(), options()).expect("open"));
    store.write(vec![entry(0)], 1).await.expect("write");
    let (derive, begun, go) = held();
    let sealing = tokio::spawn({
        let store = store.clone();
        async move { store.seal(DAY, derive).await }
    });
    begun.notified().await;
    let in_the_way = dir.path().join("POSITION.tmp");
    fs::create_dir(&in_the_way).expect("folder");
    store.write(vec![entry_of(NEXT_DAY, 1)], 2).await.expect("write");
    store.flush().await.expect_err("the position cannot be written");
    fs::remove_dir(&in_the_way).expect("removed");
    store.write(vec![entry_of(NEXT_DAY, 1), entry(2)], 3).await.expect("written again");
    store.flush().await.expect("flush");
    go.send(()).expect("it waits");
    sealing.await.expect("joined").expect("sealed");
    assert_eq!(count(&store).await, 3.0);
    drop(store);
    let store = Embedded::open(dir.path(), options()).expect("open again");
    assert_eq!(count(&store).await, 3.0);
}

#[tokio::test]
async fn a_commit_that_fails_for_a_seal_is_told_to_the_writer() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write(vec![entry(0)], 1).await.expect("write");
    let in_the_way = day_dir(dir.path()).join("open1");
    fs::write(&in_the_way, "").expect("file");
    store.seal(DAY, Box::new(|_| {})).await.expect_err("it cannot be committed");
    fs::remove_file(&in_the_way).expect("removed");
    store.write(vec![entry(1)], 2).await.expect_err("event 0 is to be written again");
    assert_eq!(store.position().await.expect("position"), 0);
    store.write(vec![entry(0), entry(1)], 2).await.expect("write");
    store.flush().await.expect("flush");
    assert_eq!(count(&store).await, 2.0);
}

#[tokio::test]
async fn a_commit_that_counts_and_failed_behind_that_is_not_written_again() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    let in_the_way = day_dir(dir.path()).join("open1").join("9.col");
    fs::create_dir_all(&in_the_way).expect("folder");
    store.write(vec![entry(0)], 1).await.expect("write");
    store.flush().await.expect_err("what does not count cannot be removed");
    fs::remove_dir(&in_the_way).expect("removed");
    store.write(vec![entry(0)], 1).await.expect("written again");
    store.flush().await.expect("flush");
    assert_eq!(count(&store).await, 1.0);
    store.write(vec![entry(0), entry(1)], 2).await.expect("written again");
    store.flush().await.expect("flush");
    assert_eq!(count(&store).await, 2.0);
}

#[tokio::test]
async fn a_sealed_part_that_current_may_name_is_not_written_over() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write(vec![entry(0)], 1).await.expect("write");
    store.flush().await.expect("flush");
    // As a swap leaves it whose rename went well and whose last sync did not.
    let named = day_dir(dir.path()).join("g1").join("day.json");
    fs::create_dir(day_dir(dir.path()).join("g1")).expect("folder");
    fs::write(&named, "").expect("file");
    current::Current { generation: 1, open: 2, from: None }.write(&day_dir(dir.path())).expect("written");
    store.seal(DAY, Box::new(move |_| assert!(named.exists()))).await.expect("sealed");
    assert_eq!(count(&store).await, 1.0);
    drop(store);
    let store = Embedded::open(dir.path(), options()).expect("open again");
    assert_eq!(count(&store).await, 1.0);
}

#[tokio::test]
async fn a_day_expires_though_an_earlier_try_left_its_folder() {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write(vec![entry(0)], 1).await.expect("write");
    let left = day_dir(dir.path()).with_extension("expired");
    fs::create_dir(&left).expect("folder");
    fs::write(left.join("left"), "").expect("file");
    store.expire(NEXT_DAY, NEXT_DAY).await.expect("expired");
    assert!(store.days().await.expect("days").is_empty() && !left.exists());
}
