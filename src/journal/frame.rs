//! The journal's file format, version 1, and its innermost layer: a head with checksums around opaque bytes.
//!
//! A segment is a file named by the position of its first payload: twenty decimal digits and `.journal`
//! (`00000000000000000000.journal`). It holds records, one after another, and nothing else; it ends with its last
//! record. Its positions end where the name of the next segment begins: a record there or beyond does not count (it was
//! never acknowledged). The newest segment may be empty. All numbers are little-endian. A record is
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | `MtrJ` |
//! | 4 | 1 | format version: 1 |
//! | 5 | 3 | zero |
//! | 8 | 8 | position of its first payload |
//! | 16 | 4 | how many payloads, at least 1 |
//! | 20 | 4 | bytes of the body |
//! | 24 | 4 | bytes of the body once decompressed, at most 64 MiB |
//! | 28 | 4 | CRC32C of the body |
//! | 32 | 4 | CRC32C of the record's offset in its file (8 bytes), then of the 32 bytes above |
//! | 36 | … | body: one zstd frame of the payloads' lengths (4 bytes each), then the payloads |
//!
//! - Every later version keeps the first 5 bytes, the head's length and its checksum, so that an older build can tell a
//!   newer record from a damaged one, and refuses.
//! - The offset is part of the head's checksum so that a payload that holds a whole record is never taken for one when
//!   the bytes before it are damaged.
//! - Other files of the folder: `lock`, and `<segment>.damaged-<offset>`, bytes that were set aside.

/// Bytes of a head.
pub(super) const HEAD_BYTES: usize = 36;
/// The most bytes of a decompressed body.
pub(super) const RAW_BYTES_MAX: u32 = 64 << 20;
/// What every record begins with.
pub(super) const MAGIC: [u8; 4] = *b"MtrJ";
const VERSION: u8 = 1;

/// The head of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Position of the first payload.
    pub(super) first: u64,
    /// How many payloads.
    pub(super) count: u32,
    /// Bytes of the body as stored.
    pub(super) body_bytes: u32,
    /// Bytes of the body decompressed.
    pub(super) raw_bytes: u32,
    /// CRC32C of the body as stored.
    pub(super) body_crc: u32,
}

/// Why bytes are no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadFault {
    /// They are not what was written there.
    Damaged,
    /// They are whole, of a version this build does not know.
    Version(u8),
}

impl Head {
    /// The head's bytes for a record that begins at `offset` of its file.
    pub(super) fn write(&self, offset: u64) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.raw_bytes.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = head_crc(&bytes, offset);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The head that `bytes`, found at `offset`, hold.
    pub(super) fn read(bytes: &[u8; HEAD_BYTES], offset: u64) -> Result<Self, HeadFault> {
        if bytes[..4] != MAGIC || u32_at(bytes, 32) != head_crc(bytes, offset) {
            return Err(HeadFault::Damaged);
        }
        if bytes[4] != VERSION {
            return Err(HeadFault::Version(bytes[4]));
        }
        let head = Self {
            first: u64::from(u32_at(bytes, 8)) | u64::from(u32_at(bytes, 12)) << 32,
            count: u32_at(bytes, 16),
            body_bytes: u32_at(bytes, 20),
            raw_bytes: u32_at(bytes, 24),
            body_crc: u32_at(bytes, 28),
        };
        let sound = head.count > 0 && head.raw_bytes <= RAW_BYTES_MAX && head.first.checked_add(1 << 32).is_some();
        if sound { Ok(head) } else { Err(HeadFault::Damaged) }
    }

    /// The position past the last payload.
    pub(super) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Bytes of the whole record.
    pub(super) fn record_bytes(&self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.body_bytes)
    }

    /// Whether `body` is what was written.
    pub(super) fn vouches_for(&self, body: &[u8]) -> bool {
        crc32c::crc32c(body) == self.body_crc
    }
}

/// The most bytes a record takes whose body has `raw_bytes` before compression.
pub(super) fn bytes_bound(raw_bytes: u64) -> u64 {
    HEAD_BYTES as u64 + zstd::zstd_safe::compress_bound(usize::try_from(raw_bytes).unwrap_or(usize::MAX >> 1)) as u64
}

fn head_crc(bytes: &[u8; HEAD_BYTES], offset: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&offset.to_le_bytes()), &bytes[..32])
}

fn u32_at(bytes: &[u8; HEAD_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
