//! Sort: any number of log lines in order of time, within a bound of memory.
//! - Lines are ordered by (time, bytes), so that equal lines are neighbours whatever file they came from.
//! - Up to [`RUN_BYTES_MAX`] are held; past it a sorted run is spilled to an unnamed temporary file (zstd) and the runs are
//!   merged at the end. The files vanish with the process, however it ends.
//! - Absent: what a line means; the caller says its time.

use crate::clock::Millis;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// Bytes of lines held in memory.
pub const RUN_BYTES_MAX: usize = 64 << 20;
/// What a held line costs beside its bytes.
const LINE_OVERHEAD: usize = 64;

/// A line with its time and its origin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timed {
    /// When it happened.
    pub at: Millis,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Which file, by the caller's count.
    pub file: u32,
    /// Which line there, from 1.
    pub number: u64,
}

/// Takes lines in any order and gives them back sorted.
pub struct Sorter {
    held: Vec<Timed>,
    held_bytes: usize,
    run_bytes_max: usize,
    runs: Vec<File>,
}

impl Sorter {
    /// Holds up to `run_bytes_max` in memory.
    pub fn new(run_bytes_max: usize) -> Self {
        Self { held: Vec::new(), held_bytes: 0, run_bytes_max, runs: Vec::new() }
    }

    /// Takes a line.
    pub fn push(&mut self, line: Timed) -> io::Result<()> {
        self.held_bytes += line.bytes.len() + LINE_OVERHEAD;
        self.held.push(line);
        if self.held_bytes > self.run_bytes_max { self.spill() } else { Ok(()) }
    }

    /// All lines in order.
    pub fn finish(mut self) -> io::Result<Sorted> {
        self.held.sort_unstable();
        let mut sources: Vec<Source> = vec![Source::Held(self.held.into_iter())];
        for mut run in self.runs {
            run.rewind()?;
            sources.push(Source::Run(zstd::stream::read::Decoder::new(run)?));
        }
        let mut heap = BinaryHeap::with_capacity(sources.len());
        for (at, source) in sources.iter_mut().enumerate() {
            heap.extend(source.next()?.map(|line| Reverse((line, at))));
        }
        Ok(Sorted { sources, heap })
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let mut output = BufWriter::new(zstd::stream::write::Encoder::new(tempfile::tempfile()?, 1)?);
        for line in self.held.drain(..) {
            let bytes = postcard::to_stdvec(&line).map_err(io::Error::other)?;
            output.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
            output.write_all(&bytes)?;
        }
        self.held_bytes = 0;
        self.runs.push(output.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?);
        Ok(())
    }
}

/// The lines in order; ends after the first error.
pub struct Sorted {
    sources: Vec<Source>,
    heap: BinaryHeap<Reverse<(Timed, usize)>>,
}

impl Iterator for Sorted {
    type Item = io::Result<Timed>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((line, source)) = self.heap.pop()?;
        match self.sources[source].next() {
            Ok(following) => self.heap.extend(following.map(|following| Reverse((following, source)))),
            Err(error) => {
                self.heap.clear();
                return Some(Err(error));
            }
        }
        Some(Ok(line))
    }
}

enum Source {
    Held(std::vec::IntoIter<Timed>),
    Run(zstd::stream::read::Decoder<'static, BufReader<File>>),
}

impl Source {
    fn next(&mut self) -> io::Result<Option<Timed>> {
        match self {
            Self::Held(lines) => Ok(lines.next()),
            Self::Run(input) => read_record(input),
        }
    }
}

fn read_record(input: &mut impl Read) -> io::Result<Option<Timed>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    input.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u64) -> Vec<Timed> {
        let line = |number: u64| {
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            Timed { at: (mixed % 50) as Millis, bytes: mixed.to_le_bytes().to_vec(), file: (number % 3) as u32, number }
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn lines_come_back_in_order_whether_they_fit_in_memory_or_not() {
        for run_bytes_max in [usize::MAX, 10_000, 100] {
            let mut sorter = Sorter::new(run_bytes_max);
            for line in lines(1000) {
                sorter.push(line).expect("push");
            }
            let sorted: Vec<Timed> = sorter.finish().expect("finish").map(|line| line.expect("read")).collect();
            let mut expected = lines(1000);
            expected.sort();
            assert_eq!(sorted, expected, "runs of {run_bytes_max} bytes");
        }
    }

    #[test]
    fn nothing_sorts_to_nothing() {
        assert_eq!(Sorter::new(1).finish().expect("finish").count(), 0);
    }
}
