//! Seal: a day written again in its own order, its increments derived anew, beside the parts it will take the place of.
//! - Two threads: one reads the day in order, a few batches ahead; one derives and writes.
//! - Nothing counts until `owner` swaps `CURRENT`; what was cut short is removed at the next start.
//! - Memory is bounded by a segment: the order of the day and its visitors are held whole, events a batch at a time.
//! - All files and folders are synced when it returns.

use super::current::{generation_dir, sync_dir};
use super::document::{Ordinals, sealed};
use super::error::{engine, file_error};
use super::expire::carry_over;
use super::generation::{Generation, IDS, VISITORS, VISITS};
use super::hashes;
use super::ids::hash_of;
use super::items::Builder;
use super::manifest::{Manifest, SegmentFacts, TableFacts};
use super::owner::Frozen;
use super::parts::{Folder, sealed_fields};
use super::ranges::cut;
use super::scan::{BATCH, Ordered};
use super::schema::settings;
use super::texts::Texts;
use super::visits_table::VisitsTable;
use super::{filter, scales};
use crate::event::{Event, Key, Known};
use crate::store::plan::{Filter, TimeKey, TimeRange};
use crate::store::{Derive, StoreError};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tantivy::directory::{Directory, MmapDirectory, TerminatingWrite};
use tantivy::index::SegmentComponent;
use tantivy::{Index, SingleSegmentIndexWriter};

/// The item table, in a sealed part.
pub const ITEMS: &str = "items.tbl";
/// Memory of an item table while it is made.
pub const ITEMS_BYTES_MAX: usize = 32 << 20;
/// Batches read ahead of the writing.
const AHEAD: usize = 2;
/// Memory that the engine is told it may use; it ignores it, the size of segments bounds it.
const WRITER_BYTES: usize = 64 << 20;

/// Writes the sealed part of a day.
pub fn seal(frozen: &Frozen, segment_events_max: usize, derive: &mut Derive) -> Result<Generation, StoreError> {
    let dir = begin_part(frozen)?;
    let all = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };
    let ordered = Ordered::of(&frozen.view, &filter::compile(&Filter::All)?, all)?;
    let ranges = cut(ordered.spots(), segment_events_max);
    let mut sealing = Sealing::new(frozen, &dir, &ordered)?;
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(AHEAD);
        let (ordered, ranges) = (&ordered, &ranges);
        scope.spawn(move || read_ahead(ordered, ranges, &sender));
        ranges.iter().enumerate().try_for_each(|(number, range)| sealing.segment(number, range.len(), &batches, derive))
    })?;
    let manifest = sealing.finish()?;
    sync_dir(&frozen.dir)?;
    Ok(Generation::new(frozen.generation, Folder::new(dir), manifest))
}

/// Sends the events of all ranges, batch by batch, until there are no more, or nobody wants them.
fn read_ahead(ordered: &Ordered, ranges: &[Range<usize>], batches: &SyncSender<Result<Vec<Event>, StoreError>>) {
    let mut texts = Texts::default();
    for range in ranges {
        let mut from = range.start;
        while from < range.end {
            let to = ordered.batch_end(from, BATCH).min(range.end);
            let events = ordered.events(from..to, None, &mut texts);
            let is_end = events.is_err();
            if batches.send(events).is_err() || is_end {
                return;
            }
            from = to;
        }
    }
}

/// Makes the empty folder of the part that is to be; what an earlier try left there is removed.
pub fn begin_part(frozen: &Frozen) -> Result<PathBuf, StoreError> {
    let dir = generation_dir(&frozen.dir, frozen.generation);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(file_error("remove", &dir))?;
    }
    std::fs::create_dir(&dir).map_err(file_error("create", &dir))?;
    Ok(dir)
}

/// A sealed part in the making.
struct Sealing<'a> {
    dir: &'a Path,
    scales: BTreeMap<String, u8>,
    manifest: Manifest,
    visitors: Vec<u64>,
    ids: Vec<u64>,
    items: Builder,
}

impl<'a> Sealing<'a> {
    fn new(frozen: &Frozen, dir: &'a Path, ordered: &Ordered) -> Result<Self, StoreError> {
        let mut manifest = Manifest::new(frozen.view.day);
        manifest.set_promise(&frozen.payload);
        manifest.absorbed = frozen.view.open.iter().map(|part| part.number).collect();
        carry_over(&frozen.view, dir, &mut manifest)?;
        Ok(Self {
            dir,
            scales: scales::of(ordered.segments())?,
            manifest,
            visitors: Vec::new(),
            ids: Vec::new(),
            items: Builder::new(&dir.join(ITEMS), ITEMS_BYTES_MAX),
        })
    }

