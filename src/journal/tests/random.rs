//! Random operations, restarts, failures and power losses against a model: acknowledged ⊆ stored ⊆ sent, nothing twice,
//! nothing at another position.

use super::faulty::Fault;
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<usize>),
    Fail(Fault, Vec<usize>),
    Release(u8),
    Restart,
    Kill,
    LosePower(u64),
    /// While a sync runs: a power loss with this seed, or a kill.
    Interrupt(Option<u64>, Vec<usize>),
    FillDisk,
    Read(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sizes = || prop::collection::vec(0usize..120, 1..12);
    let fault = prop_oneof![(0usize..300).prop_map(Fault::Write), Just(Fault::Sync), Just(Fault::SyncFolder)];
    let step = prop_oneof![
        8 => sizes().prop_map(Step::Append),
        2 => (fault, sizes()).prop_map(|(fault, sizes)| Step::Fail(fault, sizes)),
        1 => any::<u8>().prop_map(Step::Release),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        2 => any::<u64>().prop_map(Step::LosePower),
        3 => (any::<Option<u64>>(), sizes()).prop_map(|(seed, sizes)| Step::Interrupt(seed, sizes)),
        1 => Just(Step::FillDisk),
        2 => any::<u8>().prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..60)
}

/// The journal under test and what must hold of it.
struct Run {
    files: Faulty,
    journal: Journal,
    sent: BTreeSet<Vec<u8>>,
    acknowledged: BTreeMap<u64, Vec<u8>>,
    released: u64,
    /// Positions that were told to be lost, by a power loss while they were synced.
    lost: BTreeSet<u64>,
}

impl Run {
    fn new() -> Self {
        let files = Faulty::default();
        let (journal, _) = open_in(&files, tiny());
        Self {
            files,
            journal,
            sent: BTreeSet::new(),
            acknowledged: BTreeMap::new(),
            released: 0,
            lost: BTreeSet::new(),
        }
    }

    fn payloads(&mut self, sizes: &[usize]) -> Vec<Vec<u8>> {
        let first = self.sent.len();
        let payload = |(at, &size): (usize, &usize)| format!("{:08}{:size$}", first + at, "").into_bytes();
        let payloads: Vec<Vec<u8>> = sizes.iter().enumerate().map(payload).collect();
        self.sent.extend(payloads.iter().cloned());
        payloads
    }

    /// Opens the folder as it is while the sync of these payloads runs.
    fn interrupt(&mut self, seed: Option<u64>, sizes: &[usize]) {
        let batch: Batch = self.payloads(sizes).iter().map(Vec::as_slice).collect();
        let (journal, files) = (self.journal.clone(), self.files.clone());
        files.shut_gate();
        let caller = std::thread::spawn(move || runtime().block_on(journal.append(batch)));
        files.until_a_sync_waits();
        let interrupted = seed.map_or_else(|| files.after_kill(), |seed| files.after_power_loss(seed));
        files.open_gate();
        // Whatever it was told, it was told after the end.
        drop(caller.join().unwrap());
        self.open(interrupted);
    }

    fn append(&mut self, sizes: &[usize]) {
        let payloads = self.payloads(sizes);
        if let Ok(range) = runtime().block_on(self.journal.append(payloads.iter().map(Vec::as_slice).collect())) {
            for (position, payload) in range.zip(payloads) {
                assert_eq!(self.acknowledged.insert(position, payload), None, "position {position} was given twice");
            }
        }
    }

    /// Opens `files`, as a later process does.
    fn open(&mut self, files: Faulty) {
        let acknowledged = self.acknowledged.last_key_value().map_or(0, |(position, _)| position + 1);
        let (journal, recovery) = open_in(&files, tiny());
        for position in recovery.damaged.iter().flat_map(|damage| damage.positions.clone()) {
            assert!(position >= acknowledged || self.lost.contains(&position), "{recovery}");
            self.lost.insert(position);
        }
        std::mem::replace(&mut self.journal, journal).close();
        self.files = files;
    }

    fn check(&self, from: u64) {
        let from = from.min(self.journal.facts().synced);
        let (entries, _) = read(&self.journal, from);
        assert!(entries.is_sorted_by(|one, next| one.0 < next.0));
        let read: BTreeMap<u64, Vec<u8>> = entries.into_iter().collect();
        for (position, payload) in self.acknowledged.range(from.max(self.released)..) {
            assert_eq!(read.get(position), Some(payload), "position {position} from {from}");
        }
        assert!(read.values().all(|payload| self.sent.contains(payload)));
        assert_eq!(read.values().collect::<BTreeSet<_>>().len(), read.len(), "a payload is there twice");
        assert_eq!(self.files.resyncs(), 0);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(sizes) => self.append(sizes),
            Step::Fail(fault, sizes) => {
                self.files.fail_next(*fault);
                self.append(sizes);
                self.files.mend();
                healed(&self.journal);
            }
            Step::Release(part) => {
                self.released = self.released.max(self.journal.facts().synced * u64::from(*part) / 255);
                self.journal.release(self.released);
            }
            Step::Restart => {
                self.journal.clone().close();
                self.open(self.files.clone());
            }
            Step::Kill => self.open(self.files.after_kill()),
            Step::LosePower(seed) => self.open(self.files.after_power_loss(*seed)),
            Step::Interrupt(seed, sizes) => self.interrupt(*seed, sizes),
            Step::FillDisk => {
                self.files.limit(Some(0));
                self.append(&[1, 2, 3]);
                self.check(0);
                self.files.limit(None);
                healed(&self.journal);
            }
            Step::Read(part) => self.check(self.journal.facts().synced * u64::from(*part) / 255),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn nothing_acknowledged_is_lost_whatever_happens(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        run.check(0);
        run.step(&Step::Restart);
        run.check(0);
    }
}
