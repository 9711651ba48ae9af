//! Rekey: a filter's keys, and the same filter about other keys.

use crate::event::Key;
use crate::store::plan::Filter;
use crate::store::words::SEARCHED;

/// Calls `each` with every key a filter speaks of.
pub fn keys_of(filter: &Filter, each: &mut dyn FnMut(&Key)) {
    match filter {
        Filter::All => {}
        Filter::And(filters) | Filter::Or(filters) => filters.iter().for_each(|filter| keys_of(filter, each)),
        Filter::Not(filter) => keys_of(filter, each),
        Filter::Exists(key)
        | Filter::Is(key, ..)
        | Filter::Contains(key, ..)
        | Filter::Matches(key, ..)
        | Filter::Compare(key, ..) => each(key),
        Filter::Search(_) => SEARCHED.iter().for_each(|known| each(&Key::Known(*known))),
    }
}

/// The same filter with other keys in place of its own.
pub fn rekeyed(filter: &Filter, of: &dyn Fn(&Key) -> Key) -> Filter {
    let all = |filters: &[Filter]| filters.iter().map(|filter| rekeyed(filter, of)).collect();
    match filter {
        Filter::All => Filter::All,
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(filter) => Filter::Not(Box::new(rekeyed(filter, of))),
        Filter::Exists(key) => Filter::Exists(of(key)),
        Filter::Is(key, texts, case) => Filter::Is(of(key), texts.clone(), *case),
        Filter::Contains(key, texts, case) => Filter::Contains(of(key), texts.clone(), *case),
        Filter::Matches(key, patterns, case) => Filter::Matches(of(key), patterns.clone(), *case),
        Filter::Compare(key, comparison, bound) => Filter::Compare(of(key), *comparison, *bound),
        // Its keys are its own.
        Filter::Search(text) => Filter::Search(text.clone()),
    }
}
