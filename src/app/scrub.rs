//! Scrub: every checksum of journal and store read once a day, beside everything else.
//! - When it was last done stands in a file of the data folder, so that a server that is often started again scrubs too.
//! - What is damaged is set aside by the store, logged, and told by `/ready` and `/metrics`.

use super::House;
use crate::api;
use crate::clock::Millis;
use crate::jobs::registry::Progress;
use crate::jobs::verify::{Pace, verify};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether one is due; the first time so long after a start.
const LOOK_EVERY: Duration = Duration::from_secs(300);
const NAME: &str = "scrubbed";

/// What scrubs did, for `/metrics`.
pub(super) type Scrubbed = Arc<Mutex<api::Scrub>>;

impl House {
    /// Scrubs when it is due until the house is closed.
    pub(super) fn scrubbing(&self, mut stopped: watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
        let (journal, store, clock) = (self.journal.clone(), self.store.clone(), self.clock.clone());
        let (noted, every) = (self.config.data_dir.join(NAME), self.config.store.scrub_every);
        let scrubbed = Arc::clone(&self.scrubbed);
        let scrub = async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if !is_due(last(&noted), clock.now(), every) {
                    continue;
                }
                match verify(&journal, &*store, &[], false, Pace::Gentle, &Progress::default()).await {
                    Ok(found) => note(&noted, clock.now(), found.damaged.len(), &scrubbed),
                    Err(error) => tracing::error!(%error, "checksums cannot be read"),
                }
            }
        };
        async move {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = scrub => {}
            }
        }
    }
}

fn note(noted: &Path, now: Millis, damaged: usize, scrubbed: &Scrubbed) {
    match damaged {
        0 => tracing::info!("every checksum was read: all is sound"),
        _ => tracing::error!(damaged, "every checksum was read: parts are damaged; metronome verify --repair"),
    }
    // Without it the next one comes sooner.
    if let Err(error) = std::fs::write(noted, now.to_string()) {
        tracing::warn!(%error, "when checksums were read could not be noted");
    }
    let mut scrubbed = scrubbed.lock().unwrap_or_else(PoisonError::into_inner);
    scrubbed.runs += 1;
    scrubbed.last_s = u64::try_from(now / 1000).unwrap_or_default();
    scrubbed.damaged = damaged as u64;
}

fn last(noted: &PathBuf) -> Option<Millis> {
    std::fs::read_to_string(noted).ok()?.trim().parse().ok()
}

/// A time that lies ahead, or is none, says nothing.
fn is_due(last: Option<Millis>, now: Millis, every: Duration) -> bool {
    last.is_none_or(|last| last > now || now.saturating_sub(last) as u128 >= every.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrub_is_due_once_in_its_time_and_whenever_nothing_is_known() {
        let every = Duration::from_secs(3600);
        let rows = [(None, true), (Some(0), true), (Some(1), false), (Some(3_600_001), true)];
        for (last, due) in rows {
            assert_eq!(is_due(last, 3_600_000, every), due, "{last:?}");
        }
        let dir = tempfile::tempdir().expect("folder");
        let (path, scrubbed) = (dir.path().join(NAME), Scrubbed::default());
        note(&path, 7_000, 2, &scrubbed);
        assert_eq!(last(&path), Some(7_000));
        std::fs::write(&path, "7\u{fffd}").expect("file");
        assert_eq!(last(&path), None);
        let told = scrubbed.lock().expect("no panic");
        assert_eq!((told.runs, told.last_s, told.damaged), (1, 7, 2));
    }
}
