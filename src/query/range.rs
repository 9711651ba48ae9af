//! Ranges of time and how they are cut: a calendar in the asker's zone.
//! - A range of days is whole days of its zone; a day may have 23 or 25 hours.
//! - Weeks begin on Monday and are named by it, months by their first day, even where the range begins later.
//! - An hour or minute is named with the offset in force, so 02:00 may come twice; it ends where clocks are put on or back.

use crate::clock::Millis;
use crate::event::Day;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};

/// Intervals one answer is cut into at the most.
pub const BUCKETS_MAX: usize = 10_000;

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// By the minute of the clock.
    Minute,
    /// By the clock hour.
    Hour,
    /// By the calendar day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// By the calendar month.
    Month,
}

impl Interval {
    /// How many seconds of the clock it is, where it is less than a day.
    fn clock_seconds(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            _ => None,
        }
    }

    /// The first day of the day's interval.
    fn first(self, date: Date) -> Date {
        match self {
            Self::Minute | Self::Hour | Self::Day => date,
            Self::Week => date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days()),
            Self::Month => date.first_of_month(),
        }
    }

    /// The first day of the interval after the one that begins on `date`.
    fn next(self, date: Date) -> Date {
        match self {
            Self::Minute | Self::Hour | Self::Day => date.saturating_add(1.day()),
            Self::Week => date.saturating_add(1.week()),
            Self::Month => date.saturating_add(1.month()),
        }
    }

    /// The name of a whole day's interval: its first day.
    pub fn name(self, day: Day) -> String {
        self.first(day.date()).to_string()
    }
}

/// One interval within a range: `from` ≤ time < `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name in answers.
    pub name: String,
    /// Its first millisecond within the range.
    pub from: Millis,
    /// The first millisecond past it.
    pub to: Millis,
}

/// The edges of intervals that meet: the start of each, and the end of the last.
pub fn edges(buckets: &[Bucket]) -> Vec<Millis> {
    buckets.iter().map(|bucket| bucket.from).chain(buckets.last().map(|bucket| bucket.to)).collect()
}

/// A range of time in a zone: `from` ≤ time < `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Whose calendar.
    pub zone: TimeZone,
    /// The first millisecond.
    pub from: Millis,
    /// The first millisecond past the end.
    pub to: Millis,
    /// First and last day, where it is whole days of the zone.
    pub days: Option<(Day, Day)>,
}

impl Range {
    /// Whole days, both within.
    pub fn of_days(first: Day, last: Day, zone: TimeZone) -> Self {
        let (from, to) = (midnight(first.date(), &zone), midnight(last.date().saturating_add(1.day()), &zone));
        Self { zone, from, to, days: Some((first, last)) }
    }

    /// From one instant to another.
    pub fn of_times(from: Millis, to: Millis, zone: TimeZone) -> Self {
        let (first, last) = (day_at(from, &zone), day_at(to.saturating_sub(1), &zone));
        let whole = Self::of_days(first, last, zone.clone());
        let days = (whole.from == from && whole.to == to).then_some((first, last));
        Self { zone, from, to, days }
    }

    /// What it is called: its first and last day, or the first instant and the first past the end.
    pub fn ends(&self) -> [String; 2] {
        match self.days {
            Some((first, last)) => [first.to_string(), last.to_string()],
            None => [instant(self.from), instant(self.to)],
        }
    }

    /// The days it is, if it is whole days and its zone is the site's: what item tables can answer.
    pub fn days_of(&self, site_zone: &TimeZone) -> Option<(Day, Day)> {
        self.days.filter(|_| self.zone == *site_zone)
    }

    /// The intervals of it, ascending; `None` if they are more than [`BUCKETS_MAX`].
    pub fn buckets(&self, interval: Interval) -> Option<Vec<Bucket>> {
        let mut buckets = Vec::new();
        let mut at = Step::first(self, interval);
        loop {
            let (start, name, next) = at.here(self, interval);
            if start >= self.to {
                return Some(buckets);
            }
            if buckets.len() == BUCKETS_MAX {
                return None;
            }
            let next_start = next.here(self, interval).0;
            if next == at {
                return Some(buckets); // the end of the calendar
            }
            // A day that a zone skipped begins when the next one does, and is none.
            if next_start > start && next_start > self.from {
                buckets.push(Bucket { name, from: start.max(self.from), to: next_start.min(self.to) });
            }
            at = next;
        }
    }
}

