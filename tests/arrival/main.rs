//! Arrival: the same events in any order, duplicated, cut into any batches and interrupted by stops and kills give every
//! number to the digit, once their days are sealed. The whole way of an event: ingest → journal → indexer → store.

mod house;
mod said;

use house::{Engine, Outcome, live_through};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use said::{Arrival, any_arrival, any_events, in_order};

#[test]
fn any_arrival_of_the_same_events_gives_the_same_numbers_in_memory() {
    hold(Engine::Memory, 24);
}

#[test]
fn any_arrival_of_the_same_events_gives_the_same_numbers_in_the_embedded_store() {
    hold(Engine::Embedded, 6);
}

fn hold(engine: Engine, cases: u32) {
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    let lives = any_events().prop_flat_map(|events| (Just(events.clone()), any_arrival(&events), any_arrival(&events)));
    let result = TestRunner::new(config).run(&lives, |(events, one, other)| {
        let salts = house::salts();
        let live = |arrival: &Arrival| live_through(engine, &events, arrival, &salts);
        let expected = live_through(Engine::Memory, &events, &in_order(&events), &salts);
        same(&expected, &live(&one))?;
        same(&expected, &live(&other))
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

fn same(expected: &Outcome, found: &Outcome) -> Result<(), TestCaseError> {
    prop_assert_eq!(&found.differences, &[] as &[String]);
    let unlike: Vec<_> = expected.events.iter().zip(&found.events).filter(|(a, b)| a != b).take(3).collect();
    prop_assert!(unlike.is_empty(), "{unlike:#?}");
    prop_assert_eq!(found.events.len(), expected.events.len());
    prop_assert!(found.answers == expected.answers, "answers differ: {:?} {:?}", found.answers, expected.answers);
    Ok(())
}
