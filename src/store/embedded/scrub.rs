//! Scrub: every byte of a day read and held against its checksum.
//! - Tantivy's own files by Tantivy's checksums, all others by the manifest's; the manifest by its own.
//! - What is damaged is named; the scrub goes on behind it. It repairs nothing.
//! - Absent: item tables, which check each block as they read it.

use super::error::{engine, file_error};
use super::generation::Generation;
use super::manifest::Manifest;
use super::parts::DayView;
use crate::store::StoreError;
use std::path::Path;
use tantivy::Index;

/// Damaged parts of a day, by name.
pub fn scrub(view: &DayView) -> Result<Vec<String>, StoreError> {
    let mut damaged = Vec::new();
    for part in &view.open {
        index(part.folder.path(), &mut damaged)?;
    }
    if let Some(generation) = &view.generation {
        sealed(generation, &mut damaged)?;
    }
    Ok(damaged)
}

fn sealed(generation: &Generation, damaged: &mut Vec<String>) -> Result<(), StoreError> {
    let dir = generation.folder.path();
    let manifest = match Manifest::read(dir) {
        Ok(manifest) => manifest,
        Err(StoreError::Corrupt { object, why }) => {
            damaged.push(format!("{object}: {why}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for (name, (length, checksum)) in &manifest.files {
        let path = dir.join(name);
        let bytes = std::fs::read(&path).map_err(file_error("read", &path))?;
        if bytes.len() as u64 != *length || crc32c::crc32c(&bytes) != *checksum {
            damaged.push(format!("{}: checksum mismatch", path.display()));
        }
    }
    manifest.segments.iter().try_for_each(|segment| index(&dir.join(&segment.folder), damaged))
}

fn index(dir: &Path, damaged: &mut Vec<String>) -> Result<(), StoreError> {
    let index = match Index::open_in_dir(dir) {
        Ok(index) => index,
        Err(error) => {
            damaged.push(format!("{}: {error}", dir.display()));
            return Ok(());
        }
    };
    let files = index.validate_checksum().map_err(engine("check index"))?;
    damaged.extend(files.iter().map(|file| format!("{}: checksum mismatch", dir.join(file).display())));
    Ok(())
}
