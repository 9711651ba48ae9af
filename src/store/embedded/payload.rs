//! Payload: what an open part's last commit promised.

use super::keys::Columns;
use crate::store::Position;
use serde::{Deserialize, Serialize};

/// Where a partition's own promise stands: it has everything before `end`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Payload {
    /// Everything of the day before it is here.
    pub end: Position,
    /// The store's own promise when this was written: everything of all days before it was stored.
    pub promised: Position,
    /// The free keys that have columns.
    pub keys: Columns,
}

impl Payload {
    /// What this and another part of the day promise together.
    pub fn merge(&mut self, other: Self) {
        self.end = self.end.max(other.end);
        self.promised = self.promised.max(other.promised);
        self.keys.merge(other.keys);
    }
}
