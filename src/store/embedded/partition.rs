//! Partition: the open part of one day, as its owner writes it.
//! - Events wait as documents until there are enough for a writer, or until a commit.
//! - A commit carries the partition's own position and its keys: after a crash it passes over what it has.
//! - Few writers are open at once; closing one loses nothing that was committed.

use super::current::{META, open_dir, sync_dir};
use super::directory::Durable;
use super::document;
use super::error::{engine, file_error};
use super::index;
use super::keys::Columns;
use super::parts::{Folder, OpenPart, open_fields};
use super::payload::Payload;
use super::schema::settings;
use crate::event::Day;
use crate::store::{Entry, Position, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Index, IndexWriter, TantivyDocument};

/// Events that wait for a writer before one is opened.
const WAITING_MAX: usize = 1000;
/// Memory of a writer before it writes a segment out.
const WRITER_BYTES: usize = 64 << 20;
/// Segments of open parts are merged up to this size.
const MERGED_EVENTS_MAX: usize = 200_000;
/// So many small segments are merged into one.
const MERGED_SEGMENTS: usize = 8;

/// The open part of a day.
pub struct Partition {
    day: Day,
    dir: PathBuf,
    number: u32,
    folder: Arc<Folder>,
    index: Option<Index>,
    writer: Option<IndexWriter>,
    waiting: Vec<TantivyDocument>,
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
            index: None,
            writer: None,
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
        self.waiting.push(document::open(&open_fields(), &entry.event, entry.position));
        self.uncommitted += 1;
        self.end = entry.position + 1;
    }

    /// Whether enough waits for a writer.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// Hands what waits to the writer, opening one if there is none.
    pub fn drain(&mut self) -> Result<(), StoreError> {
        if self.writer.is_none() {
            self.writer = Some(open_writer(self.index()?)?);
        }
        if let Some(writer) = &self.writer {
            for document in self.waiting.drain(..) {
                writer.add_document(document).map_err(engine("add event"))?;
            }
        }
        Ok(())
    }

    /// Makes everything taken durable, and answers what readers see from now on.
    /// `promised` is the store's promise as it stands.
    pub fn commit(&mut self, before: Option<&OpenPart>, promised: Position) -> Result<OpenPart, StoreError> {
        self.drain()?;
        self.promised = promised;
        let payload = self.payload().write()?;
        if let Some(writer) = &mut self.writer {
            let mut prepared = writer.prepare_commit().map_err(engine("write segment"))?;
            prepared.set_payload(&payload);
            prepared.commit().map_err(engine("commit"))?;
        }
        self.uncommitted = 0;
        let (day, number, folder) = (self.day, self.number, self.folder.clone());
        let index = self.index()?;
        OpenPart::open(day, number, folder.clone(), index, &open_fields(), before)
    }

    /// Closes the writer; what was not committed is lost. Waits for merges, so that nothing writes any more.
    pub fn close(&mut self) -> Result<(), StoreError> {
        match self.writer.take() {
            Some(writer) => writer.wait_merging_threads().map_err(engine("close writer")),
            None => Ok(()),
        }
    }

    /// The part of the next number follows; everything taken must be committed.
    pub fn next(&mut self) -> Result<(), StoreError> {
        self.close()?;
        self.number += 1;
        self.folder = Arc::new(Folder::new(open_dir(&self.dir, self.number)));
        self.index = None;
        Ok(())
    }

    fn index(&mut self) -> Result<&Index, StoreError> {
        let index = match self.index.take() {
            Some(index) => index,
            None => open_index(&self.dir, self.folder.path())?,
        };
        Ok(self.index.insert(index))
    }
}

/// Opens the index of an open part, or makes it.
pub fn open_index(day: &Path, folder: &Path) -> Result<Index, StoreError> {
    if folder.join(META).exists() {
        return index::open(folder, &open_fields());
    }
    std::fs::create_dir_all(folder).map_err(file_error("create", folder))?;
    let directory = Durable::open(folder).map_err(engine("open folder"))?;
    let index = Index::create(directory, open_fields().schema.clone(), settings()).map_err(engine("create index"))?;
    sync_dir(day)?;
    if let Some(days) = day.parent() {
        sync_dir(days)?;
    }
    Ok(index)
}

fn open_writer(index: &Index) -> Result<IndexWriter, StoreError> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(WRITER_BYTES)
        .num_merge_threads(1)
        .build();
    let writer: IndexWriter = index.writer_with_options(options).map_err(engine("open writer"))?;
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(MERGED_SEGMENTS);
    policy.set_max_docs_before_merge(MERGED_EVENTS_MAX);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}
