//! Counts: what came by one port, what was lost there, and why connections were closed, since the start.

use crate::ingest::Receipt;
use crate::net::Drops;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What is counted of one port.
#[derive(Debug)]
pub struct Counts {
    receiver: &'static str,
    connections: AtomicU64,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    broken: Mutex<BTreeMap<&'static str, u64>>,
    lost: Mutex<BTreeMap<&'static str, u64>>,
    drops: Option<Drops>,
}

/// The counts as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// The receiver's name.
    pub receiver: &'static str,
    /// Connections open.
    pub connections: u64,
    /// Events taken.
    pub accepted: u64,
    /// Events that were known already.
    pub duplicates: u64,
    /// Events not taken, each for a reason that the site's counts tell.
    pub rejected: u64,
    /// Connections closed for what they said, by reason.
    pub broken: BTreeMap<&'static str, u64>,
    /// What was lost, for its protocol cannot send it again, by reason.
    pub lost: BTreeMap<&'static str, u64>,
}

/// A connection that is open; counted until it is dropped.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Counts);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl Counts {
    /// Nothing yet.
    pub fn of(receiver: &'static str) -> Self {
        Self {
            receiver,
            connections: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            broken: Mutex::default(),
            lost: Mutex::default(),
            drops: None,
        }
    }

    /// Counts among the lost ones what the kernel drops.
    pub fn with(mut self, drops: Option<Drops>) -> Self {
        self.drops = drops;
        self
    }

    /// The receiver's name.
    pub fn receiver(&self) -> &'static str {
        self.receiver
    }

    pub(super) fn opened(&self) -> Open<'_> {
        self.connections.fetch_add(1, Relaxed);
        Open(self)
    }

    pub(super) fn taken(&self, receipt: &Receipt) {
        self.accepted.fetch_add(receipt.accepted, Relaxed);
        self.duplicates.fetch_add(receipt.duplicates, Relaxed);
        self.rejected.fetch_add(receipt.rejected.len() as u64, Relaxed);
    }

    pub(super) fn broken(&self, reason: &'static str) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Counts what is lost for good.
    pub fn lost(&self, reason: &'static str, count: u64) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += count;
    }

    /// The counts as they are now.
    pub fn now(&self) -> Counted {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lost.extend(self.drops.as_ref().map(|drops| ("kernel", drops.count())));
        Counted {
            receiver: self.receiver,
            connections: self.connections.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            broken: self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            lost,
        }
    }
}
