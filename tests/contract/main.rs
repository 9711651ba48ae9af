//! The contract of `metronome::store`, as tests: each promise is a named function, and every store passes all of them.
//! - A store joins by a file of its own (see `memory.rs`): how to open it, and how to open it again on what it kept.
//! - Answers in the promises are worked out by hand; `generated` holds any store against the oracle.

mod arrived;
mod counter;
mod custom;
mod days;
mod documented;
mod events;
mod filters;
mod generated;
mod measures;
mod pages;
mod rows;
mod sealing;
mod subject;
mod together;
mod trails;
mod usage;
mod writing;

mod embedded;
mod memory;
