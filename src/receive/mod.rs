//! Receive: protocols become raw events for `ingest`, and its receipts become answers.
//! - A receiver acknowledges only what `ingest` called taken, and pushes back instead of dropping.
//! - Absent: what events mean (`normalize`), where they go (`ingest`).

pub mod http;
