//! Mount: the layer spoken to by the kernel.
//! - One thread, one operation after the other: what has been answered has happened.
//! - Absent: links by name, devices, extended attributes, locks (the kernel keeps them itself).

use super::layer::{Operation, Shared, State, Verdict};
use super::tree::{BLOCK, Inode, Kind, Node};
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, SystemTime};

/// How long the kernel may believe an answer: nobody else changes anything.
const BELIEVED: Duration = Duration::from_secs(3600);

/// Folders being listed, as they were when that began.
#[derive(Default)]
pub struct Listings {
    next: u64,
    open: BTreeMap<u64, Vec<(OsString, Inode, FileType)>>,
}

pub struct Served(pub Arc<Shared>);

pub fn mount(served: Served, at: &Path) -> io::Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("metronome-test".to_owned()), MountOption::NoAtime];
    fuser::spawn_mount(served, at, &config)
}

pub fn unmount(at: &Path) -> io::Result<()> {
    let by_root = Command::new("umount").arg(at).output()?;
    if by_root.status.success() || Command::new("fusermount3").arg("-u").arg(at).status().is_ok_and(|s| s.success()) {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&by_root.stderr).into_owned()))
}

impl Served {
    fn alive(&self) -> Result<MutexGuard<'_, State>, Errno> {
        let state = self.0.state();
        state.alive().map(|()| state)
    }

    /// The state, when an operation on something may go on.
    fn admitted(&self, operation: Operation, inode: INodeNo) -> Result<MutexGuard<'_, State>, Errno> {
        self.judged(operation, inode, OsStr::new("")).map(|(state, _)| state)
    }

    /// The same for a name in a folder.
    fn named(&self, operation: Operation, folder: INodeNo, name: &OsStr) -> Result<MutexGuard<'_, State>, Errno> {
        self.judged(operation, folder, name).map(|(state, _)| state)
    }

    fn judged(
        &self,
        operation: Operation,
        inode: INodeNo,
        name: &OsStr,
    ) -> Result<(MutexGuard<'_, State>, Verdict), Errno> {
        let mut state = self.0.state();
        let verdict = self.0.admit(&mut state, operation, inode.0, name)?;
        Ok((state, verdict))
    }

    fn create(&self, folder: INodeNo, name: &OsStr, kind: Kind, mode: u32) -> Result<FileAttr, Errno> {
        let mut state = self.named(Operation::Create, folder, name)?;
        let inode = state.tree.create(folder.0, name, kind, mode)?;
        told(&mut state, inode)
    }

    fn found(&self, folder: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        let mut state = self.alive()?;
        let inode = state.tree.lookup(folder.0, name)?;
        told(&mut state, inode)
    }

    fn facts_of(&self, inode: INodeNo) -> Result<FileAttr, Errno> {
        Ok(facts(inode.0, self.alive()?.tree.node(inode.0)?))
    }

    fn listing(&self, folder: INodeNo) -> Result<u64, Errno> {
        let mut state = self.alive()?;
        let names = state.tree.names(folder.0)?.clone();
        let entry = |(name, inode): (OsString, Inode)| Ok((name, inode, type_of(state.tree.node(inode)?)));
        let entries: Vec<_> = names.into_iter().map(entry).collect::<Result<_, Errno>>()?;
        state.listings.next += 1;
        let handle = state.listings.next;
        state.listings.open.insert(handle, entries);
        Ok(handle)
    }
}

fn type_of(node: &Node) -> FileType {
    match node.kind {
        Kind::File(_) => FileType::RegularFile,
        Kind::Folder { .. } => FileType::Directory,
    }
}

fn facts(inode: Inode, node: &Node) -> FileAttr {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(node.modified.try_into().unwrap_or_default());
    FileAttr {
        ino: INodeNo(inode),
        size: node.bytes(),
        blocks: node.bytes().div_ceil(BLOCK) * BLOCK / 512,
        atime: modified,
        mtime: modified,
        ctime: modified,
        crtime: modified,
        kind: type_of(node),
        perm: node.mode,
        nlink: node.names.max(1),
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: BLOCK as u32,
        flags: 0,
    }
}

