//! Promises of filters: every kind and its negation, on keys of every shape, as worked out by hand.

use crate::events::{at, event, events, events_by, ids, plan};
use crate::subject::{Promise, Subject, promises};
use metronome::event::{Key, Known, Value};
use metronome::store::StoreError;
use metronome::store::plan::{Case, Comparison, Filter, Measure, Metric, Plan, TimeKey, TimeRange};

pub const PROMISES: &[Promise] = promises![
    each_filter_and_its_negation_match_as_worked_out_by_hand,
    texts_are_compared_as_they_are_and_folded,
    parts_of_long_texts_are_found,
    ranges_are_half_open,
    ranges_of_visits_leave_out_events_without_one,
    a_pattern_that_is_none_is_refused,
    words_are_found_in_messages_and_stacks,
];

const EVENTS: [&str; 8] = [
    "at=0 id=a path=/a status=200 n=1 ok=true visitor=1",
    "at=1 id=b path=/a/b status=404 n=2.5 ok=false visitor=2 tags=[\"p\",\"q\"]",
    "at=2 id=c path=/c n=\"2.5\" visitor=255 tags=[\"p\",\"p\"]",
    "at=3 id=d path=/A n=[1,7] bot=Crawler/1",
    "at=90000 id=e action=download n=[\"x\",3] ok=[true,false]",
    "at=90001 id=f site=t n=-0.5 ok=\"true\" fingerprint=10",
    "at=180000 id=g action=error n=true visit_at=0.5 visit=3",
    "at=180001 id=h title=Été",
];

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn is(key: &str, any: &[&str]) -> Filter {
    Filter::Is(Key::named(key), texts(any), Case::Exact)
}

fn contains(key: &str, any: &[&str]) -> Filter {
    Filter::Contains(Key::named(key), texts(any), Case::Exact)
}

fn matches(key: &str, any: &[&str]) -> Filter {
    Filter::Matches(Key::named(key), texts(any), Case::Exact)
}

fn compare(key: &str, comparison: Comparison, bound: f64) -> Filter {
    Filter::Compare(Key::named(key), comparison, bound)
}

fn exists(key: &str) -> Filter {
    Filter::Exists(Key::named(key))
}

