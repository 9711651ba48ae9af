//! Open ids: the hashes of the ids that one day's open parts have, within little memory however many they are.
//! - The newest are in a set; past [`FRESH_MAX`] they become a run: ascending numbers in a file without a name, of which
//!   memory holds a filter and every [`BLOCK`]th number. Runs of about one size are merged, up to [`RUN_MAX`].
//! - A run is read only where its filter says maybe: for what is known, and for one in a hundred of what is not.
//! - Nothing here is promised: columns hold the ids themselves, and all of it is made of them again when it is asked for.

use fastbloom::BloomFilter;
use rustc_hash::{FxHashSet, FxHasher};
use std::fs::File;
use std::hash::BuildHasherDefault;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Hashes in the set.
const FRESH_MAX: usize = 1 << 19;
/// Runs of about one size that become one.
const MERGED_RUNS: usize = 4;
/// Hashes of a merged run at the most.
const RUN_MAX: u64 = 1 << 25;
/// Hashes read at once.
const BLOCK: u64 = 512;
/// Bytes of a hash on disk.
const WIDTH: u64 = 8;
/// Bits of a filter for each hash, and how many of them each sets: one in a hundred others is taken for known.
const FILTER: (u64, u32) = (10, 5);

/// Hashes of ids.
#[derive(Default)]
pub struct OpenIds {
    fresh: FxHashSet<u64>,
    /// The largest first.
    runs: Vec<Run>,
}

struct Run {
    file: File,
    len: u64,
    /// The first number of each block.
    firsts: Vec<u64>,
    filter: BloomFilter<BuildHasherDefault<FxHasher>>,
}

impl OpenIds {
    /// Whether it was taken.
    pub fn contains(&self, hash: u64) -> io::Result<bool> {
        if self.fresh.contains(&hash) {
            return Ok(true);
        }
        for run in &self.runs {
            if run.contains(hash)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes hashes; runs lie in files without a name in `folder`.
    pub fn extend(&mut self, folder: &Path, hashes: impl Iterator<Item = u64>) -> io::Result<()> {
        self.extend_by(folder, hashes, FRESH_MAX)
    }

    fn extend_by(&mut self, folder: &Path, hashes: impl Iterator<Item = u64>, fresh_max: usize) -> io::Result<()> {
        for hash in hashes {
            self.fresh.insert(hash);
            if self.fresh.len() >= fresh_max {
                self.spill(folder)?;
            }
        }
        Ok(())
    }

    /// Makes a run of the set, and one of the runs that are alike. What fails loses nothing: what is no run stays in the set, what is no merged run stays several.
    fn spill(&mut self, folder: &Path) -> io::Result<()> {
        let mut hashes: Vec<u64> = self.fresh.iter().copied().collect();
        hashes.sort_unstable();
        let run = Run::write(folder, hashes.len() as u64, hashes.into_iter().map(Ok))?;
        // As large as before: it fills up again.
        self.fresh.clear();
        self.runs.push(run);
        while let Some(from) = self.to_merge() {
            let alike = &self.runs[from..];
            let merged = Run::write(folder, alike.iter().map(|run| run.len).sum(), Merged::of(alike)?)?;
            self.runs.splice(from.., [merged]);
        }
        Ok(())
    }

    /// Where the runs begin that are to become one.
    fn to_merge(&self) -> Option<usize> {
        let from = self.runs.len().checked_sub(MERGED_RUNS)?;
        let alike = &self.runs[from..];
        let all: u64 = alike.iter().map(|run| run.len).sum();
        (alike[0].len < 2 * alike[MERGED_RUNS - 1].len && all <= RUN_MAX).then_some(from)
    }
}

impl Run {
    /// Writes ascending numbers; `len` is how many at the most.
    fn write(folder: &Path, len: u64, hashes: impl Iterator<Item = io::Result<u64>>) -> io::Result<Self> {
        let bits = usize::try_from(len * FILTER.0).unwrap_or(usize::MAX);
        let mut filter = BloomFilter::with_num_bits(bits).hasher(BuildHasherDefault::default()).hashes(FILTER.1);
        let mut out = BufWriter::new(tempfile::tempfile_in(folder)?);
        let (mut firsts, mut len) = (Vec::new(), 0);
        for hash in hashes {
            let hash = hash?;
            if len % BLOCK == 0 {
                firsts.push(hash);
            }
            filter.insert(&hash);
            out.write_all(&hash.to_le_bytes())?;
            len += 1;
        }
        Ok(Self { file: out.into_inner()?, len, firsts, filter })
    }

    fn contains(&self, hash: u64) -> io::Result<bool> {
        if !self.filter.contains(&hash) {
            return Ok(false);
        }
        let Some(block) = self.firsts.partition_point(|first| *first <= hash).checked_sub(1) else { return Ok(false) };
        Ok(self.block(block as u64)?.binary_search(&hash).is_ok())
    }

    fn block(&self, block: u64) -> io::Result<Vec<u64>> {
        let count = BLOCK.min(self.len - block * BLOCK);
        let mut bytes = vec![0; (count * WIDTH) as usize];
        self.file.read_exact_at(&mut bytes, block * BLOCK * WIDTH)?;
        let (numbers, _) = bytes.as_chunks();
        Ok(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }
}

/// Several runs' numbers in order, each once.
struct Merged<'a> {
    runs: Vec<Ahead<'a>>,
    last: Option<u64>,
}

/// A run and what was read of it.
struct Ahead<'a> {
    run: &'a Run,
    block: Vec<u64>,
    at: usize,
    next: u64,
}

impl Ahead<'_> {
    fn number(&self) -> Option<u64> {
        self.block.get(self.at).copied()
    }

