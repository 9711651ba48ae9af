//! Damage to one file after another: the store opens, says what is lost, never answers around it unasked, and is whole
//! again by a repair where anything holds the events.

use super::*;
use crate::error::Kind;
use crate::store::whole::Whole;
use tokio::sync::mpsc;

pub(super) const EVENTS: u64 = 30;

/// A store with a sealed part, a late open part beside it, and a cached answer.
pub(super) async fn life() -> TempDir {
    let dir = TempDir::new().expect("folder");
    let store = Embedded::open(dir.path(), options()).expect("open");
    store.write((0..20).map(entry).collect(), 20).await.expect("write");
    store.seal(DAY, Box::new(|_| {})).await.expect("seal");
    store.write((20..EVENTS).map(entry).collect(), EVENTS).await.expect("write");
    store.flush().await.expect("flush");
    store.aggregate(&plan(vec![])).await.expect("answer");
    dir
}

pub(super) fn day_dir(root: &Path) -> PathBuf {
    root.join("days").join(DAY.to_string())
}

pub(super) fn bend(path: &Path) {
    let mut bytes = fs::read(path).expect("file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).expect("file");
}

pub(super) fn all_events() -> Remedy {
    let (sender, events) = mpsc::channel(1);
    tokio::spawn(async move { sender.send(Ok((0..EVENTS).map(entry).collect())).await });
    Remedy::Events(events, EVENTS)
}

/// The files of a part, in its segments' folders too.
fn files(part: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(part).expect("list").map(|entry| entry.expect("entry").path()) {
        if entry.is_dir() { all.extend(files(&entry)) } else { all.push(entry) }
    }
    all.sort();
    all
}

pub(super) async fn open(dir: &TempDir) -> (Arc<Embedded>, Whole) {
    let store = Arc::new(Embedded::open(dir.path(), options()).expect("damage keeps no store down"));
    let whole = Whole(Arc::<Embedded>::clone(&store));
    (store, whole)
}

pub(super) async fn is_whole(whole: &Whole, what: &str) {
    let answer = whole.aggregate(&plan(vec![])).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(answer.rows[0].values[0], Some(EVENTS as f64), "{what}");
    assert!(whole.damaged().await.expect("damaged").is_empty(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bent_file_of_a_part_is_found_set_aside_and_mended_from_all_events() {
    let names = |part: &str, root: &Path| -> Vec<PathBuf> {
        let files = files(&day_dir(root).join(part));
        files.iter().map(|file| file.strip_prefix(root).expect("below").to_owned()).collect()
    };
    let (template, mut mended) = (life().await, 0);
    for part in ["g1", "open2"] {
        let mut kinds = std::collections::BTreeSet::new();
        for file in names(part, template.path()) {
            // One of each kind: segments are alike.
            if !kinds.insert(file.extension().map_or(file.clone().into_os_string(), ToOwned::to_owned)) {
                continue;
            }
            let dir = TempDir::new().expect("folder");
            copy(template.path(), dir.path());
            let spare = [".lock", ".managed.json", ".partial"].iter().any(|end| file.to_string_lossy().ends_with(end));
            if file.to_string_lossy().ends_with(".lock") {
                continue;
            }
            bend(&dir.path().join(&file));
            let what = file.display().to_string();
            let (store, whole) = open(&dir).await;
            let found = store.verify(DAY).await.expect("verified");
            if spare {
                is_whole(&whole, &what).await;
                continue;
            }
            if found.is_empty() {
                // Not a byte that says anything: the engine's version in a file's foot.
                is_whole(&whole, &what).await;
                continue;
            }
            mended += 1;
            let error = whole.aggregate(&plan(vec![])).await.expect_err(&what);
            assert!(error.kind() == Kind::Corrupt && error.to_string().contains(&DAY.to_string()), "{what}: {error}");
            drop((store, whole));
            let (store, whole) = open(&dir).await;
            assert_eq!(store.damaged().await.expect("damaged").len(), 1, "{what}: forgotten by a restart");
            whole.aggregate(&plan(vec![])).await.expect_err(&what);
            store.repair(DAY, all_events(), Box::new(|_| {})).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            is_whole(&whole, &what).await;
            assert_eq!(store.verify(DAY).await.expect("verified"), Vec::<String>::new(), "{what}");
            assert!(day_dir(dir.path()).join("repaired-1").join(part).exists(), "{what}: it is kept");
        }
    }
    assert!(mended >= 10, "{mended} files were damaged and mended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_from_events_alone_is_made_again_from_the_part_set_aside() {
    for (file, mends) in [("ids.u64", true), ("items.tbl", true), ("visitors.u64", false), ("day.json", false)] {
        let dir = life().await;
        bend(&day_dir(dir.path()).join("g1").join(file));
        let (store, whole) = open(&dir).await;
        store.verify(DAY).await.expect("verified");
        let mended = store.repair(DAY, Remedy::Aside, Box::new(|_| {})).await;
        assert_eq!(mended.is_ok(), mends, "{file}: {mended:?}");
        if mends {
            is_whole(&whole, file).await;
            let known = store.known("s", (DAY, DAY), &["e0", "e29", "e30"]).await.expect("known");
            assert_eq!(known, [true, true, false], "{file}");
        } else {
            whole.aggregate(&plan(vec![])).await.expect_err(file);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_is_accepted_leaves_what_is_sound() {
    let dir = life().await;
    bend(&day_dir(dir.path()).join("g1").join("day.json"));
    let (store, whole) = open(&dir).await;
    store.repair(DAY, Remedy::Loss, Box::new(|_| {})).await.expect("settled");
    assert_eq!(count(&store).await, 10.0);
    drop((store, whole));
    let (store, whole) = open(&dir).await;
    assert_eq!(whole.aggregate(&plan(vec![])).await.expect("answered").rows[0].values[0], Some(10.0));
    store.seal(DAY, Box::new(|_| {})).await.expect("sealed");
    assert_eq!(count(&store).await, 10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_position_or_current_costs_nothing() {
    for file in ["POSITION", "CURRENT"] {
        let dir = life().await;
        let path = if file == "POSITION" { dir.path().join(file) } else { day_dir(dir.path()).join(file) };
        bend(&path);
        let (store, whole) = open(&dir).await;
        is_whole(&whole, file).await;
        assert_eq!(store.reached(), EVENTS, "{file}");
        let position = store.position().await.expect("position");
        assert!((20..=EVENTS).contains(&position), "{file}: {position}");
        // Written again from there, nothing is there twice.
        store.write((position..EVENTS + 2).map(entry).collect(), EVENTS + 2).await.expect("write");
        store.flush().await.expect("flush");
        assert_eq!(count(&store).await, 32.0, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_damaged_part_are_not_taken_twice_and_new_ones_are() {
    let dir = life().await;
    bend(&day_dir(dir.path()).join("g1").join("ids.u64"));
    let (store, whole) = open(&dir).await;
    store.verify(DAY).await.expect("verified");
    store.write((EVENTS..EVENTS + 5).map(entry).collect(), EVENTS + 5).await.expect("a damaged day takes events");
    store.flush().await.expect("flush");
    assert!(matches!(store.seal(DAY, Box::new(|_| {})).await, Err(StoreError::Damaged { .. })));
    store.repair(DAY, Remedy::Aside, Box::new(|_| {})).await.expect("mended");
    assert_eq!(whole.aggregate(&plan(vec![])).await.expect("answer").rows[0].values[0], Some(35.0));
}
