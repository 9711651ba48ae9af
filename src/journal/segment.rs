//! A segment: one file of records, walked from front to back, past damage.
//! - Nothing is given out whose checksums do not hold, nor a record whose positions do not follow.
//! - Damage is passed by the head's length where the head is whole, else by searching for the next whole record.
//! - Memory: the largest record and 256 KiB.

use super::error::JournalError;
use super::files::{File, Files};
use super::frame::{HEAD_BYTES, Head, HeadFault, MAGIC};
use std::fmt;
use std::ops::Range;

const SUFFIX: &str = ".journal";
const DIGITS: usize = 20;
const READ_AHEAD_BYTES: u64 = 256 << 10;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;
/// Zeros in a row that no body has at a sector's end or beginning: zstd makes runs of them short.
const HOLE_BYTES_MIN: u64 = 16;

/// The file name of the segment whose first position is `first`.
pub(super) fn name(first: u64) -> String {
    format!("{first:0DIGITS$}{SUFFIX}")
}

/// The first positions of the folder's segments, in order.
pub(super) fn list(files: &dyn Files) -> Result<Vec<u64>, JournalError> {
    let names = files.list().map_err(|source| JournalError::io("list", &"the journal folder", source))?;
    let digits = names.iter().filter_map(|name| name.strip_suffix(SUFFIX)).filter(|digits| digits.len() == DIGITS);
    let mut firsts: Vec<u64> = digits.filter_map(|digits| digits.parse().ok()).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Bytes of a segment that are not what was written, or positions that are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub segment: String,
    /// Where the damage begins.
    pub offset: u64,
    /// How many bytes; 0 when positions are missing between two whole records.
    pub bytes: u64,
    /// The positions that are lost, as far as they are known.
    pub positions: Range<u64>,
    /// The file beside it that holds the damaged bytes, when they could be copied.
    pub aside: Option<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, bytes, positions, aside } = self;
        write!(f, "{segment}: {bytes} damaged bytes at {offset}, positions {}..{}", positions.start, positions.end)?;
        aside.as_ref().map_or(Ok(()), |aside| write!(f, ", set aside as {aside}"))
    }
}

/// How much of a segment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes that may be read.
    pub(super) bytes: u64,
    /// Where the next segment begins.
    pub(super) next_first: Option<u64>,
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole record; [`Walk::body`] is its body.
    Record(Head),
    /// Damage with a whole record behind it, or none (`bytes` 0: positions jump).
    Damage(Damage),
    /// Damage up to the end.
    Tail(Damage, Tail),
    /// Nothing more.
    End,
}

/// What the damage at a segment's end looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// The file ends within a record, or a sector of it was never written and reads as zeros: a write that was
    /// interrupted, so that its sync never returned.
    Torn,
    /// There is as much as should be, and it is wrong: it may have been acknowledged.
    Damaged,
}

/// What stands at one place.
enum Found {
    Whole(Head),
    BadBody(Head),
    Short,
    Nothing,
}

/// A walk through one segment.
#[derive(Debug)]
pub(super) struct Walk {
    file: Box<dyn File>,
    name: String,
    /// The position that must come next.
    expected: u64,
    offset: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
    body: Range<usize>,
}

impl Walk {
    /// A walk from the beginning of the segment `first`.
    pub(super) fn open(files: &dyn Files, first: u64) -> Result<Self, JournalError> {
        let name = name(first);
        let file = files.open(&name).map_err(|source| JournalError::io("open segment", &name, source))?;
        Ok(Self { file, name, expected: first, offset: 0, buffer: Vec::new(), buffer_at: 0, body: 0..0 })
    }

    /// The position past the last record passed.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// Where the next record begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The file walked.
    pub(super) fn file(&self) -> &dyn File {
        &*self.file
    }

    /// The file walked, for keeps.
    pub(super) fn into_file(self) -> Box<dyn File> {
        self.file
    }

    /// The body of the record that the last step gave.
    pub(super) fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    /// Passes the records that end at or before `position`, by their heads alone.
    pub(super) fn seek(&mut self, position: u64, extent: Extent) -> Result<(), JournalError> {
        while let Some(head) = self.head_at(self.offset, extent)? {
            let after = self.offset + head.record_bytes();
            if head.first != self.expected || head.end() > position || after > extent.bytes {
                break;
            }
            self.expected = head.end();
            self.offset = after;
        }
        Ok(())
    }

    /// What comes next within `extent`.
    pub(super) fn next(&mut self, extent: Extent) -> Result<Step, JournalError> {
        let ended = extent.next_first.is_some_and(|next| self.expected >= next);
        if ended || self.offset >= extent.bytes {
            return Ok(Step::End);
        }
        let found = self.find(self.offset, extent)?;
        if let Found::Whole(head) | Found::BadBody(head) = found
            && extent.next_first.is_some_and(|next| head.first >= next)
        {
            return Ok(Step::End);
        }
        match found {
            Found::Whole(head) if head.first == self.expected => {
                self.expected = head.end();
                self.offset += head.record_bytes();
                Ok(Step::Record(head))
            }
            Found::Whole(head) if head.first > self.expected => Ok(Step::Damage(self.pass(self.offset, head.first))),
            Found::BadBody(head) if head.first >= self.expected => self.past_bad_body(head, extent),
            Found::Short => Ok(Step::Tail(self.pass_to_end(self.expected, extent), Tail::Torn)),
            Found::Whole(_) | Found::BadBody(_) | Found::Nothing => self.past_bad_head(extent),
        }
    }

