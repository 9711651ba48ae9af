//! Traces: what a kill left on disk says what it fell into. Only what is younger than its round counts.

use metronome::clock::Millis;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Something a kill can fall into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The next segment of the journal is made and nothing is in it.
    Rotation,
    /// A segment of an open part is written and no commit names it.
    Flush,
    /// The store's position is being replaced.
    Promise,
    /// A sealed part is written and `CURRENT` does not name it.
    Seal,
    /// What stays of a day whose events go is written and `CURRENT` does not name it.
    Strip,
    /// `CURRENT` is being replaced.
    Swap,
    /// `CURRENT` is replaced and what it took the place of is still there.
    Retire,
    /// A day was taken away and its files are still there.
    Remove,
    /// A month's table is being written.
    Month,
}

/// All of them.
const PHASES: [Phase; 9] = [
    Phase::Rotation,
    Phase::Flush,
    Phase::Promise,
    Phase::Seal,
    Phase::Strip,
    Phase::Swap,
    Phase::Retire,
    Phase::Remove,
    Phase::Month,
];

/// What the folder says now.
pub fn seen(data_dir: &Path, since: Millis) -> Vec<Phase> {
    PHASES.into_iter().filter(|phase| phase.shows(data_dir, since)).collect()
}

impl Phase {
    /// Whether the folder says that it is under way.
    pub fn shows(self, data_dir: &Path, since: Millis) -> bool {
        let store = data_dir.join("store");
        let any_day = |is: &dyn Fn(&Path) -> bool| list(&store.join("days")).iter().any(|day| is(day));
        match self {
            Self::Rotation => rotates(&data_dir.join("journal"), since),
            Self::Promise => is_young(&store.join("POSITION.tmp"), since),
            Self::Month => list(&store.join("months")).iter().any(|path| name(path).ends_with(".tmp")),
            Self::Remove => any_day(&|day| name(day).ends_with(".expired")),
            Self::Swap => any_day(&|day| day.join("CURRENT.tmp").exists()),
            Self::Flush => any_day(&|day| parts(day).any(|part| part.counts() && part.is_unfinished(since))),
            Self::Seal => any_day(&|day| parts(day).any(|part| part.is_ahead() && !part.is_stripped())),
            Self::Strip => any_day(&|day| parts(day).any(|part| part.is_ahead() && part.is_stripped())),
            Self::Retire => any_day(&|day| parts(day).any(|part| part.is_behind())),
        }
    }
}

/// A part of a day, beside what the day's `CURRENT` names.
struct Part {
    path: PathBuf,
    is_open: bool,
    number: u32,
    current: u32,
}

impl Part {
    /// An open part that readers see.
    fn counts(&self) -> bool {
        self.is_open && self.number >= self.current
    }

    /// A sealed part that does not count yet.
    fn is_ahead(&self) -> bool {
        !self.is_open && self.number > self.current
    }

    /// A part that counts no more.
    fn is_behind(&self) -> bool {
        self.number < self.current
    }

    /// Whether it holds what stays of expired events, and no event.
    fn is_stripped(&self) -> bool {
        !self.path.join("0").exists() && self.path.join("expired.tbl").exists()
    }

    /// Whether it holds files of a segment that its last commit does not name.
    fn is_unfinished(&self, since: Millis) -> bool {
        let Ok(committed) = fs::read_to_string(self.path.join("meta.json")) else { return true };
        let committed = committed.replace('-', "");
        list(&self.path).iter().any(|path| {
            let stem = name(path).split('.').next().unwrap_or_default().to_owned();
            stem.len() == 32 && !committed.contains(&stem) && is_young(path, since)
        })
    }
}

fn parts(day: &Path) -> impl Iterator<Item = Part> {
    let (generation, open) = current(day);
    list(day).into_iter().filter_map(move |path| {
        let name = name(&path);
        let (is_open, digits) = match name.strip_prefix("open") {
            Some(digits) => (true, digits),
            None => (false, name.strip_prefix('g')?),
        };
        let number = digits.parse().ok()?;
        Some(Part { path, is_open, number, current: if is_open { open } else { generation } })
    })
}

fn rotates(journal: &Path, since: Millis) -> bool {
    let mut segments = list(journal);
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "journal"));
    segments.sort();
    let is_empty = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() == 0);
    segments.len() > 1 && segments.last().is_some_and(|newest| is_empty(newest) && is_young(newest, since))
}

/// What `CURRENT` names: `g7 open4`.
fn current(day: &Path) -> (u32, u32) {
    let text = fs::read_to_string(day.join("CURRENT")).unwrap_or_default();
    let numbers = text.trim_end().split_once(' ').and_then(|(generation, open)| {
        Some((generation.strip_prefix('g')?.parse().ok()?, open.strip_prefix("open")?.parse().ok()?))
    });
    numbers.unwrap_or((0, 1))
}

fn is_young(path: &Path, since: Millis) -> bool {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    let age = modified.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    age.is_some_and(|age| age.as_millis() as Millis >= since)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder; nothing where it has just gone.
fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}
