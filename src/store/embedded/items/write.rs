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
    /// The cells of the item at hand that are not in the block yet.
    cells: Vec<u8>,
    /// The key of the item before in the block.
    last_item: Vec<u8>,
    /// The key of the cell before: its item's, then its own part.
    key: Vec<u8>,
    item_len: usize,
    /// The shortest bytes that lie past the block before and not past the first key of this one.
    separator: Vec<u8>,
    last_separator: Vec<u8>,
    index: Vec<u8>,
    blocks: u64,
    cells_total: u64,
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
            cells: Vec::new(),
            last_item: Vec::new(),
            key: Vec::new(),
            item_len: 0,
            separator: Vec::new(),
            last_separator: Vec::new(),
            index: Vec::new(),
            blocks: 0,
            cells_total: 0,
        };
        writer.write(&HEAD)?;
        Ok(writer)
    }

    /// Takes the next cell, `part` of `item`; the two together are larger than all before.
    pub fn push(&mut self, item: &[u8], part: &[u8], counts: &Counts) -> Result<(), StoreError> {
        debug_assert!(self.cells_total == 0 || (item, part) > self.key.split_at(self.item_len), "cells come in order");
        let same_item = self.key[..self.item_len] == *item;
        if !same_item {
            self.end_item();
        }
        if self.block.is_empty() && self.cells.is_empty() {
            let alike =
                if same_item { item.len() + shared(&self.key[self.item_len..], part) } else { shared(&self.key, item) };
            self.separator.clear();
            self.separator.extend(item.iter().chain(part).take(alike + 1));
        }
        let alike = if self.cells.is_empty() { 0 } else { shared(&self.key[self.item_len..], part) };
        write_number(alike as u64, &mut self.cells);
        write_number((part.len() - alike) as u64, &mut self.cells);
        self.cells.extend_from_slice(&part[alike..]);
        counts.write(&mut self.cells);
        self.key.truncate(if same_item { self.item_len } else { 0 });
        if !same_item {
            self.key.extend_from_slice(item);
            self.item_len = item.len();
        }
        self.key.extend_from_slice(part);
        self.cells_total += 1;
        if self.block.len() + self.cells.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    /// Ends the table, made of `sources`, and syncs the file.
    pub fn finish(mut self, sources: &[Source]) -> Result<Written, StoreError> {
        if self.block.len() + self.cells.len() > 0 {
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
        Ok(Written { identity, cells: self.cells_total, bytes: self.offset })
    }

    fn end_item(&mut self) {
        if self.cells.is_empty() {
            return;
        }
        let item = &self.key[..self.item_len];
        let alike = if self.block.is_empty() { 0 } else { shared(&self.last_item, item) };
        write_number(alike as u64, &mut self.block);
        write_number((item.len() - alike) as u64, &mut self.block);
        self.block.extend_from_slice(&item[alike..]);
        write_number(self.cells.len() as u64, &mut self.block);
        self.block.append(&mut self.cells);
        self.last_item.clear();
        self.last_item.extend_from_slice(item);
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        self.end_item();
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
        write_number(self.cells_total, &mut index);
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
