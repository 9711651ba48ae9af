//! Traces: what a kill left on disk says what it fell into. Only what was changed since its round began counts.

use metronome::clock::Millis;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Something a kill can fall into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The next segment of the journal is made and nothing is in it.
    Rotation,
    /// A file of an open part is written, or took the place of others, and the part's commit is not over.
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
pub const PHASES: [Phase; 9] = [
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
            Self::Month => {
                list(&store.join("months")).iter().any(|path| is_ended(path, ".tmp") && is_young(path, since))
            }
            Self::Remove => any_day(&|day| is_ended(day, ".expired") && is_young(day, since)),
            Self::Swap => any_day(&|day| is_young(&day.join("CURRENT.tmp"), since)),
            Self::Flush => any_day(&|day| parts(day).any(|part| part.counts() && part.is_unfinished(since))),
            Self::Seal => any_day(&|day| parts(day).any(|part| part.is_ahead() && part.has_events(since))),
            Self::Strip => any_day(&|day| parts(day).any(|part| part.is_ahead() && part.is_stripped(since))),
            Self::Retire => {
                any_day(&|day| is_young(&day.join("CURRENT"), since) && parts(day).any(|part| part.is_behind()))
            }
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

    /// Whether it has a segment of events.
    fn has_events(&self, since: Millis) -> bool {
        is_young(&self.path.join("0"), since)
    }

    /// Whether it holds what stays of expired events, and no event. A part that is sealed over such a one begins with a
    /// second name of its table.
    fn is_stripped(&self, since: Millis) -> bool {
        let is_own =
            |table: &PathBuf| fs::metadata(table).is_ok_and(|file| file.nlink() == 1) && is_young(table, since);
        let tables = ["late.tbl", "expired.tbl"].map(|table| self.path.join(table));
        !self.path.join("0").exists() && tables.iter().any(is_own)
    }

    /// Whether it holds files that its commit does not name.
    fn is_unfinished(&self, since: Millis) -> bool {
        let committed = fs::read_to_string(self.path.join("part.json")).unwrap_or_default();
        let is_named = |path: &Path| committed.contains(&format!("{:?}", name(path)));
        list(&self.path).iter().any(|path| is_ended(path, ".col") && !is_named(path) && is_young(path, since))
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

/// What `CURRENT` names: `g7 open4 from12 CRC`; a day without one has open parts alone.
fn current(day: &Path) -> (u32, u32) {
    let path = day.join("CURRENT");
    let Ok(text) = fs::read_to_string(&path) else { return (0, 1) };
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize, name| words.get(at)?.strip_prefix(name)?.parse().ok();
    let (Some(generation), Some(open)) = (number(0, "g"), number(1, "open")) else {
        panic!("{}: {text:?} names no parts", path.display())
    };
    (generation, open)
}

/// Whether it was written, made, or given its name since then.
fn is_young(path: &Path, since: Millis) -> bool {
    let changed = fs::metadata(path).map(|file| file.ctime() * 1000 + file.ctime_nsec() / 1_000_000);
    changed.is_ok_and(|at| at >= since)
}

fn is_ended(path: &Path, ending: &str) -> bool {
    name(path).ends_with(ending)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder; nothing where it has just gone.
fn list(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

#[test]
fn each_phase_shows_by_what_it_leaves_and_by_nothing_else() {
    let folder = tempfile::tempdir().expect("folder");
    let day = folder.path().join("store/days/2026-03-01");
    let show = |made: &str, since: Millis| {
        let path = day.join(made);
        fs::create_dir_all(path.parent().expect("its folder")).expect("folder");
        fs::write(&path, "").expect("file");
        let shown = seen(folder.path(), since);
        fs::remove_file(&path).expect("removed");
        shown
    };
    let whole = [("g7/0", ""), ("open4/0.col", ""), ("open4/part.json", r#"{"files":[{"name":"0.col"}]}"#)];
    for (name, text) in whole.into_iter().chain([("CURRENT", "g7 open4 from12 01234567\n")]) {
        fs::create_dir_all(day.join(name).parent().expect("its folder")).expect("folder");
        fs::write(day.join(name), text).expect("file");
    }
    assert_eq!(seen(folder.path(), 0), [], "nothing is under way");
    let left = [
        ("open4/1.col", Phase::Flush),
        ("g8/0", Phase::Seal),
        ("g8/expired.tbl", Phase::Strip),
        ("CURRENT.tmp", Phase::Swap),
        ("open3/part.json", Phase::Retire),
    ];
    for (made, phase) in left {
        assert_eq!(show(made, 0), [phase], "{made}");
        assert_eq!(show(made, Millis::MAX), [], "{made} of a round before");
        let part = day.join(made.split('/').next().expect("a part"));
        if !["open4", "CURRENT.tmp"].iter().any(|lasting| part.ends_with(lasting)) {
            fs::remove_dir(part).expect("removed");
        }
    }
}
