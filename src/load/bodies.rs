//! Bodies: where the events of a load come from: made as they are sent, or read from a file written before.
//! - A body read from a file costs a copy, so that figures of a server hold little of the generator's own work.

use super::mix::Mix;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The events of a load, by number.
#[derive(Debug, Clone)]
pub enum Bodies {
    /// Made as they are sent.
    Made(Mix),
    /// Written to a file before the clock starts.
    Written(Arc<Written>),
}

impl Bodies {
    /// The lines of these events.
    pub(super) fn lines(&self, numbers: Range<u64>) -> io::Result<Vec<u8>> {
        match self {
            Self::Made(mix) => {
                let mut lines = Vec::new();
                for number in numbers {
                    mix.write(number, &mut lines);
                    lines.push(b'\n');
                }
                Ok(lines)
            }
            Self::Written(written) => written.lines(numbers),
        }
    }
}

/// Events in a file, a line each, and where each begins.
#[derive(Debug)]
pub struct Written {
    path: PathBuf,
    file: File,
    /// One more than there are events: the last is where the file ends.
    starts: Vec<u64>,
}

impl Written {
    /// Writes every event of the mix; `before` is put in front of each, as some bulk protocols want it.
    pub fn write(path: &Path, mix: &Mix, before: &str) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        let mut starts = vec![0];
        let (mut line, mut at) = (Vec::new(), 0);
        for number in 0..mix.events {
            line.clear();
            line.extend_from_slice(before.as_bytes());
            mix.write(number, &mut line);
            line.push(b'\n');
            out.write_all(&line)?;
            at += line.len() as u64;
            starts.push(at);
        }
        out.flush()?;
        Ok(Self { path: path.to_owned(), file: File::open(path)?, starts })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.starts.len() as u64 - 1
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    fn lines(&self, numbers: Range<u64>) -> io::Result<Vec<u8>> {
        let start_of = |number: u64| {
            let start = usize::try_from(number).ok().and_then(|number| self.starts.get(number));
            start
                .copied()
                .ok_or_else(|| io::Error::other(format!("event {number} of {} was not written", self.events())))
        };
        let (from, to) = (start_of(numbers.start)?, start_of(numbers.end)?);
        let mut lines = vec![0; usize::try_from(to - from).unwrap_or_default()];
        self.file.read_exact_at(&mut lines, from)?;
        Ok(lines)
    }
}
