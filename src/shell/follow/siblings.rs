//! Siblings: the files beside a log that rotation made of it: `access.log.1`, `access.log-20260301.gz`, `access-2026.log.zst`.
//! - Told by name alone: the log's name with digits, dots, dashes and underscores behind it or before its extension, and
//!   `.gz` or `.zst` behind all. What else lies in the folder is not looked into.
//! - In the order in which they were last written.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Siblings looked at, the latest.
const SIBLINGS_MAX: usize = 1000;

/// A file that rotation made, and when it was last written, in ns since 1970.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sibling {
    /// When.
    pub modified: i64,
    /// Whether its name says that it is compressed: while that is being done the original is there too, and goes first.
    is_packed: bool,
    /// Where.
    pub path: PathBuf,
}

/// The siblings of a log, the longest unwritten first.
pub fn siblings(log: &Path) -> io::Result<Vec<Sibling>> {
    let name = log.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(log))? {
        let path = entry?.path();
        let other = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // One that goes while it is looked at is somebody else's by now.
        if let Some(is_packed) = rotated(&name, &other)
            && let Ok(facts) = fs::metadata(&path)
            && facts.is_file()
        {
            found.push(Sibling { modified: modified(&facts), is_packed, path });
        }
    }
    found.sort();
    found.drain(..found.len().saturating_sub(SIBLINGS_MAX));
    Ok(found)
}

/// The folder that a log lies in.
pub fn folder_of(log: &Path) -> &Path {
    log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// When a file was last written, in ns since 1970.
pub fn modified(facts: &fs::Metadata) -> i64 {
    facts.mtime().saturating_mul(1_000_000_000).saturating_add(facts.mtime_nsec())
}

/// Whether `other` is what rotation makes of `name`, and then whether it is compressed.
fn rotated(name: &str, other: &str) -> Option<bool> {
    let plain = [".gz", ".zst"].iter().find_map(|end| other.strip_suffix(end));
    let is_mark = |mark: &str| {
        mark.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_'))
            && mark.bytes().any(|byte| byte.is_ascii_digit())
    };
    let bare = plain.unwrap_or(other);
    let behind = bare.strip_prefix(name).is_some_and(is_mark);
    let before_extension = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        let rest = bare.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
        rest.is_some_and(is_mark)
    });
    (behind || before_extension).then_some(plain.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rotation_makes_of_a_log_is_told_by_its_name() {
        for other in
            ["access.log.1", "access.log-20260301", "access.log.2026-03-01_04", "access-20260301.log", "access.1.log"]
        {
            assert_eq!(rotated("access.log", other), Some(false), "{other}");
            assert_eq!(rotated("access.log", &format!("{other}.gz")), Some(true), "{other}.gz");
            assert_eq!(rotated("access.log", &format!("{other}.zst")), Some(true), "{other}.zst");
        }
        for other in
            ["access.log", "access.log.gz", "access.log.bak", "access_ssl.log", "other.log.1", "access.log.1.bz2"]
        {
            assert_eq!(rotated("access.log", other), None, "{other}");
        }
        assert_eq!(rotated("access_log", "access_log.1"), Some(false));
    }

    #[test]
    fn they_come_in_the_order_in_which_they_were_written() {
        let folder = tempfile::tempdir().expect("folder");
        for (name, seconds) in [("a.log", 0), ("a.log.1", 20), ("a.log.2.gz", 10), ("a.log.3", 30), ("b.log.1", 5)] {
            let file = fs::File::create(folder.path().join(name)).expect("file");
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).expect("a time");
        }
        let names: Vec<_> = siblings(&folder.path().join("a.log")).expect("siblings").into_iter().collect();
        let names: Vec<_> = names.iter().map(|sibling| sibling.path.file_name().expect("a name")).collect();
        assert_eq!(names, ["a.log.2.gz", "a.log.1", "a.log.3"]);
    }
}
