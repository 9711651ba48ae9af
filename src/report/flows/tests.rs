//! Flows over the oracle: counted by hand, and kept in balance.

use super::*;
use crate::event::{Day, Event, Value};
use crate::query::scope::{having, not};
use crate::store::Entry;
use crate::store::memory::Memory;
use crate::store::plan::Case;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Weights by step, counted from the page asked for, and pages.
type Counted = BTreeMap<(usize, String, String), u64>;

/// Visits of day 0, each by its pages; one that begins with `#` is an item without a path. The first view once more of a
/// bot, and of nobody.
async fn store(visits: &[Vec<&str>]) -> Memory {
    let mut entries = Vec::new();
    for (visit, pages) in visits.iter().enumerate() {
        for (at, page) in pages.iter().enumerate() {
            let mut event = Event::default();
            event.set(Known::Site, Value::text("s"));
            event.set(Known::Action, Value::text("view"));
            event.set(Known::Day, Value::Int(0));
            event.set(Known::Timestamp, Value::Int((visit * 100 + at) as i64));
            event.set(if page.starts_with('#') { Known::Id } else { Known::Path }, Value::text(*page));
            event.set(Known::Visitor, Value::hash(visit as u64 / 2));
            event.set(Known::Visit, Value::hash(visit as u64 + 1));
            event.set(Known::Browser, Value::text(browser(visit)));
            event.set(Known::VisitAt, Value::Int(visit as i64 * 100));
            if at > 0 {
                event.set(Known::Previous, Value::text(pages[at - 1]));
            }
            entries.push(Entry { position: entries.len() as u64, event });
        }
    }
    let (store, end) = (Memory::new(), entries.len() as u64 + 2);
    let mut beside = entries.first().map(|entry| entry.event.clone()).unwrap_or_default();
    beside.set(Known::Bot, Value::text("Robot"));
    entries.push(Entry { position: end - 2, event: beside.clone() });
    for key in [Known::Bot, Known::Visitor, Known::Visit, Known::VisitAt] {
        beside.remove(&key.into());
    }
    entries.push(Entry { position: end - 1, event: beside });
    store.write(entries, end).await.unwrap();
    store
}

fn browser(visit: usize) -> &'static str {
    ["Firefox", "Chrome"][visit % 2]
}

fn question(way: Way, steps: usize) -> Question {
    Question {
        site: "s".to_owned(),
        range: Range::of_days(Day(0), Day(0), TimeZone::UTC),
        bots: Bots::Exclude,
        only: Filter::All,
        way,
        steps,
        limit: 1_000,
        limits: Limits::default(),
    }
}

async fn edges(visits: &[Vec<&str>], way: Way, steps: usize) -> Vec<String> {
    let flow = flow(&store(visits).await, &question(way, steps)).await.unwrap();
    let line = |edge: &Edge| {
        let step = edge.step.map_or(String::new(), |step| format!("{step}: "));
        format!("{step}{} → {} {}", edge.from, edge.to, edge.weight)
    };
    let mut lines: Vec<String> = flow.edges.iter().map(line).collect();
    lines.sort();
    lines
}

fn visits() -> Vec<Vec<&'static str>> {
    vec![vec!["/a", "/b", "/a", "/a"], vec!["/a", "/b", "#c"], vec!["/b"]]
}

#[tokio::test]
async fn edges_of_one_step() {
    let whole = [
        "#c → (exit) 1",
        "(entry) → /a 2",
        "(entry) → /b 1",
        "/a → (exit) 1",
        "/a → /a 1",
        "/a → /b 2",
        "/b → #c 1",
        "/b → (exit) 1",
        "/b → /a 1",
    ];
    assert_eq!(edges(&visits(), Way::Whole, 1).await, whole);
    let from = |page: &str| Way::From(page.to_owned());
    assert_eq!(edges(&visits(), from("/a"), 1).await, ["1: /a → (exit) 1", "1: /a → /a 1", "1: /a → /b 2"]);
    assert_eq!(edges(&visits(), from(ENTRY), 1).await, ["1: (entry) → /a 2", "1: (entry) → /b 1"]);
    let to = |page: &str| Way::To(page.to_owned());
    assert_eq!(edges(&visits(), to("#c"), 1).await, ["1: /b → #c 1"]);
    assert_eq!(edges(&visits(), to(EXIT), 1).await, ["1: #c → (exit) 1", "1: /a → (exit) 1", "1: /b → (exit) 1"]);
    assert_eq!(edges(&visits(), from("/never"), 1).await, [""; 0]);
}

#[tokio::test]
async fn paths_begin_where_another_page_or_none_was_before() {
    let from = edges(&visits(), Way::From("/a".to_owned()), 2).await;
    let expected = ["1: /a → /a 1", "1: /a → /b 2", "2: /a → (exit) 1", "2: /b → #c 1", "2: /b → /a 1"];
    assert_eq!(from, expected);
    let to = edges(&visits(), Way::To("/a".to_owned()), 2).await;
    assert_eq!(to, ["1: (entry) → /a 2", "1: /b → /a 1", "2: /a → /b 1"]);
}

