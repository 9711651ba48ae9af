//! Folder: folders made so that they are there after a power loss too.
//! - A folder is durable once the one that names it is synced; one that is there already may not be, so it is synced again.
//! - Absent: files and their names; whoever makes one syncs its folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a folder where there is none, with those above it.
///
/// # Errors
/// [`io::ErrorKind::NotADirectory`] where something else has its name; what the file system says.
pub fn make_durably(folder: &Path) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let Some(above) = folder.parent() else { return Ok(()) };
    let made = match fs::create_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_durably(above)?;
            fs::create_dir(&folder)
        }
        made => made,
    };
    match made {
        Ok(()) => File::open(above)?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => was_there(&folder, above),
        Err(error) => Err(error),
    }
}

fn was_there(folder: &Path, above: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
    }
    match File::open(above).and_then(|above| above.sync_all()) {
        // Somebody else's, who made this one for us.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_with_those_above_and_a_file_is_none() {
        let dir = tempfile::tempdir().expect("folder");
        let deep = dir.path().join("a/b/c");
        for _ in 0..2 {
            make_durably(&deep).expect("made");
        }
        assert!(deep.is_dir());
        fs::write(deep.join("file"), "").expect("file");
        for taken in ["file", "file/below"] {
            let error = make_durably(&deep.join(taken)).expect_err(taken);
            assert_eq!(error.kind(), io::ErrorKind::NotADirectory, "{error}");
        }
    }
}
