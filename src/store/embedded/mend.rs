//! Mend: a damaged day written again as a sealed part, from what was set aside or from all of its events.
//! - Nothing of the day's folder changes before the swap, which the owner does.
//! - What was set aside serves only whole: every part that the day lacks is there, and is read against its checksums, as far
//!   as its events go.

use super::committed::Committed;
use super::error::{corrupt, file_error};
use super::generation::Generation;
use super::owner::Frozen;
use super::partition::Partition;
use super::parts::{DayView, Folder, OpenPart};
use super::payload::Payload;
use super::{aside, expire, seal};
use crate::store::{Derive, EntryStream, Position, StoreError};
use std::path::Path;
use std::sync::Arc;

/// Where a day's events are gathered before they are sealed.
const GATHERED: &str = "gathered.tmp";

/// Writes the sealed part of a day from its sound parts and from those set aside.
pub fn from_aside(
    mut frozen: Frozen,
    segment_events_max: usize,
    derive: &mut Derive,
) -> Result<Generation, StoreError> {
    let mut view = (*frozen.view).clone();
    for part in aside::all_parts(&frozen.dir)? {
        let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(number) = number_of(&name, "g")
            && view.generation.is_none()
        {
            view.generation = Some(Arc::new(sound_generation(number, &part)?));
        } else if let Some(number) = number_of(&name, "open")
            && view.open.iter().all(|open| open.number != number)
        {
            view.show(sound_open(&view, number, &part)?);
        } else {
            return Err(corrupt(&part, "it does not fit beside the day's other parts"));
        }
    }
    frozen.view = Arc::new(view);
    seal::seal(&frozen, segment_events_max, derive)
}

fn sound_generation(number: u32, part: &Path) -> Result<Generation, StoreError> {
    let generation = Generation::read(number, Folder::new(part.to_owned()))?;
    let carried = generation.tables().into_iter().filter(|table| table.path.ends_with(expire::EXPIRED));
    let bent = carried.filter_map(|table| table.scrub().err());
    match generation.scrub_events()?.into_iter().chain(bent).next() {
        Some(error) => Err(error),
        None => generation.open_events().map(|()| generation),
    }
}

fn sound_open(view: &DayView, number: u32, part: &Path) -> Result<OpenPart, StoreError> {
    let folder = Arc::new(Folder::new(part.to_owned()));
    let committed = Committed::read(part)?;
    if let Some(error) = committed.bent(part)?.into_iter().next() {
        return Err(error);
    }
    OpenPart::open(view.day, number, folder, &committed, None)
}

/// The number of a part, of which there may be several aside: only the first to come bears its plain name.
fn number_of(name: &str, kind: &str) -> Option<u32> {
    name.strip_prefix(kind)?.parse().ok()
}

/// Writes the sealed part of a day from all of its events; the day's own parts are replaced by it.
pub fn from_events(
    mut frozen: Frozen,
    (mut events, end): (EntryStream, Position),
    segment_events_max: usize,
    derive: &mut Derive,
) -> Result<Generation, StoreError> {
    let dir = frozen.dir.join(GATHERED);
    remove(&dir)?;
    std::fs::create_dir(&dir).map_err(file_error("create", &dir))?;
    // The number of the last open part that is replaced.
    let number = frozen.open.saturating_sub(1);
    let mut partition = Partition::new(frozen.view.day, dir.clone(), number, Payload::default());
    let mut part = None;
    while let Some(entries) = events.blocking_recv() {
        entries?.into_iter().for_each(|entry| partition.take(entry));
        if partition.is_full() && partition.drain() {
            part = Some(partition.commit(part.as_ref(), frozen.payload.promised)?);
        }
    }
    let part = partition.commit(part.as_ref(), frozen.payload.promised)?;
    let keys = partition.payload().keys;
    frozen.payload = Payload { end: end.max(frozen.payload.end), keys, ..frozen.payload };
    frozen.view = Arc::new(DayView { open: vec![Arc::new(part)], ..DayView::empty(frozen.view.day) });
    let generation = seal::seal(&frozen, segment_events_max, derive);
    remove(&dir)?;
    generation
}

fn remove(dir: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(file_error("remove", dir)),
    }
}
