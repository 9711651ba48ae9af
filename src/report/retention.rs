//! Retention: of those who came first in a period, the share that came in each later one.
//! - A person is a `user`; on a site that sends none, a pseudonym that senders gave as `visitor`. A visitor of a daily salt
//!   is another one on the next day: of those alone nothing can be said, and nothing is.
//! - Any event is activity. The first period is the first within the range, whatever was before.
//! - Exact: a row of the store is one person in one period, and their number is bounded.

use crate::event::{Key, Known};
use crate::query::account::Counted;
use crate::query::meta::{Meta, Sums, distinct_error};
use crate::query::range::{Bucket, Interval, Range, edges};
use crate::query::scope::{having, not, of_site};
use crate::store::plan::{Bots, Case, Filter, Group, Label, Limits, Measure, Metric, Plan, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use std::collections::HashMap;

/// Periods at the most: a cohort has a share for each.
pub const PERIODS_MAX: usize = 400;

/// Visitors whose number begins so come from a sender's pseudonym: the top bit of the hash is theirs.
const PSEUDONYM: &str = "^[89a-f]";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// How long a period is.
    pub by: Interval,
    /// When.
    pub range: Range,
    /// Whether bots count.
    pub bots: Bots,
    /// Which events.
    pub only: Filter,
    /// Bounds.
    pub limits: Limits,
}

/// Those who came first in one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// The period's name.
    pub cohort: String,
    /// How many they are.
    pub size: u64,
    /// The share that was active in this period (1) and in each later one.
    pub active: Vec<f64>,
}

/// What the range holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Retention {
    /// Cohorts, the first period first; periods in which nobody was new are left out.
    Cohorts(Vec<Cohort>, Box<Meta>),
    /// Events, and nobody in them who could be known again on another day.
    NobodyToFollow,
}

/// Cohorts and how they stay.
pub async fn retention(store: &dyn Store, question: &Question) -> Result<Retention, StoreError> {
    let buckets = question.range.buckets(question.by).filter(|buckets| buckets.len() <= PERIODS_MAX);
    let buckets = buckets.ok_or_else(|| {
        StoreError::Invalid(format!(
            "more than {PERIODS_MAX} periods in this range; take longer ones or a shorter range"
        ))
    })?;
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    let seen = vec![
        Metric::of(Measure::Events),
        Metric::of(Measure::Having(Known::User.into())),
        Metric { measure: Measure::Events, only: by_pseudonym() },
    ];
    let answer = store.aggregate(&question.plan(Filter::All, Vec::new(), seen)).await?;
    let seen = answer.rows.first().map_or(&[][..], |row| &row.values);
    let (key, people) = match seen {
        [_, Some(users), _] if *users > 0.0 => {
            meta.notes.push("a person is a `user`; events without one are left out".to_owned());
            (Known::User, Filter::Exists(Known::User.into()))
        }
        [_, _, Some(pseudonyms)] if *pseudonyms > 0.0 => {
            meta.notes.push("a person is a sender's `visitor` on one device; other events are left out".to_owned());
            (Known::Visitor, by_pseudonym())
        }
        [Some(events), ..] if *events > 0.0 => return Ok(Retention::NobodyToFollow),
        _ => {
            meta.sums = Some(fetch_sums(store, question, Known::User, 0).await?);
            return Ok(Retention::Cohorts(Vec::new(), Box::new(meta)));
        }
    };
    let by_period = Group::Time { key: TimeKey::Timestamp, edges: edges(&buckets) };
    let groups = vec![Group::Key(Key::Known(key)), by_period];
    let rows = store.aggregate(&question.plan(people, groups, vec![Metric::of(Measure::Events)])).await?.rows;
    let places: HashMap<i64, usize> = buckets.iter().map(|bucket| bucket.from).zip(0..).collect();
    let active = rows.into_iter().filter_map(|row| match <[Label; 2]>::try_from(row.labels) {
        Ok([person, Label::Time(at)]) => Some((person, *places.get(&at)?)),
        _ => None,
    });
    let cohorts = cohorts(active, &buckets);
    meta.sums = Some(fetch_sums(store, question, key, cohorts.iter().map(|cohort| cohort.size).sum()).await?);
    meta.notes.push("sums are of people, without_visitor of events that are nobody's".to_owned());
    meta.approximate.extend(distinct_error(store.capabilities(), "sums.bots"));
    Ok(Retention::Cohorts(cohorts, Box::new(meta)))
}

/// Everybody is in one cohort, and all of these are shown.
async fn fetch_sums(store: &dyn Store, question: &Question, key: Known, people: u64) -> Result<Sums, StoreError> {
    let is_somebodys = if key == Known::User { having(key) } else { by_pseudonym() };
    let counted = |measure, only| Counted {
        site: &question.site,
        only: question.only.clone().and(only),
        range: question.range(),
        measure,
        limits: question.limits,
    };
    let nobodys = counted(Measure::Events, not(is_somebodys.clone()));
    let [without] = nobodys.of_each(store, question.bots, [Filter::All]).await?;
    let people_of_bots = counted(Measure::Distinct(key.into()), is_somebodys);
    let [bots] = people_of_bots.of_each(store, Bots::Only, [Filter::All]).await?;
    Ok(Sums::of(people, people, Some(without), bots))
}

fn by_pseudonym() -> Filter {
    Filter::Matches(Known::Visitor.into(), vec![PSEUDONYM.to_owned()], Case::Exact)
}

impl Question {
    fn range(&self) -> TimeRange {
        TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to }
    }

    fn plan(&self, only: Filter, groups: Vec<Group>, metrics: Vec<Metric>) -> Plan {
        Plan {
            filter: of_site(&self.site, self.bots).and(self.only.clone()).and(only),
            range: self.range(),
            groups,
            metrics,
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

/// Cohorts of people and the periods they were active in, each once, in no order.
fn cohorts(active: impl Iterator<Item = (Label, usize)>, buckets: &[Bucket]) -> Vec<Cohort> {
    let mut periods: HashMap<Label, Vec<usize>> = HashMap::new();
    for (person, period) in active {
        periods.entry(person).or_default().push(period);
    }
    let mut counts: Vec<Vec<u64>> = (0..buckets.len()).map(|first| vec![0; buckets.len() - first]).collect();
    for periods in periods.into_values() {
        let Some(first) = periods.iter().copied().min() else { continue };
        periods.iter().for_each(|period| counts[first][period - first] += 1);
    }
    let cohort = |(counts, bucket): (Vec<u64>, &Bucket)| {
        let size = counts.first().copied().filter(|size| *size > 0)?;
        let active = counts.iter().map(|count| *count as f64 / size as f64).collect();
        Some(Cohort { cohort: bucket.name.clone(), size, active })
    };
    counts.into_iter().zip(buckets).filter_map(cohort).collect()
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
