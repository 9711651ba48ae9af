//! The store on Tantivy passes the suite. Dropping it loses what was not committed, as a kill does.

use crate::subject::{Backend, Promise, run};
use crate::{counter, days, filters, generated, measures, pages, rows, sealing, trails, usage, writing};
use metronome::store::Store;
use metronome::store::embedded::{Embedded, EmbeddedOptions};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct OnDisk {
    dir: TempDir,
    options: EmbeddedOptions,
}

impl OnDisk {
    /// With limits so small that few events reach them, and no commit but those that are asked for.
    fn small() -> Self {
        let options = EmbeddedOptions {
            commit_every: Duration::from_secs(3600),
            commit_events_max: 100,
            segment_events_max: 3,
            threads: 2,
        };
        Self { dir: TempDir::new().expect("folder"), options }
    }
}

#[async_trait::async_trait]
impl Backend for OnDisk {
    async fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(Embedded::open(self.dir.path(), self.options.clone()).expect("open"))
    }
}

fn holds(promises: &[Promise]) {
    run(promises, || Box::new(OnDisk::small()));
}

#[test]
fn writing_keeps_its_promises() {
    holds(writing::PROMISES);
}

#[test]
fn filters_keep_their_promises() {
    holds(filters::PROMISES);
}

#[test]
fn measures_keep_their_promises() {
    holds(measures::PROMISES);
}

#[test]
fn rows_keep_their_promises() {
    holds(rows::PROMISES);
}

#[test]
fn usage_keeps_its_promises() {
    holds(usage::PROMISES);
}

#[test]
fn the_code_of_practice_is_kept() {
    holds(counter::PROMISES);
}

#[test]
fn pages_scans_and_fields_keep_their_promises() {
    holds(pages::PROMISES);
}

#[test]
fn trails_keep_their_promises() {
    holds(trails::PROMISES);
}

#[test]
fn days_keep_their_promises() {
    holds(days::PROMISES);
}

#[test]
fn sealing_keeps_its_promises() {
    holds(sealing::PROMISES);
}

#[test]
fn generated_lives_equal_the_oracles() {
    generated::run(|| Box::new(OnDisk::small()));
}