#[tokio::test]
async fn steps_that_do_not_fit_are_refused() {
    let store = store(&visits()).await;
    for (way, steps, says) in [
        (Way::Whole, 0, "1 to 5"),
        (Way::Whole, 6, "1 to 5"),
        (Way::From("/a".to_owned()), 6, "1 to 5"),
        (Way::Whole, 2, "from_path"),
    ] {
        let refused = flow(&store, &question(way, steps)).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Invalid(text) if text.contains(says)), "{refused}");
    }
    assert!(flow(&store, &question(Way::From("/a".to_owned()), 5)).await.is_ok());
}

#[tokio::test]
async fn few_edges_are_the_heaviest_and_their_nodes_hold_all_that_flows() {
    let flow = flow(&store(&visits()).await, &Question { limit: 1, ..question(Way::Whole, 1) }).await.unwrap();
    let edge = Edge { step: None, from: "(entry)".to_owned(), to: "/a".to_owned(), weight: 2 };
    let node = |page: &str, weight| Node { step: None, page: page.to_owned(), weight };
    assert_eq!((flow.edges, flow.nodes), (vec![edge], vec![node("/a", 4), node("(entry)", 3)]));
}

#[tokio::test]
async fn weights_are_accounted_for() {
    let from = |page: &str| Way::From(page.to_owned());
    let table = [
        (Question { limit: 1, ..question(Way::Whole, 1) }, Sums::of(11, 2, Some(1), 2)),
        (Question { only: paths(&["#c"]), ..question(Way::Whole, 1) }, Sums::of(2, 2, Some(0), 0)),
        (Question { limit: 2, ..question(from("/a"), 2) }, Sums::of(6, 3, Some(1), 1)),
        (Question { bots: Bots::Only, ..question(from("/a"), 1) }, Sums::of(1, 1, Some(0), 1)),
    ];
    let store = store(&visits()).await;
    for (question, sums) in table {
        assert_eq!(flow(&store, &question).await.unwrap().meta.sums, Some(sums), "{question:?}");
    }
}

fn paths(pages: &[&str]) -> Filter {
    Filter::Is(Known::Path.into(), pages.iter().map(|page| (*page).to_owned()).collect(), Case::Exact)
}

#[tokio::test]
async fn a_path_leaves_the_edges_to_it_and_from_it() {
    let asked = |way, steps, only: Filter| async move {
        let question = Question { only, ..question(way, steps) };
        let flow = flow(&store(&visits()).await, &question).await.unwrap();
        let line = |edge: &Edge| format!("{} → {} {}", edge.from, edge.to, edge.weight);
        (flow.edges.iter().map(line).collect::<Vec<_>>(), flow.meta.substitutions)
    };
    let (edges, said) = asked(Way::Whole, 1, paths(&["#c"])).await;
    assert_eq!(edges, ["#c → (exit) 1", "/b → #c 1"]);
    assert_eq!(said, [Substitution::new("weight", &Known::Path.into(), &Known::Previous.into())]);
    let (edges, _) = asked(Way::Whole, 1, not(paths(&["/a"]))).await;
    // Three come to /b and three go on from it; /a is there as their other end alone.
    assert_eq!(edges, ["/a → /b 2", "#c → (exit) 1", "(entry) → /b 1", "/b → #c 1", "/b → (exit) 1", "/b → /a 1"]);
    let (edges, _) = asked(Way::From("/a".to_owned()), 2, paths(&["#c"])).await;
    assert_eq!(edges, ["/b → #c 1"]);
    assert_eq!(asked(Way::Whole, 1, Filter::is(Known::Browser, "Firefox")).await.1, []);
}

#[test]
fn a_filter_is_of_pages_and_of_what_is_the_same_all_through_a_visit() {
    assert_eq!(unfit(&paths(&["/a"]).and(Filter::is(Known::Entry, "/a")).and(having(Known::Visitor))), None);
    let why = unfit(&Filter::Or(vec![paths(&["/a"]), having(Known::Id)])).unwrap();
    assert!(why.starts_with("id may differ within a visit; flows take path, entry"), "{why}");
}

/// Filters, and whether they match a page of a visit by this browser.
type Asked = (Filter, fn(&str, &str) -> bool);

fn filters() -> Vec<Asked> {
    let firefox = || Filter::is(Known::Browser, "Firefox");
    vec![
        (firefox(), |_, browser| browser == "Firefox"),
        (paths(&["/a"]), |page, _| page == "/a"),
        (not(paths(&["/a", "#c"])), |page, _| page == "/b"),
        (paths(&["/b", "#c"]).and(firefox()), |page, browser| page != "/a" && browser == "Firefox"),
        (Filter::Or(vec![paths(&["#c"]), firefox()]), |page, browser| page == "#c" || browser == "Firefox"),
        (having(Known::Path), |_, _| true),
        (not(having(Known::Path)), |_, _| false),
    ]
}

