//! A folder in memory that fails on demand and can lose power.
//! - A power loss keeps what was synced and, by its seed, any part of what was not.
//! - A failed sync behaves as Linux' does: the bytes stay readable, are not durable, and a later sync of the same file
//!   says it went well. Such a later sync is counted: nobody may do that.

use crate::journal::files::{File, Files};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What fails next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The next write, after this many bytes.
    Write(usize),
    /// The next sync of a file.
    Sync,
    /// The next sync of the folder.
    SyncFolder,
    /// The next file that is to be made.
    Create,
    /// The next cut.
    Cut,
    /// The next read.
    Read,
    /// The next unlink.
    Unlink,
    /// The next rename.
    Rename,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Faulty {
    state: Arc<Mutex<State>>,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Clone, Default)]
struct State {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Changes of names since the folder was synced, in order.
    changes: Vec<BTreeMap<String, usize>>,
    inodes: Vec<Inode>,
    faults: Vec<Fault>,
    bytes_max: Option<usize>,
    resyncs: usize,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// A failed sync has left bytes from here on that will never be durable.
    lost_from: Option<usize>,
}

#[derive(Debug, Default)]
struct Gate {
    shut: bool,
    waiting: usize,
}

impl Faulty {
    pub(super) fn fail_next(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Whether a planned fault has not struck yet.
    pub(super) fn fails(&self) -> bool {
        !self.state().faults.is_empty()
    }

    /// Forgets the faults that have not struck.
    pub(super) fn mend(&self) {
        self.state().faults.clear();
    }

    /// The disk is full once all files hold this much.
    pub(super) fn limit(&self, bytes_max: Option<usize>) {
        self.state().bytes_max = bytes_max;
    }

    /// How often a file was synced after a sync of it had failed and its lost bytes were still there.
    pub(super) fn resyncs(&self) -> usize {
        self.state().resyncs
    }

    /// Lets syncs wait from now on.
    pub(super) fn shut_gate(&self) {
        self.gate.0.lock().unwrap().shut = true;
    }

    pub(super) fn open_gate(&self) {
        self.gate.0.lock().unwrap().shut = false;
        self.gate.1.notify_all();
    }

    /// Waits until a sync waits.
    pub(super) fn until_a_sync_waits(&self) {
        let gate = self.gate.0.lock().unwrap();
        drop(self.gate.1.wait_while(gate, |gate| gate.waiting == 0).unwrap());
    }

    /// The folder as another process finds it after this one was killed.
    pub(super) fn after_kill(&self) -> Self {
        let mut state = self.state().clone();
        state.faults.clear();
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::default() }
    }

    /// The folder as it is found after the power was lost.
    pub(super) fn after_power_loss(&self, seed: u64) -> Self {
        let mut random = Random(seed | 1);
        let mut state = self.state().clone();
        state.faults.clear();
        let kept = random.below(state.changes.len() + 1);
        let last = kept.checked_sub(1).and_then(|at| state.changes.get(at));
        state.names = last.unwrap_or(&state.durable_names).clone();
        state.durable_names = state.names.clone();
        state.changes.clear();
        for inode in &mut state.inodes {
            inode.lose_power(&mut random);
        }
        Self { state: Arc::new(Mutex::new(state)), gate: Arc::default() }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// The bytes of a file.
    pub(super) fn bytes_of(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.inodes[state.names[name]].bytes.clone()
    }

    /// A folder like this one but for the bytes of one file.
    pub(super) fn with(&self, name: &str, bytes: &[u8]) -> Self {
        let other = self.after_kill();
        other.replace(name, bytes);
        other
    }

    /// Puts bytes into a file behind everybody's back.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let at = state.names[name];
        state.inodes[at].bytes = bytes.to_vec();
        state.inodes[at].durable = bytes.to_vec();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn file(&self, inode: usize) -> Box<dyn File> {
        Box::new(FaultyFile { folder: self.clone(), inode })
    }
}

impl State {
    /// Fails if that is planned.
    fn strike(&mut self, wanted: impl Fn(&Fault) -> bool) -> io::Result<()> {
        match self.faults.iter().position(wanted) {
            Some(at) => Err(io::Error::other(format!("{:?} was to fail", self.faults.remove(at)))),
            None => Ok(()),
        }
    }

