//! Metronome: usage events in, answers out.
//!
//! The map of the house. Data moves one way:
//! `receive → ingest (normalize → journal) → indexer (visits) → store → query → report → api`.

pub mod api;
pub mod app;
pub mod catalog;
pub mod clock;
pub mod config;
pub mod error;
pub mod event;
pub mod folder;
pub mod http;
pub mod indexer;
pub mod ingest;
pub mod jobs;
pub mod journal;
pub mod load;
pub mod nearest;
pub mod net;
pub mod normalize;
pub mod query;
pub mod receive;
pub mod report;
pub mod shell;
pub mod store;
pub mod visits;
