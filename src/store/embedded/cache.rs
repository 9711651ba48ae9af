//! Cache: partial answers of sealed days, as they merge, in one file beside the day.
//! - Each stands behind the digest of its question; a new generation begins with none.
//! - CRC-32C over each head and over each answer, checked on reading: what is damaged is worked out again.
//! - Bounded a day, in bytes and in answers: past that all of a day's partial answers go, and those asked for come back.
//! - Not synced: what a crash tears is found by its checksums, and cut off. The file is open only while it is used.

use super::asked::Digest;
use super::collect::{Cut, Partial};
use crate::clock::Millis;
use crate::event::Key;
use crate::store::plan::{Group, Plan, TimeKey, TimeRange};
use rustc_hash::FxHashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::warn;

/// The file's name.
pub const CACHE: &str = "answers.partial";
/// Answers held of a day at the most.
const ANSWERS_MAX: usize = 1000;
/// Bytes before an answer: the checksum of what follows of them, the answer's length and checksum, the question's digest.
const HEAD: usize = 12 + size_of::<Digest>();

/// The partial answers of one sealed part.
pub struct Cache {
    path: PathBuf,
    bytes_max: u64,
    /// `None` until the file was looked at, and where it cannot be.
    held: Mutex<Option<Held>>,
}

#[derive(Default)]
struct Held {
    path: PathBuf,
    end: u64,
    /// Where answers stand, by their questions.
    answers: FxHashMap<Digest, Place>,
}

#[derive(Clone, Copy)]
struct Place {
    from: u64,
    bytes: u32,
    sum: u32,
}

impl Cache {
    /// Those in a sealed part's folder.
    pub fn new(dir: &Path, bytes_max: u64) -> Self {
        Self { path: dir.join(CACHE), bytes_max, held: Mutex::default() }
    }

    /// The partial answer of a question, if it is held and whole.
    pub fn read(&self, question: &Digest) -> Option<Partial> {
        let mut held = self.held();
        let held = held.as_mut()?;
        let place = *held.answers.get(question)?;
        let Some(answer) = File::open(&held.path).ok().and_then(|file| place.read(&file)) else {
            warn!(path = %self.path.display(), "passed over a damaged partial answer");
            held.answers.remove(question);
            return None;
        };
        postcard::from_bytes(&answer).ok()
    }

    /// Keeps a partial answer; one that cannot be kept is worked out again.
    pub fn write(&self, question: &Digest, partial: &Partial) {
        let Ok(answer) = postcard::to_stdvec(partial) else { return };
        let bytes = (HEAD + answer.len()) as u64;
        if bytes > self.bytes_max / 2 {
            return;
        }
        let mut lock = self.held();
        let Some(held) = lock.as_mut() else { return };
        let is_full = held.end + bytes > self.bytes_max || held.answers.len() >= ANSWERS_MAX;
        let written = if is_full { held.clear() } else { Ok(()) }.and_then(|()| held.append(question, &answer));
        if let Err(error) = written {
            warn!(path = %self.path.display(), %error, "partial answers cannot be kept");
            *lock = None;
        }
    }

    /// Reads all partial answers; where one is damaged all go.
    pub fn scrub(&self) {
        let mut held = self.held();
        let Some(held) = held.as_mut() else { return };
        let Ok(file) = File::open(&held.path) else { return };
        if held.answers.values().any(|place| place.read(&file).is_none()) {
            warn!(path = %self.path.display(), "removed partial answers: one is damaged");
            // They are checked before they are used, removed or not.
            let _ = held.clear();
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            // A folder that cannot be written to has answers worked out each time.
            *held = Held::open(&self.path).ok();
        }
        held
    }
}

impl Held {
    fn open(path: &Path) -> io::Result<Self> {
        remove_others(path);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = file.metadata()?.len();
        let mut held = Self { path: path.to_owned(), ..Self::default() };
        while let Some((question, place)) = next(&file, held.end, length) {
            held.end = place.from + u64::from(place.bytes);
            held.answers.insert(question, place);
        }
        if held.end < length {
            file.set_len(held.end)?;
        }
        Ok(held)
    }

    fn append(&mut self, question: &Digest, answer: &[u8]) -> io::Result<()> {
        // An answer is below a day's bytes, which are far below 4 GiB.
        let (bytes, sum) = (answer.len() as u32, crc32c::crc32c(answer));
        let head = [&bytes.to_le_bytes()[..], &sum.to_le_bytes(), question].concat();
        let record = [&crc32c::crc32c(&head).to_le_bytes()[..], &head, answer].concat();
        File::options().write(true).open(&self.path)?.write_all_at(&record, self.end)?;
        self.answers.insert(*question, Place { from: self.end + HEAD as u64, bytes, sum });
        self.end += record.len() as u64;
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.answers.clear();
        self.end = 0;
        File::options().write(true).open(&self.path)?.set_len(0)
    }
}

impl Place {
    fn read(&self, file: &File) -> Option<Vec<u8>> {
        let mut answer = vec![0; self.bytes as usize];
        file.read_exact_at(&mut answer, self.from).ok()?;
        (crc32c::crc32c(&answer) == self.sum).then_some(answer)
    }
}

/// The question that stands at `at`, and where its answer does; `None` if it is not whole.
fn next(file: &File, at: u64, length: u64) -> Option<(Digest, Place)> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, at).ok()?;
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let place = Place { from: at + HEAD as u64, bytes: word(4)?, sum: word(8)? };
    let is_whole = crc32c::crc32c(&head[4..]) == word(0)? && place.from + u64::from(place.bytes) <= length;
    is_whole.then_some((head[12..].try_into().ok()?, place))
}

/// Removes what an earlier version kept, a file a question.
fn remove_others(path: &Path) {
    for entry in path.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten() {
        let is_other = entry.path().extension() == path.extension() && entry.path() != path;
        if is_other {
            // Nobody reads it, removed or not.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// How a plan cuts a day whose times lie within `bounds`: with the intervals that reach into it alone, and without the
/// range's ends if the whole day is within, so that questions over other ranges ask the same of it. Answers whether it is.
pub fn cut_of(plan: &Plan, alone: bool, bounds: impl Fn(TimeKey) -> Option<(Millis, Millis)>) -> (Cut, bool) {
    let whole = bounds(plan.range.key).is_some_and(|(least, most)| plan.range.from <= least && most < plan.range.to);
    let range = if whole { TimeRange { from: Millis::MIN, to: Millis::MAX, ..plan.range } } else { plan.range };
    let groups = plan.groups.iter().map(|group| match group {
        Group::Time { key, edges } => Group::Time { key: *key, edges: reaching(edges, bounds(*key)) },
        Group::Key(key) => Group::Key(Key::clone(key)),
    });
    (Cut { range, groups: groups.collect(), alone }, whole)
}

fn reaching(edges: &[Millis], bounds: Option<(Millis, Millis)>) -> Vec<Millis> {
    let Some((least, most)) = bounds else { return Vec::new() };
    let from = edges.partition_point(|edge| *edge <= least).saturating_sub(1);
    let to = (edges.partition_point(|edge| *edge <= most) + 1).min(edges.len());
    edges.get(from..to).unwrap_or_default().to_vec()
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
