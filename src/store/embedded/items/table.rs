//! Table: one item table, open for reading.
//! - Holds the file and its index (a separator and a place per block); blocks are read when they are asked for.
//! - What is read is verified first; damage is an error that names file and byte, never a number.
//! - A table does not change: what replaces it is another file.

use super::cell::{read_number, take};
use super::format::{BLOCK_BYTES_MAX, FOOT_BYTES, HEAD, INDEX_BYTES_MAX, identity_of};
use super::{Source, failed};
use crate::event::Day;
use crate::store::StoreError;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Where a block lies.
#[derive(Debug, Clone, Copy)]
struct Block {
    offset: u64,
    stored: u32,
    bytes: u32,
    checksum: u32,
    /// End of its separator in the index' separators.
    separator_end: u32,
}

/// One item table.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    file: File,
    identity: u64,
    cells: u64,
    sources: Vec<Source>,
    separators: Vec<u8>,
    blocks: Vec<Block>,
}

struct Foot {
    index_offset: u64,
    stored: u32,
    bytes: u32,
    checksum: u32,
    identity: u64,
}

impl Table {
    /// Opens a table and verifies its head, foot and index.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(failed("open item table", path))?;
        let foot = read_foot(&file, path)?;
        let mut stored = vec![0; foot.stored as usize];
        file.read_exact_at(&mut stored, foot.index_offset).map_err(failed("read index of item table", path))?;
        let damaged = |why| corrupt(path, "index", foot.index_offset, why);
        if crc32c::crc32c(&stored) != foot.checksum {
            return Err(damaged("checksum mismatch"));
        }
        let index = zstd::bulk::decompress(&stored, foot.bytes as usize).map_err(|_| damaged("no zstd frame"))?;
        if index.len() != foot.bytes as usize || identity_of(&index) != foot.identity {
            return Err(damaged("identity mismatch"));
        }
        let mut table = Self {
            path: path.to_owned(),
            file,
            identity: foot.identity,
            cells: 0,
            sources: Vec::new(),
            separators: Vec::new(),
            blocks: Vec::new(),
        };
        match table.take_index(&index) {
            Some(end) if end == foot.index_offset => Ok(table),
            Some(_) => Err(damaged("its blocks do not end where it begins")),
            None => Err(damaged("malformed")),
        }
    }

    /// Its identity: the same for tables of the same cells and sources.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// The identity of the table at `path`, by its foot alone.
    pub fn identity_at(path: &Path) -> Result<u64, StoreError> {
        let file = File::open(path).map_err(failed("open item table", path))?;
        Ok(read_foot(&file, path)?.identity)
    }

    /// How many cells it holds.
    pub fn cells(&self) -> u64 {
        self.cells
    }

    /// What it was merged from; nothing if it is a day's own.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many blocks it has.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Memory its index takes, in bytes.
    pub fn index_bytes(&self) -> usize {
        self.separators.len() + self.blocks.len() * size_of::<Block>()
    }

    /// The only block in which the first key that is `from` or larger can be, unless that begins the next one.
    pub fn block_of(&self, from: &[u8]) -> usize {
        let mut low = 0;
        let mut high = self.blocks.len();
        while low < high {
            let middle = low + (high - low) / 2;
            match self.separator(middle) <= from {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low.saturating_sub(1)
    }

    /// Reads block `number` into `into`, which is cleared first.
    pub fn read_block(&self, number: usize, decoder: &mut Decoder, into: &mut Vec<u8>) -> Result<(), StoreError> {
        let block = self.blocks[number];
        decoder.stored.resize(block.stored as usize, 0);
        self.file
            .read_exact_at(&mut decoder.stored, block.offset)
            .map_err(failed("read block of item table", &self.path))?;
        if crc32c::crc32c(&decoder.stored) != block.checksum {
            return Err(self.damaged(number, "checksum mismatch"));
        }
        into.clear();
        into.reserve(block.bytes as usize);
        match decoder.zstd.decompress_to_buffer(&decoder.stored, into) {
            Ok(bytes) if bytes == block.bytes as usize => Ok(()),
            _ => Err(self.damaged(number, "no zstd frame of the length it should have")),
        }
    }

    /// The error of damage in block `number`.
    pub fn damaged(&self, number: usize, why: &str) -> StoreError {
        let offset = self.blocks.get(number).map_or(0, |block| block.offset);
        corrupt(&self.path, "block", offset, why)
    }

    fn separator(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.blocks[before].separator_end as usize);
        &self.separators[start..self.blocks[number].separator_end as usize]
    }

    /// Reads the index, and returns where the blocks end.
    fn take_index(&mut self, mut from: &[u8]) -> Option<u64> {
        let from = &mut from;
        self.cells = read_number(from)?;
        for _ in 0..read_number(from)? {
            let day = Day(i32::from_le_bytes(take(from, 4)?.try_into().ok()?));
            let identity = u64::from_le_bytes(take(from, 8)?.try_into().ok()?);
            self.sources.push(Source { day, identity });
        }
        let mut offset = HEAD.len() as u64;
        for _ in 0..read_number(from)? {
            offset = self.take_entry(offset, from)?;
        }
        from.is_empty().then_some(offset)
    }

    fn take_entry(&mut self, offset: u64, from: &mut &[u8]) -> Option<u64> {
        let alike = usize::try_from(read_number(from)?).ok()?;
        let rest = usize::try_from(read_number(from)?).ok()?;
        let rest = take(from, rest)?;
        let last = self.blocks.len().checked_sub(1).map_or(0..0, |last| {
            let end = self.blocks[last].separator_end as usize;
            end - self.separator(last).len()..end
        });
        if alike > last.len() {
            return None;
        }
        self.separators.extend_from_within(last.start..last.start + alike);
        self.separators.extend_from_slice(rest);
        let stored = u32::try_from(read_number(from)?).ok()?;
        let bytes = u32::try_from(read_number(from)?).ok().filter(|bytes| *bytes as usize <= BLOCK_BYTES_MAX)?;
        let checksum = u32::from_le_bytes(take(from, 4)?.try_into().ok()?);
        let separator_end = u32::try_from(self.separators.len()).ok()?;
        self.blocks.push(Block { offset, stored, bytes, checksum, separator_end });
        offset.checked_add(u64::from(stored))
    }
}

