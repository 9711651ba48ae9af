//! Requests: who waits for which day to be sealed, or for what to be stored.
//! - A request waits until the store was handed everything that was synced when it came; then its days are known.
//! - Only a seal that began after that counts for it.
//! - Absent: doing any of it (`owner`). Bounded by its callers, who wait: the owner takes no more than [`WAITING_MAX`].

use super::IndexerError;
use super::handle::{Expiry, Sealing};
use super::repair::{Loss, Repaired};
use crate::event::Day;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Requests that may wait for seals at once.
pub(super) const WAITING_MAX: usize = 64;

/// Where the answer to a request for seals goes.
pub(super) type SealReply = oneshot::Sender<Result<Vec<Day>, IndexerError>>;
/// Where the answer to a request for a flush or an expiry goes.
pub(super) type PlainReply = oneshot::Sender<Result<(), IndexerError>>;

/// Where the answer to a request for repair goes.
pub(super) type RepairReply = oneshot::Sender<Result<Vec<Repaired>, IndexerError>>;

/// A request whose days are known.
#[derive(Debug)]
struct Waiting {
    /// The days left; whether a seal that counts has begun.
    left: BTreeMap<Day, bool>,
    sealed: Vec<Day>,
    reply: SealReply,
}

/// The requests that are open.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// By the position that must be stored first.
    seals: Vec<(u64, Sealing, SealReply)>,
    flushes: Vec<(u64, PlainReply)>,
    expiries: Vec<(Expiry, PlainReply)>,
    repairs: Vec<(Vec<Day>, Loss, RepairReply)>,
    waiting: Vec<Waiting>,
    /// Days that are to be sealed, asked for or due.
    wanted: BTreeSet<Day>,
}

impl Requests {
    pub(super) fn len(&self) -> usize {
        self.seals.len() + self.flushes.len() + self.expiries.len() + self.repairs.len() + self.waiting.len()
    }

    pub(super) fn add_seal(&mut self, target: u64, which: Sealing, reply: SealReply) {
        self.seals.push((target, which, reply));
    }

    pub(super) fn add_flush(&mut self, target: u64, reply: PlainReply) {
        self.flushes.push((target, reply));
    }

    pub(super) fn add_expiry(&mut self, before: Expiry, reply: PlainReply) {
        self.expiries.push((before, reply));
    }

    pub(super) fn add_repair(&mut self, days: Vec<Day>, loss: Loss, reply: RepairReply) {
        self.repairs.push((days, loss, reply));
    }

    /// Whether somebody waits for repair.
    pub(super) fn want_repair(&self) -> bool {
        !self.repairs.is_empty()
    }

    /// Takes one request for repair out: neither a seal nor a write runs.
    pub(super) fn repair(&mut self) -> Option<(Vec<Day>, Loss, RepairReply)> {
        self.repairs.pop()
    }

    /// Takes the requests for expiry out: no seal runs.
    pub(super) fn expiries(&mut self) -> Vec<(Expiry, PlainReply)> {
        std::mem::take(&mut self.expiries)
    }

    /// Takes the requests out whose events were handed to the store.
    pub(super) fn reached(&mut self, position: u64) -> (Vec<(Sealing, SealReply)>, Vec<PlainReply>) {
        let seals = self.seals.extract_if(.., |(target, ..)| *target <= position);
        let seals = seals.map(|(_, which, reply)| (which, reply)).collect();
        let flushes = self.flushes.extract_if(.., |(target, _)| *target <= position);
        (seals, flushes.map(|(_, reply)| reply).collect())
    }

    /// A request's days are known: it waits for them, or is answered at once if there are none.
    pub(super) fn wait_for(&mut self, days: Vec<Day>, reply: SealReply) {
        self.wanted.extend(&days);
        self.waiting.push(Waiting { left: days.into_iter().map(|day| (day, false)).collect(), sealed: vec![], reply });
        self.answer();
    }

    /// Days are to be sealed though nobody waits for them.
    pub(super) fn want(&mut self, days: Vec<Day>) {
        self.wanted.extend(days);
    }

    /// The next day to seal; its seal begins now.
    pub(super) fn begin(&mut self) -> Option<Day> {
        let day = self.wanted.pop_first()?;
        for begun in self.waiting.iter_mut().filter_map(|waiting| waiting.left.get_mut(&day)) {
            *begun = true;
        }
        Some(day)
    }

    /// A seal that began is done.
    pub(super) fn done(&mut self, day: Day) {
        for waiting in &mut self.waiting {
            if waiting.left.get(&day) == Some(&true) {
                waiting.left.remove(&day);
                waiting.sealed.push(day);
            }
        }
        self.answer();
    }

    /// A seal that began failed: whoever waits for it is told.
    pub(super) fn failed(&mut self, day: Day, source: &Arc<crate::store::StoreError>) {
        for waiting in self.waiting.extract_if(.., |waiting| waiting.left.get(&day) == Some(&true)) {
            // Nobody may be listening any more.
            drop(waiting.reply.send(Err(IndexerError::Seal { day, source: Arc::clone(source) })));
        }
    }

    fn answer(&mut self) {
        for waiting in self.waiting.extract_if(.., |waiting| waiting.left.is_empty()) {
            drop(waiting.reply.send(Ok(waiting.sealed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> (SealReply, oneshot::Receiver<Result<Vec<Day>, IndexerError>>) {
        oneshot::channel()
    }

    #[test]
    fn only_a_seal_that_began_after_a_request_counts_for_it() {
        let mut requests = Requests::default();
        let (first, mut first_answer) = request();
        let (second, mut second_answer) = request();
        requests.wait_for(vec![Day(1)], first);
        assert_eq!(requests.begin(), Some(Day(1)));
        requests.wait_for(vec![Day(1), Day(2)], second);
        requests.done(Day(1));
        assert_eq!(first_answer.try_recv().expect("answered").expect("sealed"), [Day(1)]);
        assert!(second_answer.try_recv().is_err());
        for day in [1, 2] {
            assert_eq!(requests.begin(), Some(Day(day)));
            requests.done(Day(day));
        }
        assert_eq!(second_answer.try_recv().expect("answered").expect("sealed"), [Day(1), Day(2)]);
        assert_eq!(requests.begin(), None);
    }

    #[test]
    fn a_request_waits_for_its_position_and_is_answered_at_once_without_days() {
        let mut requests = Requests::default();
        let (reply, mut answer) = request();
        requests.add_seal(5, Sealing::All, reply);
        assert!(requests.reached(4).0.is_empty());
        let (which, reply) = requests.reached(5).0.pop().expect("reached");
        assert_eq!((which, requests.len()), (Sealing::All, 0));
        requests.wait_for(vec![], reply);
        assert_eq!(answer.try_recv().expect("answered").expect("nothing to do"), []);
    }

    #[test]
    fn who_waits_for_a_day_that_fails_is_told_which() {
        let mut requests = Requests::default();
        let (reply, mut answer) = request();
        requests.wait_for(vec![Day(1), Day(2)], reply);
        requests.begin();
        requests.failed(Day(1), &Arc::new(crate::store::StoreError::Stopped));
        let error = answer.try_recv().expect("answered").expect_err("failed");
        assert_eq!(error.to_string(), "seal 1970-01-02");
        assert_eq!(requests.begin(), Some(Day(2)));
    }
}
