//! Top: the busiest values of a key: items from their tables where these can answer, everything else from the events.
//! - Rows by count, largest first, ties by text; the row `null` holds the events without the key, items excepted.
//! - A person counts once a day as a visitor; days add up.
//! - `events` leaves `engage` out: it is no event of its own.

use super::usage::clicks;
use crate::event::{Key, Known};
use crate::query::account::Counted;
use crate::query::meta::{Meta, Sums};
use crate::query::range::Range;
use crate::query::scope::{having, not, of_actions, of_site};
use crate::store::plan::{
    Bots, Counting, Direction, Filter, Group, Items, Label, Limits, Measure, Metric, OrderBy, Plan, Tally, TimeKey,
    TimeRange, UsageAnswer, UsagePlan,
};
use crate::store::{Capabilities, Store, StoreError};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What makes a value busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Views.
    Views,
    /// Downloads.
    Downloads,
    /// Errors.
    Errors,
    /// All events but `engage`.
    Events,
    /// Visits with a matching event.
    Visits,
    /// Visitors, each once a day.
    Visitors,
}

impl By {
    /// Every metric with its name.
    pub const NAMED: [(&'static str, Self); 6] = [
        ("views", Self::Views),
        ("downloads", Self::Downloads),
        ("errors", Self::Errors),
        ("events", Self::Events),
        ("visits", Self::Visits),
        ("visitors", Self::Visitors),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }

    fn only(self) -> Filter {
        match self {
            Self::Views => of_actions(&["view"]),
            Self::Downloads => of_actions(&["download"]),
            Self::Errors => of_actions(&["error"]),
            Self::Events => Filter::Not(Box::new(of_actions(&["engage"]))),
            Self::Visits | Self::Visitors => Filter::All,
        }
    }

    /// The key whose different values it counts.
    fn distinct(self) -> Option<Known> {
        match self {
            Self::Visits => Some(Known::Visit),
            Self::Visitors => Some(Known::Visitor),
            _ => None,
        }
    }

    /// The time it goes by: visits are those that began in the range.
    fn time(self) -> TimeKey {
        if self == Self::Visits { TimeKey::VisitAt } else { TimeKey::Timestamp }
    }

    fn measure(self, counting: Counting) -> Measure {
        match (self, self.distinct()) {
            (_, Some(key)) => Measure::Distinct(key.into()),
            (Self::Views | Self::Downloads, None) => clicks(counting),
            _ => Measure::Events,
        }
    }

    fn tally(self) -> Option<Tally> {
        match self {
            Self::Views => Some(Tally::Views),
            Self::Downloads => Some(Tally::Downloads),
            _ => None,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// Values of which key.
    pub key: Key,
    /// What makes them busy.
    pub by: By,
    /// When.
    pub range: Range,
    /// The zone the site's days are counted in.
    pub site_zone: TimeZone,
    /// Of which events.
    pub only: Filter,
    /// Whether bots count.
    pub bots: Bots,
    /// How clicks are counted.
    pub counting: Counting,
    /// Rows at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// A value of the key (`None`: the events without it) and its count.
pub type Row = (Option<String>, u64);

/// The rows, and what they are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// Largest first.
    pub rows: Vec<Row>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// The busiest values.
pub async fn top(store: &dyn Store, question: &Question) -> Result<Top, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    meta = meta.counting(question.counting);
    let (rows, is_overlapping) = fetch_busiest(store, question).await?;
    let sums = match question.table_plan(question.bots) {
        Some((tally, plan)) => table_sums(store, question, tally, &plan, shown(&rows)).await?,
        None => question.counted().sums(store, question.bots, shown(&rows)).await?,
    };
    let sums = sums.overlapping(is_overlapping || question.by.distinct().is_some());
    if sums.rest.is_none() {
        meta.notes.push("rows do not add up to the total: one visitor, visit or event may be in several".into());
    }
    if question.by == By::Visitors {
        meta.notes.push("visitors are counted once a day; days add up".into());
    }
    meta.approximate = approximate(question.by, store.capabilities());
    meta.sums = Some(sums);
    Ok(Top { rows, meta })
}

/// The busiest values alone.
pub async fn rows(store: &dyn Store, question: &Question) -> Result<Vec<Row>, StoreError> {
    Ok(fetch_busiest(store, question).await?.0)
}

/// The busiest values, and whether some event is in several rows.
async fn fetch_busiest(store: &dyn Store, question: &Question) -> Result<(Vec<Row>, bool), StoreError> {
    match question.table_plan(question.bots) {
        Some((tally, plan)) => {
            let busiest = UsagePlan { items: Items::Busiest(tally, question.limit), ..plan };
            Ok((items(store.usage(&busiest).await?, tally), false))
        }
        None => fetch_rows(store, question).await,
    }
}

fn approximate(by: By, can: Capabilities) -> Vec<String> {
    if by.distinct().is_none() || can.distinct_error == 0.0 {
        return Vec::new();
    }
    let (error, exact) = (can.distinct_error * 100.0, can.distinct_exact);
    vec![format!("{}: beyond {exact} in one row and day, within {error:.1} % (standard error)", by.name())]
}

impl Question {
    /// The item tables' question about the whole site, where they can answer.
    fn table_plan(&self, bots: Bots) -> Option<(Tally, UsagePlan)> {
        let tally = self.by.tally().filter(|_| self.key == Known::Id.into())?;
        let days = self.range.days_of(&self.site_zone).filter(|_| self.only == Filter::All)?;
        let (site, counting, limits) = (self.site.clone(), self.counting, self.limits);
        Some((tally, UsagePlan { site, items: Items::Site, days, bots, counting, limits }))
    }

    /// Whether the events without the key are a row.
    fn shows_null(&self) -> bool {
        self.key != Known::Id.into()
    }

    fn range(&self) -> TimeRange {
        TimeRange { key: self.by.time(), from: self.range.from, to: self.range.to }
    }

    fn counted(&self) -> Counted<'_> {
        // A person counts once a day.
        let each_day = self.by.distinct().map(|key| Measure::Daily(key.into()));
        Counted {
            site: &self.site,
            only: self.only.clone().and(self.by.only()),
            range: self.range(),
            measure: each_day.unwrap_or_else(|| self.by.measure(self.counting)),
            limits: self.limits,
        }
    }

    fn plan(&self, only: Filter, groups: Vec<Group>) -> Plan {
        Plan {
            filter: of_site(&self.site, self.bots).and(self.only.clone()).and(self.by.only()).and(only),
            range: self.range(),
            groups,
            metrics: vec![Metric::of(self.by.measure(self.counting))],
            order: vec![(OrderBy::Metric(0), Direction::Descending)],
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

/// Rows from the events, and whether some event is in several.
async fn fetch_rows(store: &dyn Store, question: &Question) -> Result<(Vec<Row>, bool), StoreError> {
    let key = question.key.clone();
    let only = if question.shows_null() { Filter::All } else { Filter::Exists(key.clone()) };
    let plan = match question.by.distinct() {
        None => Plan { limit: question.limit, ..question.plan(only, vec![Group::Key(key)]) },
        // Day by day, then summed: a person counts once a day.
        Some(_) => question.plan(only, vec![Group::Key(key), Group::Key(Known::Day.into())]),
    };
    let answer = store.aggregate(&plan).await?;
    Ok((ranked(answer.rows.into_iter().map(one), question.limit), answer.overlap))
}

/// The first label and the count of a row.
fn one(row: crate::store::plan::Row) -> Row {
    let label = match row.labels.into_iter().next() {
        Some(Label::Text(text)) => Some(text.into()),
        _ => None,
    };
    // Counts are whole numbers below 2^53.
    (label, row.values.first().copied().flatten().unwrap_or_default() as u64)
}

/// Sums rows of the same value; largest first, ties by text, `null` before every text.
fn ranked(rows: impl Iterator<Item = Row>, limit: usize) -> Vec<Row> {
    let mut sums: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for (label, count) in rows.filter(|(_, count)| *count > 0) {
        *sums.entry(label).or_default() += count;
    }
    let mut rows: Vec<Row> = sums.into_iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: the map is in order of its texts
    rows.truncate(limit);
    rows
}

/// Rows of item tables, in the order they come.
fn items(answer: UsageAnswer, tally: Tally) -> Vec<Row> {
    let rows = answer.into_iter().map(|(id, usage)| (Some(id), tallied(&usage, tally)));
    rows.filter(|(_, count)| *count > 0).collect()
}

fn tallied(usage: &crate::store::plan::Usage, tally: Tally) -> u64 {
    match tally {
        Tally::Views => usage.views.values().sum(),
        Tally::Downloads => usage.downloads.values().sum(),
    }
}

async fn table_sums(
    store: &dyn Store,
    question: &Question,
    tally: Tally,
    plan: &UsagePlan,
    shown: u64,
) -> Result<Sums, StoreError> {
    let of = |answer: UsageAnswer| answer.iter().map(|(_, usage)| tallied(usage, tally)).sum();
    let total = of(store.usage(plan).await?);
    let bots = of(store.usage(&UsagePlan { bots: Bots::Only, ..plan.clone() }).await?);
    let without_visitor = match question.counted().of_each(store, question.bots, [not(having(Known::Visitor))]).await {
        Ok([count]) => Some(count),
        Err(StoreError::Expired(_)) => None,
        Err(error) => return Err(error),
    };
    Ok(Sums::of(total, shown, without_visitor, bots))
}

fn shown(rows: &[Row]) -> u64 {
    rows.iter().map(|(_, count)| count).sum()
}

#[cfg(test)]
#[path = "top_tests.rs"]
mod tests;
