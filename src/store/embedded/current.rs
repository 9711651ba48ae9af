//! Current: which parts of a day count, in one file that changes by one rename.
//! - `CURRENT` says `g7 open4 from123 CRC`: generation 7 is the sealed part (0: none), open parts from 4 on are not in it,
//!   and no event of the day stands before position 123 of the journal (`from?`: not known). The CRC-32C is of the rest.
//! - It is written with a day's first event. A day without one, or with a damaged one, is read by its parts.
//! - Whatever `CURRENT` does not name is left over from something cut short, and is removed at start.

use super::aside::is_damage;
use super::committed;
use super::error::{corrupt, file_error};
use super::manifest::Manifest;
use crate::store::{Position, StoreError};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const CURRENT: &str = "CURRENT";

/// The parts of a day that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// The sealed part; 0 if there is none.
    pub generation: u32,
    /// The first open part that is not in it.
    pub open: u32,
    /// No event of the day stands before this position, where that is known.
    pub from: Option<Position>,
}

impl Current {
    /// Reads a day's folder; `None` where nothing was written yet.
    pub fn read(day: &Path) -> Result<Option<Self>, StoreError> {
        let path = day.join(CURRENT);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file_error("read", &path)(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let current = Self::parse(text.trim_end());
        current.map(Some).ok_or_else(|| corrupt(&path, format!("{text:?} names no parts")))
    }

    fn parse(text: &str) -> Option<Self> {
        let (named, sum) = text.rsplit_once(' ')?;
        if u32::from_str_radix(sum, 16).ok()? != crc32c::crc32c(named.as_bytes()) {
            return None;
        }
        let mut words = named.split(' ');
        Some(Self {
            generation: words.next()?.strip_prefix('g')?.parse().ok()?,
            open: words.next()?.strip_prefix("open")?.parse().ok()?,
            from: words.next()?.strip_prefix("from")?.parse().ok(),
        })
    }

    /// What counts of a day whose `CURRENT` cannot be read: the newest whole sealed part, and the open parts not in it.
    /// Sealed parts whose manifest cannot be read come with it: one of them may be what counted.
    pub fn of_parts(day: &Path) -> Result<(Self, Vec<Unread>), StoreError> {
        let (mut current, mut unread) = (Self { generation: 0, open: 1, from: None }, Vec::new());
        for (part, path) in parts(day)? {
            let Part::Generation(number) = part else { continue };
            match Manifest::read(&path) {
                Ok(manifest) => {
                    current.generation = current.generation.max(number);
                    let past = manifest.absorbed.iter().max().map_or(1, |last| last + 1);
                    current.open = current.open.max(past);
                }
                Err(error) if is_damage(&error) => unread.push((path, error)),
                Err(error) => return Err(error),
            }
        }
        Ok((current, unread))
    }

    /// The parts that do not count.
    pub fn spare(self, day: &Path) -> Result<Vec<PathBuf>, StoreError> {
        let is_spare = |part: &Part| match part {
            Part::Open(number) => *number < self.open,
            Part::Generation(number) => *number != self.generation,
        };
        Ok(parts(day)?.into_iter().filter(|(part, _)| is_spare(part)).map(|(_, path)| path).collect())
    }

    /// Makes these parts the ones that count; durable when it returns.
    pub fn write(self, day: &Path) -> Result<(), StoreError> {
        let from = self.from.map_or("?".to_owned(), |from| from.to_string());
        let named = format!("g{} open{} from{from}", self.generation, self.open);
        replace(day, CURRENT, format!("{named} {:08x}\n", crc32c::crc32c(named.as_bytes())).as_bytes())
    }

    /// Removes what does not count, and answers the numbers of the open parts that do.
    pub fn clean(self, day: &Path) -> Result<Vec<u32>, StoreError> {
        let mut open = Vec::new();
        for entry in fs::read_dir(day).map_err(file_error("list", day))? {
            let path = entry.map_err(file_error("list", day))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match part_number(name) {
                Some(Part::Open(number)) if number >= self.open && committed::is_begun(&path) => open.push(number),
                Some(Part::Generation(number)) if number == self.generation => {}
                Some(_) => fs::remove_dir_all(&path).map_err(file_error("remove", &path))?,
                None if name.ends_with(".tmp") && path.is_dir() => {
                    fs::remove_dir_all(&path).map_err(file_error("remove", &path))?
                }
                None if name.ends_with(".tmp") => fs::remove_file(&path).map_err(file_error("remove", &path))?,
                None => {}
            }
        }
        open.sort_unstable();
        Ok(open)
    }
}

/// A sealed part whose manifest cannot be read, and why.
pub type Unread = (PathBuf, StoreError);

/// The numbers of the open parts that a day's folder has anything of, whether they count or not.
pub fn open_numbers(day: &Path) -> Result<Vec<u32>, StoreError> {
    let begun = parts(day)?.into_iter().filter_map(|(part, path)| match part {
        Part::Open(number) => committed::is_begun(&path).then_some(number),
        Part::Generation(_) => None,
    });
    Ok(begun.collect())
}

/// Whether a name is one of a part.
pub fn is_part(name: &str) -> bool {
    part_number(name).is_some()
}

/// The number of a sealed part of this name.
pub fn generation_number(name: &str) -> Option<u32> {
    match part_number(name)? {
        Part::Open(_) => None,
        Part::Generation(number) => Some(number),
    }
}

/// The number of an open part of this name.
pub fn open_number(name: &str) -> Option<u32> {
    match part_number(name)? {
        Part::Open(number) => Some(number),
        Part::Generation(_) => None,
    }
}

fn parts(day: &Path) -> Result<Vec<(Part, PathBuf)>, StoreError> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(day).map_err(file_error("list", day))? {
        let path = entry.map_err(file_error("list", day))?.path();
        parts.extend(
            path.file_name().and_then(|name| name.to_str()).and_then(part_number).map(|part| (part, path.clone())),
        );
    }
    Ok(parts)
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
        assert_eq!(Current::read(day).expect("none yet"), None);
        for name in ["open3", "open4", "open5", "open6", "g6", "g7", "g8"] {
            fs::create_dir(day.join(name)).expect("folder");
        }
        for name in ["open3/part.json", "open4/part.json", "open6/0.col", "CURRENT.tmp"] {
            fs::write(day.join(name), "").expect("file");
        }
        fs::create_dir(day.join("gathered.tmp")).expect("folder");
        let current = Current { generation: 7, open: 4, from: Some(12) };
        current.write(day).expect("written");
        assert_eq!(Current::read(day).expect("read"), Some(current));
        assert_eq!(current.clean(day).expect("cleaned"), [4, 6]);
        let mut left: Vec<String> = fs::read_dir(day)
            .expect("list")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
            .collect();
        left.sort();
        assert_eq!(left, ["CURRENT", "g7", "open4", "open6"]);
    }

    #[test]
    fn a_current_with_a_flipped_bit_or_a_cut_end_is_damage() {
        let dir = tempfile::tempdir().expect("folder");
        Current { generation: 7, open: 4, from: None }.write(dir.path()).expect("written");
        let path = dir.path().join(CURRENT);
        let whole = fs::read(&path).expect("file");
        for bit in 0..(whole.len() - 1) * 8 {
            let mut bent = whole.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bent).expect("file");
            // The case of a digit of the checksum says nothing.
            let is_same = bent.eq_ignore_ascii_case(&whole) && bent[..whole.len() - 9] == whole[..whole.len() - 9];
            assert_eq!(Current::read(dir.path()).is_ok(), is_same, "bit {bit}");
        }
        for cut in 0..whole.len() - 1 {
            fs::write(&path, &whole[..cut]).expect("file");
            assert!(matches!(Current::read(dir.path()), Err(StoreError::Corrupt { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn parts_say_what_counts_where_current_cannot() {
        let dir = tempfile::tempdir().expect("folder");
        let read = || Current::of_parts(dir.path()).expect("read");
        assert_eq!(read().0, Current { generation: 0, open: 1, from: None });
        for (number, absorbed) in [(1, vec![1, 2]), (2, vec![3])] {
            let mut manifest = Manifest::new(crate::event::Day(1));
            manifest.absorbed = absorbed;
            let part = generation_dir(dir.path(), number);
            fs::create_dir(&part).expect("folder");
            manifest.write(&part).expect("written");
        }
        for number in [3, 4] {
            fs::create_dir(generation_dir(dir.path(), number)).expect("a part that cannot be read");
        }
        fs::write(generation_dir(dir.path(), 4).join("day.json"), "{").expect("written");
        let (current, unread) = read();
        assert_eq!((current, unread.len()), (Current { generation: 2, open: 4, from: None }, 2));
    }
}
