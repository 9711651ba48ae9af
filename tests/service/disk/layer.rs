//! Layer: the tree as a mounted file system that can lose its power, fail, and be full.
//! - Every operation that changes something is counted; the power goes at the one that was asked for, and from then on
//!   everything fails, as a dead disk does. What had been answered until then is what a process may rely on.
//! - Faults hit what changes something, never a read. A failed operation does nothing, but for a sync: see `tree`.

use super::dice::Dice;
use super::mount::{self, Served};
use super::power;
use super::tree::{Inode, Tree};
use fuser::{BackgroundSession, Errno};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    Write,
    Sync,
    Rename,
    Unlink,
}

/// When the power goes: after so many operations of a kind, and some more of any.
#[derive(Debug, Clone)]
pub struct Fuse {
    /// The first name below the data folder under which they are counted; empty for all.
    pub area: &'static str,
    /// Whether only changes of names are counted: what rotation, sealing and expiry hang on.
    pub names_only: bool,
    pub after: usize,
    pub then: usize,
}

/// What an operation that is let through does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Whole,
    /// A write of less than it was asked for.
    Short,
}

/// Which operations fail.
#[derive(Debug, Clone)]
pub struct Faults {
    pub dice: Dice,
    /// One in so many fails.
    pub one_in: usize,
    /// The names below the data folder under which they do.
    pub areas: &'static [&'static str],
    pub hit: u64,
}

#[derive(Default)]
pub struct State {
    pub tree: Tree,
    pub faults: Option<Faults>,
    pub listings: mount::Listings,
    fuse: Option<Fuse>,
    is_dead: bool,
}

#[derive(Default)]
pub struct Shared {
    state: Mutex<State>,
    died: Condvar,
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the layer's state")
    }

    /// Whether an operation on something, or on a name in a folder, may go on.
    pub fn admit(&self, state: &mut State, operation: Operation, inode: Inode, name: &OsStr) -> Result<Verdict, Errno> {
        let area = state.tree.area(inode, name)?.to_string_lossy().into_owned();
        if state.fuse.as_mut().is_some_and(|fuse| fuse.burns_out(operation, &area)) {
            state.is_dead = true;
            self.died.notify_all();
        }
        state.alive()?;
        let State { tree, faults: Some(faults), .. } = state else { return Ok(Verdict::Whole) };
        let is_under = |name: &&str| area.starts_with(*name);
        if !faults.areas.iter().any(is_under) || !faults.dice.one_in(faults.one_in) {
            return Ok(Verdict::Whole);
        }
        faults.hit += 1;
        if operation == Operation::Write && faults.dice.one_in(3) {
            return Ok(Verdict::Short);
        }
        if operation == Operation::Sync {
            let mut dice = faults.dice.clone();
            tree.fail_sync(inode, || dice.one_in(2))?;
        }
        let is_full = matches!(operation, Operation::Create | Operation::Write) && faults.dice.one_in(2);
        Err(if is_full { Errno::ENOSPC } else { Errno::EIO })
    }
}

impl Fuse {
    fn burns_out(&mut self, operation: Operation, area: &str) -> bool {
        let is_of_names = !matches!(operation, Operation::Write | Operation::Sync);
        if self.after > 0 {
            let counts = area.starts_with(self.area) && (is_of_names || !self.names_only);
            self.after -= usize::from(counts);
            return false;
        }
        let is_over = self.then == 0;
        self.then = self.then.saturating_sub(1);
        is_over
    }
}

impl State {
    pub fn alive(&self) -> Result<(), Errno> {
        if self.is_dead { Err(Errno::EIO) } else { Ok(()) }
    }
}

/// A mounted layer; unmounted when dropped.
pub struct Layer {
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    folder: TempDir,
    data_dir: PathBuf,
}

impl Layer {
    /// An empty layer, or `None` with a word why it cannot be had; where all must run its absence fails.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("folder");
        let shared: Arc<Shared> = Arc::default();
        match mount::mount(Served(Arc::clone(&shared)), folder.path()) {
            Ok(session) => {
                let data_dir = folder.path().join("data");
                Some(Self { shared, session: Some(session), folder, data_dir })
            }
            Err(error) => {
                assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "FUSE cannot be mounted here: {error}");
                println!("skipped: FUSE cannot be mounted here: {error}");
                None
            }
        }
    }

    /// The data folder. The layer begins without it: a server makes it, and its name is lost as any other.
    pub fn path(&self) -> &Path {
        &self.data_dir
    }

    /// The power goes once this has burnt out.
    pub fn light(&self, fuse: Fuse) {
        self.shared.state().fuse = Some(fuse);
    }

    /// The power goes now.
    pub fn cut(&self) {
        self.shared.state().is_dead = true;
        self.shared.died.notify_all();
    }

    pub fn is_dead(&self) -> bool {
        self.shared.state().is_dead
    }

    /// Waits for the end of the power, at most so long; whether it has come.
    pub fn wait_dead(&self, wait: Duration) -> bool {
        let state = self.shared.state();
        self.shared.died.wait_timeout_while(state, wait, |state| !state.is_dead).expect("the state").0.is_dead
    }

    /// Injects faults from now on, or none; answers how many the ones before have hit.
    pub fn fail(&self, faults: Option<Faults>) -> u64 {
        std::mem::replace(&mut self.shared.state().faults, faults).map_or(0, |before| before.hit)
    }

    /// The bytes it has room for from now on.
    pub fn room(&self, bytes: Option<u64>) {
        self.shared.state().tree.room = bytes;
    }

    /// What is left after a power loss, mounted again; nobody may have anything of it open. Answers what it did, in words.
    pub fn lose_power(&mut self, dice: &mut Dice) -> String {
        self.unmount();
        let mut state = self.shared.state();
        let (tree, told) = power::lose(std::mem::take(&mut state.tree), dice);
        *state = State { tree, ..State::default() };
        drop(state);
        let session = mount::mount(Served(Arc::clone(&self.shared)), self.folder.path());
        self.session = Some(session.expect("mounted again"));
        told
    }

    fn unmount(&mut self) {
        let Some(session) = self.session.take() else { return };
        let started = Instant::now();
        // The kernel lets the files of a killed process go a moment after it is gone.
        while let Err(error) = mount::unmount(self.folder.path()) {
            assert!(started.elapsed() < Duration::from_secs(10), "unmount: {error}");
            std::thread::yield_now();
        }
        // However the device says goodbye; a panic has no number.
        let ended = session.join();
        assert!(ended.as_ref().err().is_none_or(|error| error.raw_os_error().is_some()), "{ended:?}");
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.unmount();
        }
    }
}
