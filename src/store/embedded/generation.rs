//! Generation: the sealed part of a day, opened when a question first comes to it.
//! - All files of its events are checked whole on opening, Tantivy's too: it checks its checksums only when asked, and
//!   panics on what it did not write. What bends after that is the scrub's to find.
//! - A manifest that cannot be read, or a file that does not fit its checksum, is an error that names it.

use super::aside::is_damage;
use super::cache::Cache;
use super::error::{corrupt, engine, file_error};
use super::hashes::Hashes;
use super::index;
use super::items::{DayTable, Source};
use super::manifest::{Manifest, TableFacts};
use super::parts::{Folder, sealed_fields};
use super::segment::{Beside, Segment};
use super::through;
use crate::clock::Millis;
use crate::store::StoreError;
use crate::store::plan::{TimeKey, TimeRange};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::columnar::ColumnarReader;
use tantivy::directory::{Directory, FileSlice, MmapDirectory, OwnedBytes};

/// The sorted hashes of visitors.
pub const VISITORS: &str = "visitors.u64";
/// The sorted hashes of site and sender's id.
pub const IDS: &str = "ids.u64";
/// The table of visits, in a segment's folder.
pub const VISITS: &str = "visits.col";
/// Bytes of partial answers beside a sealed part, at the most: so many for each of its events (a quarter of what it takes
/// itself), and these for a small one.
const CACHE_BYTES_AN_EVENT: u64 = 10;
const CACHE_BYTES_LEAST: u64 = 1 << 20;
/// Numbers the parts as they are made or read.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A sealed part.
pub struct Generation {
    /// Its number.
    pub number: u32,
    /// Another one for each part, whatever it is called.
    pub serial: u64,
    /// Its folder.
    pub folder: Arc<Folder>,
    /// What it consists of.
    pub manifest: Manifest,
    /// Partial answers.
    pub cache: Cache,
    opened: Mutex<Option<Arc<Opened>>>,
}

/// An opened sealed part.
pub struct Opened {
    /// Its segments, in order of the day.
    pub segments: Vec<Arc<Segment>>,
    /// Sorted hashes of site and sender's id.
    pub ids: Hashes,
}

