//! Bodies: read whole, within bounds of size, pace and memory.
//! - The limit counts decompressed bytes; a body is refused before it is held.
//! - 30 s in all up to 1 MiB; above that, 32 KiB/s on average: a slow sender is cut off, a large honest one is not.
//! - All bodies under way share one budget; past it a sender is asked to come back (503).
//! - What is read out of a body takes several times its memory: few are worked on at once, the others wait their turn.
//! - A refused body is read on and thrown away for a while, so that the sender hears why.

use super::Problem;
use super::decode::{self, Coding, too_large};
use super::problem::Type;
use crate::net::{Budget, Share};
use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Coded bodies beyond this are decoded off the runtime's threads.
const INLINE_BYTES_MAX: usize = 16 * 1024;

/// How far past the limit a refused body is read on.
const DISCARD_FACTOR: usize = 4;

/// Bodies up to this need no turn: they are no burden, and must not wait behind those that are.
const SMALL_BYTES_MAX: usize = 4 * 1024;

/// The bounds of bodies.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// One body, decompressed.
    pub bytes_max: usize,
    /// All bodies under way.
    pub in_flight_bytes_max: usize,
    /// All bodies that are worked on.
    pub turn_bytes_max: usize,
    /// Time for the first [`BodyLimits::grace_bytes`].
    pub grace: Duration,
    /// Bytes that may take all of the grace.
    pub grace_bytes: usize,
    /// Pace of what comes beyond those, in bytes per second.
    pub pace_min: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes_max: 16 << 20,
            in_flight_bytes_max: 128 << 20,
            turn_bytes_max: 8 << 20,
            grace: Duration::from_secs(30),
            grace_bytes: 1 << 20,
            pace_min: 32 << 10,
        }
    }
}

impl BodyLimits {
    /// When a body of which `received` bytes are there must have sent its next one.
    fn deadline(&self, start: Instant, received: usize) -> Instant {
        let beyond = received.saturating_sub(self.grace_bytes) as u64;
        start + self.grace + Duration::from_millis(beyond * 1000 / self.pace_min.max(1) as u64)
    }
}

/// Reads bodies; one for the whole server, for they share its memory.
#[derive(Debug, Clone)]
pub struct Bodies {
    limits: BodyLimits,
    budget: Budget,
    turns_kib: Arc<Semaphore>,
}

/// A place among the bodies that are worked on; free again when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _kib: Option<OwnedSemaphorePermit>,
}

/// A body, decompressed; its share of the budget is free again when it is dropped.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    _held: Held,
}

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a body holds of the budget.
#[derive(Debug)]
pub(super) struct Held {
    share: Share,
    bytes: usize,
}

impl Held {
    /// Takes room for `bytes` more.
    pub(super) fn more(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes += bytes;
        self.share
            .hold(self.bytes)
            .map_err(|full| Problem::new(Type::Overloaded, format!("{full}; send it again in a moment")).closing())
    }
}

impl Bodies {
    /// A reader with these limits, and a budget of its own.
    pub fn new(limits: BodyLimits) -> Self {
        Self::within(limits, Budget::new(limits.in_flight_bytes_max))
    }

    /// A reader with these limits whose bodies share a budget with others.
    pub fn within(limits: BodyLimits, budget: Budget) -> Self {
        let turns = (limits.turn_bytes_max / 1024).min(Semaphore::MAX_PERMITS);
        Self { limits, budget, turns_kib: Arc::new(Semaphore::new(turns)) }
    }

    /// Waits until a body may be worked on, in order of asking. One larger than all turns together waits for all of them.
    pub async fn turn(&self, body: &Body) -> Result<Turn, Problem> {
        if body.len() <= SMALL_BYTES_MAX {
            return Ok(Turn { _kib: None });
        }
        let kib = body.len().min(self.limits.turn_bytes_max) / 1024;
        let turn = Arc::clone(&self.turns_kib).acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX)).await;
        let turn = turn.map_err(|_| Problem::new(Type::Internal, "no body is worked on any more"))?;
        Ok(Turn { _kib: Some(turn) })
    }

    /// Whether a body finds room that is as long as it says it is, or some where it does not say. One beyond the limit is
    /// refused by its reading.
    pub fn has_room(&self, headers: &HeaderMap) -> bool {
        let length = announced(headers).unwrap_or(1);
        length > self.limits.bytes_max || self.budget.share().hold(length).is_ok()
    }

    /// A holder of what is said of a body, out of the budget of bodies.
    pub fn share(&self) -> Share {
        self.budget.share()
    }

    /// The body of a request, whole and decompressed.
    pub async fn read(&self, headers: &HeaderMap, body: axum::body::Body) -> Result<Body, Problem> {
        let coding = decode::coding(headers)?;
        let mut held = Held { share: self.budget.share(), bytes: 0 };
        let bytes = self.collect(headers, body, &mut held).await?;
        if coding == Coding::Identity || bytes.is_empty() {
            return Ok(Body { bytes, _held: held });
        }
        let bytes_max = self.limits.bytes_max;
        if bytes.len() <= INLINE_BYTES_MAX {
            let bytes = decode::decode(coding, &bytes, bytes_max, &mut held)?.into();
            return Ok(Body { bytes, _held: held });
        }
        let decoding = tokio::task::spawn_blocking(move || {
            let bytes = decode::decode(coding, &bytes, bytes_max, &mut held)?.into();
            Ok(Body { bytes, _held: held })
        });
        decoding.await.unwrap_or_else(|_| Err(Problem::new(Type::Internal, "the body could not be decompressed")))
    }

    /// The bytes as they came.
    async fn collect(
        &self,
        headers: &HeaderMap,
        mut body: axum::body::Body,
        held: &mut Held,
    ) -> Result<Bytes, Problem> {
        let bytes_max = self.limits.bytes_max;
        let announced = announced(headers);
        let start = Instant::now();
        if announced.is_some_and(|length| length > bytes_max) {
            // A sender that waits for "100 Continue" hears it at once; others are heard out first.
            if !headers.contains_key(header::EXPECT) {
                self.discard(body, start, 0).await;
            }
            return Err(too_large(bytes_max).closing());
        }
        let mut first = Bytes::new();
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk(&mut body, start, first.len() + all.len()).await? {
            let received = first.len() + all.len() + chunk.len();
            if received > bytes_max {
                self.discard(body, start, received).await;
                return Err(too_large(bytes_max).closing());
            }
            held.more(chunk.len())?;
            if received == chunk.len() {
                first = chunk;
                continue;
            }
            if all.is_empty() {
                all.reserve(announced.unwrap_or(received));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(if all.is_empty() { first } else { all.into() })
    }

    /// The next bytes, never none of them; `None` at the end.
    async fn chunk(
        &self,
        body: &mut axum::body::Body,
        start: Instant,
        received: usize,
    ) -> Result<Option<Bytes>, Problem> {
        loop {
            let Ok(frame) = timeout_at(self.limits.deadline(start, received), body.frame()).await else {
                return Err(Problem::new(Type::Timeout, "the body came too slowly").closing());
            };
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Problem::new(Type::InvalidInput, "the body broke off").closing()),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                    _ => {}
                },
            }
        }
    }

    /// Reads on and forgets, so that a sender who does not listen while it sends hears the answer.
    async fn discard(&self, mut body: axum::body::Body, start: Instant, mut received: usize) {
        while let Ok(Some(bytes)) = self.chunk(&mut body, start, received).await {
            received += bytes.len();
            if received > self.limits.bytes_max.saturating_mul(DISCARD_FACTOR) {
                return;
            }
        }
    }
}

/// How long a body says it is.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
