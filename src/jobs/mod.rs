//! Jobs: long work with progress.

pub mod import;
