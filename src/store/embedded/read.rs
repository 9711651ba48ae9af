//! Read: the days of a store as they lie on disk, when it is opened.
//! - What was cut short is removed; what is damaged is set aside and the day marked: a store always opens.
//! - Files of open parts are checked whole, as the journal's newest are: they were written last. Those of sealed parts are
//!   when they are first opened.

use super::aside;
use super::committed::Committed;
use super::current::{Current, Unread, generation_dir, open_dir};
use super::error::{file_error, why};
use super::generation::Generation;
use super::manifest::Manifest;
use super::parts::{DayView, Days, Folder, OpenPart};
use super::payload::Payload;
use crate::event::Day;
use crate::store::{Position, StoreError};
use std::path::Path;
use std::sync::Arc;

/// The days of a store, and what their parts promise.
#[derive(Default)]
pub struct Found {
    /// The days.
    pub days: Days,
    /// The highest position that some part has an event before.
    pub reached: Position,
    /// The highest promise of the store that some part knows of.
    pub promised: Position,
}

/// Reads all days of a store, and removes what was cut short.
pub fn read_all(dir: &Path) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for entry in std::fs::read_dir(dir).map_err(file_error("list", dir))? {
        let path = entry.map_err(file_error("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".expired") {
            std::fs::remove_dir_all(&path).map_err(file_error("remove", &path))?;
        } else if let Some(day) = Day::parse(name) {
            let view = found.read_day(day, &path)?;
            if view.generation.is_some() || !view.open.is_empty() || !view.damaged.is_empty() {
                found.days.insert(day, Arc::new(view));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn read_day(&mut self, day: Day, dir: &Path) -> Result<DayView, StoreError> {
        let current = current_at_start(dir)?;
        aside::finish(dir);
        let lacked = aside::lacked(dir);
        let counts = |part: &Path| !lacked.iter().any(|name| part.ends_with(name));
        let mut view = DayView { damaged: aside::marked(dir).into(), ..DayView::empty(day) };
        let lacked = promised_aside(dir)?;
        self.note(lacked.end, lacked.promised);
        for number in current.clean(dir)?.into_iter().filter(|number| counts(&open_dir(dir, *number))) {
            match read_open(day, number, dir) {
                // Begun, and never committed to.
                Ok((part, _)) if part.events() == 0 => {}
                Ok((part, payload)) => {
                    self.note(payload.end, payload.promised);
                    view.open.push(Arc::new(part));
                }
                Err(error) => set_aside(&mut view, dir, &open_dir(dir, number), error)?,
            }
        }
        let part = generation_dir(dir, current.generation);
        if current.generation > 0 && counts(&part) {
            match Generation::read(current.generation, Folder::new(part.clone())) {
                Ok(generation) => {
                    self.note(generation.manifest.end, generation.manifest.promised);
                    view.generation = Some(Arc::new(generation));
                }
                Err(error) => set_aside(&mut view, dir, &part, error)?,
            }
        }
        Ok(view)
    }

    fn note(&mut self, end: Position, promised: Position) {
        self.reached = self.reached.max(end);
        self.promised = self.promised.max(promised);
    }
}

fn set_aside(view: &mut DayView, dir: &Path, part: &Path, error: StoreError) -> Result<(), StoreError> {
    if !aside::is_damage(&error) {
        return Err(error);
    }
    view.damaged = aside::set(dir, part, &[why(&error)]).into();
    Ok(())
}

/// What parts that were set aside promised, as far as they can say: their events are there, and not to be stored twice.
pub fn promised_aside(dir: &Path) -> Result<Payload, StoreError> {
    let mut promised = Payload::default();
    for part in aside::parts(dir)? {
        let is_sealed = part.file_name().is_some_and(|name| name.to_string_lossy().starts_with('g'));
        let of_part = match is_sealed {
            true => Manifest::read(&part).map(|manifest| manifest.promise()),
            false => Committed::read(&part).map(|committed| committed.payload),
        };
        match of_part {
            Ok(of_part) => promised.merge(of_part),
            Err(error) if aside::is_damage(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(promised)
}

/// What counts of a day; a damaged `CURRENT` is made anew from the parts, unless one of them cannot be read: the next start
/// looks after that.
pub fn read_current(dir: &Path) -> Result<Current, StoreError> {
    let (damage, current, unread) = match named(dir)? {
        Named::Whole(current) => return Ok(current),
        Named::ByParts { damage, current, unread } => (damage, current, unread),
    };
    if let Some(damage) = damage.filter(|_| unread.is_empty()) {
        make_anew(dir, current, &damage);
    }
    Ok(current)
}

/// The same at a start. Parts that cannot be read are set aside: each may be what counted. Of those that do not count none
/// is removed, for it is not known what was named.
fn current_at_start(dir: &Path) -> Result<Current, StoreError> {
    let (damage, current, unread) = match named(dir)? {
        Named::Whole(current) => return Ok(current),
        Named::ByParts { damage, current, unread } => (damage, current, unread),
    };
    for (part, error) in unread {
        aside::set(dir, &part, &[why(&error)]);
    }
    for part in current.spare(dir)? {
        aside::set_spare(dir, &part, &"it is not known to count")?;
    }
    if let Some(damage) = damage {
        make_anew(dir, current, &damage);
    }
    Ok(current)
}

/// How it is known what counts of a day.
enum Named {
    /// By its `CURRENT`.
    Whole(Current),
    /// By its parts: there is none, or a damaged one.
    ByParts { damage: Option<StoreError>, current: Current, unread: Vec<Unread> },
}

fn named(dir: &Path) -> Result<Named, StoreError> {
    let damage = match Current::read(dir) {
        Ok(Some(current)) => return Ok(Named::Whole(current)),
        Ok(None) => None,
        Err(error) if aside::is_damage(&error) => Some(error),
        Err(error) => return Err(error),
    };
    let (current, unread) = Current::of_parts(dir)?;
    Ok(Named::ByParts { damage, current, unread })
}

fn make_anew(dir: &Path, current: Current, damage: &StoreError) {
    let mended = aside::set_spare(dir, &dir.join("CURRENT"), &why(damage)).and_then(|()| current.write(dir));
    if let Err(error) = mended {
        tracing::error!(day = %dir.display(), %error, "a damaged CURRENT could not be made anew");
    }
}

/// Opens an open part once all of its files fit their checksums.
fn read_open(day: Day, number: u32, dir: &Path) -> Result<(OpenPart, Payload), StoreError> {
    let folder = Arc::new(Folder::new(open_dir(dir, number)));
    let committed = Committed::read(folder.path())?;
    if let Some(bent) = committed.bent(folder.path())?.into_iter().next() {
        return Err(bent);
    }
    committed.clean(folder.path())?;
    let part = OpenPart::open(day, number, folder, &committed, None)?;
    Ok((part, committed.payload))
}
