//! The one thread that writes: group commit, and the way back after a failure.
//! - Whatever arrived while the last sync ran is one record and one sync (several past `record_bytes_max`, a sync each: a disk
//!   may write the second before the first, and a whole record behind a hole would be damage, not a torn tail).
//! - Callers that append again as soon as they are answered would fall into two groups that wait for each other's sync:
//!   after a group, its successor gets a moment to become as large (at most a quarter of the last commit, and 0.5 ms;
//!   measured by `benches/journal.rs` with 256 callers: 250 payloads a sync instead of 150).
//! - After a failed write or sync every caller is answered `Poisoned` until the log is reopened, tried with growing waits
//!   whether anybody appends or not. Releasing goes on: it may be what makes room.

use super::Options;
use super::error::JournalError;
use super::lock::Lock;
use super::log::Log;
use super::queue::{Queue, Request};
use super::record::{Encoder, LENGTH_BYTES};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A group smaller than this has no successor worth waiting for.
const GATHER_FROM: usize = 8;
const GATHER_WAIT_MAX: Duration = Duration::from_micros(500);

/// Starts the thread, which ends once `queue` is closed and empty, and then lets the lock go.
pub(super) fn start(
    log: Log,
    queue: Arc<Queue>,
    options: Options,
    lock: Option<Lock>,
) -> Result<JoinHandle<()>, JournalError> {
    let failed = |source| JournalError::io("start", &"the journal's writer", source);
    let encoder = Encoder::new(options.record_bytes_max).map_err(failed)?;
    let writer = Writer { log, queue: CloseAtEnd(queue), encoder, options, poison: None, release_before: 0 };
    let run = move || {
        // Declared in this order so that the lock goes last.
        let _held = lock;
        let mut writer = writer;
        writer.run();
    };
    Builder::new().name("journal".to_owned()).spawn(run).map_err(failed)
}

/// Closes the queue however the thread ends, so that nobody waits for an answer that cannot come.
struct CloseAtEnd(Arc<Queue>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
        drop(self.0.take(None));
    }
}

struct Writer {
    log: Log,
    queue: CloseAtEnd,
    encoder: Encoder,
    options: Options,
    poison: Option<Poison>,
    release_before: u64,
}

/// Why nothing is acknowledged, and when the log is tried again.
struct Poison {
    operation: &'static str,
    object: String,
    source: Arc<io::Error>,
    wait: Duration,
    next_try: Instant,
}

impl Poison {
    fn error(&self) -> JournalError {
        let Self { operation, object, source, .. } = self;
        JournalError::Poisoned { operation, object: object.clone(), source: Arc::clone(source) }
    }
}

impl Writer {
    fn run(&mut self) {
        loop {
            let work = self.queue.0.take(self.wait());
            self.release_before = self.release_before.max(work.release_before);
            match &self.poison {
                None => self.commit(work.requests),
                Some(poison) => work.requests.into_iter().for_each(|request| request.answer(Err(poison.error()))),
            }
            if work.closed {
                return;
            }
            // One at a time, so that appends never wait for the release of many.
            if !self.log.release_one(self.release_before) {
                self.release_before = 0;
            }
            self.heal();
        }
    }

    /// How long the thread may sleep.
    fn wait(&self) -> Option<Duration> {
        if self.log.can_release(self.release_before) {
            return Some(Duration::ZERO);
        }
        self.poison.as_ref().map(|poison| poison.next_try.saturating_duration_since(Instant::now()))
    }

    fn commit(&mut self, requests: Vec<Request>) {
        let taken = self.admit(requests);
        if taken.is_empty() {
            return;
        }
        let (first, count, started) = (self.log.end(), taken.len(), Instant::now());
        match self.write(&taken) {
            Ok(()) => {
                acknowledge(taken, first);
                if count >= GATHER_FROM {
                    self.queue.0.gather(count, (started.elapsed() / 4).min(GATHER_WAIT_MAX));
                }
            }
            Err(error) => self.poison_by(error, taken),
        }
    }

    /// The requests that have room on disk; the others are answered.
    fn admit(&self, requests: Vec<Request>) -> Vec<Request> {
        let mut taken = Vec::with_capacity(requests.len());
        let (mut held, limit) = (self.log.held_bytes(), self.options.bytes_max);
        for request in requests {
            let raw_bytes = request.batch.bytes() + request.batch.len() * LENGTH_BYTES;
            let bytes = self.log.bytes_needed(raw_bytes as u64);
            if held + bytes > limit {
                request.answer(Err(JournalError::Full { bytes, held, limit }));
            } else {
                held += bytes;
                taken.push(request);
            }
        }
        taken
    }

    fn write(&mut self, requests: &[Request]) -> Result<(), JournalError> {
        for payload in requests.iter().flat_map(|request| request.batch.iter()) {
            if !self.encoder.has_room_for(payload) {
                self.write_record()?;
            }
            self.encoder.push(payload);
        }
        self.write_record()
    }

    /// Writes what was gathered; synced when it returns.
    fn write_record(&mut self) -> Result<(), JournalError> {
        let record = self.encoder.record(self.log.end());
        self.log.write(&mut record.map_err(|source| JournalError::io("compress", &"a journal record", source))?)?;
        self.log.sync()
    }

    fn poison_by(&mut self, error: JournalError, requests: Vec<Request>) {
        let (operation, object, source) = match error {
            JournalError::Io { operation, object, source } => (operation, object, source),
            other => ("write", "the journal".to_owned(), Arc::new(io::Error::other(other))),
        };
        tracing::error!(operation, object, %source, "the journal is poisoned: nothing is acknowledged until it reopens");
        self.log.shared().set_poisoned(true);
        self.encoder.clear();
        let wait = self.options.reopen_wait;
        let poison = Poison { operation, object, source, wait, next_try: Instant::now() + wait };
        requests.into_iter().for_each(|request| request.answer(Err(poison.error())));
        self.poison = Some(poison);
        if let Err(error) = self.log.drop_unsynced() {
            log_failure(&error, "cutting what was not synced failed; tried again when reopening");
        }
    }

    /// Reopens a poisoned log when it is time.
    fn heal(&mut self) {
        let Some(poison) = self.poison.as_mut().filter(|poison| poison.next_try <= Instant::now()) else { return };
        match self.log.reopen() {
            Ok(()) => {
                tracing::info!(position = self.log.end(), "the journal has reopened itself");
                self.poison = None;
                self.log.shared().set_poisoned(false);
            }
            Err(error) => {
                poison.wait = (poison.wait * 2).min(self.options.reopen_wait_max);
                poison.next_try = Instant::now() + poison.wait;
                log_failure(&error, "reopening the journal failed; tried again later");
            }
        }
    }
}

/// Answers each request with the positions of its payloads, from `first` on.
fn acknowledge(requests: Vec<Request>, mut first: u64) {
    for request in requests {
        let end = first + request.batch.len() as u64;
        request.answer(Ok(first..end));
        first = end;
    }
}

fn log_failure(error: &JournalError, message: &str) {
    let source = error.source().map(tracing::field::display);
    tracing::warn!(%error, source, "{message}");
}
