//! Lumberjack version 2, as Beats send: windows of events over TCP, each acknowledged once it is synced.
//! - What cannot be taken is not acknowledged: the connection is closed, and its sender sends it again.
//! - Absent: what frames look like (`decode`), who waits for whom (`talk`), what Logstash's formatters mean (`logstash`).

mod decode;
mod talk;

pub use decode::{Decoder, Numbered};

use super::{Broken, Intake, Protocol};
use crate::ingest::Item;
use crate::net::Connection;
use async_trait::async_trait;
use talk::{Bounds, Talk};

/// Events taken at once, or as many as a batch may have.
const PART_EVENTS_MAX: usize = 4_096;

/// The receiver.
#[derive(Debug)]
pub struct Lumberjack {
    intake: Intake,
}

impl Lumberjack {
    /// Takes what comes into this intake.
    pub fn new(intake: Intake) -> Self {
        Self { intake }
    }
}

#[async_trait]
impl Protocol for Lumberjack {
    async fn connection(&self, connection: Connection) -> Result<(), Broken> {
        let Connection { stream, stopping, .. } = connection;
        let (intake, parts) = (&self.intake, &self.intake.parts);
        let take = move |items: Vec<Item>| async move {
            let taken = intake.take(items).await;
            taken.map(drop).map_err(|error| Broken::new("unavailable", error.to_string()))
        };
        let events_max = PART_EVENTS_MAX.min(parts.batch_events_max);
        let bounds = Bounds { budget: parts.budget.clone(), limits: parts.limits.clone(), events_max };
        Talk::new(bounds, stream, take).run(stopping).await
    }
}
