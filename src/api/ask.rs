//! Asking: the parameters that questions share: site, range, zone, bots.
//! - A value that does not fit is a 400 that says which and what would fit.
//! - Dates are whole days, both within; of times the first is within and the last is not.

use super::Parts;
use super::questions::refused;
use crate::clock::Millis;
use crate::event::Day;
use crate::http::query::{Parameters, cut};
use crate::http::{Caller, Problem};
use crate::query::meta::{BOTS, damaged_days};
use crate::query::range::{Range, day_at, midnight};
use crate::store::Store;
use crate::store::plan::Bots;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// The parameters that every question takes.
pub(super) const SHARED: [&str; 7] = ["site", "from", "to", "range", "tz", "bots", "partial"];

/// Bytes of a site's name at the most.
const SITE_BYTES_MAX: usize = 64;

/// Days before today that are all of time: item tables begin nowhere.
const ALL_DAYS: i32 = 500 * 366;

const RANGES: [&str; 9] = ["today", "7d", "28d", "30d", "90d", "12mo", "month", "year", "all"];

/// What every question says.
#[derive(Debug)]
pub(super) struct Asked {
    pub site: String,
    pub site_zone: TimeZone,
    pub range: Range,
    /// Whether the range is all there is, and begins long before the first event.
    pub is_all: bool,
    pub bots: Bots,
    pub wanted: Wanted,
}

/// What is to be answered where something of the range is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing: the question is refused.
    Whole,
    /// What is sound.
    Sound,
}

impl Wanted {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Problem> {
        parameters.choice("partial", &[("true", Self::Sound), ("false", Self::Whole)], Self::Whole)
    }

    /// The store to be asked.
    pub(super) fn store(self, parts: &Parts) -> &dyn Store {
        match self {
            Self::Whole => &*parts.store,
            Self::Sound => &*parts.sound,
        }
    }
}

/// The header of an answer that lacks something: the days, for the forms that have no `meta`.
const DAMAGED: HeaderName = HeaderName::from_static("x-metronome-damaged-days");

/// Says on an answer which days of its range it lacks something of.
pub(super) fn marked(mut response: Response, damaged: &[String]) -> Response {
    if !damaged.is_empty()
        && let Ok(days) = HeaderValue::from_str(&damaged.join(", "))
    {
        response.headers_mut().insert(DAMAGED, days);
    }
    response
}

impl Asked {
    pub(super) fn read(parts: &Parts, caller: &Caller, parameters: &Parameters) -> Result<Self, Problem> {
        let site = caller.site(parameters.get("site"))?;
        if site.len() > SITE_BYTES_MAX {
            return Err(Problem::invalid("site", format!("site is longer than {SITE_BYTES_MAX} bytes")));
        }
        let site_zone = parts.sites.get(&site).zone.clone();
        let zone = match parameters.get("tz") {
            None => site_zone.clone(),
            Some(name) => TimeZone::get(name).map_err(|_| {
                let message = format!("tz is {:?}; it may be an IANA name such as Europe/Vienna or UTC", cut(name));
                Problem::invalid("tz", message)
            })?,
        };
        let (range, is_all) = range(parameters, zone, parts.clock.now())?;
        Ok(Self {
            site,
            site_zone,
            range,
            is_all,
            bots: parameters.choice("bots", &BOTS, Bots::Exclude)?,
            wanted: Wanted::read(parameters)?,
        })
    }

    /// The days of the range that an answer from what is sound lacks something of.
    pub(super) async fn damaged(&self, parts: &Parts) -> Result<Vec<String>, Problem> {
        match self.wanted {
            Wanted::Whole => Ok(Vec::new()),
            Wanted::Sound => damaged_days(&*parts.sound, &self.range).await.map_err(|error| refused(&error)),
        }
    }

    /// Whether the range is cut by another calendar than the site's.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.range.zone != self.site_zone
    }

    /// The same range, but beginning with the first day that holds events, where it is all there is.
    pub(super) fn begin_with(&mut self, first: Option<Day>) {
        if self.is_all {
            let (_, last) = self.range.days.unwrap_or((Day(0), Day(0)));
            let first = first.unwrap_or(last).min(last);
            // Days held are the site's: west of it the first one's events may be of the day before.
            let first = Day(first.0 - i32::from(self.is_elsewhere()));
            self.range = Range::of_days(first, last, self.range.zone.clone());
        }
    }
}

