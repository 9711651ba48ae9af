//! Why a batch was not taken.

use crate::catalog::CatalogError;
use crate::error::Kind;
use crate::event::PayloadError;
use crate::journal::JournalError;

/// An error of the write path: nothing of the batch is acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The batch is larger than one may be.
    #[error("take a batch of {events} events: limit is {limit}")]
    TooMany {
        /// How many there were.
        events: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The journal did not take it.
    #[error("append to the journal")]
    Journal {
        /// Why.
        #[from]
        source: JournalError,
    },
    /// A salt could not be made or written.
    #[error("keep the salts of a batch")]
    Salts {
        /// Why.
        #[from]
        source: CatalogError,
    },
    /// An event has no form in the journal.
    #[error("write an event down")]
    Payload {
        /// Why.
        #[from]
        source: PayloadError,
    },
    /// The process is stopping.
    #[error("the write path is stopped")]
    Stopped,
}

impl IngestError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooMany { .. } => Kind::Invalid,
            Self::Journal { source } => source.kind(),
            Self::Salts { source } => source.kind(),
            Self::Payload { source } => source.kind(),
            Self::Stopped => Kind::Unavailable,
        }
    }
}