/// Each filter with the ids of the events that match.
fn table() -> Vec<(Filter, &'static str)> {
    use Comparison::{Above, AtLeast, AtMost, Below};
    vec![
        (Filter::All, "abcdefgh"),
        (Filter::And(vec![]), "abcdefgh"),
        (Filter::Or(vec![]), ""),
        (is("path", &["/a"]), "a"),
        (is("path", &["/a", "/c", "/none"]), "ac"),
        (is("path", &[]), ""),
        (is("absent", &["x"]), ""),
        (is("status", &["404"]), "b"),
        (is("status", &["404.0"]), ""),
        (is("n", &["2.5"]), "bc"),
        (is("n", &["1"]), "ad"),
        (is("n", &["true"]), "g"),
        (is("n", &["x"]), "e"),
        (is("ok", &["true"]), "aef"),
        (is("ok", &["false"]), "be"),
        (is("tags", &["q"]), "b"),
        (is("tags", &["p"]), "bc"),
        (is("visitor", &["00000000000000ff"]), "c"),
        (is("visitor", &["255"]), ""),
        (is("fingerprint", &["000000000000000a"]), "f"),
        (is("visit", &["0000000000000003"]), "g"),
        (is("day", &["2024-01-11"]), "ef"),
        (is("@timestamp", &["2024-01-10T00:00:01.000Z"]), "b"),
        (is("visit_at", &["2024-01-10T00:00:00.500Z"]), "g"),
        (is("site", &["t"]), "f"),
        (is("action", &["error", "download"]), "eg"),
        (contains("path", &["/a"]), "ab"),
        (contains("path", &["b", "c"]), "bc"),
        (contains("path", &[""]), "abcd"),
        (contains("n", &[".5"]), "bcf"),
        (contains("n", &["-"]), "f"),
        (contains("tags", &["q"]), "b"),
        (contains("visitor", &["ff"]), "c"),
        (contains("day", &["01-12"]), "gh"),
        (contains("@timestamp", &["T01:00:0"]), "ef"),
        (contains("bot", &["Crawler"]), "d"),
        (matches("path", &["^/[ab]$"]), "a"),
        (matches("path", &["^/a", "c$"]), "abc"),
        (matches("n", &["^[0-9]+$"]), "ade"),
        (matches("tags", &["^q$"]), "b"),
        (matches("visitor", &["f{2}$"]), "c"),
        (matches("day", &["-1[12]$"]), "efgh"),
        (matches("title", &["^.t.$"]), "h"),
        (compare("n", Above, 1.0), "bde"),
        (compare("n", AtLeast, 1.0), "abde"),
        (compare("n", Below, 1.0), "f"),
        (compare("n", AtMost, 1.0), "adf"),
        (compare("n", Above, 7.0), ""),
        (compare("status", AtLeast, 404.0), "b"),
        (compare("path", Above, 0.0), ""),
        (compare("@timestamp", AtLeast, at(180_000.0) as f64), "gh"),
        (compare("visitor", Above, 0.0), ""),
        (exists("n"), "abcdefg"),
        (exists("tags"), "bc"),
        (exists("bot"), "d"),
        (exists("visit"), "g"),
        (exists("absent"), ""),
        (exists("site"), "abcdefgh"),
        (is("ok", &["true"]).and(is("n", &["1"])), "a"),
        (Filter::Or(vec![is("path", &["/c"]), exists("bot"), is("id", &["h"])]), "cdh"),
        (Filter::Or(vec![Filter::Not(Box::new(exists("n"))), is("n", &["1"]).and(is("id", &["d"]))]), "dh"),
        (Filter::Not(Box::new(Filter::Not(Box::new(is("id", &["a"]))))), "a"),
    ]
}

/// The ids of the events that match, in alphabetical order.
fn matched(subject: &Subject, filter: Filter) -> String {
    let answer = subject.wait(subject.store().aggregate(&Plan { filter: filter.clone(), ..events_by(&["id"]) }));
    let by_rows: String = crate::events::shown(&answer.expect("aggregate")).iter().map(|row| &row[..1]).collect();
    let page = subject.page(&filter, crate::events::all_time(), None, 100).events;
    let mut by_page = ids(&page);
    by_page.sort_unstable();
    assert_eq!(by_page.concat(), by_rows, "rows and events of {filter:?}");
    let scan = subject.scan(&filter, crate::events::all_time(), None);
    let mut by_scan = ids(&scan);
    by_scan.sort_unstable();
    assert_eq!(by_scan.concat(), by_rows, "rows and scan of {filter:?}");
    by_rows
}

fn each_filter_and_its_negation_match_as_worked_out_by_hand(subject: &mut Subject) {
    subject.write(events(&EVENTS));
    subject.in_every_state(|subject, state| {
        for (filter, expected) in table() {
            assert_eq!(matched(subject, filter.clone()), expected, "{state}: {filter:?}");
            let others: String = "abcdefgh".chars().filter(|id| !expected.contains(*id)).collect();
            let negation = Filter::Not(Box::new(filter));
            assert_eq!(matched(subject, negation.clone()), others, "{state}: {negation:?}");
            let metric = Metric { measure: Measure::Events, only: negation.clone() };
            assert_eq!(subject.rows(&plan(vec![], vec![metric])), [others.len().to_string()], "{state}: {negation:?}");
        }
    });
}

