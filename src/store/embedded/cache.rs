//! Cache: partial answers of sealed days, as they merge, in files beside the day.
//! - A file is named by a hash of the question and holds the question in full; a new generation begins with none.
//! - Each has a CRC-32C over all of it, checked on reading: a damaged one is removed and worked out again.
//! - Bounded a day: past its bytes all of a day's partial answers go, and those asked for come back.
//! - Not synced: what a crash tears is found by its checksum.

use super::collect::{Cut, Partial};
use super::distinct::DayAs;
use crate::clock::Millis;
use crate::event::Key;
use crate::store::plan::{Filter, Group, Metric, Plan, TimeKey, TimeRange};
use serde::Serialize;
use siphasher::sip::SipHasher13;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tracing::warn;

/// The ending of a partial answer's file.
const ENDING: &str = "partial";
/// Bytes of the checksum, and of the question's length behind it.
const WORD: usize = 4;
/// What partial answers look like: files of another version are never named, and go when the day's bytes are full.
const VERSION: u32 = 2;

/// The partial answers of one sealed part.
pub struct Cache {
    dir: PathBuf,
    bytes_max: u64,
    /// Bytes held; `None` until the folder was looked at.
    held: Mutex<Option<u64>>,
}

impl Cache {
    /// Those in a sealed part's folder.
    pub fn new(dir: &Path, bytes_max: u64) -> Self {
        Self { dir: dir.to_owned(), bytes_max, held: Mutex::default() }
    }

    /// The partial answer of a question, if it is held and whole.
    pub fn read(&self, question: &[u8]) -> Option<Partial> {
        let path = self.path(question);
        let bytes = fs::read(&path).ok()?;
        let body = checked(&bytes);
        let Some(body) = body else {
            warn!(path = %path.display(), "removed a damaged partial answer");
            // It is not read again, removed or not.
            let _ = fs::remove_file(&path);
            return None;
        };
        // Another question of the same hash is no damage.
        let partial = body.strip_prefix(&length(question)[..])?.strip_prefix(question)?;
        postcard::from_bytes(partial).ok()
    }

    /// Keeps a partial answer; one that cannot be kept is worked out again.
    pub fn write(&self, question: &[u8], partial: &Partial) {
        let Ok(partial) = postcard::to_stdvec(partial) else { return };
        let body = [&length(question)[..], question, &partial].concat();
        let bytes = [&crc32c::crc32c(&body).to_le_bytes()[..], &body].concat();
        if bytes.len() as u64 > self.bytes_max / 4 {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.unwrap_or_else(|| self.files().iter().map(|(_, bytes)| bytes).sum());
        let before = if before + bytes.len() as u64 > self.bytes_max { self.clear() } else { before };
        // A reader sees the file whole or not at all.
        let path = self.path(question);
        let temporary = path.with_extension(format!("{}.tmp", NEXT.fetch_add(1, Ordering::Relaxed)));
        let written = fs::write(&temporary, &bytes).and_then(|()| fs::rename(&temporary, &path));
        *held = Some(before + if written.is_ok() { bytes.len() as u64 } else { 0 });
    }

    /// Reads all partial answers; those that are damaged are removed.
    pub fn scrub(&self) {
        for (path, _) in self.files() {
            if fs::read(&path).is_ok_and(|bytes| checked(&bytes).is_none()) {
                warn!(path = %path.display(), "removed a damaged partial answer");
                // It is not read, removed or not.
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn clear(&self) -> u64 {
        self.files().iter().for_each(|(path, _)| drop(fs::remove_file(path)));
        0
    }

    fn files(&self) -> Vec<(PathBuf, u64)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == ENDING));
        files.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len()))).collect()
    }

    fn path(&self, question: &[u8]) -> PathBuf {
        let mut hasher = SipHasher13::new();
        hasher.write(question);
        self.dir.join(format!("{:016x}.{ENDING}", hasher.finish()))
    }
}

/// Names files that are not whole yet.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn length(question: &[u8]) -> [u8; WORD] {
    (question.len() as u32).to_le_bytes() // a question is far below 4 GiB
}

fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, body) = bytes.split_at_checked(WORD)?;
    (crc32c::crc32c(body).to_le_bytes() == sum).then_some(body)
}

