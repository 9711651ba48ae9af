//! The oracle passes the suite. It keeps nothing beyond its process, so opening it again gives the same store.

use crate::subject::{Backend, Promise, run};
use crate::{counter, days, filters, generated, measures, pages, rows, sealing, trails, usage, writing};
use metronome::store::Store;
use metronome::store::memory::Memory;
use std::sync::Arc;

/// Gives one memory store again and again.
#[derive(Default)]
pub struct InMemory(Arc<Memory>);

#[async_trait::async_trait]
impl Backend for InMemory {
    async fn open(&mut self) -> Arc<dyn Store> {
        self.0.clone()
    }
}

fn holds(promises: &[Promise]) {
    run(promises, || Box::new(InMemory::default()));
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
fn generated_lives_are_the_oracles_own() {
    generated::run(|| Box::new(InMemory::default()));
}