fn texts_are_compared_as_they_are_and_folded(subject: &mut Subject) {
    let titles = ["Été", "ÉTÉ", "ete", "Straße", "STRASSE", "İ", "i", "ΣΑΣ", "σας", "a.b", "axb"];
    subject.write(titles.iter().map(|title| {
        let mut event = event("at=1");
        event.set(Known::Title, Value::text(*title));
        event.set(Key::named("free"), Value::text(*title));
        event
    }));
    type Kind = fn(Key, Vec<String>, Case) -> Filter;
    let rows: [(Kind, &str, usize, usize); 10] = [
        (Filter::Is, "été", 0, 2),
        (Filter::Is, "STRAßE", 0, 1),
        (Filter::Is, "i", 1, 2),
        (Filter::Is, "σασ", 0, 1),
        (Filter::Contains, "É", 2, 2),
        (Filter::Contains, "TÉ", 1, 2),
        (Filter::Contains, ".", 1, 1),
        (Filter::Contains, "SS", 1, 1),
        (Filter::Matches, "^É", 2, 2),
        (Filter::Matches, "a.b", 2, 2),
    ];
    subject.in_every_state(|subject, state| {
        for (kind, text, exact, folded) in rows {
            for key in ["title", "free"] {
                for (case, expected) in [(Case::Exact, exact), (Case::Folded, folded)] {
                    let filter = kind(Key::named(key), texts(&[text]), case);
                    assert_eq!(subject.count(filter.clone()), expected, "{state}: {filter:?}");
                }
            }
        }
    });
}

fn parts_of_long_texts_are_found(subject: &mut Subject) {
    // As long as a text of these keys may be: 32 KiB, 8 KiB.
    let long = |words: usize| format!("{}NEEDLE, in a\nhay-stack{}", "word ".repeat(words), "é".repeat(2_000));
    let texts = [("message", long(5_700)), ("stack", long(5_700)), ("free", long(800))];
    subject.write(texts.iter().map(|(name, text)| {
        let mut event = event("at=1");
        event.set(Key::named(name), Value::text(text.as_str()));
        event
    }));
    subject.in_every_state(|subject, state| {
        for (name, text) in &texts {
            let of = |kind: fn(&str, &[&str]) -> Filter, text: &str| subject.count(kind(name, &[text]));
            assert_eq!(of(contains, "EEDLE, in a\nhay-st"), 1, "{state}: {name}");
            assert_eq!(of(contains, "needle"), 0, "{state}: {name}");
            assert_eq!(of(contains, "rd word wo"), 1, "{state}: {name}");
            assert_eq!(of(matches, "(?s)NEEDLE.*stacké+$"), 1, "{state}: {name}");
            assert_eq!(of(is, text), 1, "{state}: {name}");
            assert_eq!(of(is, &text[..text.len() - 2]), 0, "{state}: {name}");
        }
    });
}

fn ranges_are_half_open(subject: &mut Subject) {
    subject.write(events(&["at=-0.001 id=a", "at=0 id=b", "at=86399.999 id=c", "at=86400 id=d"]));
    subject.in_every_state(|subject, state| {
        for (from, to, expected) in [
            (0.0, 86_400.0, vec!["b 1", "c 1"]),
            (-0.001, 0.0, vec!["a 1"]),
            (-1.0, 86_400.001, vec!["a 1", "b 1", "c 1", "d 1"]),
            (1.0, 1.0, vec![]),
            (86_399.999, 86_400.0, vec!["c 1"]),
            (500_000.0, 900_000.0, vec![]),
        ] {
            let plan = Plan { range: crate::events::between(from, to), ..events_by(&["id"]) };
            assert_eq!(subject.rows(&plan), expected, "{state}: {from}..{to}");
        }
    });
}

fn ranges_of_visits_leave_out_events_without_one(subject: &mut Subject) {
    subject.write(events(&[
        "at=10 id=a visitor=1 visit=1 visit_at=10",
        "at=100 id=b visitor=1 visit=1 visit_at=10",
        "at=200 id=c visitor=2 visit=2 visit_at=200",
        "at=15 id=d",
    ]));
    subject.in_every_state(|subject, state| {
        let range = TimeRange { key: TimeKey::VisitAt, from: at(10.0), to: at(100.0) };
        let plan = Plan { range, ..events_by(&["id"]) };
        assert_eq!(subject.rows(&plan), ["a 1", "b 1"], "{state}");
        assert_eq!(ids(&subject.page(&Filter::All, range, None, 9).events), ["b", "a"], "{state}");
        assert_eq!(ids(&subject.scan(&Filter::All, range, None)), ["a", "b"], "{state}");
    });
}