/// The edges of visits, by step, as anyone would count them.
fn counted(visits: &[Vec<&str>], way: &Way, steps: usize, matches: fn(&str, &str) -> bool) -> Counted {
    let mut weights = Counted::new();
    for (visit, pages) in visits.iter().enumerate() {
        let pages = [&[ENTRY], pages.as_slice(), &[EXIT]].concat();
        let is_asked = |page: &str| page != ENTRY && page != EXIT && matches(page, browser(visit));
        for place in 0..pages.len() {
            let begins = |page: &str| pages[place] == page && (steps == 1 || place == 0 || pages[place - 1] != page);
            let edges: Vec<usize> = match way {
                Way::Whole => vec![place],
                Way::From(page) if begins(page) => (place..place + steps).collect(),
                Way::To(page) if begins(page) => (0..steps).filter_map(|step| place.checked_sub(step + 1)).collect(),
                _ => continue,
            };
            for (step, from) in edges.into_iter().enumerate() {
                let Some([from, to]) = pages.get(from..from + 2) else { break };
                if is_asked(from) || is_asked(to) {
                    *weights.entry((step + 1, (*from).to_owned(), (*to).to_owned())).or_default() += 1;
                }
            }
        }
    }
    weights
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_flows_in_flows_out_and_paths_add_up_to_edges(
        visits in proptest::collection::vec(
            proptest::collection::vec(proptest::sample::select(vec!["/a", "/b", "#c"]), 1..5), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = runtime.block_on(store(&visits));
        let asked = |way, steps| runtime.block_on(flow(&store, &question(way, steps))).unwrap().edges;
        let whole = asked(Way::Whole, 1);
        let sum = |of: &dyn Fn(&Edge) -> bool| whole.iter().filter(|edge| of(edge)).map(|edge| edge.weight).sum::<u64>();
        prop_assert_eq!(sum(&|edge| edge.from == ENTRY), visits.len() as u64);
        prop_assert_eq!(sum(&|edge| edge.to == EXIT), visits.len() as u64);
        for page in ["/a", "/b", "#c"] {
            prop_assert_eq!(sum(&|edge| edge.to == page), sum(&|edge| edge.from == page));
        }
        // A visit of at most four pages is walked whole by five steps, from either end.
        for way in [Way::From(ENTRY.to_owned()), Way::To(EXIT.to_owned())] {
            let mut paths: BTreeMap<(String, String), u64> = BTreeMap::new();
            for edge in asked(way, 5) {
                *paths.entry((edge.from, edge.to)).or_default() += edge.weight;
            }
            let edges: BTreeMap<(String, String), u64> =
                whole.iter().map(|edge| ((edge.from.clone(), edge.to.clone()), edge.weight)).collect();
            prop_assert_eq!(&paths, &edges);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filtered_flows_are_counted_as_anyone_would(
        visits in proptest::collection::vec(
            proptest::collection::vec(proptest::sample::select(vec!["/a", "/b", "#c"]), 1..6), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = runtime.block_on(store(&visits));
        let pages = ["/a", "/b", "#c", ENTRY, EXIT].map(str::to_owned);
        let ways = pages.iter().flat_map(|page| [Way::From(page.clone()), Way::To(page.clone())]);
        let asked = ways.flat_map(|way| [1, 2, 4].map(|steps| (way.clone(), steps))).chain([(Way::Whole, 1)]);
        for ((way, steps), (only, matches)) in asked.flat_map(|asked| filters().into_iter().map(move |one| (asked.clone(), one))) {
            let question = Question { only: only.clone(), ..question(way.clone(), steps) };
            let edges = runtime.block_on(flow(&store, &question)).unwrap().edges;
            let found: Counted = edges.into_iter().map(|edge| ((edge.step.unwrap_or(1), edge.from, edge.to), edge.weight)).collect();
            prop_assert_eq!(&found, &counted(&visits, &way, steps, matches), "{:?} {} {:?}", way, steps, only);
            if way == Way::Whole {
                let asked = visits.iter().enumerate().flat_map(|(visit, pages)| pages.iter().map(move |page| (*page, browser(visit))));
                for page in ["/a", "/b", "#c"] {
                    // Where every view of a page is asked for, what flows into it flows out of it.
                    if asked.clone().filter(|(name, _)| *name == page).all(|(name, browser)| matches(name, browser)) {
                        let flows = |end: fn(&(usize, String, String)) -> &str| -> u64 {
                            found.iter().filter(|(edge, _)| end(edge) == page).map(|(_, weight)| weight).sum()
                        };
                        prop_assert_eq!(flows(|edge| edge.1.as_str()), flows(|edge| edge.2.as_str()), "{} of {:?}", page, only);
                    }
                }
            }
        }
    }
}
