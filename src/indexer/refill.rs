//! Refill: the visitors of open days, read again from the store when a pass begins.
//! - Days that are not sealed, newest first, as far as a bound on events goes; the visitors of the others begin anew.

use super::days::Days;
use super::live::Live;
use crate::clock::Millis;
use crate::event::{Day, Key, Known, ORIGIN};
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use jiff::tz::TimeZone;

/// Further than any zone is from UTC.
const ZONES_MS: Millis = 24 * 3_600_000;

pub(super) async fn refill(
    store: &dyn Store,
    events_max: u64,
    live: &mut Live,
    days: &mut Days,
    now: Millis,
) -> Result<(), StoreError> {
    let mut left = events_max;
    for state in store.days().await?.into_iter().rev().filter(|state| !state.sealed) {
        let Some(rest) = left.checked_sub(state.events) else {
            let (day, events) = (state.day.to_string(), state.events);
            tracing::info!(day, events, "too many events to know this day's visitors again before it is sealed");
            continue;
        };
        left = rest;
        let filter = Filter::is(Known::Day, state.day.to_string());
        let mut scan = store.scan(&filter, range_of(state.day), Some(&keys_of_visits())).await?;
        while let Some(events) = scan.recv().await {
            let events = events?;
            days.touch(events.iter(), now);
            events.iter().for_each(|event| drop(live.step(event)));
        }
    }
    Ok(())
}

/// All times that may lie in a day, whatever its zone.
fn range_of(day: Day) -> TimeRange {
    let midnight = day.start(&TimeZone::UTC);
    let (from, to) = (midnight.saturating_sub(ZONES_MS), midnight.saturating_add(2 * ZONES_MS));
    TimeRange { key: TimeKey::Timestamp, from, to }
}

/// What a visit is worked out from.
fn keys_of_visits() -> Vec<Key> {
    let own = [
        Known::Visitor,
        Known::Id,
        Known::Path,
        Known::Status,
        Known::Interactive,
        Known::Visit,
        Known::VisitStart,
        Known::OwnOrigin,
    ];
    own.into_iter().chain(ORIGIN).map(Key::from).collect()
}