fn range(parameters: &Parameters, zone: TimeZone, now: Millis) -> Result<(Range, bool), Problem> {
    let today = day_at(now, &zone);
    let (from, to) = (parameters.get("from"), parameters.get("to"));
    match (parameters.get("range"), from.or(to)) {
        (Some(_), Some(_)) => Err(Problem::invalid("range", "range and from or to exclude each other")),
        (word, None) => {
            let word = word.unwrap_or("30d");
            let first = first_day(word, today).ok_or_else(|| {
                Problem::invalid("range", format!("range is {:?}; it may be {}", cut(word), RANGES.join(", ")))
            })?;
            // Events may be a day ahead of the clock; all of them are all.
            let last = if word == "all" { Day(today.0 + 1) } else { today };
            Ok((Range::of_days(first, last, zone), word == "all"))
        }
        (None, Some(_)) => between(from, to, zone, today).map(|range| (range, false)),
    }
}

fn first_day(word: &str, today: Day) -> Option<Day> {
    let back = |days: i32| Some(Day(today.0 - days));
    let date = today.date();
    let of = |date: Date| Day::parse(&date.to_string());
    match word {
        "today" => back(0),
        "7d" => back(6),
        "28d" => back(27),
        "30d" => back(29),
        "90d" => back(89),
        "12mo" => of(date.first_of_month().saturating_sub(11.months())),
        "month" => of(date.first_of_month()),
        "year" => of(date.first_of_year()),
        "all" => back(ALL_DAYS),
        _ => None,
    }
}

/// From one moment to another; without `to` up to today, without `from` the 30 days up to `to`.
fn between(from: Option<&str>, to: Option<&str>, zone: TimeZone, today: Day) -> Result<Range, Problem> {
    let to_end = match to {
        None => midnight(Day(today.0 + 1).date(), &zone),
        Some(text) => match moment("to", text, &zone)? {
            Moment::Date(date) => midnight(date.saturating_add(1.day()), &zone),
            Moment::Time(at) => at,
        },
    };
    let start = match from {
        None => midnight(Day(day_at(to_end - 1, &zone).0 - 29).date(), &zone),
        Some(text) => match moment("from", text, &zone)? {
            Moment::Date(date) => midnight(date, &zone),
            Moment::Time(at) => at,
        },
    };
    if start >= to_end {
        let message = format!("from ({}) is after to ({})", from.unwrap_or("…"), to.unwrap_or("today"));
        return Err(Problem::invalid("from", message));
    }
    Ok(Range::of_times(start, to_end, zone))
}

enum Moment {
    Date(Date),
    Time(Millis),
}

fn moment(name: &'static str, text: &str, zone: &TimeZone) -> Result<Moment, Problem> {
    if let Some(day) = Day::parse(text) {
        return Ok(Moment::Date(day.date()));
    }
    let instant = text.parse::<jiff::Timestamp>().ok();
    let civil =
        || text.parse::<DateTime>().ok().filter(|_| text.contains(['T', ' ']))?.to_zoned_datetime(zone.clone()).ok();
    let at = instant.or_else(|| civil().map(|time| time.timestamp()));
    at.map(|at| Moment::Time(at.as_millisecond())).ok_or_else(|| {
        let message =
            format!("{name} is {:?}; it may be a date (2015-01-22) or a time (2015-01-22T10:00:00Z)", cut(text));
        Problem::invalid(name, message)
    })
}

/// Parameters of a question: the shared ones and its own.
pub(super) fn known<'a>(own: &[&'a str]) -> Vec<&'a str> {
    SHARED.iter().chain(own).copied().collect()
}

/// The names in a list, each once, in order; an unknown one is refused.
pub(super) fn listed<T: Copy>(name: &'static str, text: &str, words: &[(&'static str, T)]) -> Result<Vec<T>, Problem> {
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let Some((word, choice)) = words.iter().find(|(known, _)| *known == word) else {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            return Err(Problem::invalid(name, format!("{name}: {}", crate::http::query::unknown(word, &known))));
        };
        if seen.insert(*word) {
            chosen.push(*choice);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
