//! Days: which of them are due to be sealed.
//! - An open day is due 26 h after its end in the last of its sites' zones, a day that late events made dirty ten minutes
//!   after the last of them. A day that is over and still takes events waits for ten idle minutes too, but not for ever.
//! - After a restart the sites of a day that was not read again are not known: its end is that of the last zone on earth.

use super::ZoneOf;
use crate::clock::Millis;
use crate::event::{Day, Event};
use crate::store::DayState;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};

/// How long after its end a day stays open.
const OPEN_AFTER_MS: Millis = 26 * HOUR_MS;
/// How long a day must have been idle.
const IDLE_MS: Millis = 10 * 60_000;
/// How long a day that is over may be kept from sealing by events that go on arriving.
const UNREST_MS: Millis = HOUR_MS;
const HOUR_MS: Millis = 3_600_000;
/// A day ends last at UTC−12.
const LAST_ZONE_MS: Millis = 12 * HOUR_MS;

/// What is known of a day that is not sealed.
#[derive(Debug, Clone, Copy)]
struct Touched {
    /// Its end in the last of its sites' zones.
    ends: Millis,
    first: Millis,
    last: Millis,
}

/// The days that took events since they were sealed.
pub(super) struct Days {
    touched: HashMap<Day, Touched>,
    zone_of: ZoneOf,
}

impl Days {
    pub(super) fn new(zone_of: ZoneOf) -> Self {
        Self { touched: HashMap::new(), zone_of }
    }

    /// Events went to the store.
    pub(super) fn touch<'a>(&mut self, events: impl Iterator<Item = &'a Event>, now: Millis) {
        // Mostly events of one day and site come together.
        let mut last = None;
        for place in events.map(|event| (event.day(), event.site())) {
            if last.replace(place) == Some(place) {
                continue;
            }
            let (day, site) = place;
            let ends = day.next().start(&(self.zone_of)(site));
            let touched = self.touched.entry(day).or_insert(Touched { ends, first: now, last: now });
            touched.ends = touched.ends.max(ends);
            touched.last = now;
        }
    }

    /// A day begins to be sealed: what comes from now on is late.
    pub(super) fn seal_begins(&mut self, day: Day) {
        self.touched.remove(&day);
    }

    /// A day could not be sealed: it is due again after a while.
    pub(super) fn seal_failed(&mut self, day: Day, now: Millis) {
        self.touched.insert(day, Touched { ends: latest_end(day), first: now, last: now });
    }

    /// The days to be sealed now, ascending.
    pub(super) fn due(&mut self, states: &[DayState], now: Millis) -> Vec<Day> {
        let unsealed: HashSet<Day> = states.iter().filter(|state| !state.sealed).map(|state| state.day).collect();
        self.touched.retain(|day, _| unsealed.contains(day));
        let mut due = Vec::new();
        for state in states.iter().filter(|state| !state.sealed) {
            let unknown = Touched { ends: latest_end(state.day), first: now, last: now };
            let touched = self.touched.entry(state.day).or_insert(unknown);
            let is_over = now >= touched.ends.saturating_add(OPEN_AFTER_MS);
            let is_idle = now.saturating_sub(touched.last) >= IDLE_MS;
            let waited = now.saturating_sub(touched.first) >= UNREST_MS;
            if (is_over || state.dirty && is_idle) && (is_idle || waited) {
                due.push(state.day);
            }
        }
        due
    }
}

fn latest_end(day: Day) -> Millis {
    day.next().start(&TimeZone::UTC).saturating_add(LAST_ZONE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Known, Value};
    use std::sync::Arc;

    const MINUTE: Millis = 60_000;

    fn event(day: i32, site: &str) -> Event {
        let mut event = Event::default();
        event.set(Known::Day, Value::Int(day.into()));
        event.set(Known::Site, Value::text(site));
        event
    }

    fn days() -> Days {
        Days::new(Arc::new(|site| TimeZone::get(site).expect("a zone")))
    }

    fn state(day: i32, sealed: bool, dirty: bool) -> DayState {
        DayState { day: Day(day), events: 1, sealed, dirty }
    }

    #[test]
    fn an_open_day_is_due_26_hours_after_its_end_in_the_last_of_its_zones() {
        let end = 24 * HOUR_MS;
        let rows: [(&[&str], Millis); 3] = [
            (&["UTC"], end + 26 * HOUR_MS),
            (&["UTC", "America/New_York", "Asia/Tokyo"], end + 31 * HOUR_MS),
            (&[], end + 38 * HOUR_MS),
        ];
        for (sites, due_at) in rows {
            let mut days = days();
            let events: Vec<Event> = sites.iter().map(|site| event(0, site)).collect();
            days.touch(events.iter(), 0);
            assert_eq!(days.due(&[state(0, false, false)], 0), []);
            assert_eq!(days.due(&[state(0, false, false)], due_at - 1), [], "{sites:?}");
            assert_eq!(days.due(&[state(0, false, false), state(100, false, false)], due_at), [Day(0)], "{sites:?}");
        }
    }

    #[test]
    fn days_of_23_and_25_hours_are_due_26_hours_after_their_own_end() {
        for (day, hours) in [("2015-03-28", 24), ("2015-03-29", 23), ("2015-10-25", 25)] {
            let day = Day::parse(day).expect("a day");
            let begins = day.start(&TimeZone::get("Europe/Berlin").expect("a zone"));
            let due_at = begins + (hours + 26) * HOUR_MS;
            let mut days = days();
            days.touch([event(day.0, "Europe/Berlin")].iter(), begins);
            assert_eq!(days.due(&[state(day.0, false, false)], due_at - 1), [], "{day}");
            assert_eq!(days.due(&[state(day.0, false, false)], due_at), [day]);
        }
    }

    #[test]
    fn a_dirty_day_is_due_after_ten_idle_minutes() {
        let mut days = days();
        days.touch([event(0, "UTC")].iter(), 0);
        days.touch([event(0, "UTC")].iter(), 5 * MINUTE);
        let rows = [
            (15 * MINUTE - 1, true, false, 0),
            (15 * MINUTE, true, false, 1),
            (15 * MINUTE, false, false, 0),
            (15 * MINUTE, false, true, 0),
        ];
        for (now, dirty, sealed, count) in rows {
            assert_eq!(days.due(&[state(0, sealed, dirty)], now).len(), count, "{now}");
            days.touch([event(0, "UTC")].iter(), 5 * MINUTE);
        }
    }

    #[test]
    fn a_day_long_over_is_sealed_though_events_go_on_arriving() {
        let mut days = days();
        let long_after = 1_000 * HOUR_MS;
        for minute in 0..=60 {
            let now = long_after + minute * MINUTE;
            days.touch([event(0, "UTC")].iter(), now);
            assert_eq!(days.due(&[state(0, false, false)], now).len(), usize::from(minute == 60), "{minute}");
        }
        days.seal_begins(Day(0));
        assert_eq!(days.due(&[state(0, false, true)], long_after + 61 * MINUTE), []);
        assert_eq!(days.due(&[state(0, false, true)], long_after + 71 * MINUTE), [Day(0)]);
        days.seal_failed(Day(0), long_after + 71 * MINUTE);
        assert_eq!(days.due(&[state(0, false, true)], long_after + 80 * MINUTE), []);
        assert_eq!(days.due(&[state(0, false, true)], long_after + 81 * MINUTE), [Day(0)]);
    }
}
