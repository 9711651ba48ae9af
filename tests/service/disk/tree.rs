//! A tree of files in memory in two states: as it was written, and as it was synced.
//! - `sync` of a file makes its bytes durable, and nothing else: not its name.
//! - `sync` of a folder makes its names durable, those of both folders where one was moved between them.
//! - A failed sync loses what it was to sync, and a later one that succeeds does not bring it back, as page caches do.
//! - Room is counted in blocks; a write takes what fits.

use fuser::Errno;
use metronome::clock::{Clock, Millis};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

pub type Inode = u64;
pub const ROOT: Inode = 1;
pub const BLOCK: u64 = 4096;

pub type Names = BTreeMap<OsString, Inode>;
/// A name in a folder.
pub type Place = (Inode, OsString);

/// A change to a file's bytes.
#[derive(Debug, Clone)]
pub enum Edit {
    Write { at: u64, bytes: Vec<u8> },
    Cut(u64),
}

/// A change to folders' names.
#[derive(Debug, Clone)]
pub enum Change {
    Named { place: Place, inode: Inode },
    Gone { place: Place },
    Moved { from: Place, to: Place, inode: Inode },
}

#[derive(Debug, Clone, Default)]
pub struct Bytes {
    pub written: Vec<u8>,
    pub synced: Vec<u8>,
    /// What leads from `synced` to `written`, but for what a failed sync lost.
    pub unsynced: Vec<Edit>,
}

#[derive(Debug, Clone)]
pub enum Kind {
    File(Bytes),
    Folder { written: Names, synced: Names },
}

#[derive(Debug, Clone)]
pub struct Node {
    pub kind: Kind,
    pub mode: u16,
    pub modified: Millis,
    /// The first name below the data folder on the way to it.
    pub area: OsString,
    pub names: u32,
    handles: u32,
    /// How often the kernel was told of it and has not forgotten it: it may open it without its name.
    known: u64,
}

#[derive(Debug)]
pub struct Tree {
    pub nodes: BTreeMap<Inode, Node>,
    /// Changes of names that are not synced, in order.
    pub changes: Vec<Change>,
    next: Inode,
    held_bytes: u64,
    /// Bytes it has room for.
    pub room: Option<u64>,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Node::new(Kind::folder(), 0o755, OsString::new());
        Self { nodes: BTreeMap::from([(ROOT, root)]), changes: Vec::new(), next: ROOT + 1, held_bytes: 0, room: None }
    }
}

impl Kind {
    pub fn folder() -> Self {
        Self::Folder { written: Names::new(), synced: Names::new() }
    }

    pub fn file() -> Self {
        Self::File(Bytes::default())
    }
}

impl Node {
    pub fn new(kind: Kind, mode: u16, area: OsString) -> Self {
        Self { kind, mode, modified: Clock::System.now(), area, names: 0, handles: 0, known: 0 }
    }

    pub fn bytes(&self) -> u64 {
        match &self.kind {
            Kind::File(file) => file.written.len() as u64,
            Kind::Folder { .. } => BLOCK,
        }
    }
}

impl Edit {
    pub fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Cut(bytes) => to.resize(*bytes as usize, 0),
            Self::Write { at, bytes } => {
                let (at, end) = (*at as usize, *at as usize + bytes.len());
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl Change {
    pub fn folders(&self) -> Vec<Inode> {
        match self {
            Self::Named { place, .. } | Self::Gone { place } => vec![place.0],
            Self::Moved { from, to, .. } => vec![from.0, to.0],
        }
    }

    /// Makes it durable.
    pub fn apply(&self, nodes: &mut BTreeMap<Inode, Node>) {
        match self {
            Self::Named { place, inode } => drop(synced(nodes, place.0).insert(place.1.clone(), *inode)),
            Self::Gone { place } => drop(synced(nodes, place.0).remove(&place.1)),
            Self::Moved { from, to, inode } => {
                synced(nodes, from.0).remove(&from.1);
                synced(nodes, to.0).insert(to.1.clone(), *inode);
            }
        }
    }
}

fn synced(nodes: &mut BTreeMap<Inode, Node>, folder: Inode) -> &mut Names {
    match nodes.get_mut(&folder).map(|node| &mut node.kind) {
        Some(Kind::Folder { synced, .. }) => synced,
        _ => panic!("{folder} is no folder"),
    }
}

impl Tree {
    /// A tree of these nodes, all of it synced.
    pub fn of(nodes: BTreeMap<Inode, Node>, room: Option<u64>) -> Self {
        let next = nodes.keys().max().map_or(ROOT, |last| *last) + 1;
        let held_bytes = nodes.values().map(|node| blocks(node.bytes())).sum();
        Self { nodes, changes: Vec::new(), next, held_bytes, room }
    }

    pub fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::ENOENT)
    }

    fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&inode).ok_or(Errno::ENOENT)
    }

    pub fn names(&self, folder: Inode) -> Result<&Names, Errno> {
        match &self.node(folder)?.kind {
            Kind::Folder { written, .. } => Ok(written),
            Kind::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn names_mut(&mut self, folder: Inode) -> Result<&mut Names, Errno> {
        let node = self.node_mut(folder)?;
        node.modified = Clock::System.now();
        match &mut node.kind {
            Kind::Folder { written, .. } => Ok(written),
            Kind::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn file_mut(&mut self, inode: Inode) -> Result<&mut Bytes, Errno> {
        let node = self.node_mut(inode)?;
        node.modified = Clock::System.now();
        match &mut node.kind {
            Kind::File(file) => Ok(file),
            Kind::Folder { .. } => Err(Errno::EISDIR),
        }
    }

    pub fn lookup(&self, folder: Inode, name: &OsStr) -> Result<Inode, Errno> {
        self.names(folder)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub fn create(&mut self, folder: Inode, name: &OsStr, kind: Kind, mode: u32) -> Result<Inode, Errno> {
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        let area = self.area(folder, name)?.to_owned();
        let node = Node::new(kind, (mode & 0o7777) as u16, area);
        if self.left() < blocks(node.bytes()).max(BLOCK) {
            return Err(Errno::ENOSPC);
        }
        let inode = self.next;
        self.next += 1;
        self.held_bytes += blocks(node.bytes());
        self.nodes.insert(inode, node);
        self.link(inode, folder, name)?;
        Ok(inode)
    }

    /// The area of something, or of a name in a folder; the data folder itself, which the root names, is of none.
    pub fn area<'a>(&'a self, inode: Inode, name: &'a OsStr) -> Result<&'a OsStr, Errno> {
        let area = self.node(inode)?.area.as_os_str();
        Ok(if area.is_empty() && inode != ROOT { name } else { area })
    }

    pub fn link(&mut self, inode: Inode, folder: Inode, name: &OsStr) -> Result<(), Errno> {
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.node_mut(inode)?.names += 1;
        self.names_mut(folder)?.insert(name.to_owned(), inode);
        self.changes.push(Change::Named { place: (folder, name.to_owned()), inode });
        Ok(())
    }

    pub fn unlink(&mut self, folder: Inode, name: &OsStr) -> Result<(), Errno> {
        let inode = self.lookup(folder, name)?;
        if matches!(&self.node(inode)?.kind, Kind::Folder { written, .. } if !written.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.names_mut(folder)?.remove(name);
        self.changes.push(Change::Gone { place: (folder, name.to_owned()) });
        self.unname(inode);
        Ok(())
    }

    pub fn rename(&mut self, from: Place, to: Place) -> Result<(), Errno> {
        let inode = self.lookup(from.0, &from.1)?;
        let replaced = self.lookup(to.0, &to.1).ok();
        if replaced == Some(inode) {
            return Ok(());
        }
        if let Some(replaced) = replaced {
            if matches!(&self.node(replaced)?.kind, Kind::Folder { written, .. } if !written.is_empty()) {
                return Err(Errno::ENOTEMPTY);
            }
            self.unname(replaced);
        }
        self.names_mut(from.0)?.remove(&from.1);
        self.names_mut(to.0)?.insert(to.1.clone(), inode);
        self.changes.push(Change::Moved { from, to, inode });
        Ok(())
    }

    pub fn opened(&mut self, inode: Inode) -> Result<(), Errno> {
        self.node_mut(inode)?.handles += 1;
        Ok(())
    }

    pub fn closed(&mut self, inode: Inode) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.handles -= 1;
            self.free(inode);
        }
    }

    /// The kernel was told of it.
    pub fn told(&mut self, inode: Inode) -> Result<(), Errno> {
        self.node_mut(inode)?.known += 1;
        Ok(())
    }

    /// The kernel has forgotten what it was told so often.
    pub fn forgotten(&mut self, inode: Inode, times: u64) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.known = node.known.saturating_sub(times);
            self.free(inode);
        }
    }

    fn unname(&mut self, inode: Inode) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.names -= 1;
            self.free(inode);
        }
    }

    /// Gives back the room of what nobody can reach any more; a power loss may yet bring it back.
    fn free(&mut self, inode: Inode) {
        let is_reached = |node: &Node| node.names > 0 || node.handles > 0 || node.known > 0;
        let Some(node) = self.nodes.get_mut(&inode).filter(|node| !is_reached(node)) else { return };
        self.held_bytes -= blocks(node.bytes());
        if let Kind::File(file) = &mut node.kind {
            file.written = Vec::new();
        }
    }

    pub fn read(&self, inode: Inode, at: u64, bytes: u32) -> Result<&[u8], Errno> {
        let Kind::File(file) = &self.node(inode)?.kind else { return Err(Errno::EISDIR) };
        let from = (at as usize).min(file.written.len());
        Ok(&file.written[from..(from + bytes as usize).min(file.written.len())])
    }

    /// Writes what there is room for, and answers how much that was.
    pub fn write(&mut self, inode: Inode, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let before = self.node(inode)?.bytes();
        let end_max = blocks(before).saturating_add(self.left() / BLOCK * BLOCK);
        let fits = (bytes.len() as u64).min(end_max.saturating_sub(at)) as usize;
        if fits == 0 && !bytes.is_empty() {
            return Err(Errno::ENOSPC);
        }
        self.edit(inode, Edit::Write { at, bytes: bytes[..fits].to_vec() })?;
        Ok(fits)
    }

    pub fn cut(&mut self, inode: Inode, bytes: u64) -> Result<(), Errno> {
        let before = self.node(inode)?.bytes();
        if blocks(bytes).saturating_sub(blocks(before)) > self.left() {
            return Err(Errno::ENOSPC);
        }
        self.edit(inode, Edit::Cut(bytes))
    }

    fn edit(&mut self, inode: Inode, edit: Edit) -> Result<(), Errno> {
        let file = self.file_mut(inode)?;
        let before = blocks(file.written.len() as u64);
        edit.apply(&mut file.written);
        let after = blocks(file.written.len() as u64);
        file.unsynced.push(edit);
        self.held_bytes = self.held_bytes + after - before;
        Ok(())
    }

    /// Makes a file's bytes durable, or a folder's names.
    pub fn sync(&mut self, inode: Inode) -> Result<(), Errno> {
        match &mut self.node_mut(inode)?.kind {
            Kind::File(file) => {
                for edit in file.unsynced.drain(..) {
                    edit.apply(&mut file.synced);
                }
            }
            Kind::Folder { .. } => self.sync_names(inode),
        }
        Ok(())
    }

    fn sync_names(&mut self, folder: Inode) {
        let mut folders = BTreeSet::from([folder]);
        let touches =
            |change: &Change, folders: &BTreeSet<Inode>| change.folders().iter().any(|one| folders.contains(one));
        loop {
            let moved = self.changes.iter().filter(|change| touches(change, &folders)).flat_map(Change::folders);
            let more: BTreeSet<Inode> = folders.iter().copied().chain(moved).collect();
            if more.len() == folders.len() {
                break;
            }
            folders = more;
        }
        let (durable, rest) = std::mem::take(&mut self.changes).into_iter().partition(|one| touches(one, &folders));
        self.changes = rest;
        let durable: Vec<Change> = durable;
        durable.iter().for_each(|change| change.apply(&mut self.nodes));
    }

    /// A sync that fails: what `survives` says of a file's edits is durable, the rest never will be.
    pub fn fail_sync(&mut self, inode: Inode, mut survives: impl FnMut() -> bool) -> Result<(), Errno> {
        if let Kind::File(file) = &mut self.node_mut(inode)?.kind {
            for edit in file.unsynced.drain(..) {
                if survives() {
                    edit.apply(&mut file.synced);
                }
            }
        }
        Ok(())
    }

    fn left(&self) -> u64 {
        self.room.map_or(u64::MAX / 2, |room| room.saturating_sub(self.held_bytes))
    }
}

fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}
