//! The events of a run: which mix, which days, which items.

use crate::SEED;
use crate::peers::Days;
use metronome::clock::Clock;
use metronome::event::Day;
use metronome::load::mix::Mix;

pub const DAYS: i32 = 30;
const DAY_MS: u64 = 86_400_000;

/// The day that many days ago.
pub fn day_ago(days: i32) -> Day {
    Day((Clock::System.now().div_euclid(DAY_MS as i64)) as i32 - days)
}

/// A month that ended yesterday, so that its days can be sealed.
pub fn month(events: u64) -> Mix {
    of_days(SEED, DAYS, DAYS as u64, events)
}

/// One day, so many days ago; ids differ by seed.
pub fn day(seed: u64, ago: i32, events: u64) -> Mix {
    of_days(seed, ago, 1, events)
}

/// Now and the hour after: events as they come.
pub fn now(seed: u64, events: u64, span_ms: u64) -> Mix {
    Mix::new(seed, "default", Clock::System.now(), span_ms, events)
}

fn of_days(seed: u64, ago: i32, days: u64, events: u64) -> Mix {
    Mix::new(seed, "default", i64::from(day_ago(ago).0) * DAY_MS as i64, days * DAY_MS, events)
}

/// The days of the month, as they are asked about.
pub fn days_of_month() -> Days {
    (day_ago(DAYS).to_string(), day_ago(1).to_string())
}

/// As many days, today among them.
pub fn days_with_today() -> Days {
    (day_ago(DAYS - 1).to_string(), day_ago(0).to_string())
}

/// The busiest item, and one that is seldom used.
pub fn items() -> [String; 2] {
    [Mix::item(0), Mix::item(4321)]
}
