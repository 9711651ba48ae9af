//! Budget: the memory that all peers together can make the process hold.
//! - Counted in KiB, by whoever holds; free again when its holder is dropped.
//! - Who finds no room is told at once. Whether to wait a while is the holder's, and bounded there: holders may wait for one
//!   another.

use std::sync::Arc;
use tokio::sync::Semaphore;

/// Room for bytes under way; cheap to clone, all clones share it.
#[derive(Debug, Clone)]
pub struct Budget {
    free_kib: Arc<Semaphore>,
}

/// The room is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory for what is under way is in use")]
pub struct Full;

/// What one holder holds of a budget.
#[derive(Debug)]
pub struct Share {
    free_kib: Arc<Semaphore>,
    kib: usize,
}

impl Budget {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { free_kib: Arc::new(Semaphore::new((bytes / 1024).min(Semaphore::MAX_PERMITS))) }
    }

    /// A holder that holds nothing yet.
    pub fn share(&self) -> Share {
        Share { free_kib: Arc::clone(&self.free_kib), kib: 0 }
    }
}

impl Share {
    /// Holds room for `bytes` in all from now on: more or less than before.
    ///
    /// # Errors
    /// [`Full`] where there is no room for more; what was held is held still.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        let kib = bytes.div_ceil(1024);
        if kib <= self.kib {
            self.free_kib.add_permits(self.kib - kib);
        } else {
            let wanted = u32::try_from(kib - self.kib).map_err(|_| Full)?;
            self.free_kib.try_acquire_many(wanted).map_err(|_| Full)?.forget();
        }
        self.kib = kib;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.free_kib.add_permits(self.kib);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_over_all_and_free_when_dropped() {
        let budget = Budget::new(8 * 1024);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert_eq!(one.hold(5 * 1024), Ok(()));
        assert_eq!(other.hold(3 * 1024), Ok(()));
        assert_eq!(other.hold(3 * 1024 + 1), Err(Full));
        assert_eq!(one.hold(4 * 1024), Ok(()), "less than before");
        assert_eq!(other.hold(4 * 1024), Ok(()));
        drop(one);
        assert_eq!(other.hold(8 * 1024), Ok(()));
        assert_eq!(other.hold(usize::MAX), Err(Full));
    }
}
