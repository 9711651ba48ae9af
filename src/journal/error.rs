//! What can go wrong in the journal.
//! - Cheap to clone: one failed sync is the answer to many callers.

use super::segment::Damage;
use crate::error::Kind;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

/// An error of the journal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Another process, or another handle of this one, has the folder.
    #[error("lock journal folder {folder}: another Metronome is using it; stop that one or choose another data_dir")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// A bound that does not fit the others.
    #[error("open journal: option {option} is {value}: must be {min} to {max}")]
    Option {
        /// Its name in [`super::Options`].
        option: &'static str,
        /// What it was set to.
        value: u64,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// The segments have reached `bytes_max`; room comes back when followers release.
    #[error("append {bytes} B to the journal: {held} B are held, limit is {limit} B")]
    Full {
        /// What the batch may need.
        bytes: u64,
        /// What the segments hold.
        held: u64,
        /// `bytes_max`.
        limit: u64,
    },
    /// A write or sync failed; nothing is acknowledged until the journal has reopened itself.
    #[error("append to the journal: poisoned by a failure to {operation} {object}")]
    Poisoned {
        /// What failed.
        operation: &'static str,
        /// On which file.
        object: String,
        /// The failure.
        source: Arc<io::Error>,
    },
    /// The journal is closed, or its thread has ended.
    #[error("append to the journal: it is closed")]
    Closed,
    /// A payload that fits in no record.
    #[error("append payload of {bytes} B: limit is {limit} B")]
    PayloadTooLarge {
        /// Its size.
        bytes: usize,
        /// The largest one.
        limit: usize,
    },
    /// A file operation failed.
    #[error("{operation} {object}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        object: String,
        /// Why it failed.
        source: Arc<io::Error>,
    },
    /// A record of a format this build does not know.
    #[error("read journal segment {segment} at byte {offset}: format version {version}, this build reads 1")]
    Version {
        /// The file.
        segment: String,
        /// Where the record begins.
        offset: u64,
        /// Its version.
        version: u8,
    },
    /// Bytes are damaged. The reader goes on behind them with the next call.
    #[error("read journal segment {0}")]
    Damaged(Damage),
    /// Positions are not there, though no damaged bytes stand for them: released, or a segment is gone. The reader goes
    /// on behind them with the next call.
    #[error("read journal position {from}: the next one held is {to}")]
    Missing {
        /// The first one that is not there.
        from: u64,
        /// The next one that is.
        to: u64,
    },
    /// A reader was to begin behind the end.
    #[error("read journal from position {from}: it ends at {end}")]
    PastEnd {
        /// Where it was to begin.
        from: u64,
        /// Where the journal ends.
        end: u64,
    },
}

impl JournalError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Option { .. } | Self::PayloadTooLarge { .. } => Kind::Invalid,
            Self::Version { .. } => Kind::Unsupported,
            Self::Full { .. } => Kind::Overloaded,
            Self::Locked { .. } | Self::Poisoned { .. } | Self::Closed => Kind::Unavailable,
            Self::Damaged(_) | Self::Missing { .. } | Self::PastEnd { .. } => Kind::Corrupt,
            Self::Io { .. } => Kind::Internal,
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(super) fn io(operation: &'static str, object: &dyn Display, source: io::Error) -> Self {
        Self::Io { operation, object: object.to_string(), source: Arc::new(source) }
    }
}