/// A question as far as it concerns one day.
#[derive(Serialize)]
struct Asked<'a> {
    version: u32,
    filter: &'a Filter,
    range: TimeKey,
    groups: &'a [Group],
    metrics: &'a [Metric],
}

/// The bytes that stand for a question over all of a day.
pub fn question_of(plan: &Plan, cut: &Cut) -> Option<Vec<u8>> {
    let asked = Asked {
        version: VERSION,
        filter: &plan.filter,
        range: cut.range.key,
        groups: &cut.groups,
        metrics: &plan.metrics,
    };
    postcard::to_stdvec(&asked).ok()
}

/// How a plan cuts a day whose times lie within `bounds`: with the intervals that reach into it alone, and without the
/// range's ends if the whole day is within, so that questions over other ranges ask the same of it. Answers whether it is.
pub fn cut_of(plan: &Plan, bounds: impl Fn(TimeKey) -> Option<(Millis, Millis)>) -> (Cut, bool) {
    let whole = bounds(plan.range.key).is_some_and(|(least, most)| plan.range.from <= least && most < plan.range.to);
    let range = if whole { TimeRange { from: Millis::MIN, to: Millis::MAX, ..plan.range } } else { plan.range };
    let groups = plan.groups.iter().map(|group| match group {
        Group::Time { key, edges } => Group::Time { key: *key, edges: reaching(edges, bounds(*key)) },
        Group::Key(key) => Group::Key(Key::clone(key)),
    });
    (Cut { day: DayAs::Sealed, range, groups: groups.collect() }, whole)
}

fn reaching(edges: &[Millis], bounds: Option<(Millis, Millis)>) -> Vec<Millis> {
    let Some((least, most)) = bounds else { return Vec::new() };
    let from = edges.partition_point(|edge| *edge <= least).saturating_sub(1);
    let to = (edges.partition_point(|edge| *edge <= most) + 1).min(edges.len());
    edges.get(from..to).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::measure::State;

    fn partial(many: u64) -> Partial {
        let mut partial = Partial::default();
        partial.rows.insert(Box::default(), vec![State::Count(many)]);
        partial
    }

    fn count(partial: Option<Partial>) -> Option<u64> {
        match partial?.rows.into_values().next()?.first()? {
            State::Count(many) => Some(*many),
            _ => None,
        }
    }

    #[test]
    fn an_answer_is_read_for_its_question_alone_and_damage_is_removed() {
        let dir = tempfile::tempdir().expect("folder");
        let cache = Cache::new(dir.path(), 1 << 20);
        cache.write(b"one", &partial(1));
        cache.write(b"two", &partial(2));
        let read = [&b"one"[..], b"two", b"three"].map(|question| count(cache.read(question)));
        assert_eq!(read, [Some(1), Some(2), None]);
        let path = cache.path(b"one");
        let whole = fs::read(&path).expect("file");
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            fs::write(&path, bent).expect("file");
            assert!(cache.read(b"one").is_none() && !path.exists(), "byte {at}");
        }
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).expect("file");
            assert!(cache.read(b"one").is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn a_day_holds_no_more_bytes_than_it_may() {
        let dir = tempfile::tempdir().expect("folder");
        let cache = Cache::new(dir.path(), 1000);
        for number in 0..200u64 {
            cache.write(&number.to_le_bytes(), &partial(number));
            let held: u64 = cache.files().iter().map(|(_, bytes)| bytes).sum();
            assert!(held <= 1000, "{held} B");
            assert_eq!(count(cache.read(&number.to_le_bytes())), Some(number));
        }
        cache.write(&[0; 999], &partial(1));
        assert!(cache.read(&[0; 999]).is_none());
    }

    #[test]
    fn intervals_that_do_not_reach_a_day_are_left_out() {
        let edges = [0, 10, 20, 30, 40];
        type Case<'a> = (Option<(i64, i64)>, &'a [i64]);
        let rows: [Case<'_>; 6] = [
            (Some((12, 13)), &[10, 20]),
            (Some((10, 20)), &[10, 20, 30]),
            (Some((-5, 100)), &edges),
            (Some((-5, -1)), &[0]),
            (Some((40, 50)), &[40]),
            (None, &[]),
        ];
        for (bounds, expected) in rows {
            assert_eq!(reaching(&edges, bounds), expected, "{bounds:?}");
        }
    }
}
