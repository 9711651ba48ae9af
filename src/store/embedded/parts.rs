//! Parts: what readers see of the days; immutable, shared, replaced whole.
//! - A reader keeps what it has begun with: a part that no longer counts is removed with its last reader.

use super::error::engine;
use super::generation::Generation;
use super::index;
use super::items::DayTable;
use super::schema::{Fields, Part};
use super::segment::Segment;
use crate::event::Day;
use crate::store::plan::TimeRange;
use crate::store::{DayState, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tantivy::Index;
use tantivy::directory::{Directory, META_LOCK};

/// A folder that goes with its last holder once it no longer counts.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    obsolete: AtomicBool,
}

impl Folder {
    /// A folder that counts.
    pub fn new(path: PathBuf) -> Self {
        Self { path, obsolete: AtomicBool::new(false) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// It no longer counts.
    pub fn retire(&self) {
        self.obsolete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if *self.obsolete.get_mut() {
            // What stays is removed at the next start.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// The committed events of an open part.
pub struct OpenPart {
    /// Its number in the day.
    pub number: u32,
    /// Its folder.
    pub folder: Arc<Folder>,
    /// Its segments.
    pub segments: Vec<Arc<Segment>>,
    ids: Vec<tantivy::index::SegmentId>,
}

impl OpenPart {
    /// What `index` has committed; segments that `before` had open stay open.
    pub fn open(
        day: Day,
        number: u32,
        folder: Arc<Folder>,
        index: &Index,
        fields: &Arc<Fields>,
        before: Option<&Self>,
    ) -> Result<Self, StoreError> {
        // Held so that a merge in the background does not take files away meanwhile.
        let _lock = index.directory().acquire_lock(&META_LOCK).map_err(engine("lock index"))?;
        let (mut segments, mut ids) = (Vec::new(), Vec::new());
        for segment in index.searchable_segments().map_err(engine("list segments"))? {
            let held = before.and_then(|part| {
                let at = part.ids.iter().position(|id| *id == segment.id())?;
                Some(part.segments[at].clone())
            });
            segments.push(match held {
                Some(held) => held,
                None => {
                    let opened = Segment::open(day, &segment, fields.clone(), None)?;
                    index::holds(&segment, opened.columns_len(), folder.path())?;
                    Arc::new(opened)
                }
            });
            ids.push(segment.id());
        }
        Ok(Self { number, folder, segments, ids })
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.len())).sum()
    }
}

/// The fields of every sealed segment.
pub fn sealed_fields() -> Arc<Fields> {
    static FIELDS: std::sync::LazyLock<Arc<Fields>> = std::sync::LazyLock::new(|| Arc::new(Fields::of(Part::Sealed)));
    FIELDS.clone()
}

/// The fields of every open part.
pub fn open_fields() -> Arc<Fields> {
    static FIELDS: std::sync::LazyLock<Arc<Fields>> = std::sync::LazyLock::new(|| Arc::new(Fields::of(Part::Open)));
    FIELDS.clone()
}

/// A day as readers see it.
#[derive(Clone)]
pub struct DayView {
    /// The day.
    pub day: Day,
    /// Its sealed part.
    pub generation: Option<Arc<Generation>>,
    /// Its open parts, ascending.
    pub open: Vec<Arc<OpenPart>>,
    /// What it lacks, by name: set aside as damaged.
    pub damaged: Arc<[String]>,
}

impl DayView {
    /// A day with nothing in it.
    pub fn empty(day: Day) -> Self {
        Self { day, generation: None, open: Vec::new(), damaged: Arc::default() }
    }

    /// All segments: sealed ones in the order of the day, then open ones.
    pub fn segments(&self) -> Result<Vec<Arc<Segment>>, StoreError> {
        let mut segments = match &self.generation {
            Some(generation) => generation.open()?.segments.clone(),
            None => Vec::new(),
        };
        segments.extend(self.open.iter().flat_map(|part| part.segments.iter().cloned()));
        Ok(segments)
    }

    /// Takes an open part in, in place of what was seen of it before.
    pub fn show(&mut self, part: OpenPart) {
        let at = self.open.partition_point(|shown| shown.number < part.number);
        if self.open.get(at).is_some_and(|shown| shown.number == part.number) {
            self.open.remove(at);
        }
        self.open.insert(at, Arc::new(part));
    }

    /// Its open parts alone.
    pub fn without_sealed(&self) -> Self {
        Self { generation: None, ..self.clone() }
    }

    /// The item tables of its sealed part.
    pub fn tables(&self) -> Vec<DayTable> {
        self.generation.as_ref().map_or(Vec::new(), |generation| generation.tables())
    }

    /// Whether anything of it is there to be read.
    pub fn has_parts(&self) -> bool {
        self.generation.is_some() || !self.open.is_empty()
    }

    /// Whether all of its events expired.
    pub fn is_stripped(&self) -> bool {
        self.late() == 0
            && self.damaged.is_empty()
            && self.generation.as_ref().is_some_and(|generation| generation.is_stripped())
    }

    /// Events of open parts.
    pub fn late(&self) -> u64 {
        self.open.iter().map(|part| part.events()).sum()
    }

    /// How it lies.
    pub fn state(&self) -> DayState {
        let generation = self.generation.as_ref().filter(|generation| !generation.is_stripped());
        let sealed = generation.map_or(0, |generation| generation.manifest.events);
        let late = self.late();
        DayState {
            day: self.day,
            events: sealed + late,
            sealed: generation.is_some() && late == 0,
            dirty: generation.is_some() && late > 0,
        }
    }

    /// Whether no event of the sealed part lies in `range`.
    pub fn sealed_is_outside(&self, range: TimeRange) -> bool {
        self.generation.as_ref().is_none_or(|generation| generation.is_outside(range))
    }

    /// Segments that may have events in `range`.
    pub fn segments_within(&self, range: TimeRange) -> Result<Vec<Arc<Segment>>, StoreError> {
        if !self.sealed_is_outside(range) {
            return self.segments();
        }
        Ok(self.open.iter().flat_map(|part| part.segments.iter().cloned()).collect())
    }
}

/// All days.
pub type Days = BTreeMap<Day, Arc<DayView>>;