    /// Writes one segment of so many events, a batch at a time.
    fn segment(
        &mut self,
        number: usize,
        events: usize,
        batches: &Receiver<Result<Vec<Event>, StoreError>>,
        derive: &mut Derive,
    ) -> Result<(), StoreError> {
        let name = number.to_string();
        let folder = self.dir.join(&name);
        std::fs::create_dir(&folder).map_err(file_error("create", &folder))?;
        let directory = MmapDirectory::open(&folder).map_err(engine("open folder"))?;
        let builder = Index::builder().schema(sealed_fields().schema.clone()).settings(settings());
        let mut writer: SingleSegmentIndexWriter =
            builder.single_segment_index_writer(directory, WRITER_BYTES).map_err(engine("begin sealed segment"))?;
        let mut visits = VisitsTable::default();
        let mut left = events;
        while left > 0 {
            let batch = batches.recv().map_err(|_| StoreError::Stopped)??;
            left -= batch.len();
            for mut event in batch {
                derive(&mut event);
                self.note(&event)?;
                let ordinals = Ordinals { visitor: self.visitor(&event), visit: visits.row(&event) };
                let scale = |key: &Key| self.scales.get(key.name()).copied();
                let document = sealed(&sealed_fields(), &event, ordinals, &scale);
                writer.add_document(document).map_err(engine("add event"))?;
            }
        }
        let index = writer.finalize().map_err(engine("write sealed segment"))?;
        drop_store(&index, &folder)?;
        let visits = visits.finish().map_err(file_error("write visits of", &folder))?;
        self.file(format!("{name}/{VISITS}"), &visits)?;
        sync_dir(&folder)?;
        let facts = SegmentFacts { folder: name, events: events as u32, scales: self.scales.clone() }; // cut by `ranges`
        self.manifest.segments.push(facts);
        Ok(())
    }

    /// Takes in what the whole part needs of an event.
    fn note(&mut self, event: &Event) -> Result<(), StoreError> {
        let manifest = &mut self.manifest;
        manifest.events += 1;
        manifest.times = (manifest.times.0.min(event.at()), manifest.times.1.max(event.at()));
        if let Some(at) = event.int(Known::VisitAt) {
            let (least, most) = manifest.visits.unwrap_or((at, at));
            manifest.visits = Some((least.min(at), most.max(at)));
        }
        if let Some(id) = event.text(Known::EventId) {
            self.ids.push(hash_of(event.site(), id));
        }
        self.items.add(event)
    }

    /// The ordinal of the event's visitor: events come visitor by visitor.
    fn visitor(&mut self, event: &Event) -> Option<u64> {
        let visitor = event.hash(Known::Visitor)?;
        if self.visitors.last() != Some(&visitor) {
            self.visitors.push(visitor);
        }
        Some(self.visitors.len() as u64 - 1)
    }

    fn finish(mut self) -> Result<Manifest, StoreError> {
        self.ids.sort_unstable();
        self.ids.dedup();
        for (name, numbers) in [(VISITORS, std::mem::take(&mut self.visitors)), (IDS, std::mem::take(&mut self.ids))] {
            let mut bytes = Vec::with_capacity(numbers.len() * 8);
            hashes::write(&mut bytes, &numbers).map_err(file_error("write", self.dir))?;
            self.file(name.to_owned(), &bytes)?;
        }
        let identity = self.items.finish()?.identity;
        self.manifest.tables.push(TableFacts { file: ITEMS.to_owned(), identity });
        sync_dir(self.dir)?;
        self.manifest.write(self.dir)?;
        Ok(self.manifest)
    }

    /// Writes a file of ours, synced, and notes it in the manifest.
    fn file(&mut self, name: String, bytes: &[u8]) -> Result<(), StoreError> {
        let path: PathBuf = self.dir.join(&name);
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(file_error("write", &path))?;
        self.manifest.files.insert(name, (bytes.len() as u64, crc32c::crc32c(bytes)));
        Ok(())
    }
}

/// Nothing is stored, so the store of documents, which costs a few bytes each all the same, gives way to an empty one.
fn drop_store(index: &Index, folder: &Path) -> Result<(), StoreError> {
    for segment in index.searchable_segments().map_err(engine("list segments"))? {
        let path = segment.relative_path(SegmentComponent::Store);
        index.directory().delete(&path).map_err(engine("drop empty store"))?;
        let stub = index.directory().open_write(&path).map_err(engine("write stub"))?;
        stub.terminate().map_err(file_error("write stub in", folder))?;
    }
    Ok(())
}
