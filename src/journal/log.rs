//! The segments of a folder, as the one thread that writes sees them.
//! - A record lies in one segment. A segment is synced before the next one is made, and the next one's name is synced
//!   before anything in it counts.
//! - What is written counts (for readers, for `held_bytes`' release) only once `sync` has returned.
//! - After an error from `write` or `sync` the log is only good for `drop_unsynced`,
//!   `release_one` and `reopen`.

use super::error::JournalError;
use super::files::{File, Files};
use super::frame::bytes_bound;
use super::record::Record;
use super::recovery::{self, Found, Recovery};
use super::segment;
use super::shared::{Shared, Span};
use super::{Options, aside};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Bytes written, synced and cut again to see whether a folder takes writes.
const PROBE_BYTES: usize = 64 << 10;

/// The log of a folder.
#[derive(Debug)]
pub(super) struct Log {
    shared: Arc<Shared>,
    options: Options,
    newest: Newest,
    /// Bytes of all segments, synced or not.
    held_bytes: u64,
}

/// The segment that is written.
#[derive(Debug)]
struct Newest {
    file: Box<dyn File>,
    name: String,
    bytes: u64,
    /// The position past its last record.
    end: u64,
    synced_bytes: u64,
}

impl Newest {
    /// An empty segment whose first position is `first`; its name is durable.
    fn create(files: &dyn Files, first: u64) -> Result<Self, JournalError> {
        let name = segment::name(first);
        let failed = |source| JournalError::io("create segment", &name, source);
        let file = files.create(&name).map_err(failed)?;
        files.sync_folder().map_err(failed)?;
        Ok(Self { file, name, bytes: 0, end: first, synced_bytes: 0 })
    }

    /// The same, once a write and a sync went well, in place of a segment of that name that holds nothing acknowledged.
    fn create_proven(files: &dyn Files, first: u64) -> Result<Self, JournalError> {
        let name = segment::name(first);
        let failed = |source| JournalError::io("create segment", &name, source);
        let trying = format!("{name}.new");
        let file = aside::create_anew(files, &trying).map_err(failed)?;
        file.append(&[0; PROBE_BYTES], 0).map_err(failed)?;
        file.sync().map_err(failed)?;
        file.cut(0).map_err(failed)?;
        file.sync().map_err(failed)?;
        files.rename(&trying, &name).map_err(failed)?;
        files.sync_folder().map_err(failed)?;
        Ok(Self { file, name, bytes: 0, end: first, synced_bytes: 0 })
    }
}

impl Log {
    /// Opens the folder's log and makes what it found durable.
    pub(super) fn open(files: Arc<dyn Files>, options: &Options) -> Result<(Self, Recovery), JournalError> {
        let Found { mut report, mut spans, newest } = recovery::recover(&*files, options)?;
        let newest = match (newest, spans.back()) {
            (Some(walk), Some(span)) => {
                let (name, bytes, end) = (segment::name(span.first), span.bytes, report.end);
                let file = walk.into_file();
                file.sync().map_err(|source| JournalError::io("sync segment", &name, source))?;
                Newest { file, name, bytes, end, synced_bytes: bytes }
            }
            _ => {
                spans.push_back(Span { first: report.end, bytes: 0 });
                report.segments = spans.len();
                Newest::create(&*files, report.end)?
            }
        };
        let held_bytes = spans.iter().map(|span| span.bytes).sum();
        let shared = Arc::new(Shared::new(files, spans, report.end));
        Ok((Self { shared, options: options.clone(), newest, held_bytes }, report))
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The next position.
    pub(super) fn end(&self) -> u64 {
        self.newest.end
    }

    /// Bytes of all segments.
    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Writes a record that begins at `end()`.
    pub(super) fn write(&mut self, record: &mut Record) -> Result<(), JournalError> {
        let full = self.newest.bytes + record.len() > self.options.segment_bytes_max;
        if full && self.newest.bytes > 0 {
            self.roll()?;
        }
        let newest = &mut self.newest;
        let written = newest.file.append(record.placed_at(newest.bytes), newest.bytes);
        written.map_err(|source| JournalError::io("write segment", &newest.name, source))?;
        newest.bytes += record.len();
        newest.end = record.end();
        self.held_bytes += record.len();
        Ok(())
    }

    /// Makes everything written durable, and tells it.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        let newest = &mut self.newest;
        if newest.synced_bytes == newest.bytes {
            return Ok(());
        }
        let started = Instant::now();
        newest.file.sync().map_err(|source| JournalError::io("sync segment", &newest.name, source))?;
        newest.synced_bytes = newest.bytes;
        self.shared.publish(newest.bytes, newest.end, started.elapsed());
        Ok(())
    }

