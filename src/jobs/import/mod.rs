//! Import.
pub mod lines;
pub mod sort;
