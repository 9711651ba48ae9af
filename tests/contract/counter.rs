//! The cases of the COUNTER Code of Practice 5.1, its processing rules 7.1 to 7.4 and 7.8, as a table: what of the clicks
//! on an item counts, asked of item tables and of the question language, while the day is open and once it is sealed.

use crate::events::{DAY, at, event, visits};
use crate::subject::{Promise, Subject, promises};
use metronome::event::Event;
use metronome::query::question::Setting;
use metronome::query::read::read;
use metronome::query::run::run;
use metronome::store::plan::{Bots, Counting, Items, Limits, UsagePlan};
use serde_json::json;

pub const PROMISES: &[Promise] = promises![the_cases_of_the_code_count_as_it_says];

/// What the case is of; its clicks (`HH:MM:SS`, then words of an event); views counted, downloads counted, and how many
/// of both are unique.
type Case = (&'static str, &'static [&'static str], [u64; 3]);

const CASES: [Case; 18] = [
    ("a click", &["10:01:00 visitor=1"], [1, 0, 1]),
    ("a double click", &["10:01:00 visitor=1", "10:01:29 visitor=1"], [1, 0, 1]),
    ("two clicks at the very bound", &["10:01:00 visitor=1", "10:01:30 visitor=1"], [1, 0, 1]),
    ("two single clicks", &["10:01:00 visitor=1", "10:01:35 visitor=1"], [2, 0, 1]),
    (
        "a chain, each within 30 s of the one before",
        &["10:00:00 visitor=1", "10:00:20 visitor=1", "10:00:40 visitor=1", "10:01:05 visitor=1"],
        [1, 0, 1],
    ),
    ("a chain, and a click after it", &["10:00:00 visitor=1", "10:00:20 visitor=1", "10:00:51 visitor=1"], [2, 0, 1]),
    ("clicks of two people", &["10:01:00 visitor=1", "10:01:05 visitor=2"], [2, 0, 2]),
    ("clicks of somebody unknown", &["10:01:00 path=/a", "10:01:05 path=/a"], [2, 0, 2]),
    (
        "a description looked at, then the item itself fetched: both are usage",
        &["10:01:00 visitor=1", "10:01:05 visitor=1 action=download format=pdf"],
        [1, 1, 2],
    ),
    (
        "the item fetched in two formats: one request",
        &["10:01:00 visitor=1 action=download format=pdf", "10:01:05 visitor=1 action=download format=html"],
        [0, 1, 1],
    ),
    (
        "fetched twice in a visit: two requests, one unique",
        &["10:00:00 visitor=1 action=download", "10:20:00 visitor=1 action=download"],
        [0, 2, 1],
    ),
    (
        "fetched in two visits: two requests, both unique",
        &["10:00:00 visitor=1 action=download", "12:00:00 visitor=1 action=download"],
        [0, 2, 2],
    ),
    ("answers that succeeded", &["10:01:00 visitor=1 status=200", "10:02:00 visitor=1 status=304"], [2, 0, 1]),
    (
        "answers that did not",
        &["10:01:00 visitor=1 status=206", "10:02:00 visitor=1 status=301", "10:03:00 visitor=1 status=404"],
        [0, 0, 0],
    ),
    (
        "a failure, then a success: the failure begins no chain",
        &["10:01:00 visitor=1 status=500", "10:01:05 visitor=1 status=200"],
        [1, 0, 1],
    ),
    ("a robot", &["10:01:00 visitor=1 bot=Googlebot", "10:05:00 visitor=1 bot=Googlebot"], [0, 0, 0]),
    ("a robot beside a person", &["10:01:00 visitor=9 bot=Googlebot", "10:01:05 visitor=1"], [1, 0, 1]),
    (
        "what is neither viewed nor fetched",
        &["10:01:00 visitor=1 action=click", "10:02:00 visitor=1 action=request"],
        [0, 0, 0],
    ),
];

fn the_cases_of_the_code_count_as_it_says(subject: &mut Subject) {
    let mut derive = visits();
    for (place, (_, clicks, _)) in CASES.iter().enumerate() {
        let clicks: Vec<Event> = clicks
            .iter()
            .map(|click| {
                let mut event = clicked(place, click);
                derive(&mut event);
                event
            })
            .collect();
        subject.write(clicks);
    }
    subject.flush();
    check(subject, "open");
    subject.seal(DAY, visits());
    check(subject, "sealed");
    subject.reopen();
    check(subject, "sealed, reopened");
}

/// A click on the item of its case; people and robots are other ones in each case.
fn clicked(place: usize, click: &str) -> Event {
    let (time, words) = click.split_once(' ').expect("a time");
    let seconds = time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u32>().expect("a number"));
    let words = words.replace("visitor=", &format!("visitor={}", place + 1));
    event(&format!("at={seconds} id={place} {words}"))
}

fn check(subject: &Subject, state: &str) {
    for (place, (case, _, [views, downloads, unique])) in CASES.iter().enumerate() {
        let told = format!("{case}, {state}");
        let item = table(subject, place);
        assert_eq!(item, [*views, *downloads], "the item's table: {told}");
        let asked = metrics(subject, place);
        assert_eq!(asked, [*views, *downloads, *unique].map(|count| count as f64), "metrics: {told}");
    }
}

/// Views and downloads by the item's table.
fn table(subject: &Subject, place: usize) -> [u64; 2] {
    let plan = UsagePlan {
        site: "s".into(),
        items: Items::Ids(vec![place.to_string()]),
        days: (DAY, DAY),
        bots: Bots::Exclude,
        counting: Counting::Counter,
        limits: Limits::default(),
    };
    let usage = subject.usage(&plan).remove(0).1;
    [usage.views.values().sum(), usage.downloads.values().sum()]
}

/// Views, downloads and unique ones of both, by a question.
fn metrics(subject: &Subject, place: usize) -> Vec<f64> {
    let question = json!({
        "metrics": ["views", "downloads", "sum(unique)"], "counting": "counter",
        "filters": [["is", "id", [place]]], "date_range": ["2024-01-10", "2024-01-10"],
    });
    let (site, site_zone) = ("s".to_owned(), jiff::tz::TimeZone::UTC);
    let setting = Setting { site, site_zone, goals: &[], now: at(86_400.0), limits: Limits::default() };
    let query = read(&question, &setting).expect("a question");
    let answer = subject.wait(run(subject.store(), &query)).expect("an answer");
    answer.rows[0].values.iter().map(|value| value.unwrap_or_default()).collect()
}
