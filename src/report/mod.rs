//! Report: one file a report. Fetch from the store, then compute with plain functions.
//! - A report's question is checked and typed; texts of requests are read by `api`.
//! - Counts are whole numbers; lists are by count, largest first, ties by their text.
//! - Absent: HTTP, JSON's outer shape, CSV (`api`).

pub mod counts;
pub mod errors;
pub mod explain;
pub mod flows;
pub mod funnels;
pub mod holdings;
pub mod live;
pub mod recommendations;
pub mod retention;
pub mod times;
pub mod top;
pub mod usage;
