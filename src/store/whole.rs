//! Whole: a store that answers with all there was, or says that it cannot.
//! - A question that touches a day of which something is lost is refused by the days' names. The store behind it answers
//!   the same question from what is left.
//! - Looked at before and after a question: damage may be found, or mended, while it runs.
//! - Everything that asks nothing is the store's own.

use super::plan::{Answer, Filter, Plan, TimeRange, UsageAnswer, UsagePlan};
use super::trails::{TrailPlan, Trails};
use super::{
    Capabilities, Cursor, Damaged, DayState, Derive, Entry, Field, Page, Position, Remedy, Scan, Store, StoreError,
};
use crate::clock::Millis;
use crate::event::{Day, Key};
use async_trait::async_trait;
use std::future::Future;
use std::sync::Arc;

const DAY_MS: Millis = 86_400_000;
/// Zones reach so far ahead of UTC, and not so far behind it.
const ZONES_MS: Millis = 14 * 3_600_000;

/// The store behind it, asked for all or nothing.
pub struct Whole(pub Arc<dyn Store>);

impl Whole {
    /// An answer to a question that touches these days, if none of them is damaged.
    async fn whole<T>(
        &self,
        touches: impl Fn(Day) -> bool,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.check(&touches).await?;
        let answer = answer.await?;
        self.check(&touches).await?;
        Ok(answer)
    }

    async fn check(&self, touches: &impl Fn(Day) -> bool) -> Result<(), StoreError> {
        let damaged = self.0.damaged().await?.into_iter().map(|damaged| damaged.day);
        let days: Vec<Day> = damaged.filter(|day| touches(*day)).collect();
        if days.is_empty() { Ok(()) } else { Err(StoreError::Damaged { days }) }
    }
}

/// Whether a day, of whichever zone, may have events in a range.
fn reaches(range: TimeRange, day: Day) -> bool {
    let start = Millis::from(day.0) * DAY_MS;
    range.from < start + DAY_MS + ZONES_MS && range.to > start - ZONES_MS
}

#[async_trait]
impl Store for Whole {
    async fn write(&self, entries: Vec<Entry>, end: Position) -> Result<(), StoreError> {
        self.0.write(entries, end).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        self.0.position().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.0.flush().await
    }

    async fn known(&self, site: &str, days: (Day, Day), ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        self.0.known(site, days, ids).await
    }

    async fn aggregate(&self, plan: &Plan) -> Result<Answer, StoreError> {
        self.whole(|day| reaches(plan.range, day), self.0.aggregate(plan)).await
    }

    async fn usage(&self, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
        self.whole(|day| plan.days.0 <= day && day <= plan.days.1, self.0.usage(plan)).await
    }

    async fn events(
        &self,
        filter: &Filter,
        range: TimeRange,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.whole(|day| reaches(range, day), self.0.events(filter, range, after, limit)).await
    }

    async fn scan(&self, filter: &Filter, range: TimeRange, keys: Option<&[Key]>) -> Result<Scan, StoreError> {
        self.whole(|day| reaches(range, day), self.0.scan(filter, range, keys)).await
    }

    async fn trails(&self, plan: &TrailPlan) -> Result<Trails, StoreError> {
        self.whole(|day| reaches(plan.range, day), self.0.trails(plan)).await
    }

    async fn fields(&self, days: (Day, Day)) -> Result<Vec<Field>, StoreError> {
        self.whole(|day| days.0 <= day && day <= days.1, self.0.fields(days)).await
    }

    async fn days(&self) -> Result<Vec<DayState>, StoreError> {
        self.0.days().await
    }

    async fn seal(&self, day: Day, derive: Derive) -> Result<(), StoreError> {
        self.0.seal(day, derive).await
    }

    async fn expire(&self, events: Day, items: Day) -> Result<(), StoreError> {
        self.0.expire(events, items).await
    }

    async fn verify(&self, day: Day) -> Result<Vec<String>, StoreError> {
        self.0.verify(day).await
    }

    async fn damaged(&self) -> Result<Vec<Damaged>, StoreError> {
        self.0.damaged().await
    }

    async fn repair(&self, day: Day, remedy: Remedy, derive: Derive) -> Result<(), StoreError> {
        self.0.repair(day, remedy, derive).await
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plan::TimeKey;

    #[test]
    fn a_range_reaches_the_days_of_every_zone_that_it_may_hold_events_of() {
        let range = |from, to| TimeRange { key: TimeKey::Timestamp, from, to };
        let hour = 3_600_000;
        let rows = [
            (range(0, DAY_MS), 0, true),
            (range(0, DAY_MS), -1, true),
            (range(0, DAY_MS), 1, true),
            (range(0, DAY_MS), 2, false),
            (range(14 * hour, DAY_MS), -1, false),
            (range(0, 10 * hour), 1, false),
            (range(i64::MIN, i64::MAX), 20_000, true),
        ];
        for (range, day, expected) in rows {
            assert_eq!(reaches(range, Day(day)), expected, "{range:?} {day}");
        }
    }
}