/// What the kernel is told of something it may open from now on, until it forgets it.
fn told(state: &mut State, inode: Inode) -> Result<FileAttr, Errno> {
    state.tree.told(inode)?;
    Ok(facts(inode, state.tree.node(inode)?))
}

fn done(reply: ReplyEmpty, result: Result<(), Errno>) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn entry(reply: ReplyEntry, result: Result<FileAttr, Errno>) {
    match result {
        Ok(facts) => reply.entry(&BELIEVED, &facts, Generation(0)),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(reply, self.found(parent, name));
    }

    fn forget(&self, _: &Request, ino: INodeNo, times: u64) {
        self.0.state().tree.forgotten(ino.0, times);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.facts_of(ino) {
            Ok(facts) => reply.attr(&BELIEVED, &facts),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = || {
            if let Some(size) = size {
                self.admitted(Operation::Write, ino)?.tree.cut(ino.0, size)?;
            }
            if let (Some(mode), Some(node)) = (mode, self.alive()?.tree.nodes.get_mut(&ino.0)) {
                node.mode = (mode & 0o7777) as u16;
            }
            self.facts_of(ino)
        };
        match set() {
            Ok(facts) => reply.attr(&BELIEVED, &facts),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        entry(reply, Served::create(self, parent, name, Kind::folder(), mode & !umask));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let unlinked =
            self.named(Operation::Unlink, parent, name).and_then(|mut state| state.tree.unlink(parent.0, name));
        done(reply, unlinked);
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.unlink(request, parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        let renamed = self
            .admitted(Operation::Rename, parent)
            .and_then(|mut state| state.tree.rename((parent.0, name.to_owned()), (newparent.0, newname.to_owned())));
        done(reply, renamed);
    }

    fn link(&self, _: &Request, ino: INodeNo, newparent: INodeNo, newname: &OsStr, reply: ReplyEntry) {
        let linked = || {
            let mut state = self.named(Operation::Create, newparent, newname)?;
            state.tree.link(ino.0, newparent.0, newname)?;
            told(&mut state, ino.0)
        };
        entry(reply, linked());
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, _: i32, reply: ReplyCreate) {
        let created = Served::create(self, parent, name, Kind::file(), mode & !umask);
        match created.and_then(|facts| self.0.state().tree.opened(facts.ino.0).map(|()| facts)) {
            Ok(facts) => reply.created(&BELIEVED, &facts, Generation(0), FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.alive().and_then(|mut state| state.tree.opened(ino.0)) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.0.state().tree.closed(ino.0);
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = self.0.state();
        match state.alive().and_then(|()| state.tree.read(ino.0, offset, size)) {
            Ok(bytes) => reply.data(bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.judged(Operation::Write, ino, OsStr::new("")).and_then(|(mut state, verdict)| {
            let bytes = if verdict == Verdict::Short { &data[..data.len().div_ceil(2)] } else { data };
            state.tree.write(ino.0, offset, bytes)
        });
        match written {
            Ok(bytes) => reply.written(bytes as u32),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(reply, self.admitted(Operation::Sync, ino).and_then(|mut state| state.tree.sync(ino.0)));
    }

    fn fsyncdir(&self, request: &Request, ino: INodeNo, handle: FileHandle, datasync: bool, reply: ReplyEmpty) {
        self.fsync(request, ino, handle, datasync, reply);
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.listing(ino) {
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, fh: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = self.0.state();
        let entries = state.listings.open.get(&fh.0).map(Vec::as_slice).unwrap_or_default();
        for (at, (name, inode, kind)) in entries.iter().enumerate().skip(offset as usize) {
            if reply.add(INodeNo(*inode), at as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, fh: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.0.state().listings.open.remove(&fh.0);
        reply.ok();
    }
}