fn a_pattern_that_is_none_is_refused(subject: &mut Subject) {
    subject.take(events(&["at=1 id=a"]));
    let broken = matches("path", &["ok", "("]);
    let refusal = subject.refusal(&Plan { filter: broken.clone(), ..events_by(&[]) });
    assert!(matches!(refusal, StoreError::Invalid(_)), "{refusal:?}");
    let metric = Metric { measure: Measure::Events, only: broken };
    let refusal = subject.refusal(&plan(vec![], vec![metric]));
    assert!(matches!(refusal, StoreError::Invalid(_)), "{refusal:?}");
}

fn words_are_found_in_messages_and_stacks(subject: &mut Subject) {
    let long = "\u{212a}".repeat(13); // signs of kelvin: 39 bytes, of which 13 are left
    let longer = "\u{212a}".repeat(14); // 42, which an index may leave out
    let rows: [(&str, Option<String>, Option<&str>); 9] = [
        ("a", Some("File not found: /tmp/Übung.txt".into()), None),
        ("b", Some("found nothing".into()), Some("at open (file.js:10)\nat not.found")),
        ("c", None, Some("File NOT Found")),
        ("d", Some("not-found".into()), Some("file")),
        ("e", Some(format!("{long} x")), None),
        ("f", Some(format!("{longer} x")), None),
        ("g", Some("x".repeat(60)), None),
        ("h", Some("İstanbul \"quoted\" 日本 7.5".into()), None),
        ("i", None, None),
    ];
    subject.write(rows.iter().zip(0..).map(|((id, message, stack), n)| {
        // Some on another day, some in the row of a visitor.
        let mut event = event(&format!("at={} id={id} visitor={}", n * 40_000, n % 3 + 1));
        let mut say = |key: Known, text: Option<&str>| text.map(|text| event.set(key, Value::text(text)));
        say(Known::Message, message.as_deref());
        say(Known::Stack, *stack);
        event
    }));
    let folded = ["k".repeat(13), "k".repeat(14), "x".repeat(60), "x".repeat(59)];
    let searches: Vec<(&str, &str)> = vec![
        ("found", "abcd"),
        ("FOUND", "abcd"),
        ("file found", "abcd"),
        ("not found file", "abcd"),
        ("nothing open", "b"),
        ("\"not found\"", "abcd"),
        ("\"found not\"", ""),
        ("\"file not found\"", "ac"),
        ("\"found nothing\" 10", "b"),
        ("\"nothing at\"", ""),
        ("foun", ""),
        ("übung txt", "a"),
        ("\u{130}STANBUL", "h"),
        ("日本", "h"),
        ("7 5", "h"),
        ("x", "ef"),
        (&folded[0], "e"),
        (&folded[1], "f"),
        (&folded[2], "g"),
        (&folded[3], ""),
        ("", "abcdefghi"),
        ("- \"\"", "abcdefghi"),
    ];
    subject.in_every_state(|subject, state| {
        for (search, expected) in &searches {
            let filter = Filter::Search((*search).to_owned());
            assert_eq!(matched(subject, filter.clone()), *expected, "{state}: {search:?}");
            let not: String = "abcdefghi".chars().filter(|id| !expected.contains(*id)).collect();
            assert_eq!(matched(subject, Filter::Not(Box::new(filter.clone()))), not, "{state}: not {search:?}");
            let first = Filter::Or(vec![filter.clone(), is("id", &["a"])]);
            let first = matched(subject, first);
            assert!(
                first.starts_with('a') && first.trim_start_matches('a') == expected.trim_start_matches('a'),
                "{state}"
            );
            let both = filter.and(is("visitor", &["0000000000000001"]));
            let visitor: String = expected.chars().filter(|id| "adg".contains(*id)).collect();
            assert_eq!(matched(subject, both), visitor, "{state}: {search:?} of a visitor");
        }
    });
}
