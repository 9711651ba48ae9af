//! Shell: what the command line does beside serving.
//! - Every command that reads or writes events asks the HTTP API ([`client`]), of a server or of the folder opened here.
//! - Long work shows a bar on a terminal and plain lines elsewhere; results go to standard output, the rest to standard error.
//! - Absent: any rule about events, answers or access; the API has them.

pub mod args;
pub mod client;
pub mod follow;
pub mod import;
pub mod jobs;
pub mod key;
pub mod load;
pub mod query;
mod table;
pub mod tock;

use crate::error::Kind;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The server did not answer.
    #[error("ask {path}: {why}")]
    Ask {
        /// For what.
        path: String,
        /// Why.
        why: String,
    },
    /// The server refused.
    #[error("refused ({status}): {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        why: String,
    },
    /// An answer makes no sense.
    #[error("the server's answer is not understood: {0}")]
    Answer(String),
    /// A file cannot be read.
    #[error("read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file's format is not known.
    #[error("{path}: {why}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        why: String,
    },
    /// Sorting needs room for temporary files.
    #[error("sort lines")]
    Sort(#[source] std::io::Error),
    /// Where a followed log is left cannot be remembered.
    #[error("remember the place of {path}")]
    Place {
        /// Which log.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::CatalogError),
    /// What was asked does not hold: damage, differences.
    #[error("{0}")]
    Found(String),
}

impl ShellError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ask { .. } => Kind::Unavailable,
            Self::Refused { .. } | Self::Read { .. } | Self::Format { .. } => Kind::Invalid,
            Self::Answer(_) | Self::Sort(_) | Self::Place { .. } => Kind::Internal,
            Self::Catalog(error) => error.kind(),
            Self::Found(_) => Kind::Corrupt,
        }
    }
}