impl Generation {
    /// A part that was just written.
    pub fn new(number: u32, folder: Folder, manifest: Manifest) -> Self {
        let bytes_max = (manifest.events * CACHE_BYTES_AN_EVENT).max(CACHE_BYTES_LEAST);
        let cache = Cache::new(folder.path(), bytes_max);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, serial, folder: Arc::new(folder), manifest, cache, opened: Mutex::default() }
    }

    /// Reads a part's manifest.
    pub fn read(number: u32, folder: Folder) -> Result<Self, StoreError> {
        let manifest = Manifest::read(folder.path())?;
        Ok(Self::new(number, folder, manifest))
    }

    /// The first and last of its times; `None` if it has none.
    pub fn bounds(&self, key: TimeKey) -> Option<(Millis, Millis)> {
        match key {
            TimeKey::Timestamp => Some(self.manifest.times),
            TimeKey::VisitAt => self.manifest.visits,
        }
    }

    /// Whether no event of it lies in `range`.
    pub fn is_outside(&self, range: TimeRange) -> bool {
        let outside = |(least, most)| most < range.from || least >= range.to;
        self.bounds(range.key).is_none_or(outside)
    }

    /// Whether its events expired and nothing but their item table stayed.
    pub fn is_stripped(&self) -> bool {
        self.manifest.segments.is_empty()
    }

    /// Its item tables.
    pub fn tables(&self) -> Vec<DayTable> {
        let table = |table: &TableFacts| DayTable {
            source: Source { day: self.manifest.day, identity: table.identity },
            path: self.folder.path().join(&table.file),
        };
        self.manifest.tables.iter().map(table).collect()
    }

    /// Its segments.
    pub fn open(&self) -> Result<Arc<Opened>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let new = Arc::new(self.open_all()?);
        *opened = Some(new.clone());
        Ok(new)
    }

    /// Opens its events alone, for who needs no ids of it: they may be damaged.
    pub fn open_events(&self) -> Result<(), StoreError> {
        let opened = Opened { segments: self.open_segments()?, ids: Hashes::new(OwnedBytes::empty()) };
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(opened));
        Ok(())
    }

    fn open_all(&self) -> Result<Opened, StoreError> {
        if self.is_stripped() {
            return Ok(Opened { segments: Vec::new(), ids: Hashes::new(OwnedBytes::empty()) });
        }
        // The engine takes its files for what it wrote, and may panic where they are not.
        match self.scrub_events()?.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Opened { segments: self.open_segments()?, ids: Hashes::new(self.bytes(IDS)?) }),
        }
    }

    fn open_segments(&self) -> Result<Vec<Arc<Segment>>, StoreError> {
        if self.is_stripped() {
            return Ok(Vec::new());
        }
        let dir = self.folder.path();
        let visitors = Arc::new(Hashes::new(self.bytes(VISITORS)?));
        let mut segments = Vec::with_capacity(self.manifest.segments.len());
        for facts in &self.manifest.segments {
            let folder = dir.join(&facts.folder);
            let index = index::open(&folder, &sealed_fields())?;
            let visits = self.slice(&format!("{}/{VISITS}", facts.folder))?;
            let beside = Beside {
                scales: facts.scales.clone(),
                visits: ColumnarReader::open(visits).map_err(file_error("open visits of", &folder))?,
                visitors: visitors.clone(),
            };
            let found = index.searchable_segments().map_err(engine("list segments"))?;
            let segment = found.first().ok_or_else(|| corrupt(&folder, "it has no segment"))?;
            let opened = Segment::sealed(self.manifest.day, segment, beside)?;
            index::holds(segment, facts.events, &folder)?;
            index::holds(segment, opened.len(), &folder)?;
            segments.push(Arc::new(opened));
        }
        Ok(segments)
    }

    fn bytes(&self, name: &str) -> Result<OwnedBytes, StoreError> {
        self.slice(name)?.read_bytes().map_err(file_error("read", &self.folder.path().join(name)))
    }

    /// Reads all of it against its checksums; answers what is damaged.
    pub fn scrub(&self) -> Result<Vec<StoreError>, StoreError> {
        let mut damage = self.scrub_events()?;
        // Its manifest was read at the start, and may be damaged since.
        note(Manifest::read(self.folder.path()).map(drop), &mut damage)?;
        if !self.is_stripped() {
            note(self.bytes(IDS).map(drop), &mut damage)?;
        }
        for table in self.tables() {
            note(table.scrub(), &mut damage)?;
        }
        self.cache.scrub();
        Ok(damage)
    }

    /// The same of all that its events are read from.
    pub fn scrub_events(&self) -> Result<Vec<StoreError>, StoreError> {
        let mut damage = Vec::new();
        for facts in &self.manifest.segments {
            let folder = self.folder.path().join(&facts.folder);
            match index::open(&folder, &sealed_fields()) {
                Ok(index) => damage.extend(index::bent(&index, &folder)?),
                Err(error) => note(Err(error), &mut damage)?,
            }
            note(self.bytes(&format!("{}/{VISITS}", facts.folder)).map(drop), &mut damage)?;
        }
        if !self.is_stripped() {
            note(self.bytes(VISITORS).map(drop), &mut damage)?;
        }
        // Files that fit their checksums are opened: they may not fit each other.
        if damage.is_empty() {
            note(self.open_segments().map(drop), &mut damage)?;
        }
        Ok(damage)
    }

    /// A file of ours, its length and checksum checked, then mapped.
    fn slice(&self, name: &str) -> Result<FileSlice, StoreError> {
        let path = self.folder.path().join(name);
        if self.manifest.files.get(name) != Some(&through::read(&path)?) {
            return Err(corrupt(&path, "checksum mismatch"));
        }
        let (dir, file) = (path.parent().unwrap_or(&path), path.file_name().unwrap_or_default());
        let mapped = MmapDirectory::open(dir).map_err(engine("map folder"))?;
        mapped.open_read(Path::new(file)).map_err(engine("map file"))
    }
}

/// Notes a failure that tells of damage; any other is answered.
fn note(result: Result<(), StoreError>, damage: &mut Vec<StoreError>) -> Result<(), StoreError> {
    match result {
        Err(error) if is_damage(&error) => damage.push(error),
        other => other?,
    }
    Ok(())
}
