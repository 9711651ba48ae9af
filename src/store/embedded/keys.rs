//! Keys: how many different free keys a partition may hold.
//! - A site may have 1,000 in a day, all sites together 10,000 (a key counts once a site); further keys go to `extra`, one JSON text.
//! - A key that has a column keeps it: the first to come stay.

use crate::event::{Event, Key, Known, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Different free keys of one site in one day.
pub const SITE_KEYS_MAX: usize = 1000;
/// Different free keys of all sites in one day.
pub const DAY_KEYS_MAX: usize = 10_000;

/// The free keys that have columns, by site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    by_site: BTreeMap<String, BTreeSet<String>>,
    total: usize,
}

impl Columns {
    /// Gives the event's keys columns as long as there is room, and moves the rest to `extra`.
    pub fn admit(&mut self, event: &mut Event) {
        let held = self.by_site.get(event.site());
        let is_new = |key: &Key| matches!(key, Key::Free(name) if held.is_none_or(|held| !held.contains(&**name)));
        let new: Vec<Key> = event.fields().iter().map(|(key, _)| key).filter(|key| is_new(key)).cloned().collect();
        if new.is_empty() {
            return;
        }
        let held = self.by_site.entry(event.site().to_owned()).or_default();
        let mut extra = serde_json::Map::new();
        for key in new {
            if held.len() < SITE_KEYS_MAX && self.total < DAY_KEYS_MAX {
                held.insert(key.name().to_owned());
                self.total += 1;
            } else if let Some(value) = event.remove(&key) {
                extra.insert(key.name().to_owned(), value.json());
            }
        }
        if !extra.is_empty() {
            event.set(Known::Extra, Value::text(serde_json::Value::Object(extra).to_string()));
        }
    }

    /// Takes in the keys of another part of the same day.
    pub fn merge(&mut self, other: Self) {
        for (site, keys) in other.by_site {
            self.by_site.entry(site).or_default().extend(keys);
        }
        self.total = self.by_site.values().map(BTreeSet::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(site: &str, keys: std::ops::Range<usize>) -> Event {
        let free = keys.map(|key| (Key::named(&format!("k{key}")), Value::Int(1)));
        Event::from_fields(free.chain([(Key::Known(Known::Site), Value::text(site))]).collect())
    }

    #[test]
    fn a_site_has_a_thousand_keys_and_the_rest_is_kept_as_text() {
        let mut columns = Columns::default();
        for from in (0..SITE_KEYS_MAX).step_by(100) {
            let mut taken = event("a", from..from + 100);
            columns.admit(&mut taken);
            assert_eq!(taken, event("a", from..from + 100));
        }
        let mut late = event("a", SITE_KEYS_MAX - 1..SITE_KEYS_MAX + 2);
        columns.admit(&mut late);
        assert_eq!(late.text(Known::Extra), Some(r#"{"k1000":1,"k1001":1}"#));
        assert!(late.get(&Key::named("k999")).is_some() && late.get(&Key::named("k1000")).is_none());
        let mut other = event("b", 0..10);
        columns.admit(&mut other);
        assert_eq!(other, event("b", 0..10));
    }

    #[test]
    fn a_day_has_ten_thousand_keys() {
        let mut columns = Columns::default();
        for site in 0..10usize {
            for from in (0..SITE_KEYS_MAX).step_by(100) {
                columns.admit(&mut event(&site.to_string(), site * 1000 + from..site * 1000 + from + 100));
            }
        }
        let mut late = event("z", DAY_KEYS_MAX - 1..DAY_KEYS_MAX + 1);
        columns.admit(&mut late);
        assert_eq!(late.text(Known::Extra), Some(r#"{"k10000":1,"k9999":1}"#));
    }
}
