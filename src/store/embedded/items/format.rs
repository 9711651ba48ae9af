//! Format of a table, version 1: what writer and reader agree on.
//! ```text
//! table     = head · block… · index · foot              numbers are little-endian, `n` is LEB128
//! head      = "mitems\n" · version (1 byte)
//! block     = zstd frame of item…                       ends with the first cell that makes it ≥ BLOCK_BYTES
//! item      = n shared · n rest · rest bytes of (site, id) · n bytes of its cells · cell…
//!             shared: bytes in common with the item before in the block; an item may go on in the next block
//! cell      = n shared · n rest · rest bytes of what it says · counts
//!             shared: bytes in common with the cell before in the item; keys are written as `cell` says
//! counts    = mask · n… : for people (bits 0–2), then bots (bits 3–5): raw, raw − counted, counted − unique,
//!             each where its bit is set, else 0
//! index     = zstd frame of: n cells · n sources · source… · n blocks · entry…
//! source    = day (i32) · identity (u64)                the tables this one was merged from; none for a day's own
//! entry     = n shared · n rest · separator bytes · n stored bytes · n bytes · crc32c of the stored bytes (u32)
//!             blocks lie one after the other from the head's end to the index, in this order
//! foot      = index offset (u64) · stored bytes (u32) · bytes (u32) · crc32c of the stored index (u32)
//!           · identity (u64) · crc32c of the foot so far (u32)
//! ```
//! - A block's separator is larger than every key before the block and not larger than its first.
//! - The identity is a 64-bit hash of the index, which holds the checksum of every block: tables of the same cells and
//!   sources, and only they, have the same.
//! - Every byte is under a checksum or compared; a change of the format takes the next version, and this one stays
//!   readable.
//!
//! Blocks of 16 KiB at zstd level 3: see `benches/items.rs` for the figures that chose them.

use std::hash::Hasher;

/// How every table begins.
pub const HEAD: [u8; 8] = *b"mitems\n\x01";
/// Size of the foot.
pub const FOOT_BYTES: usize = 32;
/// A block ends with the cell that makes it this long, before compression.
pub const BLOCK_BYTES: usize = 16 * 1024;
/// What a reader takes for a block at most: a block and the largest cell.
pub const BLOCK_BYTES_MAX: usize = 1024 * 1024;
/// What a reader takes for an index at most.
pub const INDEX_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How hard blocks are compressed.
pub const ZSTD_LEVEL: i32 = 3;

/// The identity of the table with this index, before compression (SipHash-1-3 with a zero key).
pub fn identity_of(index: &[u8]) -> u64 {
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(index);
    hasher.finish()
}
