//! Fuzz targets: bytes that nobody vouches for, into everything that reads them; and what must hold of what comes out.
//! - As plain tests: every seed, every input that once failed (`tests/fuzz/found/TARGET/`), and FUZZ_RUNS (5,000) mutants
//!   of them by FUZZ_SEED (1, printed).
//! - `scripts/fuzz TARGET SECONDS` runs the same properties guided by coverage (bolero, libFuzzer).

mod access_line;
mod bulk;
mod events;
mod forward;
mod journal;
mod json;
mod lines;
mod lumberjack;
mod mutants;
mod payload;
mod syslog;
