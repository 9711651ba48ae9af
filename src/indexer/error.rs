//! Why the indexer could not.

use crate::error::Kind;
use crate::event::Day;
use crate::journal::JournalError;
use crate::store::StoreError;
use std::sync::Arc;

/// An error of the indexer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexerError {
    /// The store failed.
    #[error("{operation}")]
    Store {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: Arc<StoreError>,
    },
    /// A day could not be sealed.
    #[error("seal {day}")]
    Seal {
        /// Which day.
        day: Day,
        /// Why.
        source: Arc<StoreError>,
    },
    /// The journal cannot be read.
    #[error("follow the journal")]
    Journal {
        /// Why.
        #[from]
        source: JournalError,
    },
    /// The indexer is stopped.
    #[error("the indexer is stopped")]
    Stopped,
}

impl IndexerError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Store { source, .. } | Self::Seal { source, .. } => source.kind(),
            Self::Journal { source } => source.kind(),
            Self::Stopped => Kind::Unavailable,
        }
    }

    pub(super) fn store(operation: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { operation, source: Arc::new(source) }
    }
}

/// An error with all that caused it, for the log.
pub(super) struct Chain<'a>(pub(super) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(out, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
