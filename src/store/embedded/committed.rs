//! Committed: the columnar files of an open part, and what its last commit promised, in one small file.
//! - A file is whole and synced before it is named here; one that is not named does not count and is removed at the start.
//! - The list is there before the first file, so files without a list are damage, and never a commit cut short.
//! - Small files are merged as they come, so that a day has few: eight of about one size become one.

use super::checked;
use super::current::sync_dir;
use super::error::{corrupt, file_error};
use super::payload::Payload;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::Path;
use tantivy::directory::{Directory, FileSlice, MmapDirectory};

/// The list; what a part has that anything was committed to.
pub const NAME: &str = "part.json";
/// The ending of columnar files.
const ENDING: &str = ".col";
/// So many files of about one size are merged into one.
const MERGED_FILES: usize = 8;
/// Files are merged up to so many events.
const MERGED_EVENTS_MAX: u32 = 200_000;

/// What an open part consists of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Committed {
    /// Its files, in order of arrival.
    pub files: Vec<FileFacts>,
    /// What it promises.
    pub payload: Payload,
    /// The number of the next file.
    next: u32,
}

/// What is told of a columnar file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// Events in it.
    pub events: u32,
    bytes: u64,
    crc32c: u32,
}

impl Committed {
    /// What an open part consists of.
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let committed: Self = checked::read(folder, NAME)?;
        match committed.payload.end == 0 && committed.events() > 0 {
            true => Err(corrupt(folder, "it has events and promises none")),
            false => Ok(committed),
        }
    }

    /// Lets what stands here count; durable when it returns. Files that no longer stand here are removed.
    pub fn write(&self, folder: &Path) -> Result<(), StoreError> {
        checked::write(folder, NAME, self)?;
        self.clean(folder)
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.files.iter().map(|file| u64::from(file.events)).sum()
    }

    /// Writes a file of so many events in place of those in `replaced`, synced; it counts with the next [`Self::write`].
    pub fn put(&mut self, folder: &Path, events: u32, bytes: &[u8], replaced: Range<usize>) -> Result<(), StoreError> {
        let name = format!("{}{ENDING}", self.next);
        let path = folder.join(&name);
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(file_error("write", &path))?;
        self.next += 1;
        let facts = FileFacts { name, events, bytes: bytes.len() as u64, crc32c: crc32c::crc32c(bytes) };
        self.files.splice(replaced, [facts]);
        Ok(())
    }

    /// The newest files that are to become one, if there are enough of about one size.
    pub fn to_merge(&self) -> Option<Range<usize>> {
        let tier = |file: &FileFacts| file.events.max(1).ilog(MERGED_FILES as u32);
        let last = tier(self.files.last()?);
        let alike = self.files.iter().rev().take_while(|file| tier(file) <= last).count();
        let range = self.files.len() - alike..self.files.len();
        let events: u32 = self.files[range.clone()].iter().map(|file| file.events).sum();
        (alike >= MERGED_FILES && events <= MERGED_EVENTS_MAX).then_some(range)
    }

    /// Opens one of its files, mapped.
    pub fn open(folder: &Path, facts: &FileFacts) -> Result<FileSlice, StoreError> {
        let path = folder.join(&facts.name);
        let directory = MmapDirectory::open(folder).map_err(super::error::engine("open folder"))?;
        let file = directory.open_read(Path::new(&facts.name)).map_err(super::error::engine("open columns"))?;
        match file.num_bytes().get_bytes() == facts.bytes {
            true => Ok(file),
            false => Err(corrupt(&path, format!("it has {} bytes of {}", file.num_bytes().get_bytes(), facts.bytes))),
        }
    }

    /// Reads every file against its checksum; answers what does not fit.
    pub fn bent(&self, folder: &Path) -> Result<Vec<StoreError>, StoreError> {
        let mut bent = Vec::new();
        for facts in &self.files {
            let path = folder.join(&facts.name);
            match fs::read(&path) {
                Ok(bytes) if crc32c::crc32c(&bytes) == facts.crc32c && bytes.len() as u64 == facts.bytes => {}
                Ok(_) => bent.push(corrupt(&path, "checksum mismatch")),
                Err(error) => bent.push(file_error("read", &path)(error)),
            }
        }
        match bent.iter().position(|error| !super::aside::is_damage(error)) {
            Some(at) => Err(bent.swap_remove(at)),
            None => Ok(bent),
        }
    }

    /// Removes columnar files that do not stand here.
    pub fn clean(&self, folder: &Path) -> Result<(), StoreError> {
        for entry in fs::read_dir(folder).map_err(file_error("list", folder))? {
            let path = entry.map_err(file_error("list", folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(ENDING) && !self.files.iter().any(|file| file.name == name) {
                // Readers have it mapped.
                fs::remove_file(&path).map_err(file_error("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// Whether anything may have been committed to a part: it has its list, or columns, or cannot be looked at.
pub fn is_begun(folder: &Path) -> bool {
    let is_column = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().ends_with(ENDING) && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    match (folder.join(NAME).try_exists(), fs::read_dir(folder)) {
        (Ok(false), Ok(entries)) => entries.into_iter().any(|entry| entry.is_ok_and(is_column)),
        (_, Err(error)) if error.kind() == ErrorKind::NotFound => false,
        _ => true,
    }
}

/// Makes the folder of an open part, if it is not there yet, and its empty list; durable when it returns.
pub fn begin(day: &Path, folder: &Path) -> Result<Committed, StoreError> {
    make_folder(day, folder)?;
    let committed = Committed::default();
    // Before the first columns: no crash leaves columns without a list.
    checked::write(folder, NAME, &committed)?;
    Ok(committed)
}

fn make_folder(day: &Path, folder: &Path) -> Result<(), StoreError> {
    match fs::create_dir(folder) {
        // One that was cut short may not have synced its name.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.map_err(file_error("create", folder))?,
    }
    sync_dir(day)?;
    day.parent().map_or(Ok(()), sync_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_once_they_are_named_and_go_when_they_are_not() {
        let dir = tempfile::tempdir().expect("folder");
        let mut committed = Committed::default();
        committed.payload.end = 9;
        committed.put(dir.path(), 3, b"abc", 0..0).expect("written");
        committed.write(dir.path()).expect("named");
        committed.put(dir.path(), 4, b"abcd", 1..1).expect("written");
        let read = Committed::read(dir.path()).expect("read");
        assert_eq!((read.events(), read.payload.end), (3, 9));
        read.clean(dir.path()).expect("cleaned");
        assert!(!dir.path().join("1.col").exists());
        assert!(read.bent(dir.path()).expect("checked").is_empty());
        fs::write(dir.path().join("0.col"), "abx").expect("bent");
        assert_eq!(read.bent(dir.path()).expect("checked").len(), 1);
        fs::write(dir.path().join("0.col"), "ab").expect("cut");
        assert!(Committed::open(dir.path(), &read.files[0]).is_err());
    }

    #[test]
    fn a_part_has_few_files_whatever_it_took() {
        let mut committed = Committed::default();
        let (mut most, mut written) = (0, 0_u64);
        for _ in 0..100_000 {
            let facts = |events| FileFacts { name: String::new(), events, bytes: 0, crc32c: 0 };
            committed.files.push(facts(12));
            while let Some(range) = committed.to_merge() {
                let events: u32 = committed.files[range.clone()].iter().map(|file| file.events).sum();
                written += u64::from(events);
                committed.files.splice(range, [facts(events)]);
            }
            most = most.max(committed.files.len());
        }
        assert_eq!(committed.events(), 1_200_000);
        assert!(most <= 64, "{most} files");
        assert!(written < 6 * 1_200_000, "{written} events written again");
    }
}