/// Where a walk over intervals stands.
#[derive(PartialEq)]
enum Step {
    Clock(ZonedDateTime),
    Date(Date),
}

impl Step {
    fn first(range: &Range, interval: Interval) -> Self {
        let start = zoned(range.from, &range.zone);
        match interval.clock_seconds().is_some() {
            true => Self::Clock(start),
            false => Self::Date(interval.first(start.date())),
        }
    }

    /// Where the interval here begins, its name, and the step after it.
    fn here(&self, range: &Range, interval: Interval) -> (Millis, String, Self) {
        match self {
            Self::Clock(start) => {
                let name = match interval {
                    Interval::Minute => start.strftime("%Y-%m-%dT%H:%M:00%:z"),
                    _ => start.strftime("%Y-%m-%dT%H:00:00%:z"),
                };
                let next = next_on_the_clock(start, interval.clock_seconds().unwrap_or(1));
                (start.timestamp().as_millisecond(), name.to_string(), Self::Clock(next))
            }
            Self::Date(date) => (midnight(*date, &range.zone), date.to_string(), Self::Date(interval.next(*date))),
        }
    }
}

/// Whole seconds since the clock's minute or hour began.
fn seconds_into(at: &ZonedDateTime, long: i64) -> i64 {
    (i64::from(at.minute()) * 60 + i64::from(at.second())) % long
}

/// When the clock's next minute or hour begins: at the latest where the clock is put forward or back.
fn next_on_the_clock(at: &ZonedDateTime, long: i64) -> ZonedDateTime {
    let past_ms = seconds_into(at, long) * 1_000 + i64::from(at.millisecond());
    let next = at.saturating_add((long * 1_000 - past_ms).milliseconds());
    if next.offset() == at.offset() {
        return next;
    }
    let change = at.time_zone().following(at.timestamp()).find(|change| change.offset() != at.offset());
    let change = change.map(|change| change.timestamp().to_zoned_datetime(at.time_zone().clone()));
    change.filter(|change| *change < next).unwrap_or(next)
}

