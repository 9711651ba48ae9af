//! Dates: every form of a range, and what is said of a value that does not fit.

use super::*;

/// Noon of 2015-05-20 (a Wednesday), UTC.
const NOW: Millis = 1_432_123_200_000;

fn of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn times(from: &str, to: &str, zone: &str) -> Result<When, Unfit> {
    let given = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    between((given(from.to_owned().leak()), given(to.to_owned().leak())), of(zone), NOW, ("from", "to"))
}

#[test]
fn words_are_whole_days_up_to_today() {
    let table = [
        ("today", "2015-05-20"),
        ("day", "2015-05-20"),
        ("7d", "2015-05-14"),
        ("28d", "2015-04-23"),
        ("30d", "2015-04-21"),
        ("90d", "2015-02-20"),
        ("91d", "2015-02-19"),
        ("month", "2015-05-01"),
        ("6mo", "2014-12-01"),
        ("12mo", "2014-06-01"),
        ("year", "2015-01-01"),
    ];
    for (text, first) in table {
        for zone in ["UTC", "Europe/Vienna"] {
            let when = word(text, of(zone), NOW, "range").unwrap();
            assert_eq!(when.range.days, Day::parse(first).zip(Day::parse("2015-05-20")), "{text} {zone}");
            assert!(!when.is_all);
        }
    }
    // Noon in UTC is the next day in Auckland.
    let today = word("today", of("Pacific/Auckland"), NOW, "range").unwrap();
    assert_eq!(today.range.days, Day::parse("2015-05-21").map(|day| (day, day)));
    let all = word("all", TimeZone::UTC, NOW, "range").unwrap();
    assert!(all.is_all && all.range.days.unwrap().1.to_string() == "2015-05-21");
    let hours = word("24h", TimeZone::UTC, NOW, "range").unwrap().range;
    assert_eq!((hours.from, hours.to, hours.days), (NOW - 86_400_000, NOW, None));
}

#[test]
fn dates_are_whole_days_and_open_ends_are_filled() {
    let table = [
        ("2015-01-01", "2015-01-31", "2015-01-01", "2015-01-31"),
        ("2015-01-01", "", "2015-01-01", "2015-05-20"),
        ("", "2015-01-31", "2015-01-02", "2015-01-31"),
        ("2015-01-31", "2015-01-31", "2015-01-31", "2015-01-31"),
    ];
    for (from, to, first, last) in table {
        for zone in ["UTC", "Europe/Vienna"] {
            let days = times(from, to, zone).unwrap().range.days;
            assert_eq!(days, Day::parse(first).zip(Day::parse(last)), "{from} {to} {zone}");
        }
    }
}

#[test]
fn times_are_instants_the_last_one_past_the_end() {
    let hour = 3_600_000;
    let midnight = 1_421_884_800_000; // 2015-01-22T00:00:00Z
    let table = [
        ("2015-01-22T10:00:00Z", "2015-01-22T11:00:00Z", "UTC", midnight + 10 * hour, midnight + 11 * hour),
        ("2015-01-22T10:00:00+01:00", "2015-01-22", "UTC", midnight + 9 * hour, midnight + 24 * hour),
        ("2015-01-22T10:00:00", "2015-01-22T11:00:00", "Europe/Vienna", midnight + 9 * hour, midnight + 10 * hour),
    ];
    for (from, to, zone, start, end) in table {
        let range = times(from, to, zone).unwrap().range;
        assert_eq!((range.from, range.to, range.days), (start, end, None), "{from} {to}");
    }
}

#[test]
fn what_does_not_fit_is_named_with_what_would() {
    let table = [
        ("yesterday", "", "from", "it may be a date (2015-01-22) or a time"),
        ("2015-02-30", "", "from", "it may be a date"),
        ("", "2015-1-1", "to", "it may be a date"),
        ("2015-02-01", "2015-01-01", "from", "from (2015-02-01) is after to (2015-01-01)"),
        ("2030-01-01", "", "from", "is after to (today)"),
        ("2015-01-22T10:00:00Z", "2015-01-22T10:00:00Z", "from", "is after to"),
    ];
    for (from, to, at, says) in table {
        let unfit = times(from, to, "UTC").unwrap_err();
        assert!(unfit.at == at && unfit.message.contains(says), "{from} {to}: {unfit:?}");
    }
    let unfit = word("yesterday", TimeZone::UTC, NOW, "range").unwrap_err();
    assert!(unfit.message.contains("it may be today, day, 24h, 7d") && unfit.at == "range", "{unfit:?}");
    assert!(zone("Mars/Base", "tz").unwrap_err().message.contains("IANA"));
    assert!(zone("../../etc/passwd", "tz").is_err());
}

#[test]
fn what_ends_before_events_are_kept_is_refused_and_what_begins_before_begins_with_them() {
    let kept = |from, to| {
        let when = between((Some(from), Some(to)), TimeZone::UTC, NOW, ("from", "to")).unwrap();
        when.kept(Day::parse("2015-01-10"), "to").map(|when| when.range.ends())
    };
    assert_eq!(kept("2015-01-01", "2015-01-20").unwrap(), ["2015-01-10", "2015-01-20"]);
    assert_eq!(kept("2015-01-01", "2015-01-10").unwrap(), ["2015-01-10", "2015-01-10"]);
    assert_eq!(kept("2015-01-11", "2015-01-20").unwrap(), ["2015-01-11", "2015-01-20"]);
    let times = kept("2015-01-09T12:00:00Z", "2015-01-20T12:00:00Z").unwrap();
    assert!(times[0].starts_with("2015-01-10T00:00:00") && times[1].starts_with("2015-01-20T12"), "{times:?}");
    let unfit = kept("2015-01-01", "2015-01-09").unwrap_err();
    assert!(unfit.at == "to" && unfit.message.contains("it may end on 2015-01-10 or later"), "{unfit:?}");
    let all = word("all", TimeZone::UTC, NOW, "range").unwrap();
    assert_eq!(all.clone().kept(None, "range"), Ok(all));
    assert_eq!(first_kept(NOW, &TimeZone::UTC, 0), day_at(NOW, &TimeZone::UTC));
    assert_eq!(
        first_kept(NOW, &TimeZone::UTC, u32::MAX),
        Day(i32::MIN).max(Day(day_at(NOW, &TimeZone::UTC).0 - i32::MAX))
    );
}

#[test]
fn all_of_time_begins_with_the_first_day_held_in_any_zone() {
    let site_zone = of("Europe/Vienna");
    let held = Day::parse("2015-01-22");
    // Half past midnight in Vienna is the evening before in New York.
    for (zone, first) in [("Europe/Vienna", "2015-01-22"), ("America/New_York", "2015-01-21")] {
        let mut when = word("all", of(zone), NOW, "range").unwrap();
        when.begin_with(held, &site_zone);
        assert_eq!(when.range.days.map(|(first, _)| first), Day::parse(first), "{zone}");
    }
}
