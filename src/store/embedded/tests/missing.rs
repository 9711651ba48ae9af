//! Parts and lists that are not there any more: they are missed by name, nothing is called whole without them, and what is
//! damaged outlives a start, a retention and a lost `CURRENT`.

use super::damage::{EVENTS, all_events, bend, day_dir, is_whole, life, open};
use super::*;
use crate::store::embedded::committed;

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_gone_is_not_called_whole_and_is_made_from_events() {
    for is_set_aside_first in [false, true] {
        let (dir, what) = (life().await, format!("set aside first: {is_set_aside_first}"));
        let (part, aside) = (day_dir(dir.path()).join("g1"), day_dir(dir.path()).join("damaged"));
        match is_set_aside_first {
            true => bend(&part.join("ids.u64")),
            false => fs::remove_dir_all(&part).expect("removed"),
        }
        let (store, whole) = open(&dir).await;
        store.verify(DAY).await.expect("verified");
        if is_set_aside_first {
            fs::remove_dir_all(&aside).expect("removed");
        }
        let refused = store.repair(DAY, Remedy::Aside, Box::new(|_| {})).await;
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{what}: {refused:?}");
        whole.aggregate(&plan(vec![])).await.expect_err(&what);
        store.repair(DAY, all_events(), Box::new(|_| {})).await.expect("mended");
        is_whole(&whole, &what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_without_their_list_are_set_aside_and_their_number_is_not_given_again() {
    let dir = life().await;
    let day = day_dir(dir.path());
    fs::remove_file(day.join("open2").join("part.json")).expect("removed");
    for events in [20.0, 25.0] {
        let (store, whole) = open(&dir).await;
        assert_eq!(store.damaged().await.expect("damaged").len(), 1);
        whole.aggregate(&plan(vec![])).await.expect_err("it lacks a part");
        assert!(day.join("damaged").join("open2").join("0.col").exists(), "it is kept");
        assert_eq!(count(&store).await, events);
        store.write((EVENTS..EVENTS + 5).map(entry).collect(), EVENTS + 5).await.expect("write");
        store.flush().await.expect("flush");
        assert!(day.join("open3").exists() && !day.join("open2").exists());
    }
    let (store, whole) = open(&dir).await;
    store.repair(DAY, Remedy::Aside, Box::new(|_| {})).await.expect_err("its events cannot be told");
    store.repair(DAY, all_events(), Box::new(|_| {})).await.expect("mended");
    is_whole(&whole, "a part without its list").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_commit_cut_short_is_no_damage() {
    let dir = life().await;
    let (day, half) = (day_dir(dir.path()), day_dir(dir.path()).join("open3"));
    committed::begin(&day, &half).expect("begun");
    fs::write(half.join("0.col"), "half of a colu").expect("written");
    let nothing = day.join("open4");
    fs::create_dir(&nothing).expect("a folder");
    fs::write(nothing.join("part.json.tmp"), "{").expect("written");
    fs::create_dir(day.join("gathered.tmp")).expect("a repair cut short");
    let (store, whole) = open(&dir).await;
    is_whole(&whole, "cut short").await;
    assert!(!half.join("0.col").exists() && !nothing.exists());
    store.write((EVENTS..EVENTS + 5).map(entry).collect(), EVENTS + 5).await.expect("write");
    store.flush().await.expect("flush");
    assert_eq!(count(&store).await, 35.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_current_costs_no_part_whose_manifest_is_damaged_too() {
    for current in ["bent", "gone"] {
        let dir = life().await;
        let day = day_dir(dir.path());
        match current {
            "bent" => bend(&day.join("CURRENT")),
            _ => fs::remove_file(day.join("CURRENT")).expect("removed"),
        }
        bend(&day.join("g1").join("day.json"));
        let (store, whole) = open(&dir).await;
        assert_eq!(store.damaged().await.expect("damaged").len(), 1, "{current}");
        whole.aggregate(&plan(vec![])).await.expect_err(current);
        assert!(day.join("damaged").join("g1").join("ids.u64").exists(), "{current}: it is kept");
        store.repair(DAY, all_events(), Box::new(|_| {})).await.expect("mended");
        is_whole(&whole, current).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sealed_parts_a_lost_current_removes_none() {
    let dir = life().await;
    let day = day_dir(dir.path());
    let older = day.join("g1");
    let kept = TempDir::new().expect("folder");
    copy(&older, &kept.path().join("g1"));
    let (store, _) = open(&dir).await;
    store.seal(DAY, Box::new(|_| {})).await.expect("sealed");
    drop(store);
    copy(&kept.path().join("g1"), &older);
    bend(&day.join("CURRENT"));
    let (_, whole) = open(&dir).await;
    is_whole(&whole, "two sealed parts").await;
    assert!(!older.exists() && day.join("repaired-1").join("g1").join("day.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_day_is_kept_whole_by_retention_until_it_is_repaired() {
    let dir = life().await;
    let day = day_dir(dir.path());
    bend(&day.join("g1").join("ids.u64"));
    let (store, whole) = open(&dir).await;
    store.verify(DAY).await.expect("verified");
    for _ in 0..2 {
        store.expire(DAY.next(), Day(0)).await.expect("expired");
        assert!(day.join("damaged").join("g1").join("items.tbl").exists(), "it is kept");
        assert!(day.join("open2").exists() && !day.join("g2").exists(), "nothing is written anew");
    }
    store.repair(DAY, Remedy::Aside, Box::new(|_| {})).await.expect("mended");
    is_whole(&whole, "after the repair").await;
    store.expire(DAY.next(), Day(0)).await.expect("expired");
    assert_eq!(store.days().await.expect("days").iter().map(|day| day.events).sum::<u64>(), 0);
    assert!(!day.join("repaired-1").exists(), "events that expired are nowhere");
}
