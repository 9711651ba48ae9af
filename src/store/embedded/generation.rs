//! Generation: the sealed part of a day, opened when a question first comes to it.
//! - Our own files are checked whole on opening, Tantivy's by a scrub: it checks its checksums only when asked.
//! - A damaged part keeps no server from starting, and is never passed over in silence.

use super::cache::Cache;
use super::error::{corrupt, engine, file_error};
use super::hashes::Hashes;
use super::items::{DayTable, Source};
use super::manifest::{Manifest, TableFacts};
use super::parts::{Folder, sealed_fields};
use super::scrub::bent;
use super::segment::{Beside, Segment};
use crate::clock::Millis;
use crate::event::Day;
use crate::store::StoreError;
use crate::store::plan::{TimeKey, TimeRange};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::Index;
use tantivy::columnar::ColumnarReader;
use tantivy::directory::{Directory, FileSlice, MmapDirectory, OwnedBytes};
use tracing::error;

/// The sorted hashes of visitors.
pub const VISITORS: &str = "visitors.u64";
/// The sorted hashes of site and sender's id.
pub const IDS: &str = "ids.u64";
/// The table of visits, in a segment's folder.
pub const VISITS: &str = "visits.col";
/// Bytes of partial answers beside a sealed part.
const CACHE_BYTES_MAX: u64 = 1 << 20;

/// A sealed part.
pub struct Generation {
    /// Its number.
    pub number: u32,
    /// Its folder.
    pub folder: Arc<Folder>,
    /// What it consists of.
    pub manifest: Manifest,
    /// Partial answers.
    pub cache: Cache,
    damage: Option<(String, String)>,
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
        let cache = Cache::new(folder.path(), CACHE_BYTES_MAX);
        Self { number, folder: Arc::new(folder), manifest, cache, damage: None, opened: Mutex::default() }
    }

    /// Reads a part's manifest. A damaged one is kept as what it is: every question that comes to it is told.
    pub fn read(day: Day, number: u32, folder: Folder) -> Result<Self, StoreError> {
        match Manifest::read(folder.path()) {
            Ok(manifest) => Ok(Self::new(number, folder, manifest)),
            Err(StoreError::Corrupt { object, why }) => {
                error!(%day, object, why, "a sealed day is damaged");
                let part = Self::new(number, folder, Manifest::new(day));
                Ok(Self { damage: Some((object, why)), ..part })
            }
            Err(error) => Err(error),
        }
    }

    /// The first and last of its times; `None` if it has none.
    pub fn bounds(&self, key: TimeKey) -> Option<(Millis, Millis)> {
        match key {
            TimeKey::Timestamp => Some(self.manifest.times),
            TimeKey::VisitAt => self.manifest.visits,
        }
    }

    /// Whether no event of it lies in `range`; a damaged part may have some anywhere.
    pub fn is_outside(&self, range: TimeRange) -> bool {
        let outside = |(least, most)| most < range.from || least >= range.to;
        self.damage.is_none() && self.bounds(range.key).is_none_or(outside)
    }

    /// Whether its events expired and nothing but their item table stayed.
    pub fn is_stripped(&self) -> bool {
        self.damage.is_none() && self.manifest.segments.is_empty()
    }

    /// Its item tables.
    pub fn tables(&self) -> Result<Vec<DayTable>, StoreError> {
        self.whole()?;
        let table = |table: &TableFacts| DayTable {
            source: Source { day: self.manifest.day, identity: table.identity },
            path: self.folder.path().join(&table.file),
        };
        Ok(self.manifest.tables.iter().map(table).collect())
    }

    fn whole(&self) -> Result<(), StoreError> {
        match &self.damage {
            Some((object, why)) => Err(StoreError::Corrupt { object: object.clone(), why: why.clone() }),
            None => Ok(()),
        }
    }

    /// Its segments.
    pub fn open(&self) -> Result<Arc<Opened>, StoreError> {
        self.whole()?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let new = Arc::new(self.open_all()?);
        *opened = Some(new.clone());
        Ok(new)
    }

    fn open_all(&self) -> Result<Opened, StoreError> {
        if self.is_stripped() {
            return Ok(Opened { segments: Vec::new(), ids: Hashes::new(OwnedBytes::empty()) });
        }
        let dir = self.folder.path();
        let visitors = Arc::new(Hashes::new(self.bytes(VISITORS)?));
        let mut segments = Vec::with_capacity(self.manifest.segments.len());
        for facts in &self.manifest.segments {
            let folder = dir.join(&facts.folder);
            let index = Index::open_in_dir(&folder).map_err(engine("open sealed segment"))?;
            let fields = sealed_fields();
            let visits = self.slice(&format!("{}/{VISITS}", facts.folder))?;
            let beside = Beside {
                scales: facts.scales.clone(),
                visits: ColumnarReader::open(visits).map_err(file_error("open visits of", &folder))?,
                visitors: visitors.clone(),
            };
            let found = index.searchable_segments().map_err(engine("list segments"))?;
            let segment = found.first().ok_or_else(|| corrupt(&folder, "it has no segment"))?;
            segments.push(Arc::new(Segment::open(self.manifest.day, segment, fields, Some(beside))?));
        }
        Ok(Opened { segments, ids: Hashes::new(self.bytes(IDS)?) })
    }

    fn bytes(&self, name: &str) -> Result<OwnedBytes, StoreError> {
        self.slice(name)?.read_bytes().map_err(file_error("read", &self.folder.path().join(name)))
    }

    /// Reads all of it against its checksums; answers what is damaged.
    pub fn scrub(&self) -> Result<Vec<StoreError>, StoreError> {
        let mut damage: Vec<StoreError> = Vec::new();
        if let Err(error) = self.open() {
            damage.push(error);
            return Ok(damage);
        }
        for facts in &self.manifest.segments {
            let folder = self.folder.path().join(&facts.folder);
            let index = Index::open_in_dir(&folder).map_err(engine("open sealed segment"))?;
            damage.extend(bent(&index, &folder)?);
        }
        damage.extend(self.tables()?.iter().filter_map(|table| table.scrub().err()));
        Ok(damage)
    }

    /// A file of ours, mapped, its length and checksum checked.
    fn slice(&self, name: &str) -> Result<FileSlice, StoreError> {
        let path = self.folder.path().join(name);
        let (dir, file) = (path.parent().unwrap_or(&path), path.file_name().unwrap_or_default());
        let mapped = MmapDirectory::open(dir).map_err(engine("map folder"))?;
        let slice = mapped.open_read(Path::new(file)).map_err(engine("map file"))?;
        let bytes = slice.read_bytes().map_err(file_error("read", &path))?;
        if self.manifest.files.get(name) != Some(&(bytes.len() as u64, crc32c::crc32c(&bytes))) {
            return Err(corrupt(&path, "checksum mismatch"));
        }
        Ok(slice)
    }
}
