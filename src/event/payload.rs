//! Payload: an event as bytes, the way it lies in the journal.
//! - One byte of format and flags, then the event in postcard. Bit 0: the days around count for its id
//!   ([`IdScope::DaysAround`]); the higher bits are the version, 0 so far.
//! - Every version ever written stays readable; increments never stand in it.

use super::{Event, IdScope};
use crate::error::Kind;
use postcard::ser_flavors::Flavor;

const AROUND: u8 = 1;

impl Event {
    /// The event as the journal holds it, put behind what `out` holds.
    pub fn write_payload(&self, scope: IdScope, out: &mut Vec<u8>) -> Result<(), PayloadError> {
        out.push(if scope == IdScope::DaysAround { AROUND } else { 0 });
        postcard::serialize_with_flavor(self, Onto(out)).map_err(|source| PayloadError::Encode { source })
    }

    /// The event as the journal holds it.
    pub fn to_payload(&self, scope: IdScope) -> Result<Vec<u8>, PayloadError> {
        let mut payload = Vec::new();
        self.write_payload(scope, &mut payload).map(|()| payload)
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

/// Lets postcard write behind what a buffer holds.
struct Onto<'a>(&'a mut Vec<u8>);

impl Flavor for Onto<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
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
