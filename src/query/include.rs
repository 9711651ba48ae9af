//! Include: what an answer tells beside its rows: how many there are, another range to compare with, every time label.

use super::dates::{self, When};
use super::range::{Range, midnight};
use super::unfit::{Unfit, kind};
use crate::clock::Millis;
use crate::event::Day;
use crate::nearest::unknown;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use serde_json::Value;

const MEMBERS: [&str; 5] = ["total_rows", "compare", "comparisons", "time_labels", "imports"];

/// What else is answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Include {
    /// How many rows there are before pagination.
    pub total_rows: bool,
    /// The range to compare with.
    pub compare: Option<Compare>,
    /// The label of every interval of the range.
    pub time_labels: bool,
}

/// The range that rows are compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Compare {
    /// As long, and just before.
    PreviousPeriod,
    /// The same a year earlier.
    YearOverYear,
    /// This one.
    Custom(When),
}

impl Include {
    /// Reads `include`; dates in it are of the asked zone.
    pub(super) fn read(json: &Value, zone: &TimeZone, now: Millis) -> Result<Self, Unfit> {
        let Value::Object(members) = json else {
            return Err(Unfit::new(
                "include",
                format!("{} is no include; it may be {{\"total_rows\":true}}", kind(json)),
            ));
        };
        let mut include = Self::default();
        for (name, value) in members {
            let at = format!("include.{name}");
            match name.as_str() {
                "total_rows" => include.total_rows = truth(value, &at)?,
                "time_labels" => include.time_labels = truth(value, &at)?,
                "compare" => include.compare = compare(value, zone, now, &at)?,
                "comparisons" => include.compare = compare(value.get("mode").unwrap_or(value), zone, now, &at)?,
                "imports" if *value == false => {}
                "imports" => {
                    return Err(Unfit::new(at, "there are no imported statistics here: what is imported are events"));
                }
                _ => return Err(Unfit::new(at, unknown(name, &MEMBERS))),
            }
        }
        Ok(include)
    }
}

fn truth(value: &Value, at: &str) -> Result<bool, Unfit> {
    value.as_bool().ok_or_else(|| Unfit::new(at, format!("{} is neither true nor false", kind(value))))
}

fn compare(value: &Value, zone: &TimeZone, now: Millis, at: &str) -> Result<Option<Compare>, Unfit> {
    match value {
        Value::Null => Ok(None),
        Value::String(word) if word == "previous_period" => Ok(Some(Compare::PreviousPeriod)),
        Value::String(word) if word == "year_over_year" => Ok(Some(Compare::YearOverYear)),
        Value::Array(ends) => match ends.as_slice() {
            [Value::String(from), Value::String(to)] => {
                let when = dates::between((Some(from), Some(to)), zone.clone(), now, (at, at))?;
                Ok(Some(Compare::Custom(when)))
            }
            _ => Err(Unfit::new(at, "a range to compare with has two ends: [\"2015-01-01\",\"2015-01-31\"]")),
        },
        _ => Err(Unfit::new(at, format!("{value} may be \"previous_period\", \"year_over_year\" or two dates"))),
    }
}

impl Compare {
    /// The range that `range` is compared with.
    pub(super) fn range(&self, range: &Range) -> Range {
        let zone = range.zone.clone();
        match (self, range.days) {
            (Self::Custom(when), _) => when.range.clone(),
            (Self::PreviousPeriod, Some((first, last))) => {
                let long = last.0 - first.0 + 1;
                Range::of_days(Day(first.0 - long), Day(first.0 - 1), zone)
            }
            (Self::PreviousPeriod, None) => {
                let long = range.to - range.from;
                Range::of_times(range.from - long, range.from, zone)
            }
            (Self::YearOverYear, Some((first, last))) => {
                let earlier = |day: Day| Day::parse(&day.date().saturating_sub(1.year()).to_string()).unwrap_or(day);
                Range::of_days(earlier(first), earlier(last), zone)
            }
            (Self::YearOverYear, None) => {
                let first = super::range::day_at(range.from, &zone).date();
                let back = midnight(first, &zone) - midnight(first.saturating_sub(1.year()), &zone);
                Range::of_times(range.from - back, range.to - back, zone)
            }
        }
    }
}
