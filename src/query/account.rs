//! Account: how much there is in all of what an answer counts, and how much of it lacks a visitor or is of bots.

use super::meta::Sums;
use super::scope::{having, not, of_site};
use crate::event::Known;
use crate::store::plan::{Bots, Filter, Limits, Measure, Metric, Plan, TimeRange};
use crate::store::{Store, StoreError};

/// What an answer counts.
#[derive(Debug, Clone)]
pub struct Counted<'a> {
    /// Of which site.
    pub site: &'a str,
    /// Of which events.
    pub only: Filter,
    /// When.
    pub range: TimeRange,
    /// What of them.
    pub measure: Measure,
    /// Bounds.
    pub limits: Limits,
}

impl Counted<'_> {
    /// The account of an answer that shows this much of it.
    pub async fn sums(&self, store: &dyn Store, bots: Bots, shown: u64) -> Result<Sums, StoreError> {
        let [total, without_visitor] = self.of_each(store, bots, [Filter::All, not(having(Known::Visitor))]).await?;
        let [of_bots] = self.of_each(store, Bots::Only, [Filter::All]).await?;
        Ok(Sums::of(total, shown, Some(without_visitor), of_bots))
    }

    /// How much of it there is with what each of these filters matches, of people, of bots or of both.
    pub async fn of_each<const N: usize>(
        &self,
        store: &dyn Store,
        bots: Bots,
        each: [Filter; N],
    ) -> Result<[u64; N], StoreError> {
        let plan = Plan {
            filter: of_site(self.site, bots).and(self.only.clone()),
            range: self.range,
            groups: Vec::new(),
            metrics: each.map(|only| Metric { measure: self.measure.clone(), only }).to_vec(),
            order: Vec::new(),
            offset: 0,
            limit: 1,
            limits: self.limits,
        };
        let rows = store.aggregate(&plan).await?.rows;
        let values = rows.into_iter().next().map(|row| row.values).unwrap_or_default();
        // Counts are whole numbers below 2^53.
        Ok(std::array::from_fn(|at| values.get(at).copied().flatten().unwrap_or_default() as u64))
    }
}
