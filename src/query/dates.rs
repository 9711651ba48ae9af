//! Dates: the words in which a question says when: `30d`, two dates, two times.
//! - Dates are whole days of the asked zone, both within; of times the first is within and the last is not.
//! - Our words count today in; `24h` is the last 24 hours to the millisecond.

use super::range::{Range, day_at, midnight};
use super::unfit::Unfit;
use crate::clock::Millis;
use crate::event::Day;
use crate::nearest::cut;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The words for ranges.
pub const WORDS: [&str; 13] =
    ["today", "day", "24h", "7d", "28d", "30d", "90d", "91d", "month", "6mo", "12mo", "year", "all"];

/// The range of a question that says none.
pub const DEFAULT: &str = "30d";

/// Days before today that are all of time: item tables begin nowhere.
const ALL_DAYS: i32 = 500 * 366;
const HOUR_MS: Millis = 3_600_000;

/// When, as a question says it.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// The range.
    pub range: Range,
    /// Whether it is all there is, and begins long before the first event.
    pub is_all: bool,
}

impl When {
    /// The same, but beginning with the first day that holds events (a day of the site's zone), where it is all there is.
    pub fn begin_with(&mut self, first: Option<Day>, site_zone: &TimeZone) {
        if self.is_all {
            let (_, last) = self.range.days.unwrap_or((Day(0), Day(0)));
            let first = first.unwrap_or(last).min(last);
            // Days held are the site's: west of it the first one's events may be of the day before.
            let first = Day(first.0 - i32::from(self.range.zone != *site_zone));
            self.range = Range::of_days(first, last, self.range.zone.clone());
        }
    }
}

impl When {
    /// The part of it that is of events that are kept: from the day `first` on, where any are dropped.
    ///
    /// # Errors
    /// What `at` says ends before that.
    pub fn kept(mut self, first: Option<Day>, at: &str) -> Result<Self, Unfit> {
        let Some(first) = first else { return Ok(self) };
        let Range { from, to, days, zone } = self.range;
        let start = midnight(first.date(), &zone);
        if start >= to {
            let message = format!(
                "{at} ends before {first}, and no event from before that is kept (retention); it may end on {first} or later"
            );
            return Err(Unfit::new(at, message));
        }
        self.range = match days {
            Some((_, last)) if from < start => Range::of_days(first, last, zone),
            None if from < start => Range::of_times(start, to, zone),
            days => Range { from, to, days, zone },
        };
        Ok(self)
    }
}

/// The first day whose events are kept when so many days of them are.
pub fn first_kept(now: Millis, zone: &TimeZone, days: u32) -> Day {
    Day(day_at(now, zone).0.saturating_sub(i32::try_from(days).unwrap_or(i32::MAX)))
}

/// The zone of this name.
pub fn zone(name: &str, at: &str) -> Result<TimeZone, Unfit> {
    TimeZone::get(name).map_err(|_| {
        Unfit::new(at, format!("{at} is {:?}; it may be an IANA name such as Europe/Vienna or UTC", cut(name)))
    })
}

/// The range of a word.
pub fn word(word: &str, zone: TimeZone, now: Millis, at: &str) -> Result<When, Unfit> {
    if word == "24h" {
        let range = Range::of_times(now.saturating_sub(24 * HOUR_MS), now, zone);
        return Ok(When { range, is_all: false });
    }
    let today = day_at(now, &zone);
    let first = first_day(word, today).ok_or_else(|| {
        let near = "it may also be two dates or two times";
        Unfit::new(at, format!("{at} is {:?}; it may be {}; {near}", cut(word), WORDS.join(", ")))
    })?;
    // Events may be a day ahead of the clock; all of them are all.
    let is_all = word == "all";
    let last = if is_all { Day(today.0 + 1) } else { today };
    Ok(When { range: Range::of_days(first, last, zone), is_all })
}

fn first_day(word: &str, today: Day) -> Option<Day> {
    let back = |days: i32| Some(Day(today.0 - days));
    let date = today.date();
    let of = |date: Date| Day::parse(&date.to_string());
    match word {
        "today" | "day" => back(0),
        "7d" => back(6),
        "28d" => back(27),
        "30d" => back(29),
        "90d" => back(89),
        "91d" => back(90),
        "month" => of(date.first_of_month()),
        "6mo" => of(date.first_of_month().saturating_sub(5.months())),
        "12mo" => of(date.first_of_month().saturating_sub(11.months())),
        "year" => of(date.first_of_year()),
        "all" => back(ALL_DAYS),
        _ => None,
    }
}

/// From one moment to another; without `to` up to today, without `from` the 30 days up to `to`. `at` names both.
pub fn between(
    (from, to): (Option<&str>, Option<&str>),
    zone: TimeZone,
    now: Millis,
    at: (&str, &str),
) -> Result<When, Unfit> {
    let to_end = match to {
        None => midnight(Day(day_at(now, &zone).0 + 1).date(), &zone),
        Some(text) => match moment(at.1, text, &zone)? {
            Moment::Date(date) => midnight(date.saturating_add(1.day()), &zone),
            Moment::Time(at) => at,
        },
    };
    let start = match from {
        None => midnight(Day(day_at(to_end - 1, &zone).0 - 29).date(), &zone),
        Some(text) => match moment(at.0, text, &zone)? {
            Moment::Date(date) => midnight(date, &zone),
            Moment::Time(at) => at,
        },
    };
    if start >= to_end {
        let message = format!("from ({}) is after to ({})", from.unwrap_or("…"), to.unwrap_or("today"));
        return Err(Unfit::new(at.0, message));
    }
    Ok(When { range: Range::of_times(start, to_end, zone), is_all: false })
}

enum Moment {
    Date(Date),
    Time(Millis),
}

fn moment(at: &str, text: &str, zone: &TimeZone) -> Result<Moment, Unfit> {
    if let Some(day) = Day::parse(text) {
        return Ok(Moment::Date(day.date()));
    }
    let instant = text.parse::<jiff::Timestamp>().ok();
    let civil =
        || text.parse::<DateTime>().ok().filter(|_| text.contains(['T', ' ']))?.to_zoned_datetime(zone.clone()).ok();
    let moment = instant.or_else(|| civil().map(|time| time.timestamp()));
    moment.map(|moment| Moment::Time(moment.as_millisecond())).ok_or_else(|| {
        let message =
            format!("{at} is {:?}; it may be a date (2015-01-22) or a time (2015-01-22T10:00:00Z)", cut(text));
        Unfit::new(at, message)
    })
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
