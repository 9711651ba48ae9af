//! Ids: which sender's ids a day already has, by a 64-bit hash of site and id.
//! - What is open or not yet committed is in [`OpenIds`], for the few days written last; what is sealed is a sorted file.
//! - A hit in a file is compared in full: its text has to be among the segments' own.

use super::docs::Docs;
use super::error::file_error;
use super::generation::Generation;
use super::open_ids::OpenIds;
use super::parts::DayView;
use super::rebuild::rebuild;
use super::shared::Shared;
use crate::event::{Day, Event, Key, Known};
use crate::store::StoreError;
use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

/// Days whose open ids are held.
const DAYS_MAX: usize = 8;
/// Events read in one go.
const BATCH: u32 = 8192;

/// The hash of a site's id.
pub fn hash_of(site: &str, id: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64(site.len() as u64);
    hasher.write(site.as_bytes());
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// The open ids of some days.
pub struct Ids {
    /// Where what is too much for memory lies, in files without a name.
    folder: PathBuf,
    days: HashMap<Day, (u64, OpenIds)>,
    uses: u64,
}

impl Ids {
    /// None yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, days: HashMap::new(), uses: 0 }
    }

    /// The ids of a day's open parts; reads them if they are not here.
    pub fn of(&mut self, day: Day, view: Option<&DayView>) -> Result<&mut OpenIds, StoreError> {
        self.uses += 1;
        let (used, ids) = match self.days.entry(day) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => place.insert((0, load(&self.folder, view)?)),
        };
        *used = self.uses;
        Ok(ids)
    }

    /// Takes the ids of a day's events in.
    pub fn add<'a>(
        &mut self,
        day: Day,
        view: Option<&DayView>,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<(), StoreError> {
        let mut hashes = events.filter_map(|event| Some(hash_of(event.site(), event.text(Known::EventId)?))).peekable();
        if hashes.peek().is_some() {
            let folder = self.folder.clone();
            self.of(day, view)?.extend(&folder, hashes).map_err(file_error("write ids in", &folder))?;
        }
        Ok(())
    }

    /// Forgets all: what was not committed is gone.
    pub fn clear(&mut self) {
        self.days.clear();
    }

    /// Forgets a day whose every event is committed.
    pub fn forget(&mut self, day: Day) {
        self.days.remove(&day);
    }

    /// Forgets all but the days used last. Everything must be committed.
    pub fn shrink(&mut self) {
        while self.days.len() > DAYS_MAX {
            let Some(oldest) = self.days.iter().min_by_key(|(_, (used, _))| *used).map(|(day, _)| *day) else { return };
            self.days.remove(&oldest);
        }
    }
}

fn load(folder: &Path, view: Option<&DayView>) -> Result<OpenIds, StoreError> {
    let keys = [Key::Known(Known::EventId)];
    let mut ids = OpenIds::default();
    for segment in view.iter().flat_map(|view| &view.open).flat_map(|part| &part.segments) {
        if segment.columns(&keys[0])?.parts.is_empty() {
            continue;
        }
        for from in (0..segment.len()).step_by(BATCH as usize) {
            let docs = Docs::Some((from..segment.len().min(from + BATCH)).collect());
            let events = rebuild(segment, &docs, Some(&keys))?;
            let hashes = events.iter().filter_map(|event| Some(hash_of(event.site(), event.text(Known::EventId)?)));
            ids.extend(folder, hashes).map_err(file_error("write ids in", folder))?;
        }
    }
    Ok(ids)
}

/// Whether a sealed part has the id.
pub fn is_sealed(generation: &Generation, hash: u64, id: &str) -> Result<bool, StoreError> {
    let opened = generation.open()?;
    if opened.ids.find(hash).is_none() {
        return Ok(false);
    }
    for segment in &opened.segments {
        for part in &segment.columns(&Key::Known(Known::EventId))?.parts {
            if let Some(dictionary) = part.form.dictionary() {
                let found = dictionary.term_ord(id).map_err(super::error::io_error("read ids of", segment.day))?;
                if found.is_some() {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// For each of `ids`, whether a day between `days` has it, committed or not.
pub fn known(shared: &Shared, site: &str, days: (Day, Day), ids: &[String]) -> Result<Vec<bool>, StoreError> {
    let hashes: Vec<u64> = ids.iter().map(|id| hash_of(site, id)).collect();
    let mut known = vec![false; ids.len()];
    for day in (days.0.0..=days.1.0).map(Day) {
        let open = {
            let mut held = shared.ids();
            // Asked under the lock: what the owner commits meanwhile is in the ids already.
            let view = shared.day(day);
            let ids = held.of(day, view.as_deref())?;
            for (hash, known) in hashes.iter().zip(&mut known) {
                *known = *known || ids.contains(*hash).map_err(file_error("read ids in", &shared.root))?;
            }
            view
        };
        let Some(generation) = open.and_then(|view| view.generation.clone()) else { continue };
        for ((hash, id), known) in hashes.iter().zip(ids).zip(&mut known) {
            *known = *known || is_sealed(&generation, *hash, id)?;
        }
    }
    Ok(known)
}
