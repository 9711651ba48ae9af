//! The same events make the same bytes, however they are ordered, split, spilled and merged.

use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_order_of_visits_split_and_memory_give_the_same_bytes(
        seed in any::<u64>(),
        order in Just((0..60_usize).collect::<Vec<_>>()).prop_shuffle(),
        parts in 1..5_usize,
        bytes_max in prop_oneof![Just(0_usize), Just(2_000), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let visits = visits(&mut Dice(seed), Day(16_457), 60);
        let whole = folder.path().join("whole.tbl");
        let written = build(&whole, visits.iter().flatten().cloned(), 1 << 20);
        let paths: Vec<_> = (0..parts).map(|part| folder.path().join(format!("part{part}.tbl"))).collect();
        for (part, path) in paths.iter().enumerate() {
            let events = order.iter().filter(|at| *at % parts == part).flat_map(|at| visits[*at].clone());
            build(path, events, bytes_max);
        }
        let merged = folder.path().join("merged.tbl");
        prop_assert_eq!(merge(&paths, &[], &merged).unwrap(), written);
        prop_assert_eq!(std::fs::read(&merged).unwrap(), std::fs::read(&whole).unwrap());
        prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), parts + 2, "runs are removed");
    }
}

#[test]
fn what_an_event_adds_to_its_item_and_to_the_site() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.tbl");
    let base: &[(Known, Value)] =
        &[(Known::Day, Value::Int(0)), (Known::Site, Value::text("s")), (Known::Id, Value::text("a"))];
    let event = |more: &[(Known, Value)]| {
        Event::from_fields([base, more].concat().into_iter().map(|(known, value)| (known.into(), value)).collect())
    };
    let visit = (Known::Visit, Value::hash(5));
    let events = [
        event(&[
            (Known::Action, Value::text("view")),
            (Known::Referer, Value::text("r")),
            visit.clone(),
            (Known::VisitStart, Value::Int(1)),
            (Known::Entry, Value::text("/e")),
            (Known::Counted, Value::Int(1)),
            (Known::Unique, Value::Int(1)),
        ]),
        event(&[(Known::Action, Value::text("view")), visit.clone()]),
        event(&[(Known::Action, Value::text("click")), (Known::Referer, Value::text("not of a click")), visit.clone()]),
        event(&[(Known::Action, Value::text("view")), (Known::Id, Value::text("")), visit]),
        event(&[(Known::Action, Value::text("error")), (Known::Id, Value::text("/missing"))]),
        event(&[(Known::Action, Value::text("download")), (Known::Bot, Value::text("b"))]),
    ];
    build(&path, events, 1 << 20);
    let expected = [
        "(\"s\", \"\", Views(Day(0))) people 3/1/1 bots 0/0/0",
        "(\"s\", \"\", Downloads(\"other\")) people 0/0/0 bots 1/0/0",
        "(\"s\", \"\", Visits) people 1/1/1 bots 0/0/0",
        "(\"s\", \"\", Entries) people 1/1/1 bots 0/0/0",
        "(\"s\", \"\", Referers(\"r\")) people 1/1/1 bots 0/0/0",
        "(\"s\", \"a\", Views(Day(0))) people 2/1/1 bots 0/0/0",
        "(\"s\", \"a\", Downloads(\"other\")) people 0/0/0 bots 1/0/0",
        "(\"s\", \"a\", Visits) people 1/1/1 bots 0/0/0",
        "(\"s\", \"a\", Entries) people 1/1/1 bots 0/0/0",
        "(\"s\", \"a\", Referers(\"r\")) people 1/1/1 bots 0/0/0",
    ];
    assert_eq!(dump(&path).unwrap().lines().collect::<Vec<_>>(), expected);
}
