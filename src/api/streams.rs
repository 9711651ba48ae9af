//! Streams: answers without a known end: how many there may be at once.
//! - An export or a watcher holds a place of its kind until its connection ends; past the bound it is refused (503).

use super::watch::Watches;
use crate::http::{Problem, Type};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// When a place is likely to be free again.
const RETRY_S: u32 = 30;

/// Bounds of the streams.
#[derive(Debug, Clone, Copy)]
pub struct StreamOptions {
    /// Exports at once.
    pub exports_max: usize,
    /// Watchers at once.
    pub watchers_max: usize,
    /// How often it is looked whether what somebody watches has changed.
    pub look_every: Duration,
    /// How long a watcher hears nothing at the most.
    pub heartbeat_every: Duration,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            exports_max: 4,
            watchers_max: 100,
            look_every: Duration::from_secs(1),
            heartbeat_every: Duration::from_secs(15),
        }
    }
}

/// The streams' places.
#[derive(Debug)]
pub struct Streams {
    exports: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
    pub(super) watches: Watches,
    pub(super) options: StreamOptions,
}

/// A stream's place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held, and dropped")] OwnedSemaphorePermit);

impl Streams {
    /// Within these bounds.
    pub fn new(options: StreamOptions) -> Self {
        let places = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            exports: places(options.exports_max),
            watchers: places(options.watchers_max),
            watches: Watches::default(),
            options,
        }
    }

    /// A place for an export.
    pub(super) fn export(&self) -> Result<Place, Problem> {
        place(&self.exports, "exports", "limits.exports_max", self.options.exports_max)
    }

    /// A place for a watcher.
    pub(super) fn watch(&self) -> Result<Place, Problem> {
        place(&self.watchers, "streams of /live", "limits.watchers_max", self.options.watchers_max)
    }
}

fn place(places: &Arc<Semaphore>, what: &str, key: &str, most: usize) -> Result<Place, Problem> {
    Arc::clone(places).try_acquire_owned().map(Place).map_err(|_| {
        let detail = format!("all {most} {what} ({key}) are taken; try again when one has ended");
        Problem::new(Type::Overloaded, detail).retry_after(RETRY_S)
    })
}