/// RFC 3339 in UTC; beyond the calendar the number itself.
fn instant(at: Millis) -> String {
    Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// The day of an instant in a zone.
pub fn day_at(at: Millis, zone: &TimeZone) -> Day {
    let date = zoned(at, zone).date();
    Day::parse(&date.to_string()).unwrap_or(Day(if at < 0 { i32::MIN } else { i32::MAX }))
}

/// The first millisecond of a date in a zone.
pub fn midnight(date: Date, zone: &TimeZone) -> Millis {
    let end_of_time = if date.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
    date.to_zoned_datetime(zone.clone()).map_or(end_of_time, |start| start.timestamp()).as_millisecond()
}

fn zoned(at: Millis, zone: &TimeZone) -> ZonedDateTime {
    let end_of_time = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(at).unwrap_or(end_of_time).to_zoned_datetime(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn names(range: &Range, interval: Interval) -> Vec<String> {
        range.buckets(interval).unwrap().into_iter().map(|bucket| bucket.name).collect()
    }

    #[test]
    fn days_weeks_and_months_are_named_by_their_first_day() {
        let range = Range::of_days(day("2015-01-29"), day("2015-02-03"), TimeZone::UTC);
        assert_eq!(names(&range, Interval::Day).len(), 6);
        assert_eq!(names(&range, Interval::Week), ["2015-01-26", "2015-02-02"]);
        assert_eq!(names(&range, Interval::Month), ["2015-01-01", "2015-02-01"]);
        assert_eq!(Interval::Week.name(day("2015-02-01")), "2015-01-26");
        assert_eq!(Interval::Month.name(day("2015-02-28")), "2015-02-01");
    }

    #[test]
    fn buckets_meet_and_cover_the_range_exactly() {
        let zones = ["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"];
        for (name, interval) in zones
            .iter()
            .flat_map(|name| [Interval::Hour, Interval::Day, Interval::Week, Interval::Month].map(|cut| (name, cut)))
        {
            for range in [
                Range::of_days(day("2011-10-25"), day("2012-01-03"), zone(name)),
                Range::of_times(1_320_000_123_456, 1_330_000_654_321, zone(name)),
            ] {
                let buckets = range.buckets(interval).unwrap();
                assert_eq!(buckets.first().unwrap().from, range.from, "{name} {interval:?}");
                assert_eq!(buckets.last().unwrap().to, range.to, "{name} {interval:?}");
                assert!(buckets.windows(2).all(|pair| pair[0].to == pair[1].from), "{name} {interval:?}");
                assert!(buckets.iter().all(|bucket| bucket.from < bucket.to), "{name} {interval:?}");
            }
        }
    }

    #[test]
    fn two_in_the_morning_comes_twice_when_clocks_go_back() {
        let range = Range::of_days(day("2015-10-25"), day("2015-10-25"), zone("Europe/Vienna"));
        let hours = names(&range, Interval::Hour);
        assert_eq!(hours.len(), 25);
        assert_eq!(hours[2], "2015-10-25T02:00:00+02:00");
        assert_eq!(hours[3], "2015-10-25T02:00:00+01:00");
        let spring = Range::of_days(day("2015-03-29"), day("2015-03-29"), zone("Europe/Vienna"));
        assert_eq!(names(&spring, Interval::Hour).len(), 23);
    }

    #[test]
    fn half_an_hour_is_an_hour_of_its_own_where_clocks_move_by_half_an_hour() {
        // Lord Howe: 02:00+11:00 became 01:30+10:30 on 2015-04-05, 02:00+10:30 became 02:30+11:00 on 2015-10-04.
        let hours = |text| {
            let range = Range::of_days(day(text), day(text), zone("Australia/Lord_Howe"));
            range.buckets(Interval::Hour).unwrap().into_iter().map(|hour| (hour.name, (hour.to - hour.from) / 60_000))
        };
        let named: Vec<_> = hours("2015-04-05").skip(1).take(3).collect();
        let expected = [("01:00:00+11:00", 60), ("01:00:00+10:30", 30), ("02:00:00+10:30", 60)];
        assert_eq!(named, expected.map(|(name, minutes)| (format!("2015-04-05T{name}"), minutes)));
        let named: Vec<_> = hours("2015-10-04").skip(1).take(3).collect();
        let expected = [("01:00:00+10:30", 60), ("02:00:00+11:00", 30), ("03:00:00+11:00", 60)];
        assert_eq!(named, expected.map(|(name, minutes)| (format!("2015-10-04T{name}"), minutes)));
        let minutes = Range::of_days(day("2015-04-05"), day("2015-04-05"), zone("Australia/Lord_Howe"));
        assert_eq!(minutes.buckets(Interval::Minute).unwrap().len(), 24 * 60 + 30);
    }

    #[test]
    fn times_on_midnights_are_whole_days() {
        let whole = Range::of_days(day("2015-01-01"), day("2015-01-02"), zone("Europe/Vienna"));
        let same = Range::of_times(whole.from, whole.to, zone("Europe/Vienna"));
        assert_eq!(same.days, Some((day("2015-01-01"), day("2015-01-02"))));
        assert_eq!(Range::of_times(whole.from, whole.to, TimeZone::UTC).days, None);
        assert_eq!(Range::of_times(whole.from + 1, whole.to, zone("Europe/Vienna")).days, None);
        assert_eq!(whole.days_of(&TimeZone::UTC), None);
        assert_eq!(whole.days_of(&zone("Europe/Vienna")), whole.days);
    }

    #[test]
    fn too_many_buckets_are_refused_before_they_are_made() {
        let range = Range::of_days(day("0001-01-01"), day("2015-01-01"), TimeZone::UTC);
        assert_eq!(range.buckets(Interval::Hour), None);
        assert_eq!(range.buckets(Interval::Month).map(|buckets| buckets.len()), None);
        let ends = Range::of_times(i64::MIN, i64::MAX, TimeZone::UTC);
        assert_eq!(ends.buckets(Interval::Day), None);
        let last = Range::of_days(day("9999-12-30"), day("9999-12-31"), TimeZone::UTC);
        assert!(last.buckets(Interval::Day).is_some());
    }
}
