//! Log: all that a name in the file system ever stood for, in the order in which it was written.
//! - The file under the name, and those that had it before and are not read to their end: renamed, copied and cut, compressed.
//! - Files are looked for when something changed in the folder, or a file was cut: by what they begin with where they were read
//!   before, by when they were last written where they were not. Two that begin with the same lines are taken for one.
//! - A file is read when nothing is left of those before it, so that lines come in order.
//! - A file without its name is let go [`DRAIN_MS`] after its last line: writers go on in it until they hear of the change.

use super::head::Head;
use super::place::{Place, Remembered};
use super::siblings::{folder_of, modified, siblings};
use super::tail::{self, Chunk, Identity, Read, Tail};
use crate::clock::Millis;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(doc)]
use super::tail::DRAIN_MS;

/// Files of one name that are open at once.
const TAILS_MAX: usize = 100;

/// A followed name.
#[derive(Debug)]
pub struct Log {
    /// The name.
    pub path: PathBuf,
    /// Its files, the one that was written first in front.
    pub tails: Vec<Tail>,
    /// When the latest of what was read was written, in ns since 1970; what was written before has been read.
    modified: i64,
    /// When the folder was last changed, as last seen.
    folder_modified: i64,
    /// What there is to say of it.
    notes: Vec<String>,
}

impl Log {
    /// A log from where it was left; nothing is opened yet.
    pub fn at(path: &Path, place: &Place) -> Self {
        let tail = |file: &Remembered| Tail::remembered(file.head.clone(), file.from);
        let tails = place.files.iter().map(tail).collect();
        Self { path: path.to_owned(), tails, modified: place.modified, folder_modified: 0, notes: Vec::new() }
    }

    /// Where it is to be left.
    pub fn place(&self) -> Place {
        let file = |tail: &Tail| Remembered { head: tail.head.clone(), from: tail.window.from() };
        Place {
            path: self.path.clone(),
            is_first: false,
            modified: self.modified,
            files: self.tails.iter().map(file).collect(),
        }
    }

    /// The next lines, and which of its files they are of. One file's lines at a time.
    pub fn read(&mut self, now: Millis) -> io::Result<Option<(usize, Chunk)>> {
        let named = self.look()?;
        self.give_up(now);
        for at in 0..self.tails.len() {
            let is_over = self.tails[at].identity() != named;
            match self.tails[at].read(now, is_over)? {
                Read::Lines(chunk) => return Ok(Some((at, chunk))),
                Read::Nothing => {}
                Read::Replaced => {
                    self.tails[at].leave();
                    self.find()?;
                    return self.read_found(now);
                }
            }
        }
        let is_done = |tail: &Tail| tail.identity() != named && tail.is_over(now);
        let latest = self.tails.iter().filter(|tail| is_done(tail)).map(Tail::modified).max();
        self.modified = self.modified.max(latest.unwrap_or_default());
        self.tails.retain(|tail| !is_done(tail));
        Ok(None)
    }

    /// From each file back to where repetitions are counted from anew.
    pub fn rewind(&mut self) {
        self.tails.iter_mut().for_each(Tail::rewind);
    }

    /// What there is to say since it was last asked.
    pub fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// After files were looked for: what was found stays for a while at least.
    fn read_found(&mut self, now: Millis) -> io::Result<Option<(usize, Chunk)>> {
        for (at, tail) in self.tails.iter_mut().enumerate() {
            if let Read::Lines(chunk) = tail.read(now, false)? {
                return Ok(Some((at, chunk)));
            }
        }
        Ok(None)
    }

