//! Payload: an event as bytes, the way it lies in the journal.
//! - One byte of format and flags, then the event in postcard. Bit 0: the days around count for its id
//!   ([`IdScope::DaysAround`]); the higher bits are the version, 0 so far.
//! - Every version ever written stays readable; increments never stand in it.

use super::{Event, IdScope};
use crate::error::Kind;

const AROUND: u8 = 1;

impl Event {
    /// The event as the journal holds it.
    pub fn to_payload(&self, scope: IdScope) -> Result<Vec<u8>, PayloadError> {
        let flags = if scope == IdScope::DaysAround { AROUND } else { 0 };
        postcard::to_extend(self, vec![flags]).map_err(|source| PayloadError::Encode { source })
    }

    /// Reads an event that [`Event::to_payload`] made.
    pub fn from_payload(bytes: &[u8]) -> Result<(Self, IdScope), PayloadError> {
        let (flags, rest) = bytes.split_first().ok_or(PayloadError::Empty)?;
        let scope = match flags {
            0 => IdScope::Day,
            &AROUND => IdScope::DaysAround,
            _ => return Err(PayloadError::Version { version: flags >> 1 }),
        };
        let event = postcard::from_bytes(rest).map_err(|source| PayloadError::Decode { source })?;
        Ok((event, scope))
    }
}

/// Why a payload and an event do not become each other.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The event does not fit the format; a fault of ours.
    #[error("encode event")]
    Encode {
        /// What does not fit.
        source: postcard::Error,
    },
    /// The bytes are no event.
    #[error("decode event")]
    Decode {
        /// What does not fit.
        source: postcard::Error,
    },
    /// There are no bytes.
    #[error("decode event: no bytes")]
    Empty,
    /// A newer program wrote it.
    #[error("decode event: format version {version}, this program reads 0")]
    Version {
        /// Its version.
        version: u8,
    },
}

impl PayloadError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Encode { .. } => Kind::Internal,
            Self::Decode { .. } | Self::Empty => Kind::Corrupt,
            Self::Version { .. } => Kind::Unsupported,
        }
    }
}
