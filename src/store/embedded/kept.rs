//! Kept: merged partial answers of several sealed days, in memory, for questions that are asked again.
//! - One stands for its days as they were: a day sealed anew is another one, and what was kept of it is asked for no more.
//! - Bounded by bytes; what was not asked for longest goes first.

use super::asked::Digest;
use super::collect::Partial;
use lru::LruCache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of all answers at the most.
const BYTES_MAX: usize = 32 << 20;

/// Answers by what stands for their days and the question.
pub struct Kept(Mutex<Held>);

struct Held {
    answers: LruCache<Digest, Arc<Partial>>,
    bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self(Mutex::new(Held { answers: LruCache::unbounded(), bytes: 0 }))
    }
}

impl Kept {
    /// What is kept, if it is.
    pub fn get(&self, key: &Digest) -> Option<Arc<Partial>> {
        self.held().answers.get(key).cloned()
    }

    /// Keeps an answer; one that would take most of the room is not kept.
    pub fn put(&self, key: Digest, answer: Partial) {
        let bytes = weight(&answer);
        if bytes > BYTES_MAX / 2 {
            return;
        }
        let mut held = self.held();
        held.bytes += bytes;
        if let Some((_, before)) = held.answers.push(key, Arc::new(answer)) {
            held.bytes -= weight(&before);
        }
        while held.bytes > BYTES_MAX
            && let Some((_, answer)) = held.answers.pop_lru()
        {
            held.bytes -= weight(&answer);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer takes, about.
fn weight(answer: &Partial) -> usize {
    answer.bytes + size_of::<Partial>() + size_of::<Digest>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Digest = [100; 32];
    const LARGE: Digest = [101; 32];

    fn answer(bytes: usize) -> Partial {
        Partial { bytes, ..Partial::default() }
    }

    #[test]
    fn no_more_is_kept_than_may_be_and_what_is_asked_for_stays() {
        let kept = Kept::default();
        let quarter = BYTES_MAX / 4 - 200;
        kept.put(FIRST, answer(quarter));
        for number in 0..20_u8 {
            kept.put([number; 32], answer(quarter));
            assert!(kept.get(&FIRST).is_some(), "asked for each time");
            let held = kept.held();
            assert!(held.bytes <= BYTES_MAX);
            assert_eq!(held.bytes, held.answers.iter().map(|(_, answer)| weight(answer)).sum::<usize>());
        }
        assert_eq!(kept.held().answers.len(), 4);
        assert!(kept.get(&[0; 32]).is_none());
        kept.put(FIRST, answer(1));
        assert_eq!(kept.get(&FIRST).map(|answer| answer.bytes), Some(1));
        kept.put(LARGE, answer(BYTES_MAX / 2 + 1));
        assert!(kept.get(&LARGE).is_none());
    }
}
