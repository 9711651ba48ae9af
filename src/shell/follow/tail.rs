//! Tail: one file of a log, read from where it was acknowledged to.
//! - Only whole lines are handed out; what has no end yet is read again until it has one, or the file is over.
//! - Reading moves nothing: [`Tail::taken`] does, once the server has synced what was read.
//! - What was read is believed only if the file still begins as it did: one that was cut or written anew is another.
//! - A compressed file is unpacked into an unnamed temporary file when its turn comes.
//! - At most [`CHUNK_BYTES`] are held; a longer line is handed out cut, for the server to refuse, and passed over.

use super::head::{self, Head};
use super::siblings::modified;
use super::window::Window;
use crate::clock::Millis;
use crate::normalize::access_line::LineFormat;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Bytes read at once, and so of the longest line.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Lines handed out at once.
const CHUNK_LINES_MAX: usize = 5_000;
/// Bytes by which a file's format is found.
const FIRST_LINES_BYTES: usize = 64 << 10;
/// How long a file that has gone from its name is watched after its last line: its writer may hold it open, in ms.
pub const DRAIN_MS: Millis = 60_000;
/// How long a file is looked for, in ms.
const LOST_MS: Millis = 5_000;

/// Which file it is, as long as it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of a file with these facts.
    pub fn of(facts: &Metadata) -> Self {
        Self { device: facts.dev(), inode: facts.ino() }
    }
}

/// Lines read from a file, all but the last with their ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The lines.
    pub bytes: Vec<u8>,
    /// Where they begin.
    pub from: u64,
    /// Where to read on once they are taken.
    pub to: u64,
    /// Whether what follows belongs to the last line, which is too long.
    inside_line: bool,
}

impl Chunk {
    /// Each line that is not empty, without its end, with where it begins.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut at = self.from;
        self.bytes.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
            let begins = at;
            at += line.len() as u64;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (!line.is_empty()).then_some((begins, line))
        })
    }
}

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// Lines.
    Lines(Chunk),
    /// Nothing new.
    Nothing,
    /// The file has been cut, or written anew: what was to come of it must be looked for elsewhere.
    Replaced,
}

/// One file of a log.
#[derive(Debug)]
pub struct Tail {
    /// What it begins with, as it is kept.
    pub head: Head,
    /// How its lines are written, once that is known.
    pub format: Option<LineFormat>,
    /// From where it is read again after a restart.
    pub window: Window,
    home: Option<Home>,
    beginning: Vec<u8>,
    offset: u64,
    inside_line: bool,
    quiet_since: Option<Millis>,
}

#[derive(Debug)]
struct Home {
    identity: Identity,
    file: File,
    is_packed: bool,
    /// When it was last written, in ns since 1970.
    modified: i64,
}

impl Tail {
    /// A file that begins so and was read up to there; it has no home yet.
    pub fn remembered(head: Head, from: u64) -> Self {
        Self {
            head,
            format: None,
            window: Window::starting(from),
            home: None,
            beginning: Vec::new(),
            offset: from,
            inside_line: false,
            quiet_since: None,
        }
    }

    /// Goes on in this file, which begins so.
    pub fn settle(&mut self, file: File, beginning: Vec<u8>) -> io::Result<()> {
        let facts = file.metadata()?;
        let is_packed = head::is_packed(&file)?;
        // A file that lost its last lines and was not written anew goes on at its end.
        if !is_packed && facts.len() < self.offset {
            self.offset = facts.len();
            self.window = Window::starting(facts.len());
        }
        self.home = Some(Home { identity: Identity::of(&facts), file, is_packed, modified: modified(&facts) });
        self.head = Head::of(&beginning);
        self.beginning = beginning;
        self.quiet_since = None;
        Ok(())
    }

    /// Which file it is, where it has a home.
    pub fn identity(&self) -> Option<Identity> {
        self.home.as_ref().map(|home| home.identity)
    }

    /// When its file was last written, in ns since 1970.
    pub fn modified(&self) -> i64 {
        self.home.as_ref().map_or(0, |home| home.modified)
    }

    /// Whether another file that begins so may be a copy of it that is not finished.
    pub fn begins_with(&self, beginning: &[u8]) -> bool {
        self.home.is_some() && self.beginning.starts_with(beginning)
    }

    /// Its file is another one now.
    pub fn leave(&mut self) {
        self.home = None;
        self.quiet_since = None;
    }

    /// Whether it has had no home for a while.
    pub fn is_lost(&mut self, now: Millis) -> bool {
        self.home.is_none() && now.saturating_sub(*self.quiet_since.get_or_insert(now)) >= LOST_MS
    }

