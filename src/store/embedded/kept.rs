//! Kept: merged partial answers of several sealed days, in memory, for questions that are asked again.
//! - One stands for its days as they were: a day sealed anew is another one, and what was kept of it is asked for no more.
//! - Bounded by bytes; what was not asked for longest goes first.

use super::collect::Partial;
use lru::LruCache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of all answers at the most.
const BYTES_MAX: usize = 32 << 20;

/// Answers by what stands for their days and the question.
pub struct Kept(Mutex<Held>);

struct Held {
    answers: LruCache<Box<[u8]>, Arc<Partial>>,
    bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Held { answers: LruCache::unbounded(), bytes: 0 }))
    }
}

impl Kept {
    /// What is kept, if it is.
    pub fn get(&self, key: &[u8]) -> Option<Arc<Partial>> {
        self.held().answers.get(key).cloned()
    }

    /// Keeps an answer; one that would take most of the room is not kept.
    pub fn put(&self, key: Vec<u8>, answer: Partial) {
        let bytes = answer.bytes + key.len();
        if bytes > BYTES_MAX / 2 {
            return;
        }
        let mut held = self.held();
        held.bytes += bytes;
        if let Some((key, before)) = held.answers.push(key.into(), Arc::new(answer)) {
            held.bytes -= before.bytes + key.len();
        }
        while held.bytes > BYTES_MAX
            && let Some((key, answer)) = held.answers.pop_lru()
        {
            held.bytes -= answer.bytes + key.len();
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Partial {
        Partial { bytes, ..Partial::default() }
    }

    #[test]
    fn no_more_is_kept_than_may_be_and_what_is_asked_for_stays() {
        let kept = Kept::default();
        let quarter = BYTES_MAX / 4 - 8;
        kept.put(b"first".to_vec(), answer(quarter));
        for number in 0..20_u8 {
            kept.put(vec![number], answer(quarter));
            assert!(kept.get(b"first").is_some(), "asked for each time");
            let held = kept.held();
            assert!(held.bytes <= BYTES_MAX);
            assert_eq!(held.bytes, held.answers.iter().map(|(key, answer)| key.len() + answer.bytes).sum::<usize>());
        }
        assert_eq!(kept.held().answers.len(), 4);
        assert!(kept.get(&[0]).is_none());
        kept.put(b"first".to_vec(), answer(1));
        assert_eq!(kept.get(b"first").map(|answer| answer.bytes), Some(1));
        kept.put(b"large".to_vec(), answer(BYTES_MAX / 2 + 1));
        assert!(kept.get(b"large").is_none());
    }
}
