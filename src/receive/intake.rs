//! Intake: a port's way into the write path.
//! - All that comes by a log receiver is told only by its events: no address, no user agent of the connection.
//! - Absent: what becomes of a receipt on the wire: each protocol's.

use super::{Counts, Parts};
use crate::clock::Millis;
use crate::error::Kind;
use crate::ingest::{IngestError, Item, Receipt};
use crate::net::Stopping;
use crate::normalize::{Receiver, Sender};
use std::sync::Arc;
use std::time::Duration;

/// The first wait after a refusal, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A port's way into the write path; cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    /// What all ports share.
    pub parts: Arc<Parts>,
    /// The site of events that name none.
    pub site: Option<String>,
    /// What is counted of this port.
    pub counts: Arc<Counts>,
}

impl Intake {
    /// Takes a batch of at most [`Parts::batch_events_max`] events. Returns once all that it accepts is synced.
    ///
    /// # Errors
    /// As [`crate::ingest::Ingest::take`]: nothing is acknowledged, the sender may send the same again.
    pub async fn take(&self, items: Vec<Item>) -> Result<Receipt, IngestError> {
        let receipt = self.parts.ingest.take(items, self.sender()).await?;
        self.counts.taken(&receipt);
        if let Some(first) = receipt.rejected.first() {
            let (receiver, rejected) = (self.counts.receiver(), receipt.rejected.len());
            tracing::debug!(receiver, rejected, first = first.message, "rejected part of a batch");
        }
        Ok(receipt)
    }

    /// Takes a batch of a sender that cannot be told no: holds it, and reads the batch again from its bytes and tries again
    /// until it is taken. `None` where the server stops before, or where the batch can never be taken: it is lost, and
    /// counted.
    pub async fn take_patiently(
        &self,
        mut read: impl FnMut() -> Vec<Item>,
        stopping: &mut Stopping,
    ) -> Option<Receipt> {
        let mut wait = WAITS.0;
        loop {
            let items = read();
            let events = items.len() as u64;
            let error = match self.take(items).await {
                Ok(receipt) => return Some(receipt),
                Err(error) => error,
            };
            let receiver = self.counts.receiver();
            if matches!(error.kind(), Kind::Invalid | Kind::Unsupported) {
                tracing::error!(receiver, events, %error, "events are lost: they cannot be taken, nor sent again");
                self.counts.lost("refused", events);
                return None;
            }
            if wait == WAITS.0 {
                tracing::warn!(receiver, %error, "events wait: they cannot be taken now");
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopping.wait() => {
                    tracing::warn!(receiver, events, "events are lost: the server stops and cannot take them");
                    self.counts.lost("stopped", events);
                    return None;
                }
            }
            wait = (2 * wait).min(WAITS.1);
        }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.parts.clock.now()
    }

    fn sender(&self) -> Sender<'_> {
        Sender { site: self.site.as_deref(), ..Sender::unknown(Receiver::Log, self.now()) }
    }
}
