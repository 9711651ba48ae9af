//! Normalize: what a sender said ([`RawEvent`](crate::event::RawEvent)) becomes an [`Event`](crate::event::Event).
//! - Pure: the time, the sender, the sites' rules, salts and places are handed in by a [`Context`].
//! - An address is used and never kept; increments are never written here (`visits`).
//! - Nothing a sender says is lost or bent: what does not fit its key moves to `x.NAME`.
//! - Absent: protocols and bodies (`receive`), duplicates (`ingest`, `indexer`), visits.

mod access;
pub mod access_line;
mod action;
mod aliases;
pub mod client;
mod compose;
mod context;
mod draft;
pub mod extension;
pub mod fingerprint;
mod fit;
pub mod flatten;
mod gather;
pub mod json;
mod limits;
mod mask;
mod notes;
mod page;
pub mod path;
pub mod places;
pub mod referer;
mod rejection;
pub mod routes;
pub mod site;
pub mod source;
pub mod time;
pub mod visitor;
mod who;

pub use compose::normalize;
pub use context::{Context, Receiver, Salts, Sender};
pub use limits::Limits;
pub use notes::{Note, Notes};
pub use rejection::{Reason, Rejection};
pub use site::{Gpc, SiteRules, Sites};

#[cfg(test)]
mod tests;
