//! Keys: whether what a question names exists: canonical keys always do, others once an event brought them.
//! - What was found once is remembered: a key that events had is not unlearnt when they expire.

use super::rekey::keys_of;
use super::unfit::Unfit;
use crate::event::{Day, Key, Known};
use crate::nearest::{cut, unknown};
use crate::store::plan::Filter;
use crate::store::{Field, Store, StoreError};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Names remembered at the most; past it they are looked up each time.
const SEEN_MAX: usize = 100_000;

/// What Plausible has under a name that may be a key's here, and what to ask instead.
const THEIRS: [(&str, &str); 2] = [
    ("segment", "filters are not saved as segments here: write them out, or make a custom query of them"),
    ("time", "times are asked as minute, hour, day, week or month"),
];

/// The applications' own keys that were found in the store.
#[derive(Debug, Default)]
pub struct SeenKeys(Mutex<HashSet<Key>>);

impl SeenKeys {
    /// Which of the keys, each with its place in the question, no event has.
    pub async fn unknown(&self, store: &dyn Store, keys: &[(Key, String)]) -> Result<Vec<Unfit>, StoreError> {
        if self.all_seen(keys) {
            return Ok(Vec::new());
        }
        let fields = store.fields((Day(i32::MIN), Day(i32::MAX))).await?;
        self.remember(fields.iter().map(|field| field.key.clone()));
        Ok(lacking(&fields, keys))
    }

    fn all_seen(&self, keys: &[(Key, String)]) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().all(|(key, _)| matches!(key, Key::Known(_)) || seen.contains(key))
    }

    fn remember(&self, keys: impl Iterator<Item = Key>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys.filter(|key| matches!(key, Key::Free(_))) {
            if seen.len() < SEEN_MAX {
                seen.insert(key);
            }
        }
    }
}

/// The keys that are neither canonical nor among the fields.
fn lacking(fields: &[Field], keys: &[(Key, String)]) -> Vec<Unfit> {
    let held: HashSet<&Key> = fields.iter().map(|field| &field.key).collect();
    // Canonical names alone are suggested: the applications' own may be those of a site that the asker must not know.
    let names: Vec<&str> = Known::all().map(Known::name).collect();
    let lacking = keys.iter().filter(|(key, _)| matches!(key, Key::Free(_)) && !held.contains(key));
    lacking.map(|(key, at)| Unfit::new(at, format!("no event has the key {}", told(key, &names)))).collect()
}

/// The keys of a filter, all at one place.
pub fn of_filter(filter: &Filter, at: &str) -> Vec<(Key, String)> {
    let mut keys = Vec::new();
    keys_of(filter, &mut |key| keys.push((key.clone(), at.to_owned())));
    keys
}

/// The key's name with the nearest one that there is; a long list of all others would help nobody.
fn told(key: &Key, names: &[&str]) -> String {
    if let Some((name, instead)) = THEIRS.iter().find(|(name, _)| *name == key.name()) {
        return format!("{name:?}; {instead}");
    }
    let message = unknown(key.name(), names);
    let (_, near) = message.split_once("; ").unwrap_or_default();
    match near.starts_with("known are") {
        true => format!("{:?}; GET /meta.json lists the keys there are", cut(key.name())),
        false => format!("{:?}; {near}", cut(key.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Value};
    use crate::store::Entry;
    use crate::store::memory::Memory;

    #[tokio::test]
    async fn a_key_is_known_once_an_event_had_it() {
        let store = Memory::new();
        let seen = SeenKeys::default();
        let keys = |names: &[&str]| -> Vec<(Key, String)> {
            names.iter().zip(0..).map(|(name, at)| (Key::named(name), format!("metrics[{at}]"))).collect()
        };
        let unfit = seen.unknown(&store, &keys(&["path", "quantities"])).await.unwrap();
        assert_eq!(unfit.len(), 1);
        assert!(unfit[0].at == "metrics[1]" && unfit[0].message.contains("/meta.json"), "{unfit:?}");
        let fields = [("quantities", Value::Int(3)), ("site", Value::text("default")), ("day", Value::Int(0))];
        let event = Event::from_fields(fields.map(|(name, value)| (Key::named(name), value)).to_vec());
        store.write(vec![Entry { position: 0, event }], 1).await.unwrap();
        assert_eq!(seen.unknown(&store, &keys(&["quantities"])).await.unwrap(), []);
        let unfit = seen.unknown(&store, &keys(&["brouser", "path"])).await.unwrap();
        assert!(unfit[0].message.contains("did you mean \"browser\"?"), "{unfit:?}");
        store.expire(Day(9), Day(9)).await.unwrap();
        assert_eq!(seen.unknown(&store, &keys(&["quantities"])).await.unwrap(), []);
    }
}
