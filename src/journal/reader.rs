//! Reading: what is synced, from any position on, record by record across segments, for replay and for following alike.
//! - Blocking; cheap when caught up (no file is touched).
//! - Reads only bytes that are synced, so what a writer is writing, or cuts after a failure, is never seen.
//! - Damage and gaps are an error once; the next call goes on behind them.

use super::aside;
use super::batch::{Block, Payloads};
use super::error::JournalError;
use super::frame::Head;
use super::record::Decoder;
use super::segment::{self, Damage, Extent, Step, Walk};
use super::shared::{Place, Shared, Span};
use std::fmt;
use std::sync::Arc;

/// Follows the journal from a position on.
pub struct Reader {
    shared: Arc<Shared>,
    decoder: Decoder,
    /// The next position to give.
    position: u64,
    walk: Option<(u64, Walk)>,
    /// The record `position` lies in, and its first position.
    record: Option<(u64, Arc<Payloads>)>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64) -> Result<Self, JournalError> {
        let end = shared.synced();
        if from > end {
            return Err(JournalError::PastEnd { from, end });
        }
        let decoder = Decoder::new().map_err(|source| JournalError::io("start", &"a journal reader", source))?;
        Ok(Self { shared, decoder, position: from, walk: None, record: None })
    }

    /// The next position it will give.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// At most `max` payloads (at least one) from the current position on, all of one record; `None` when caught up with
    /// what is synced. Blocking.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Missing`]: told once, the next call goes on behind them.
    /// [`JournalError::Io`]: the next call tries the same again. [`JournalError::Version`].
    pub fn read(&mut self, max: usize) -> Result<Option<Block>, JournalError> {
        loop {
            // Read before the spans are, so that they hold at least this much.
            let synced = self.shared.synced();
            if self.position >= synced {
                return Ok(None);
            }
            if let Some(block) = self.take(max.max(1)) {
                return Ok(Some(block));
            }
            self.load(synced)?;
        }
    }

    /// The next payloads of the record at hand.
    fn take(&mut self, max: usize) -> Option<Block> {
        let (first, payloads) = self.record.as_ref()?;
        let start = usize::try_from(self.position.checked_sub(*first)?).ok()?;
        let end = payloads.len().min(start.saturating_add(max));
        let block = (start < end).then(|| Block::new(self.position, Arc::clone(payloads), start..end));
        self.position = first + end as u64;
        if end == payloads.len() {
            self.record = None;
        }
        block
    }

    /// Loads the record that holds the position, or learns why there is none.
    fn load(&mut self, synced: u64) -> Result<(), JournalError> {
        let (span, next_first) = match self.shared.place_of(self.position) {
            Place::Segment(span, next_first) => (span, next_first),
            Place::Before(to) => return Err(self.missing(to)),
        };
        let extent = Extent { bytes: span.bytes, next_first };
        let end = next_first.unwrap_or(synced);
        let step = match self.walk_in(span, extent) {
            Ok(walk) => walk.next(extent)?,
            // Released meanwhile, or taken away.
            Err(error) if error.is_not_found() => return Err(self.missing(end)),
            Err(error) => return Err(error),
        };
        match step {
            Step::Record(head) => self.hold(head, span),
            Step::Damage(damage) => self.pass(damage),
            Step::Tail(mut damage, _) => {
                damage.positions.end = damage.positions.end.max(end);
                self.pass(damage)
            }
            Step::End if self.position < end => Err(self.missing(end)),
            Step::End => Ok(()),
        }
    }

    /// The walk through the position's segment, opened when it is not the one at hand.
    fn walk_in(&mut self, span: Span, extent: Extent) -> Result<&mut Walk, JournalError> {
        let walk = match self.walk.take() {
            Some((first, walk)) if first == span.first => walk,
            _ => {
                let mut walk = Walk::open(&*self.shared.files, span.first)?;
                walk.seek(self.position, extent)?;
                walk
            }
        };
        Ok(&mut self.walk.insert((span.first, walk)).1)
    }

    fn hold(&mut self, head: Head, span: Span) -> Result<(), JournalError> {
        if head.end() <= self.position {
            return Ok(());
        }
        let Some((_, walk)) = &self.walk else { return Ok(()) };
        match self.decoder.payloads(&head, walk.body()) {
            Some(payloads) => {
                self.record = Some((head.first, Arc::new(payloads)));
                Ok(())
            }
            None => {
                let (bytes, offset) = (head.record_bytes(), walk.offset() - head.record_bytes());
                let (segment, positions) = (segment::name(span.first), self.position..head.end());
                self.pass(Damage { segment, offset, bytes, positions, aside: None })
            }
        }
    }

    /// Goes on behind damage; an error when it cost positions that were to be read.
    fn pass(&mut self, mut damage: Damage) -> Result<(), JournalError> {
        let lost = self.position.max(damage.positions.start)..damage.positions.end;
        if lost.is_empty() {
            return Ok(());
        }
        if damage.bytes == 0 {
            return Err(self.missing(lost.end));
        }
        if let Some((_, walk)) = &self.walk
            && let Err(error) = aside::set(&*self.shared.files, walk.file(), &mut damage)
        {
            tracing::warn!(segment = damage.segment, offset = damage.offset, %error, "copying damaged bytes failed");
        }
        self.position = lost.end;
        damage.positions = lost;
        Err(JournalError::Damaged(damage))
    }

    fn missing(&mut self, to: u64) -> JournalError {
        let from = std::mem::replace(&mut self.position, to);
        JournalError::Missing { from, to }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("position", &self.position).finish_non_exhaustive()
    }
}
