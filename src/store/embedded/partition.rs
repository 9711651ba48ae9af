//! Partition: the open part of one day, as its owner writes it.
//! - Events wait until there are enough to be worth rows of their own, or until a commit; a commit is a columnar file.
//! - A commit carries the partition's own position and its keys: after a crash it passes over what it has.
//! - Few partitions have rows at once; closing one loses nothing that was committed.

use super::committed::{self, Committed};
use super::current::open_dir;
use super::error::io_error;
use super::keys::Columns;
use super::parts::{Folder, OpenPart};
use super::payload::Payload;
use super::rows::{self, Rows};
use crate::event::Day;
use crate::store::{Entry, Position, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Events that wait before they become rows.
const WAITING_MAX: usize = 1000;
/// Memory of rows before they are committed.
const ROWS_BYTES_MAX: usize = 64 << 20;

/// The open part of a day.
pub struct Partition {
    day: Day,
    dir: PathBuf,
    number: u32,
    folder: Arc<Folder>,
    /// What is on disk, once it was asked for.
    committed: Option<Committed>,
    rows: Option<Rows>,
    waiting: Vec<Entry>,
    uncommitted: u64,
    /// Everything before it is here, committed or not.
    end: Position,
    promised: Position,
    keys: Columns,
}

impl Partition {
    /// The open part of this number, whether it is there yet or not; `held` is what earlier parts promise.
    pub fn new(day: Day, dir: PathBuf, number: u32, held: Payload) -> Self {
        let folder = Arc::new(Folder::new(open_dir(&dir, number)));
        Self {
            day,
            dir,
            number,
            folder,
            committed: None,
            rows: None,
            waiting: Vec::new(),
            uncommitted: 0,
            end: held.end,
            promised: held.promised,
            keys: held.keys,
        }
    }

    /// The number of the open part that is written.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The day's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Events taken and not yet committed.
    pub fn uncommitted(&self) -> u64 {
        self.uncommitted
    }

    /// What it promises once committed.
    pub fn payload(&self) -> Payload {
        Payload { end: self.end, promised: self.promised, keys: self.keys.clone() }
    }

    /// Whether it already has an entry of this position.
    pub fn has(&self, position: Position) -> bool {
        position < self.end
    }

    /// Takes an entry that it does not have.
    pub fn take(&mut self, mut entry: Entry) {
        self.keys.admit(&mut entry.event);
        self.uncommitted += 1;
        self.end = entry.position + 1;
        self.waiting.push(entry);
    }

    /// Whether enough waits to become rows.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// Makes rows of what waits; whether they are so many that they should be committed.
    pub fn drain(&mut self) -> bool {
        let rows = self.rows.get_or_insert_default();
        self.waiting.drain(..).for_each(|entry| rows.add(&entry.event, entry.position));
        rows.memory() >= ROWS_BYTES_MAX
    }

    /// Makes everything taken durable, and answers what readers see from now on.
    /// `promised` is the store's promise as it stands.
    pub fn commit(&mut self, before: Option<&OpenPart>, promised: Position) -> Result<OpenPart, StoreError> {
        self.drain();
        self.promised = promised;
        let folder = self.folder.clone();
        let mut committed = self.committed()?.clone();
        committed.payload = self.payload();
        if let Some(rows) = self.rows.take_if(|rows| rows.len() > 0) {
            let (events, at) = (rows.len(), committed.files.len());
            let bytes = rows.finish().map_err(io_error("write columns of", self.day))?;
            committed.put(folder.path(), events, &bytes, at..at)?;
        }
        let mut part = self.opened(&committed, before)?;
        while let Some(range) = committed.to_merge() {
            let files: Vec<_> = part.segments[range.clone()].iter().map(|segment| segment.columnar()).collect();
            let events = part.segments[range.clone()].iter().map(|segment| segment.len()).sum();
            let bytes = rows::merge(&files).map_err(io_error("merge columns of", self.day))?;
            committed.put(folder.path(), events, &bytes, range)?;
            part = self.opened(&committed, Some(&part))?;
        }
        committed.write(folder.path())?;
        self.committed = Some(committed);
        self.uncommitted = 0;
        Ok(part)
    }

    /// Closes it; what was not committed is lost.
    pub fn close(&mut self) {
        self.rows = None;
    }

    /// The part of the next number follows; everything taken must be committed.
    pub fn next(&mut self) {
        self.close();
        self.number += 1;
        self.folder = Arc::new(Folder::new(open_dir(&self.dir, self.number)));
        self.committed = None;
    }

    fn opened(&self, committed: &Committed, before: Option<&OpenPart>) -> Result<OpenPart, StoreError> {
        OpenPart::open(self.day, self.number, self.folder.clone(), committed, before)
    }

    fn committed(&mut self) -> Result<&Committed, StoreError> {
        let committed = match self.committed.take() {
            Some(committed) => committed,
            None if committed::is_begun(self.folder.path()) => Committed::read(self.folder.path())?,
            None => committed::begin(&self.dir, self.folder.path())?,
        };
        Ok(self.committed.insert(committed))
    }
}
