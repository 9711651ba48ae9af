//! Asked: what stands for a question where its answers are kept: a digest, however long its filter is.
//! - Two questions of one digest would be given each other's answers: it is one that nobody can find two of.

use super::collect::Cut;
use crate::store::plan::{Filter, Group, Metric, Plan, TimeKey};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// SHA-256.
pub type Digest = [u8; 32];

/// What partial answers look like: those of another version are never asked for.
const VERSION: u32 = 4;

/// What stands for something that is serialized.
pub fn digest(of: &impl Serialize) -> Option<Digest> {
    Some(Sha256::digest(postcard::to_stdvec(of).ok()?).into())
}

/// What of a question is the same for all days.
pub fn of_plan(plan: &Plan) -> Option<Digest> {
    let common: (u32, &Filter, &[Metric]) = (VERSION, &plan.filter, &plan.metrics);
    digest(&common)
}

/// A question as far as it concerns one day.
pub fn of_day(plan: &Digest, cut: &Cut) -> Option<Digest> {
    let of_day: (&Digest, TimeKey, &[Group], bool) = (plan, cut.range.key, &cut.groups, cut.alone);
    digest(&of_day)
}
