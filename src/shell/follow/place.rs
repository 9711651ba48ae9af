//! Place: where a followed log is left, in a small file of the data folder.
//! - Written after the server acknowledged, and before more is read: what is read twice is a duplicate, what is not read is lost.
//! - One file for each log, server and site; its name is a hash, its content says which.
//! - Replaced as a whole. One that cannot be read is none, and the log is brought in from its beginning: that adds nothing.

use super::head::Head;
use crate::folder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where a log is left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which log.
    pub path: PathBuf,
    /// Whether what it held when it was first seen is still to be brought in.
    #[serde(default)]
    pub is_first: bool,
    /// When the latest of what was read was written, in ns since 1970.
    pub modified: i64,
    /// Its files that are not over, the one that was written first in front.
    pub files: Vec<Remembered>,
}

/// Where one file of a log is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// What it begins with.
    pub head: Head,
    /// The byte to read from again.
    pub from: u64,
}

/// The file of one log's place.
#[derive(Debug, Clone)]
pub struct PlaceFile(PathBuf);

impl PlaceFile {
    /// The file in `folder` for a log that is delivered there.
    pub fn of(folder: &Path, log: &Path, server: &str, site: &str) -> Self {
        let name = Sha256::new().chain_update(log.as_os_str().as_encoded_bytes());
        let name = [server, site].iter().fold(name, |name, part| name.chain_update([0]).chain_update(part)).finalize();
        let name: String = name[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self(folder.join(format!("{name}.json")))
    }

    /// The place, where one is remembered.
    pub fn load(&self) -> Option<Place> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    /// Remembers a place: when this is over it is on disk.
    pub fn save(&self, place: &Place) -> io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        folder::make_durably(folder)?;
        let new = self.0.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(place)?)?;
        // Before the rename: the file system may reorder them.
        file.sync_data()?;
        fs::rename(&new, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_a_damaged_one_is_none() {
        let folder = tempfile::tempdir().expect("folder");
        let of =
            |server: &str, site: &str| PlaceFile::of(&folder.path().join("follow"), Path::new("/a.log"), server, site);
        let file = of("http://a", "s");
        assert_eq!(file.load(), None);
        let place = Place {
            path: "/a.log".into(),
            is_first: true,
            modified: 7,
            files: vec![Remembered { head: Head::of(b"line\n"), from: 5 }],
        };
        file.save(&place).expect("saved");
        assert_eq!(file.load(), Some(place));
        assert!(of("http://a", "t").load().is_none() && of("http://b", "s").load().is_none());
        fs::write(&file.0, "{").expect("write");
        assert_eq!(file.load(), None);
    }
}
