//! Cache: partial answers of sealed days, as they merge, in one file beside the day.
//! - Each stands behind its question in full; a new generation begins with none.
//! - A CRC-32C over each question and one over each answer, checked on reading: what is damaged is worked out again.
//! - Bounded a day: past its bytes all of a day's partial answers go, and those asked for come back.
//! - Not synced: what a crash tears is found by its checksums, and cut off.

use super::collect::{Cut, Partial};
use crate::clock::Millis;
use crate::event::Key;
use crate::store::plan::{Filter, Group, Metric, Plan, TimeKey, TimeRange};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::warn;

/// The file's name.
pub const CACHE: &str = "answers.partial";
/// Bytes before a question: checksum of what follows and of the question, length of the question, of the answer, and the
/// answer's checksum.
const HEAD: usize = 16;
/// What partial answers look like: those of another version are never asked for, and go when the day's bytes are full.
const VERSION: u32 = 3;

/// The partial answers of one sealed part.
pub struct Cache {
    path: PathBuf,
    bytes_max: u64,
    /// `None` until the file was looked at, and where it cannot be.
    held: Mutex<Option<Held>>,
}

struct Held {
    file: File,
    end: u64,
    /// Where answers stand, by their questions.
    answers: FxHashMap<Box<[u8]>, Place>,
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
    pub fn read(&self, question: &[u8]) -> Option<Partial> {
        let mut held = self.held();
        let held = held.as_mut()?;
        let place = *held.answers.get(question)?;
        let Some(answer) = held.answer(place) else {
            warn!(path = %self.path.display(), "passed over a damaged partial answer");
            held.answers.remove(question);
            return None;
        };
        postcard::from_bytes(&answer).ok()
    }

    /// Keeps a partial answer; one that cannot be kept is worked out again.
    pub fn write(&self, question: &[u8], partial: &Partial) {
        let Ok(answer) = postcard::to_stdvec(partial) else { return };
        let bytes = (HEAD + question.len() + answer.len()) as u64;
        if bytes > self.bytes_max / 2 {
            return;
        }
        let mut lock = self.held();
        let Some(held) = lock.as_mut() else { return };
        let written = match held.end + bytes > self.bytes_max {
            true => held.clear().and_then(|()| held.append(question, &answer)),
            false => held.append(question, &answer),
        };
        if let Err(error) = written {
            warn!(path = %self.path.display(), %error, "partial answers cannot be kept");
            *lock = None;
        }
    }

    /// Reads all partial answers; where one is damaged all go.
    pub fn scrub(&self) {
        let mut held = self.held();
        let Some(held) = held.as_mut() else { return };
        if held.answers.values().any(|place| held.answer(*place).is_none()) {
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
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = file.metadata()?.len();
        let mut held = Self { file, end: 0, answers: FxHashMap::default() };
        while let Some((question, place)) = held.next(length) {
            held.end = place.from + u64::from(place.bytes);
            held.answers.insert(question, place);
        }
        if held.end < length {
            held.file.set_len(held.end)?;
        }
        Ok(held)
    }

    /// The question at the end of what was read, and where its answer stands; `None` if it is not whole.
    fn next(&self, length: u64) -> Option<(Box<[u8]>, Place)> {
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, self.end).ok()?;
        let mut words = head.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let (sum, question, bytes, of_answer) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let from = self.end + HEAD as u64 + u64::from(question);
        if from + u64::from(bytes) > length {
            return None;
        }
        let mut named = vec![0; question as usize];
        self.file.read_exact_at(&mut named, self.end + HEAD as u64).ok()?;
        let is_whole = crc32c::crc32c_append(crc32c::crc32c(&head[4..]), &named) == sum;
        is_whole.then(|| (named.into(), Place { from, bytes, sum: of_answer }))
    }

    fn answer(&self, place: Place) -> Option<Vec<u8>> {
        let mut answer = vec![0; place.bytes as usize];
        self.file.read_exact_at(&mut answer, place.from).ok()?;
        (crc32c::crc32c(&answer) == place.sum).then_some(answer)
    }

    fn append(&mut self, question: &[u8], answer: &[u8]) -> io::Result<()> {
        // Both are below a day's bytes, which are far below 4 GiB.
        let (named, bytes, sum) = (question.len() as u32, answer.len() as u32, crc32c::crc32c(answer));
        let words = [named, bytes, sum].map(u32::to_le_bytes).concat();
        let of_head = crc32c::crc32c_append(crc32c::crc32c(&words), question);
        let record = [&of_head.to_le_bytes()[..], &words, question, answer].concat();
        self.file.write_all_at(&record, self.end)?;
        let from = self.end + (HEAD + question.len()) as u64;
        self.end += record.len() as u64;
        self.answers.insert(question.into(), Place { from, bytes, sum });
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.answers.clear();
        self.end = 0;
        self.file.set_len(0)
    }
}

/// A question as far as it concerns one day.
#[derive(Serialize)]
struct Asked<'a> {
    version: u32,
    filter: &'a Filter,
    range: TimeKey,
    groups: &'a [Group],
    metrics: &'a [Metric],
    alone: bool,
}

/// The bytes that stand for a question over all of a day.
pub fn question_of(plan: &Plan, cut: &Cut) -> Option<Vec<u8>> {
    let asked = Asked {
        version: VERSION,
        filter: &plan.filter,
        range: cut.range.key,
        groups: &cut.groups,
        metrics: &plan.metrics,
        alone: cut.alone,
    };
    postcard::to_stdvec(&asked).ok()
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