    fn roll(&mut self) -> Result<(), JournalError> {
        self.sync()?;
        self.newest = Newest::create(&*self.shared.files, self.newest.end)?;
        self.shared.spans().push_back(Span { first: self.newest.end, bytes: 0 });
        Ok(())
    }

    /// Unlinks the oldest segment when all its positions are before `before`; whether it did. A failure is logged, and
    /// the segment stays.
    pub(super) fn release_one(&mut self, before: u64) -> bool {
        let oldest = {
            let mut spans = self.shared.spans();
            match (spans.front().copied(), spans.get(1)) {
                (Some(oldest), Some(next)) if next.first <= before => {
                    spans.pop_front();
                    oldest
                }
                _ => return false,
            }
        };
        let name = segment::name(oldest.first);
        if let Err(error) = self.shared.files.unlink(&name) {
            tracing::warn!(segment = name, %error, "releasing a journal segment failed");
            self.shared.spans().push_front(oldest);
            return false;
        }
        self.held_bytes -= oldest.bytes;
        // Each time, so that a power loss never brings back an older segment without the newer ones.
        if let Err(error) = self.shared.files.sync_folder() {
            tracing::warn!(segment = name, %error, "a power loss may bring a released journal segment back");
        }
        true
    }

    /// Whether `release_one` has something to do.
    pub(super) fn can_release(&self, before: u64) -> bool {
        self.shared.spans().get(1).is_some_and(|next| next.first <= before)
    }

    /// Cuts what was written and not synced. After a failed sync the page cache may hold what the disk does not: a
    /// process that starts later must not take it for stored.
    pub(super) fn drop_unsynced(&mut self) -> Result<(), JournalError> {
        let newest = &self.newest;
        match self.shared.files.open(&newest.name).and_then(|file| file.cut(newest.synced_bytes)) {
            // A reopening before this one has set it aside.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            cut => cut.map_err(|source| JournalError::io("cut segment", &newest.name, source)),
        }
    }

    /// Reads the folder again after a failure and goes on in a fresh segment, where the last acknowledged one ended.
    pub(super) fn reopen(&mut self) -> Result<(), JournalError> {
        let synced = self.shared.synced();
        let files = Arc::clone(&self.shared.files);
        self.drop_unsynced()?;
        let found = recovery::recover(&*files, &self.options)?;
        if found.report.end < synced {
            tracing::error!(from = found.report.end, to = synced, "acknowledged positions are gone from the journal");
        }
        let newest = Newest::create_proven(&*files, synced)?;
        let mut spans = found.spans;
        spans.retain(|span| span.first < synced);
        spans.push_back(Span { first: synced, bytes: 0 });
        self.held_bytes = spans.iter().map(|span| span.bytes).sum();
        *self.shared.spans() = spans;
        self.newest = newest;
        Ok(())
    }

    /// The most bytes that payloads of `raw_bytes` may take on disk.
    pub(super) fn bytes_needed(&self, raw_bytes: u64) -> u64 {
        let records = raw_bytes / self.options.record_bytes_max as u64 + 1;
        bytes_bound(raw_bytes) + records * bytes_bound(0)
    }
}