    fn renamed(&mut self) {
        let names = self.names.clone();
        self.changes.push(names);
    }

    fn room(&self) -> usize {
        let held: usize = self.names.values().map(|&at| self.inodes[at].bytes.len()).sum();
        self.bytes_max.map_or(usize::MAX, |max| max.saturating_sub(held))
    }
}

impl Inode {
    fn lose_power(&mut self, random: &mut Random) {
        let common = self.bytes.iter().zip(&self.durable).take_while(|(a, b)| a == b).count();
        let was_cut = common == self.bytes.len();
        let reach = self.lost_from.unwrap_or(usize::MAX).min(self.bytes.len()).max(common);
        match random.below(3) {
            0 if !was_cut => self.bytes.truncate(common + random.below(reach - common + 1)),
            1 if !was_cut => {
                self.bytes.truncate(reach);
                // The length reached the disk, some of the bytes did not.
                let zeros = common + random.below(reach - common + 1);
                self.bytes[zeros..].fill(0);
            }
            2 if was_cut => {}
            _ => self.bytes = self.durable.clone(),
        }
        self.durable = self.bytes.clone();
        self.lost_from = None;
    }
}

impl Files for Faulty {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        state.strike(|fault| *fault == Fault::Create)?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.names.insert(name.to_owned(), inode);
        state.renamed();
        Ok(self.file(inode))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let inode = self.state().names.get(name).copied();
        inode.map(|inode| self.file(inode)).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.strike(|fault| *fault == Fault::Rename)?;
        let inode = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), inode);
        state.renamed();
        Ok(())
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let inode = state.names.get(name).copied().ok_or(ErrorKind::NotFound)?;
        state.strike(|fault| *fault == Fault::Unlink)?;
        state.names.retain(|_, at| *at != inode);
        state.renamed();
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        state.strike(|fault| *fault == Fault::SyncFolder)?;
        state.durable_names = state.names.clone();
        state.changes.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct FaultyFile {
    folder: Faulty,
    inode: usize,
}

impl File for FaultyFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.folder.state().inodes[self.inode].bytes.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.folder.state();
        state.strike(|fault| *fault == Fault::Read)?;
        let bytes = state.inodes[self.inode].bytes.get(offset as usize..).unwrap_or(&[]);
        let read = bytes.len().min(buffer.len());
        buffer[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }

    fn append(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.folder.state();
        let planned = state.faults.iter().find_map(|fault| match fault {
            Fault::Write(after) => Some((*after).min(bytes.len())),
            _ => None,
        });
        let struck = state.strike(|fault| matches!(fault, Fault::Write(_)));
        let (room, inode) = (state.room(), &mut state.inodes[self.inode]);
        assert_eq!(offset, inode.bytes.len() as u64, "an append is at the end");
        let written = planned.unwrap_or(bytes.len()).min(room);
        inode.bytes.extend_from_slice(&bytes[..written]);
        if written < bytes.len() && planned.is_none() { Err(ErrorKind::StorageFull.into()) } else { struck }
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.folder.state();
        state.strike(|fault| *fault == Fault::Cut)?;
        let inode = &mut state.inodes[self.inode];
        inode.bytes.truncate(bytes as usize);
        inode.lost_from = inode.lost_from.filter(|&from| from < inode.bytes.len());
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let (gate, changed) = &*self.folder.gate;
        let mut held = gate.lock().unwrap();
        held.waiting += 1;
        changed.notify_all();
        let mut held = changed.wait_while(held, |gate| gate.shut).unwrap();
        held.waiting -= 1;
        let mut state = self.folder.state();
        if state.inodes[self.inode].lost_from.is_some() {
            state.resyncs += 1;
        }
        let struck = state.strike(|fault| *fault == Fault::Sync);
        let inode = &mut state.inodes[self.inode];
        match struck {
            Ok(()) => inode.durable = inode.bytes[..inode.lost_from.unwrap_or(inode.bytes.len())].to_vec(),
            Err(_) => inode.lost_from = inode.lost_from.or(Some(inode.durable.len().min(inode.bytes.len()))),
        }
        struck
    }
}

/// Numbers from a seed (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}
