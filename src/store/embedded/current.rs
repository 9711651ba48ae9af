//! Current: which parts of a day count, in one file that changes by one rename.
//! - `CURRENT` says `g7 open4`: generation 7 is the sealed part, and open parts from 4 on are not in it.
//! - A day never sealed has no `CURRENT`: it is its open parts, from 1 on.
//! - Whatever `CURRENT` does not name is left over from something cut short, and is removed at start.

use super::error::{corrupt, file_error};
use crate::store::StoreError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const CURRENT: &str = "CURRENT";
/// What a part has that anything was committed to.
pub const META: &str = "meta.json";

/// The parts of a day that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// The sealed part; 0 if there is none.
    pub generation: u32,
    /// The first open part that is not in it.
    pub open: u32,
}

impl Current {
    /// Reads a day's folder.
    pub fn read(day: &Path) -> Result<Self, StoreError> {
        let path = day.join(CURRENT);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self { generation: 0, open: 1 }),
            Err(error) => return Err(file_error("read", &path)(error)),
        };
        let numbers = text.trim_end().split_once(' ').and_then(|(generation, open)| {
            Some(Self {
                generation: generation.strip_prefix('g')?.parse().ok()?,
                open: open.strip_prefix("open")?.parse().ok()?,
            })
        });
        numbers.ok_or_else(|| corrupt(&path, format!("{text:?} names no parts")))
    }

    /// Makes these parts the ones that count; durable when it returns.
    pub fn write(self, day: &Path) -> Result<(), StoreError> {
        replace(day, CURRENT, format!("g{} open{}\n", self.generation, self.open).as_bytes())
    }

    /// Removes what does not count, and answers the numbers of the open parts that do.
    pub fn clean(self, day: &Path) -> Result<Vec<u32>, StoreError> {
        let mut open = Vec::new();
        for entry in fs::read_dir(day).map_err(file_error("list", day))? {
            let path = entry.map_err(file_error("list", day))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match part_number(name) {
                Some(Part::Open(number)) if number >= self.open && path.join(META).exists() => open.push(number),
                Some(Part::Generation(number)) if number == self.generation => {}
                Some(_) => fs::remove_dir_all(&path).map_err(file_error("remove", &path))?,
                None if name.ends_with(".tmp") => fs::remove_file(&path).map_err(file_error("remove", &path))?,
                None => {}
            }
        }
        open.sort_unstable();
        Ok(open)
    }
}

/// The numbers of the open parts that a day's folder has anything of, whether they count or not.
pub fn open_numbers(day: &Path) -> Result<Vec<u32>, StoreError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(day).map_err(file_error("list", day))? {
        let path = entry.map_err(file_error("list", day))?.path();
        match path.file_name().and_then(|name| name.to_str()).and_then(part_number) {
            Some(Part::Open(number)) if path.join(META).exists() => numbers.push(number),
            _ => {}
        }
    }
    Ok(numbers)
}

enum Part {
    Open(u32),
    Generation(u32),
}

fn part_number(name: &str) -> Option<Part> {
    let number = |digits: &str| digits.parse().ok();
    match name.strip_prefix("open") {
        Some(digits) => number(digits).map(Part::Open),
        None => name.strip_prefix('g').and_then(number).map(Part::Generation),
    }
}

/// The folder of an open part.
pub fn open_dir(day: &Path, number: u32) -> PathBuf {
    day.join(format!("open{number}"))
}

/// The folder of a sealed part.
pub fn generation_dir(day: &Path, number: u32) -> PathBuf {
    day.join(format!("g{number}"))
}

/// Replaces a file whole, or leaves the old one; durable when it returns.
pub fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let (path, temporary) = (dir.join(name), dir.join(format!("{name}.tmp")));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Sync before the rename: the file system may reorder them.
        fs::rename(&temporary, &path)
    };
    write().map_err(file_error("replace", &path))?;
    sync_dir(dir)
}

/// Makes the names in a folder durable.
pub fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(file_error("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_everything_else_is_removed() {
        let dir = tempfile::tempdir().expect("folder");
        let day = dir.path();
        assert_eq!(Current::read(day).expect("none yet"), Current { generation: 0, open: 1 });
        for name in ["open3", "open4", "open5", "open6", "g6", "g7", "g8"] {
            fs::create_dir(day.join(name)).expect("folder");
        }
        for name in ["open3/meta.json", "open4/meta.json", "open6/meta.json", "CURRENT.tmp"] {
            fs::write(day.join(name), "").expect("file");
        }
        let current = Current { generation: 7, open: 4 };
        current.write(day).expect("written");
        assert_eq!(Current::read(day).expect("read"), current);
        assert_eq!(current.clean(day).expect("cleaned"), [4, 6]);
        let mut left: Vec<String> = fs::read_dir(day)
            .expect("list")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
            .collect();
        left.sort();
        assert_eq!(left, ["CURRENT", "g7", "open4", "open6"]);
    }

    #[test]
    fn a_current_that_names_no_parts_is_damage() {
        let dir = tempfile::tempdir().expect("folder");
        for text in ["", "g1", "g1 open", "gx open1", "open1 g1"] {
            fs::write(dir.path().join(CURRENT), text).expect("file");
            assert!(matches!(Current::read(dir.path()), Err(StoreError::Corrupt { .. })), "{text:?}");
        }
    }
}
