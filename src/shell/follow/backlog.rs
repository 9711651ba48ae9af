//! Backlog: what a log held before it was followed, and the place to follow it from once that was brought in.

use super::head::{self, Head};
use super::place::{Place, Remembered};
use super::siblings::{modified, siblings};
use super::window::WINDOW_BYTES_MAX;
use crate::shell::ShellError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes looked through at once for the end of a line.
const STEP: u64 = 64 << 10;

/// The whole lines that a log holds now.
#[derive(Debug)]
pub struct Backlog {
    /// Bytes of them.
    pub bytes: u64,
    /// Where to follow it from when they are brought in: as far before their end as a window reaches at the most.
    pub place: Place,
}

impl Backlog {
    /// What the log holds; `None` where there is no such file, or no line in it.
    pub fn of(log: &Path) -> Result<Option<Self>, ShellError> {
        let failed = |source| ShellError::Read { path: log.to_owned(), source };
        let file = match File::open(log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        if head::is_packed(&file).map_err(failed)? {
            let why = "it is compressed, so nothing is written to it any more: import it without --follow".to_owned();
            return Err(ShellError::Format { path: log.to_owned(), why });
        }
        Self::of_file(log, &file).map_err(failed)
    }

    /// Where a log stands that is seen for the first time: whatever becomes of it before its backlog is brought in.
    pub fn first_place(log: &Path) -> Result<Place, ShellError> {
        let failed = |source| ShellError::Read { path: log.to_owned(), source };
        let before = siblings(log).map_err(failed)?.last().map_or(1, |sibling| sibling.modified);
        let place = Self::of(log)?.map(|backlog| backlog.place).unwrap_or_default();
        let files = place.files.into_iter().map(|file| Remembered { from: 0, ..file }).collect();
        Ok(Place { path: log.to_owned(), is_first: true, modified: place.modified.max(before), files })
    }

    /// Whether it is of the file that stood there when the log was seen for the first time.
    pub fn is_of(&self, first: &Place) -> bool {
        let beginning = File::open(&self.place.path).and_then(|file| head::beginning(&file)).unwrap_or_default();
        first.files.iter().any(|file| file.head.is_of(&beginning))
    }

    fn of_file(log: &Path, file: &File) -> io::Result<Option<Self>> {
        let facts = file.metadata()?;
        let bytes = last_line_end(file, facts.len())?;
        if bytes == 0 {
            return Ok(None);
        }
        let from = match bytes.checked_sub(WINDOW_BYTES_MAX) {
            Some(before) => last_line_end(file, before)?,
            None => 0,
        };
        let files = vec![Remembered { head: Head::of(&head::beginning(file)?), from }];
        let place = Place { path: log.to_owned(), is_first: false, modified: modified(&facts), files };
        Ok(Some(Self { bytes, place }))
    }
}

/// Behind the last line end before this offset; 0 where there is none.
fn last_line_end(file: &File, before: u64) -> io::Result<u64> {
    let mut end = before;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        file.read_exact_at(&mut bytes, start)?;
        if let Some(at) = memchr::memrchr(b'\n', &bytes) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_is_of_whole_lines_and_goes_on_a_window_before_their_end() {
        let folder = tempfile::tempdir().expect("folder");
        let log = folder.path().join("access.log");
        assert!(Backlog::of(&log).expect("none").is_none());
        std::fs::write(&log, "no end").expect("write");
        assert!(Backlog::of(&log).expect("none").is_none());
        std::fs::write(&log, "line\nno end").expect("write");
        let backlog = Backlog::of(&log).expect("read").expect("a line");
        assert_eq!((backlog.bytes, backlog.place.files[0].from), (5, 0));
        let line = format!("{}\n", "x".repeat(99_999));
        std::fs::write(&log, line.repeat(100)).expect("write");
        let backlog = Backlog::of(&log).expect("read").expect("lines");
        let from = backlog.place.files[0].from;
        assert_eq!((backlog.bytes, from % 100_000), (10_000_000, 0));
        assert!((WINDOW_BYTES_MAX..WINDOW_BYTES_MAX + 100_000).contains(&(backlog.bytes - from)));
    }

    #[test]
    fn what_is_compressed_is_not_followed() {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(&zstd::stream::encode_all(&b"line\n"[..], 1).expect("encode")).expect("write");
        let said = Backlog::of(file.path()).expect_err("refused").to_string();
        assert!(said.contains("without --follow"), "{said}");
    }
}
