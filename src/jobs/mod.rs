//! Jobs: long work with progress, begun by request and asked after: sealing, verifying; and imports.
//! - A job may be begun again at any time; it finds what is left to do.
//! - Absent: the shell's side (files, bars), and the rules of sealing (`indexer`).

pub mod imports;
pub mod registry;
pub mod verify;

use crate::catalog::CatalogError;
use crate::error::Kind;
use crate::indexer::IndexerError;
use crate::ingest::IngestError;
use crate::journal::JournalError;
use crate::store::StoreError;

/// Why a job or an import could not go on.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Too much is under way.
    #[error("{0}")]
    Busy(String),
    /// There is no such import: it ended, or the server was started again; it is begun anew.
    #[error("there is no import {0} under way")]
    NoImport(u64),
    /// Events could not be taken.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Days could not be sealed.
    #[error(transparent)]
    Indexer(#[from] IndexerError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Salts could not be made or destroyed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl JobError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Busy(_) => Kind::Overloaded,
            Self::NoImport(_) => Kind::Invalid,
            Self::Ingest(error) => error.kind(),
            Self::Indexer(error) => error.kind(),
            Self::Journal(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Catalog(error) => error.kind(),
        }
    }
}
