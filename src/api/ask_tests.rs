//! Asking: every form of a range, and what is said of a value that does not fit.

use super::*;

/// Noon of 2015-05-20 (a Wednesday), UTC.
const NOW: Millis = 1_432_123_200_000;

fn read(query: &str, zone: &str) -> Result<(Range, bool), Problem> {
    let parameters = Parameters::read(Some(query), &SHARED).unwrap();
    range(&parameters, TimeZone::get(zone).unwrap(), NOW)
}

#[test]
fn words_and_dates_are_whole_days() {
    let table = [
        ("", "2015-04-21", "2015-05-20"),
        ("range=", "2015-04-21", "2015-05-20"),
        ("range=today", "2015-05-20", "2015-05-20"),
        ("range=7d", "2015-05-14", "2015-05-20"),
        ("range=28d", "2015-04-23", "2015-05-20"),
        ("range=30d", "2015-04-21", "2015-05-20"),
        ("range=90d", "2015-02-20", "2015-05-20"),
        ("range=12mo", "2014-06-01", "2015-05-20"),
        ("range=month", "2015-05-01", "2015-05-20"),
        ("range=year", "2015-01-01", "2015-05-20"),
        ("from=2015-01-01&to=2015-01-31", "2015-01-01", "2015-01-31"),
        ("from=2015-01-01", "2015-01-01", "2015-05-20"),
        ("to=2015-01-31", "2015-01-02", "2015-01-31"),
        ("from=2015-01-31&to=2015-01-31", "2015-01-31", "2015-01-31"),
    ];
    for (query, first, last) in table {
        for zone in ["UTC", "Europe/Vienna"] {
            let (range, is_all) = read(query, zone).unwrap();
            let days = range.days.map(|(first, last)| (first.to_string(), last.to_string()));
            assert_eq!(days, Some((first.to_owned(), last.to_owned())), "{query} {zone}");
            assert!(!is_all);
        }
    }
    // Noon in UTC is the next day in Auckland.
    assert_eq!(read("range=today", "Pacific/Auckland").unwrap().0.days, Day::parse("2015-05-21").map(|day| (day, day)));
    let (all, is_all) = read("range=all", "UTC").unwrap();
    assert!(is_all && all.days.unwrap().1.to_string() == "2015-05-21" && all.days.unwrap().0 < Day(-160_000));
}

#[test]
fn times_are_instants_the_last_one_past_the_end() {
    let hour = 3_600_000;
    let midnight = 1_421_884_800_000; // 2015-01-22T00:00:00Z
    let table = [
        ("from=2015-01-22T10:00:00Z&to=2015-01-22T11:00:00Z", "UTC", midnight + 10 * hour, midnight + 11 * hour),
        ("from=2015-01-22T10:00:00%2B01:00&to=2015-01-22", "UTC", midnight + 9 * hour, midnight + 24 * hour),
        ("from=2015-01-22T10:00:00&to=2015-01-22T11:00:00", "Europe/Vienna", midnight + 9 * hour, midnight + 10 * hour),
    ];
    for (query, zone, from, to) in table {
        let (range, _) = read(query, zone).unwrap();
        assert_eq!((range.from, range.to, range.days), (from, to, None), "{query}");
    }
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let table = [
        ("range=yesterday", "it may be today, 7d, 28d, 30d, 90d, 12mo, month, year, all"),
        ("range=7d&from=2015-01-01", "exclude each other"),
        ("from=yesterday", "it may be a date (2015-01-22) or a time"),
        ("from=2015-02-30", "it may be a date"),
        ("to=2015-1-1", "it may be a date"),
        ("from=2015-02-01&to=2015-01-01", "from (2015-02-01) is after to (2015-01-01)"),
        ("from=2030-01-01", "is after to (today)"),
        ("from=2015-01-22T10:00:00Z&to=2015-01-22T10:00:00Z", "is after to"),
    ];
    for (query, says) in table {
        let problem = format!("{:?}", read(query, "UTC").unwrap_err());
        assert!(problem.contains(says), "{query}: {problem}");
    }
}

#[test]
fn lists_name_each_word_once_and_refuse_others() {
    let words = [("views", 1), ("total", 2)];
    assert_eq!(listed("fields", "total, views,total,,", &words).unwrap(), [2, 1]);
    let problem = format!("{:?}", listed("fields", "view", &words).unwrap_err()).replace('\\', "");
    assert!(problem.contains("did you mean \"views\"?"), "{problem}");
}

#[test]
fn all_of_time_begins_with_the_first_day_held_in_any_zone() {
    let site_zone = TimeZone::get("Europe/Vienna").unwrap();
    let held = Day::parse("2015-01-22").unwrap();
    // Half past midnight in Vienna is the evening before in New York.
    for (zone, first) in [("Europe/Vienna", "2015-01-22"), ("America/New_York", "2015-01-21")] {
        let (range, is_all) = read("range=all", zone).unwrap();
        let (site, site_zone) = ("default".to_owned(), site_zone.clone());
        let mut asked = Asked { site, site_zone, range, is_all, bots: Bots::Exclude, wanted: Wanted::Whole };
        asked.begin_with(Some(held));
        assert_eq!(asked.range.days.map(|(first, _)| first), Day::parse(first), "{zone}");
    }
}
