//! Counts: what was taken and what was not, by site and reason, since the start.
//! - Bounded: [`SITES_MAX`] sites have counts of their own, the rest is counted together under [`OTHERS`].

use crate::normalize::Reason;
use std::collections::BTreeMap;

/// Sites with counts of their own.
const SITES_MAX: usize = 1_000;
/// The name of all other sites together; no site can be called so.
pub const OTHERS: &str = "\u{0}others";

/// The counts of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteCounts {
    /// Events taken.
    pub accepted: u64,
    /// Events left out because one of their id was taken before.
    pub duplicates: u64,
    /// Events not taken, by reason.
    pub rejected: BTreeMap<Reason, u64>,
}

/// The counts of all sites, by name.
pub type Counts = BTreeMap<String, SiteCounts>;

/// Counts as they grow.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sites: Counts,
}

impl Tally {
    pub(super) fn accepted(&mut self, site: &str) {
        self.of(site).accepted += 1;
    }

    pub(super) fn duplicate(&mut self, site: &str) {
        self.of(site).duplicates += 1;
    }

    pub(super) fn rejected(&mut self, site: &str, reason: Reason) {
        *self.of(site).rejected.entry(reason).or_default() += 1;
    }

    pub(super) fn add(&mut self, more: Self) {
        for (site, counts) in more.sites {
            let of = self.of(&site);
            of.accepted += counts.accepted;
            of.duplicates += counts.duplicates;
            for (reason, count) in counts.rejected {
                *of.rejected.entry(reason).or_default() += count;
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.sites.clone()
    }

    fn of(&mut self, site: &str) -> &mut SiteCounts {
        let is_full = self.sites.len() >= SITES_MAX && !self.sites.contains_key(site);
        let site = if is_full { OTHERS } else { site };
        self.sites.entry(site.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_by_site_and_reason_within_a_bound() {
        let mut tally = Tally::default();
        for number in 0..2_000 {
            let mut batch = Tally::default();
            batch.accepted(&number.to_string());
            batch.rejected("0", Reason::Time);
            batch.duplicate("0");
            tally.add(batch);
        }
        let counts = tally.counts();
        assert_eq!(counts.len(), SITES_MAX + 1);
        assert_eq!(counts[OTHERS].accepted, 1_000);
        let rejected = BTreeMap::from([(Reason::Time, 2_000)]);
        assert_eq!(counts["0"], SiteCounts { accepted: 1, duplicates: 2_000, rejected });
    }
}
