//! The folder as the journal sees it, small enough that a failing one can stand in for it.
//! - What is written survives a power loss once `sync` returned; a file's name once `sync_folder` returned.
//! - After a failed `sync` nothing is known of the file's unsynced bytes: callers never sync that file again.
//! - Files are named within the one folder; there are no paths.

use std::fmt::Debug;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// One folder of files.
pub(super) trait Files: Debug + Send + Sync {
    /// The names in it, in any order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new, empty file; an error when there is one.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;
    /// A file that is there, to read and write.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;
    /// Gives a file another name, whose file it replaces.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; those who have it open read on.
    fn unlink(&self, name: &str) -> io::Result<()>;
    /// Makes created, renamed and removed names durable.
    fn sync_folder(&self) -> io::Result<()>;
}

/// One open file.
pub(super) trait File: Debug + Send + Sync {
    /// Its length.
    fn bytes(&self) -> io::Result<u64>;
    /// Reads at `offset`; fewer bytes than asked only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`, which is the file's end. On an error any part of it may be written.
    fn append(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file to `bytes`.
    fn cut(&self, bytes: u64) -> io::Result<()>;
    /// Makes its bytes and length durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
}

/// A folder of the operating system.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// The folder `folder`, which is there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: std::path::absolute(folder)? })
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.folder)?
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = fs::File::options().read(true).write(true).create_new(true).open(self.folder.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = fs::File::options().read(true).write(true).open(self.folder.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        fs::File::open(&self.folder)?.sync_all()
    }
}

#[derive(Debug)]
struct DiskFile(fs::File);

impl File for DiskFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.0.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(bytes) => done += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn append(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
