//! Writer: makes a table of cells that come in order of their keys.
//! - One pass, one block in memory; the same cells give the same bytes.
//! - `finish` syncs the file; its name (folder, rename) is the caller's to make durable.

use super::cell::{Counts, shared, write_number};
use super::format::{BLOCK_BYTES, FOOT_BYTES, HEAD, ZSTD_LEVEL, identity_of};
use super::{Source, failed};
use crate::store::StoreError;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The same for tables of the same cells, else different.
    pub identity: u64,
    /// How many cells.
    pub cells: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes one table.
pub struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
    compressor: zstd::bulk::Compressor<'static>,
    offset: u64,
    block: Vec<u8>,
    key: Vec<u8>,
    /// The shortest bytes that lie past the block before and not past the first key of this one.
    separator: Vec<u8>,
    last_separator: Vec<u8>,
    index: Vec<u8>,
    blocks: u64,
    cells: u64,
}

impl Writer {
    /// Begins a table at `path`; a file that is there is written over.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let file = File::create(path).map_err(failed("create item table", path))?;
        let compressor =
            zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(failed("make a compressor for item table", path))?;
        let mut writer = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(64 * 1024, file),
            compressor,
            offset: 0,
            block: Vec::with_capacity(2 * BLOCK_BYTES),
            key: Vec::new(),
            separator: Vec::new(),
            last_separator: Vec::new(),
            index: Vec::new(),
            blocks: 0,
            cells: 0,
        };
        writer.write(&HEAD)?;
        Ok(writer)
    }

    /// Takes the next cell; its key is larger than all before.
    pub fn push(&mut self, key: &[u8], counts: &Counts) -> Result<(), StoreError> {
        debug_assert!(self.cells == 0 || key > self.key.as_slice(), "cells come in order");
        let mut alike = shared(&self.key, key);
        if self.block.is_empty() {
            self.separator.clear();
            self.separator.extend_from_slice(&key[..key.len().min(alike + 1)]);
            alike = 0;
        }
        write_number(alike as u64, &mut self.block);
        write_number((key.len() - alike) as u64, &mut self.block);
        self.block.extend_from_slice(&key[alike..]);
        counts.write(&mut self.block);
        self.key.clear();
        self.key.extend_from_slice(key);
        self.cells += 1;
        if self.block.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    /// Ends the table, made of `sources`, and syncs the file.
    pub fn finish(mut self, sources: &[Source]) -> Result<Written, StoreError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let index = self.whole_index(sources);
        let identity = identity_of(&index);
        let stored = self.compressor.compress(&index).map_err(failed("compress index of item table", &self.path))?;
        let mut foot = Vec::with_capacity(FOOT_BYTES);
        foot.extend_from_slice(&self.offset.to_le_bytes());
        foot.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        foot.extend_from_slice(&(index.len() as u32).to_le_bytes());
        foot.extend_from_slice(&crc32c::crc32c(&stored).to_le_bytes());
        foot.extend_from_slice(&identity.to_le_bytes());
        foot.extend_from_slice(&crc32c::crc32c(&foot).to_le_bytes());
        self.write(&stored)?;
        self.write(&foot)?;
        let path = self.path;
        let file = self.out.into_inner().map_err(|error| failed("write item table", &path)(error.into_error()))?;
        file.sync_all().map_err(failed("sync item table", &path))?;
        Ok(Written { identity, cells: self.cells, bytes: self.offset })
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        let stored = self.compressor.compress(&self.block).map_err(failed("compress item table", &self.path))?;
        let alike = shared(&self.last_separator, &self.separator);
        write_number(alike as u64, &mut self.index);
        write_number((self.separator.len() - alike) as u64, &mut self.index);
        self.index.extend_from_slice(&self.separator[alike..]);
        write_number(stored.len() as u64, &mut self.index);
        write_number(self.block.len() as u64, &mut self.index);
        self.index.extend_from_slice(&crc32c::crc32c(&stored).to_le_bytes());
        std::mem::swap(&mut self.last_separator, &mut self.separator);
        self.blocks += 1;
        self.block.clear();
        self.write(&stored)
    }

    fn whole_index(&self, sources: &[Source]) -> Vec<u8> {
        let mut index = Vec::with_capacity(self.index.len() + 16 * sources.len() + 32);
        write_number(self.cells, &mut index);
        write_number(sources.len() as u64, &mut index);
        for source in sources {
            index.extend_from_slice(&source.day.0.to_le_bytes());
            index.extend_from_slice(&source.identity.to_le_bytes());
        }
        write_number(self.blocks, &mut index);
        index.extend_from_slice(&self.index);
        index
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes).map_err(failed("write item table", &self.path))
    }
}
