//! Questions to tables against a plain recount of the events they were made of.

use super::*;
use crate::error::Kind;
use crate::store::plan::{Bots, Counting, Items, Limits, Tally, Usage, UsagePlan};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

struct World {
    _folder: tempfile::TempDir,
    events: Vec<Event>,
    tables: Vec<Arc<Table>>,
}

/// Ten days, the first three of them in one table.
fn world(seed: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(seed);
    let days: Vec<Vec<Event>> =
        (0..10).map(|day| visits(&mut dice, Day(day), 40).into_iter().flatten().collect()).collect();
    let paths: Vec<_> = (0..10).map(|day| folder.path().join(format!("{day}.tbl"))).collect();
    for (path, events) in paths.iter().zip(&days) {
        build(path, events.iter().cloned(), 1 << 20);
    }
    let merged = folder.path().join("merged.tbl");
    merge(&paths[..3], &[], &merged).unwrap();
    let tables = std::iter::once(&merged).chain(&paths[3..]).map(|path| Arc::new(Table::open(path).unwrap())).collect();
    World { _folder: folder, events: days.into_iter().flatten().collect(), tables }
}

fn plan(site: &str, bots: Bots, counting: Counting) -> UsagePlan {
    let days = (Day(0), Day(9));
    UsagePlan { site: site.to_owned(), items: Items::Site, days, bots, counting, limits: Limits::default() }
}

fn plans() -> impl Iterator<Item = UsagePlan> {
    let bots = [Bots::Exclude, Bots::Include, Bots::Only];
    let all = bots.into_iter().flat_map(|bots| [Counting::Raw, Counting::Counter].map(|counting| (bots, counting)));
    all.flat_map(|(bots, counting)| ["default", "oth\0er", "none"].map(|site| plan(site, bots, counting)))
}

fn recount(events: &[Event], plan: &UsagePlan, id: &str) -> Usage {
    let mut usage = Usage::default();
    for event in events {
        let bot = event.known(Known::Bot).is_some();
        let who = match plan.bots {
            Bots::Exclude => !bot,
            Bots::Include => true,
            Bots::Only => bot,
        };
        let counts = plan.counting == Counting::Raw || event.int(Known::Counted) == Some(1);
        let of_item = id.is_empty() || event.text(Known::Id) == Some(id);
        if event.site() != plan.site || !who || !counts || !of_item {
            continue;
        }
        match event.action() {
            "view" => *usage.views.entry(event.day()).or_default() += 1,
            "download" => *usage.downloads.entry(event.text(Known::Format).unwrap_or("other").into()).or_default() += 1,
            _ => continue,
        }
        if let Some(referer) = event.text(Known::Referer) {
            *usage.referers.entry(referer.into()).or_default() += 1;
        }
    }
    usage
}

fn ids_of(events: &[Event]) -> Vec<String> {
    let mut ids: Vec<_> = events.iter().filter_map(|event| event.text(Known::Id)).map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn usage_of_items_and_of_the_site_equals_a_recount() {
    for seed in 0..4 {
        let world = world(seed);
        let mut ids = ids_of(&world.events);
        ids.reverse();
        ids.extend(["never seen", "/a"].map(str::to_owned));
        for mut plan in plans() {
            for (items, ids) in [(Items::Site, vec![String::new()]), (Items::Ids(ids.clone()), ids.clone())] {
                plan.items = items;
                let mut gathering = Gathering::new(&plan, ids.clone());
                gathering.add_tables(&world.tables).unwrap();
                let expected: Vec<_> =
                    ids.into_iter().map(|id| (id.clone(), recount(&world.events, &plan, &id))).collect();
                assert_eq!(gathering.answer(), expected, "seed {seed}, {plan:?}");
            }
        }
    }
}

fn busiest_by_recount(events: &[Event], plan: &UsagePlan, tally: Tally, count: usize) -> Vec<String> {
    let number = |id: &String| {
        let usage = recount(events, plan, id);
        let numbers: BTreeMap<_, _> = match tally {
            Tally::Views => usage.views.into_values().enumerate().collect(),
            Tally::Downloads => usage.downloads.into_values().enumerate().collect(),
        };
        numbers.values().sum::<u64>()
    };
    let mut ids: Vec<_> = ids_of(events).into_iter().map(|id| (number(&id), id)).filter(|(sum, _)| *sum > 0).collect();
    ids.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    ids.into_iter().take(count).map(|(_, id)| id).collect()
}

#[test]
fn an_empty_id_is_no_item_and_not_the_site() {
    let world = world(1);
    let plan = UsagePlan { items: Items::Ids(vec![String::new()]), ..plan("default", Bots::Include, Counting::Raw) };
    let mut gathering = Gathering::new(&plan, vec![String::new()]);
    gathering.add_tables(&world.tables).unwrap();
    assert_eq!(gathering.answer(), [(String::new(), Usage::default())]);
}

#[test]
fn the_busiest_items_equal_a_recount() {
    let world = world(11);
    for plan in plans() {
        for (tally, count) in [(Tally::Views, 3), (Tally::Downloads, 1), (Tally::Views, 100), (Tally::Downloads, 0)] {
            let found = busiest(&plan, (tally, count), &world.tables, HashMap::new()).unwrap();
            assert_eq!(found, busiest_by_recount(&world.events, &plan, tally, count), "{plan:?}");
        }
    }
}

#[test]
fn what_stands_beside_the_tables_counts_for_the_busiest() {
    let world = world(12);
    let plan = plan("default", Bots::Include, Counting::Raw);
    let (sealed, open): (Vec<_>, Vec<_>) = world.events.iter().cloned().partition(|event| event.day() < Day(5));
    let mut beside = HashMap::new();
    for id in ids_of(&open).into_iter().chain([String::new()]) {
        let sum = recount(&open, &plan, &id).views.values().sum();
        beside.insert(id, sum);
    }
    for count in [1, 4, 100] {
        let found = busiest(&plan, (Tally::Views, count), &world.tables[..3], beside.clone()).unwrap();
        assert_eq!(found, busiest_by_recount(&world.events, &plan, Tally::Views, count));
    }
    assert_eq!(sealed.len() + open.len(), world.events.len());
}

#[test]
fn views_outside_the_days_asked_are_passed_over() {
    let world = world(13);
    let plan = UsagePlan { days: (Day(1), Day(4)), ..plan("default", Bots::Include, Counting::Raw) };
    let mut gathering = Gathering::new(&plan, vec![String::new()]);
    gathering.add_tables(&world.tables).unwrap();
    let days: Vec<_> = gathering.answer().remove(0).1.views.into_keys().collect();
    assert_eq!(days, [Day(1), Day(2), Day(3), Day(4)]);
}

#[test]
fn an_answer_is_bounded_in_entries_and_in_time() {
    let world = world(14);
    let mut plan = plan("default", Bots::Include, Counting::Raw);
    let ask = |plan: &UsagePlan| {
        let mut gathering = Gathering::new(plan, vec![String::new(); 500]);
        gathering.add_tables(&world.tables)
    };
    assert!(ask(&plan).is_ok());
    plan.limits.rows_max = 100;
    let error = ask(&plan).unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("more than 100")), (Kind::Overloaded, true));
    plan.limits = Limits { time_max: Duration::ZERO, ..Limits::default() };
    assert!(ask(&plan).unwrap_err().to_string().contains("0 ms"));
}