    fn past_bad_body(&mut self, head: Head, extent: Extent) -> Result<Step, JournalError> {
        let end = self.offset + head.record_bytes();
        if let Some((offset, next)) = self.search(end, head.end(), extent)? {
            return Ok(Step::Damage(self.pass(offset, next.first)));
        }
        if self.has_hole(self.offset, extent)? {
            return Ok(Step::Tail(self.pass_to_end(self.expected, extent), Tail::Torn));
        }
        Ok(Step::Tail(self.pass_to_end(head.end(), extent), Tail::Damaged))
    }

    fn past_bad_head(&mut self, extent: Extent) -> Result<Step, JournalError> {
        if let Some((offset, next)) = self.search(self.offset + 1, self.expected, extent)? {
            return Ok(Step::Damage(self.pass(offset, next.first)));
        }
        let tail = if self.has_hole(self.offset, extent)? { Tail::Torn } else { Tail::Damaged };
        Ok(Step::Tail(self.pass_to_end(self.expected, extent), tail))
    }

    /// Moves on to `offset`, where the position is `position`.
    fn pass(&mut self, offset: u64, position: u64) -> Damage {
        let damage = Damage {
            segment: self.name.clone(),
            offset: self.offset,
            bytes: offset - self.offset,
            positions: self.expected..position,
            aside: None,
        };
        self.offset = offset;
        self.expected = position;
        damage
    }

    fn pass_to_end(&mut self, position: u64, extent: Extent) -> Damage {
        self.pass(extent.bytes, extent.next_first.unwrap_or(position))
    }

    /// The first whole record at or behind `from` whose positions are at least `position_min`.
    fn search(&mut self, from: u64, position_min: u64, extent: Extent) -> Result<Option<(u64, Head)>, JournalError> {
        let mut at = from;
        while at + HEAD_BYTES as u64 <= extent.bytes {
            let window = READ_AHEAD_BYTES.min(extent.bytes - at);
            let Some(range) = self.fill(at, window, extent.bytes)? else { return Ok(None) };
            let Some(place) = memchr::memmem::find(&self.buffer[range], &MAGIC) else {
                at += window - (MAGIC.len() as u64 - 1);
                continue;
            };
            at += place as u64;
            let within = |head: &Head| head.first >= position_min && extent.next_first.is_none_or(|n| head.first < n);
            if let Found::Whole(head) = self.find(at, extent)?
                && within(&head)
            {
                return Ok(Some((at, head)));
            }
            at += 1;
        }
        Ok(None)
    }

    fn has_hole(&mut self, from: u64, extent: Extent) -> Result<bool, JournalError> {
        let mut at = from;
        while at < extent.bytes {
            let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(extent.bytes);
            let Some(range) = self.fill(at, end - at, extent.bytes)? else { return Ok(false) };
            if end - at >= HOLE_BYTES_MIN && self.buffer[range].iter().all(|&byte| byte == 0) {
                return Ok(true);
            }
            at = end;
        }
        Ok(false)
    }

    fn find(&mut self, offset: u64, extent: Extent) -> Result<Found, JournalError> {
        if offset + HEAD_BYTES as u64 > extent.bytes {
            return Ok(Found::Short);
        }
        let Some(head) = self.head_at(offset, extent)? else { return Ok(Found::Nothing) };
        let body = self.fill(offset + HEAD_BYTES as u64, u64::from(head.body_bytes), extent.bytes)?;
        let Some(body) = body else { return Ok(Found::Short) };
        let whole = head.vouches_for(&self.buffer[body.clone()]);
        self.body = body;
        Ok(if whole { Found::Whole(head) } else { Found::BadBody(head) })
    }

    fn head_at(&mut self, offset: u64, extent: Extent) -> Result<Option<Head>, JournalError> {
        let Some(range) = self.fill(offset, HEAD_BYTES as u64, extent.bytes)? else { return Ok(None) };
        let Some(bytes) = self.buffer[range].first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        match Head::read(bytes, offset) {
            Ok(head) => Ok(Some(head)),
            Err(HeadFault::Damaged) => Ok(None),
            Err(HeadFault::Version(version)) => {
                Err(JournalError::Version { segment: self.name.clone(), offset, version })
            }
        }
    }

    /// Where in the buffer the file's bytes `offset..offset + bytes` are, or `None` when it ends before, or `limit` does.
    fn fill(&mut self, offset: u64, bytes: u64, limit: u64) -> Result<Option<Range<usize>>, JournalError> {
        if offset.checked_add(bytes).is_none_or(|end| end > limit) {
            return Ok(None);
        }
        let held = self.buffer_at..self.buffer_at + self.buffer.len() as u64;
        if offset < held.start || offset + bytes > held.end {
            // What fits in memory as a record fits in a usize.
            let wanted = bytes.max(READ_AHEAD_BYTES).min(limit - offset) as usize;
            self.buffer.resize(wanted, 0);
            let read = self.file.read_at(&mut self.buffer, offset);
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            self.buffer_at = offset;
            read.map_err(|source| JournalError::io("read segment", &self.name, source))?;
        }
        let start = (offset - self.buffer_at) as usize;
        let range = start..start + bytes as usize;
        Ok((range.end <= self.buffer.len()).then_some(range))
    }
}