    /// Which file has the name now; looks for files where that is news, or one that was read has no home.
    fn look(&mut self) -> io::Result<Option<Identity>> {
        // Before the files: what changes meanwhile is seen the next time.
        let changed = modified(&fs::metadata(folder_of(&self.path))?);
        let facts = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            facts => Some(facts?),
        };
        let named = facts.as_ref().map(Identity::of);
        let is_read = named.is_none() || self.tails.iter().any(|tail| tail.identity() == named);
        if changed != self.folder_modified || !is_read || self.tails.iter().any(|tail| tail.identity().is_none()) {
            self.find()?;
            self.folder_modified = changed;
        }
        if let Some(facts) = facts.filter(|_| is_read) {
            self.modified = self.modified.max(modified(&facts));
        }
        Ok(named)
    }

    /// Finds the files of the name: a home for those that lost theirs, and those that nobody has read.
    fn find(&mut self) -> io::Result<()> {
        for tail in &mut self.tails {
            if !tail.is_the_same()? {
                tail.leave();
            }
        }
        let since = self.modified;
        let named = match tail::open(&self.path)? {
            Some((file, beginning)) => Some(self.meet_named(file, beginning)?),
            None => None,
        };
        let mut left = 0;
        for sibling in siblings(&self.path)? {
            // One that cannot be read is not finished yet, or somebody else's.
            if let Ok(Some((file, beginning))) = tail::open(&sibling.path) {
                let is_unread = since > 0 && sibling.modified > since;
                left += self.meet(file, beginning, is_unread, named)?;
                self.modified = self.modified.max(if is_unread { sibling.modified } else { 0 });
            }
        }
        let name = self.path.display();
        if left > 0 {
            self.notes.push(format!("{name}: {left} rotated files too many to read at once are left out; import them"));
        }
        // Nothing is known of a file that had no line.
        self.tails.retain(|tail| tail.identity().is_some() || tail.head != Head::default());
        Ok(())
    }

    /// Gives up files that are not found for a while: they may be compressed just now.
    fn give_up(&mut self, now: Millis) {
        let (name, notes) = (self.path.display(), &mut self.notes);
        self.tails.retain_mut(|tail| {
            let is_lost = tail.is_lost(now);
            if is_lost {
                let byte = tail.offset();
                notes.push(format!("{name}: an earlier file, read up to byte {byte}, is not found beside it any more"));
            }
            !is_lost
        });
    }

    /// A file that rotation made; answers how many files are left out for it.
    fn meet(&mut self, file: File, beginning: Vec<u8>, is_unread: bool, named: Option<Identity>) -> io::Result<u64> {
        let identity = Some(Identity::of(&file.metadata()?));
        if self.tails.iter().any(|tail| tail.identity() == identity) {
            return Ok(0);
        }
        if let Some(tail) = self.tails.iter_mut().find(|tail| tail.head.is_of(&beginning)) {
            // One that is read already is read on where it is: this is a copy.
            if tail.identity().is_none() {
                tail.settle(file, beginning)?;
            }
            return Ok(0);
        }
        // A copy that is only being made holds the beginning of what is read already.
        if !is_unread || self.tails.iter().any(|tail| tail.begins_with(&beginning)) {
            return Ok(0);
        }
        if self.tails.len() >= TAILS_MAX {
            return Ok(1);
        }
        // Before the one that has the name now.
        let last = self.tails.iter().position(|tail| tail.identity() == named).unwrap_or(self.tails.len());
        self.tails.insert(last, begun(file, beginning)?);
        Ok(0)
    }

    /// The file that has the name now: always read.
    fn meet_named(&mut self, file: File, beginning: Vec<u8>) -> io::Result<Identity> {
        let identity = Identity::of(&file.metadata()?);
        self.modified = self.modified.max(1);
        if self.tails.iter().any(|tail| tail.identity() == Some(identity)) {
            return Ok(identity);
        }
        // The same lines in another file: some replace a log by a longer copy of itself.
        if let Some(at) = self.tails.iter().position(|tail| tail.head.is_of(&beginning)) {
            let mut tail = self.tails.remove(at);
            tail.settle(file, beginning)?;
            self.tails.push(tail);
        } else {
            self.tails.push(begun(file, beginning)?);
        }
        Ok(identity)
    }
}

/// A file that is read from its first byte.
fn begun(file: File, beginning: Vec<u8>) -> io::Result<Tail> {
    let mut tail = Tail::remembered(Head::default(), 0);
    tail.settle(file, beginning)?;
    Ok(tail)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