    /// Where to read on.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Back to where repetitions are counted from anew.
    pub fn rewind(&mut self) {
        self.offset = self.window.from();
        self.window = Window::starting(self.offset);
        self.inside_line = false;
        self.quiet_since = None;
    }

    /// The next whole lines. Of a file that has gone from its name the last one too, without its end, once it is over.
    pub fn read(&mut self, now: Millis, is_over: bool) -> io::Result<Read> {
        self.unpack()?;
        let Some(home) = &self.home else { return Ok(Read::Nothing) };
        let bytes = bytes_at(&home.file, self.offset)?;
        // After the read: before, it would say nothing of what was read.
        if !self.is_the_same()? {
            return Ok(Read::Replaced);
        }
        let mut chunk = self.whole_lines(bytes);
        if chunk.to > chunk.from {
            self.quiet_since = None;
            return Ok(Read::Lines(chunk));
        }
        self.quiet_since.get_or_insert(now);
        if !is_over || chunk.bytes.is_empty() || !self.is_over(now) {
            return Ok(Read::Nothing);
        }
        chunk.to += chunk.bytes.len() as u64;
        Ok(Read::Lines(chunk))
    }

    /// Whether its file still begins as it did, and is as long; notes how it begins where more of that is known by now.
    pub fn is_the_same(&mut self) -> io::Result<bool> {
        let Some(home) = &mut self.home else { return Ok(true) };
        let (beginning, facts) = (head::beginning(&home.file)?, home.file.metadata()?);
        // What it was unpacked into is written later.
        if home.identity == Identity::of(&facts) {
            home.modified = modified(&facts);
        }
        let is_shorter = !home.is_packed && facts.len() < self.offset;
        if is_shorter || !beginning.starts_with(&self.beginning) {
            return Ok(false);
        }
        if beginning.len() > self.beginning.len() {
            self.head = Head::of(&beginning);
            self.beginning = beginning;
        }
        Ok(true)
    }

    /// Whether a file that has gone from its name has nothing more to come.
    pub fn is_over(&self, now: Millis) -> bool {
        self.quiet_since.is_some_and(|since| now.saturating_sub(since) >= DRAIN_MS)
    }

    /// Lines were taken by the server; `second_of` says when each happened.
    pub fn taken(&mut self, chunk: &Chunk, second_of: impl Fn(&[u8]) -> Option<i64>) {
        for (at, line) in chunk.lines() {
            self.window.saw(second_of(line), at);
        }
        self.offset = chunk.to;
        self.inside_line = chunk.inside_line;
    }

    /// The first lines of the file, by which its format is found.
    pub fn first_lines(&self) -> io::Result<Vec<u8>> {
        let Some(home) = &self.home else { return Ok(Vec::new()) };
        let mut bytes = vec![0; FIRST_LINES_BYTES];
        let length = home.file.read_at(&mut bytes, 0)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// What of these bytes is to be taken now; bytes without an end are there, and not to be taken.
    fn whole_lines(&self, mut bytes: Vec<u8>) -> Chunk {
        let from = self.offset;
        if self.inside_line {
            // The rest of a line that was refused: passed over, without its text.
            let end = memchr::memchr(b'\n', &bytes);
            let to = from + end.map_or(bytes.len(), |end| end + 1) as u64;
            return Chunk { bytes: Vec::new(), from, to, inside_line: end.is_none() };
        }
        match memchr::memchr_iter(b'\n', &bytes).take(CHUNK_LINES_MAX).last() {
            Some(end) => {
                bytes.truncate(end + 1);
                Chunk { bytes, from, to: from + end as u64 + 1, inside_line: false }
            }
            None if bytes.len() == CHUNK_BYTES => {
                Chunk { bytes, from, to: from + CHUNK_BYTES as u64, inside_line: true }
            }
            None => Chunk { bytes, from, to: from, inside_line: false },
        }
    }

    /// A compressed file's turn has come. What is damaged in it is an error once; what came before the damage is read.
    fn unpack(&mut self) -> io::Result<()> {
        let Some(home) = self.home.as_mut().filter(|home| home.is_packed) else { return Ok(()) };
        let mut plain = tempfile::tempfile()?;
        let copied = io::copy(&mut head::unpacking(home.file.try_clone()?)?, &mut plain);
        home.file = plain;
        home.is_packed = false;
        copied.map(drop)
    }
}

/// Opens the file at a path with what it begins with; `None` where there is none.
pub fn open(path: &Path) -> io::Result<Option<(File, Vec<u8>)>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let beginning = head::beginning(&file)?;
    Ok(Some((file, beginning)))
}

fn bytes_at(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let left = file.metadata()?.len().saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES))];
    let length = file.read_at(&mut bytes, offset)?;
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
