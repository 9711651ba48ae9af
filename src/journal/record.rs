//! Payloads in a frame's body and back. The format stands at the head of `frame`.
//! - Decoding trusts nothing: lengths that lie give `None`, never a panic, and never more than 64 MiB.
//! - Absent: files and offsets; a record is placed by whoever writes it.

use super::batch::Payloads;
use super::frame::{HEAD_BYTES, Head, RAW_BYTES_MAX};
use std::io;
use zstd::bulk::{Compressor, Decompressor};

/// Bytes a payload takes in a record beside its own.
pub(super) const LENGTH_BYTES: usize = 4;
/// The least effort: the disk is waited for, and one core is shared with everything else.
const LEVEL: i32 = 1;

/// A record ready to be placed.
#[derive(Debug)]
pub(super) struct Record {
    head: Head,
    /// Room for the head, then the body.
    bytes: Vec<u8>,
}

impl Record {
    /// The position past its last payload.
    pub(super) fn end(&self) -> u64 {
        self.head.end()
    }

    /// Bytes of the whole record.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Its bytes for a place at `offset` of a file.
    pub(super) fn placed_at(&mut self, offset: u64) -> &[u8] {
        self.bytes[..HEAD_BYTES].copy_from_slice(&self.head.write(offset));
        &self.bytes
    }
}

/// Gathers payloads and makes records of them.
pub(super) struct Encoder {
    compressor: Compressor<'static>,
    raw_bytes_max: usize,
    lengths: Vec<u8>,
    payloads: Vec<u8>,
}

impl Encoder {
    /// An encoder of records of at most `raw_bytes_max` before compression.
    pub(super) fn new(raw_bytes_max: usize) -> io::Result<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Self { compressor, raw_bytes_max, lengths: Vec::new(), payloads: Vec::new() })
    }

    /// Whether a record that holds what was gathered can take `payload` too.
    pub(super) fn has_room_for(&self, payload: &[u8]) -> bool {
        self.lengths.len() + LENGTH_BYTES + self.payloads.len() + payload.len() <= self.raw_bytes_max
    }

    /// Gathers one payload; there is room for it.
    pub(super) fn push(&mut self, payload: &[u8]) {
        // A payload is at most RAW_BYTES_MAX, which fits.
        let length = payload.len() as u32;
        self.lengths.extend_from_slice(&length.to_le_bytes());
        self.payloads.extend_from_slice(payload);
    }

    /// The gathered payloads as a record whose first position is `first`.
    pub(super) fn record(&mut self, first: u64) -> io::Result<Record> {
        let count = (self.lengths.len() / LENGTH_BYTES) as u32;
        self.lengths.extend_from_slice(&self.payloads);
        let body = self.compressor.compress(&self.lengths)?;
        let raw_bytes = self.lengths.len() as u32;
        self.lengths.clear();
        self.payloads.clear();
        let body_crc = crc32c::crc32c(&body);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.resize(HEAD_BYTES, 0);
        bytes.extend_from_slice(&body);
        Ok(Record { head: Head { first, count, body_bytes: body.len() as u32, raw_bytes, body_crc }, bytes })
    }

    /// Forgets what was gathered.
    pub(super) fn clear(&mut self) {
        self.lengths.clear();
        self.payloads.clear();
    }
}

/// Reads bodies.
pub(super) struct Decoder {
    decompressor: Decompressor<'static>,
}

impl Decoder {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { decompressor: Decompressor::new()? })
    }

    /// The payloads of the record with this head and body, or `None` when the body does not hold what the head says.
    pub(super) fn payloads(&mut self, head: &Head, body: &[u8]) -> Option<Payloads> {
        let raw_bytes = head.raw_bytes.min(RAW_BYTES_MAX) as usize;
        let mut start = (head.count as usize).checked_mul(LENGTH_BYTES).filter(|&start| start <= raw_bytes)?;
        let raw = self.decompressor.decompress(body, raw_bytes).ok().filter(|raw| raw.len() == raw_bytes)?;
        let mut borders = Vec::with_capacity(head.count as usize + 1);
        borders.push(start);
        for length in raw[..start].as_chunks::<LENGTH_BYTES>().0 {
            start = start.checked_add(u32::from_le_bytes(*length) as usize)?;
            borders.push(start);
        }
        (start == raw_bytes).then(|| Payloads::new(raw, borders))
    }
}
