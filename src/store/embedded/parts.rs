//! Parts: what readers see of the days; immutable, shared, replaced whole.
//! - A reader keeps what it has begun with: a part that no longer counts is removed with its last reader.

use super::committed::{Committed, FileFacts};
use super::error::corrupt;
use super::generation::Generation;
use super::items::DayTable;
use super::schema::Fields;
use super::segment::Segment;
use crate::event::Day;
use crate::store::plan::TimeRange;
use crate::store::{DayState, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Its segments, in order of arrival.
    pub segments: Vec<Arc<Segment>>,
    files: Vec<FileFacts>,
}

impl OpenPart {
    /// What was committed to it; segments that `before` had open stay open.
    pub fn open(
        day: Day,
        number: u32,
        folder: Arc<Folder>,
        committed: &Committed,
        before: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let mut segments = Vec::with_capacity(committed.files.len());
        for facts in &committed.files {
            let held = before.and_then(|part| {
                let at = part.files.iter().position(|held| held == facts)?;
                Some(part.segments[at].clone())
            });
            segments.push(match held {
                Some(held) => held,
                None => Arc::new(open_file(day, folder.path(), facts)?),
            });
        }
        Ok(Self { number, folder, segments, files: committed.files.clone() })
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.len())).sum()
    }
}

fn open_file(day: Day, folder: &Path, facts: &FileFacts) -> Result<Segment, StoreError> {
    let segment = Segment::open(day, Committed::open(folder, facts)?)?;
    match segment.len() == facts.events {
        true => Ok(segment),
        false => {
            let why = format!("it has {} events of {}", segment.len(), facts.events);
            Err(corrupt(&folder.join(&facts.name), why))
        }
    }
}

/// The fields of every sealed segment.
pub fn sealed_fields() -> Arc<Fields> {
    static FIELDS: std::sync::LazyLock<Arc<Fields>> = std::sync::LazyLock::new(|| Arc::new(Fields::new()));
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
