//! The contestants: what each is told and asked, in its own words.
//! - An item's question is the same for all: its views by day, its downloads by format, its referers, over the days given.

mod duckdb;
mod metronome;
pub mod opensearch;
pub mod victoria;

pub use self::duckdb::DuckDb;
pub use self::metronome::Metronome;
pub use self::opensearch::OpenSearch;
pub use self::victoria::VictoriaLogs;

use crate::figures::Who;
use crate::server::Server;

/// The days that are asked about, both within: `2026-03-01`.
pub type Days = (String, String);

/// A server that takes events and answers for them.
pub trait Peer {
    const WHO: Who;
    /// Where batches are posted.
    const INSERT: &'static str;

    fn server(&self) -> &Server;

    /// Events that a reader sees now.
    fn readable(&self) -> u64;

    /// Asks about an item and reads the whole answer.
    fn ask(&self, item: &str, days: &Days);

    /// Bytes on disk once everything is there, as small as it gets by itself or when told to.
    fn bytes(&mut self) -> u64;
}
