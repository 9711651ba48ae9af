//! Recovery: what a folder holds, read from disk, with its newest segment made fit to be continued.
//! - A torn tail is cut. A damaged tail is copied beside the segment, then cut; damage before the tail is copied and
//!   stays where it is (readers pass it). All of it is told, none of it in silence.
//! - Older segments than `recovery_bytes_max` reach are not read: starting stays quick, readers find their damage.
//! - Nothing is synced here but copies: whoever continues the segment does that.

use super::error::JournalError;
use super::files::Files;
use super::segment::{self, Damage, Extent, Step, Tail, Walk};
use super::shared::Span;
use super::{Options, aside};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

/// What opening a journal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The first position held.
    pub first: u64,
    /// The next position to be given.
    pub end: u64,
    /// How many segments there are.
    pub segments: usize,
    /// How many bytes were read and checked, newest first.
    pub checked_bytes: u64,
    /// A record that was being written when the journal stopped, and was cut: never acknowledged.
    pub cut: Option<Damage>,
    /// Damaged parts, and positions that are gone.
    pub damaged: Vec<Damage>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "positions {}..{} in {} segments", self.first, self.end, self.segments)?;
        if let Some(cut) = &self.cut {
            write!(f, "; cut a torn tail of {} bytes from {} at {}", cut.bytes, cut.segment, cut.offset)?;
        }
        self.damaged.iter().try_for_each(|damage| write!(f, "; {damage}"))
    }
}

/// A folder that was read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) report: Recovery,
    pub(super) spans: VecDeque<Span>,
    /// The newest segment, when it can be continued at the report's end.
    pub(super) newest: Option<Walk>,
}

/// Reads the folder.
pub(super) fn recover(files: &dyn Files, options: &Options) -> Result<Found, JournalError> {
    let mut spans = VecDeque::new();
    for first in segment::list(files)? {
        let name = segment::name(first);
        let bytes = files.open(&name).and_then(|file| file.bytes());
        spans
            .push_back(Span { first, bytes: bytes.map_err(|source| JournalError::io("open segment", &name, source))? });
    }
    let mut found = Found { report: Recovery::default(), spans, newest: None };
    let from = first_to_check(&found.spans, options.recovery_bytes_max);
    for at in from..found.spans.len() {
        found.check(files, at)?;
    }
    found.finish(options.position_min);
    Ok(found)
}

/// The oldest segment to be read: the newest always is, others while they fit.
fn first_to_check(spans: &VecDeque<Span>, bytes_max: u64) -> usize {
    let mut left = bytes_max;
    let older = spans.iter().rev().skip(1).take_while(|span| match left.checked_sub(span.bytes) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    spans.len().saturating_sub(1 + older.count())
}

impl Found {
    /// Reads the segment `at`; the newest one's tail is cut, and it is kept to be continued.
    fn check(&mut self, files: &dyn Files, at: usize) -> Result<(), JournalError> {
        let span = self.spans[at];
        let extent = Extent { bytes: span.bytes, next_first: self.spans.get(at + 1).map(|next| next.first) };
        let mut walk = Walk::open(files, span.first)?;
        loop {
            let offset = walk.offset();
            match walk.next(extent)? {
                Step::Record(_) => {}
                Step::Damage(damage) => self.note(files, &walk, damage),
                Step::Tail(damage, _) if extent.next_first.is_some() => self.note(files, &walk, damage),
                Step::Tail(damage, tail) => return self.end_with_tail(files, walk, damage, tail),
                Step::End => {
                    self.report.checked_bytes += offset;
                    self.end_of_segment(walk, extent);
                    return Ok(());
                }
            }
        }
    }

    fn note(&mut self, files: &dyn Files, walk: &Walk, mut damage: Damage) {
        if damage.bytes > 0
            && let Err(error) = aside::set(files, walk.file(), &mut damage)
        {
            tracing::warn!(segment = damage.segment, offset = damage.offset, %error, "copying damaged bytes failed");
        }
        self.report.damaged.push(damage);
    }

    fn end_of_segment(&mut self, walk: Walk, extent: Extent) {
        match extent.next_first {
            Some(next) if walk.expected() < next => {
                self.note_missing(walk.name().to_owned(), walk.offset(), walk.expected()..next);
            }
            Some(_) => {}
            None => {
                self.report.end = walk.expected();
                self.newest = Some(walk);
            }
        }
    }

    fn note_missing(&mut self, segment: String, offset: u64, positions: Range<u64>) {
        self.report.damaged.push(Damage { segment, offset, bytes: 0, positions, aside: None });
    }

    fn end_with_tail(
        &mut self,
        files: &dyn Files,
        walk: Walk,
        mut damage: Damage,
        tail: Tail,
    ) -> Result<(), JournalError> {
        self.report.checked_bytes += damage.offset + damage.bytes;
        self.report.end = damage.positions.end;
        let whole_segment = damage.offset == 0;
        let kept = match tail {
            Tail::Torn => Ok(()),
            Tail::Damaged if whole_segment => aside::set_whole(files, &mut damage),
            Tail::Damaged => aside::set(files, walk.file(), &mut damage),
        };
        match (kept, tail) {
            (Ok(()), Tail::Damaged) if whole_segment => drop(self.spans.pop_back()),
            (Ok(()), _) => self.cut(walk, &damage)?,
            // It stays where it is, and the next segment begins behind it.
            (Err(error), _) if !whole_segment => {
                tracing::warn!(segment = damage.segment, offset = damage.offset, %error, "copying damaged bytes failed");
            }
            (Err(source), _) => return Err(JournalError::io("set aside segment", &damage.segment, source)),
        }
        match tail {
            Tail::Torn => self.report.cut = Some(damage),
            Tail::Damaged => self.report.damaged.push(damage),
        }
        Ok(())
    }

    fn cut(&mut self, walk: Walk, damage: &Damage) -> Result<(), JournalError> {
        let cut = walk.file().cut(damage.offset);
        cut.map_err(|source| JournalError::io("cut torn tail of segment", &damage.segment, source))?;
        if let Some(newest) = self.spans.back_mut() {
            newest.bytes = damage.offset;
        }
        if damage.positions.is_empty() {
            self.newest = Some(walk);
        }
        Ok(())
    }

    /// Settles where the journal goes on.
    fn finish(&mut self, position_min: u64) {
        let end = self.report.end;
        if end < position_min {
            let newest = self.spans.back().copied().unwrap_or(Span { first: end, bytes: 0 });
            self.note_missing(segment::name(newest.first), newest.bytes, end..position_min);
            self.report.end = position_min;
            self.newest = None;
        }
        self.report.segments = self.spans.len();
        self.report.first = self.spans.front().map_or(self.report.end, |span| span.first);
    }
}