fn read_foot(file: &File, path: &Path) -> Result<Foot, StoreError> {
    let len = file.metadata().map_err(failed("size item table", path))?.len();
    let Some(at) = len.checked_sub(FOOT_BYTES as u64).filter(|at| *at >= HEAD.len() as u64) else {
        return Err(corrupt(path, "file", 0, "shorter than a table can be"));
    };
    let mut head = [0; HEAD.len()];
    file.read_exact_at(&mut head, 0).map_err(failed("read head of item table", path))?;
    if head != HEAD {
        return Err(corrupt(path, "head", 0, "not the head of an item table of version 1"));
    }
    let mut foot = [0; FOOT_BYTES];
    file.read_exact_at(&mut foot, at).map_err(failed("read foot of item table", path))?;
    parse_foot(&foot, at).ok_or_else(|| corrupt(path, "foot", at, "checksum or bounds do not fit"))
}

fn parse_foot(mut foot: &[u8], at: u64) -> Option<Foot> {
    let checksum = crc32c::crc32c(foot.get(..FOOT_BYTES - 4)?);
    let from = &mut foot;
    let index_offset = u64::from_le_bytes(take(from, 8)?.try_into().ok()?);
    let stored = u32::from_le_bytes(take(from, 4)?.try_into().ok()?);
    let bytes = u32::from_le_bytes(take(from, 4)?.try_into().ok()?);
    let index_checksum = u32::from_le_bytes(take(from, 4)?.try_into().ok()?);
    let identity = u64::from_le_bytes(take(from, 8)?.try_into().ok()?);
    let whole = u32::from_le_bytes(take(from, 4)?.try_into().ok()?) == checksum
        && index_offset.checked_add(u64::from(stored)) == Some(at)
        && bytes as usize <= INDEX_BYTES_MAX;
    whole.then_some(Foot { index_offset, stored, bytes, checksum: index_checksum, identity })
}

fn corrupt(path: &Path, part: &str, offset: u64, why: &str) -> StoreError {
    StoreError::Corrupt { object: path.display().to_string(), why: format!("{part} at byte {offset}: {why}") }
}

/// What reading blocks needs and keeps from one to the next.
pub struct Decoder {
    zstd: zstd::bulk::Decompressor<'static>,
    stored: Vec<u8>,
}

impl Decoder {
    /// One decoder serves any number of tables, one after the other.
    pub fn new() -> Self {
        Self { zstd: zstd::bulk::Decompressor::default(), stored: Vec::new() }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