    fn advance(&mut self) -> io::Result<()> {
        self.at += 1;
        if self.at >= self.block.len() && self.next * BLOCK < self.run.len {
            (self.block, self.at) = (self.run.block(self.next)?, 0);
            self.next += 1;
        }
        Ok(())
    }
}

impl<'a> Merged<'a> {
    fn of(runs: &'a [Run]) -> io::Result<Self> {
        let ahead = |run: &'a Run| -> io::Result<_> { Ok(Ahead { run, block: run.block(0)?, at: 0, next: 1 }) };
        Ok(Self { runs: runs.iter().map(ahead).collect::<Result<_, _>>()?, last: None })
    }
}

impl Iterator for Merged<'_> {
    type Item = io::Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let least = self.runs.iter_mut().filter(|run| run.number().is_some());
            let least = least.min_by_key(|run| run.number())?;
            let number = least.number()?;
            if let Err(error) = least.advance() {
                return Some(Err(error));
            }
            if self.last.replace(number) != Some(number) {
                return Some(Ok(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that looks like a hash.
    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn what_was_taken_is_known_and_nothing_else_however_it_was_spilled_and_merged() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ids = OpenIds::default();
        let take = |ids: &mut OpenIds, numbers: std::ops::Range<u64>| {
            ids.extend_by(folder.path(), numbers.map(hash), 1000).expect("taken");
        };
        take(&mut ids, 0..30_500);
        // Some come again.
        take(&mut ids, 29_000..70_001);
        assert!(ids.runs.len() < 12, "{} runs", ids.runs.len());
        assert!(ids.fresh.len() < 1000);
        for number in 0..70_001 {
            assert!(ids.contains(hash(number)).expect("read"), "{number}");
        }
        assert!((70_001..200_000).all(|number| !ids.contains(hash(number)).expect("read")));
        assert!([0, u64::MAX].iter().all(|end| ids.contains(*end).expect("read") == (*end == hash(0))));
    }

    #[test]
    fn memory_is_a_filter_and_a_number_a_block() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ids = OpenIds::default();
        ids.extend_by(folder.path(), (0..400_000).map(hash), 10_000).expect("taken");
        let held: usize = ids.runs.iter().map(|run| run.firsts.len() * 8 + run.filter.as_slice().len() * 8).sum();
        assert!(held < 400_000 * 3 / 2, "{held} bytes");
        assert_eq!(ids.runs.iter().map(|run| run.len).sum::<u64>(), 400_000);
    }

    #[test]
    fn a_run_that_cannot_be_written_leaves_all_as_it_was() {
        let mut ids = OpenIds::default();
        let nowhere = Path::new("/nowhere at all");
        assert!(ids.extend_by(nowhere, (0..1000).map(hash), 1000).is_err());
        assert!((0..1000).all(|number| ids.contains(hash(number)).expect("in memory")));
    }
}
