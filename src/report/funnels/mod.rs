//! Funnels: how many come how far through steps, in order.
//! - Over visitors (one a site and day), visits or users; exact, from trails: nothing is sampled.
//! - Events count in the range by `@timestamp`. What has no visitor, visit or user, as asked, is in no funnel.
//! - A user's events are in order of their time; those of one millisecond in that of their days and visitors.
//! - Bounded by the events that a store hands over as trails, which refuses more.

pub mod definition;
pub mod run;
mod tally;

use crate::event::{Key, Known};
use crate::query::account::Counted;
use crate::query::meta::{Meta, Sums, distinct_error};
use crate::query::range::Range;
use crate::query::scope::{not, of_actions, of_site};
use crate::store::plan::{Bots, Filter, Limits, Measure, TimeKey, TimeRange};
use crate::store::trails::{TrailLimits, TrailPlan, Visits};
use crate::store::{Store, StoreError};
use definition::Definition;
use run::{Between, Rule};
use serde::Serialize;
use tally::{Counts, Tally};

/// Steps of a funnel at the least.
pub const STEPS_MIN: usize = 2;
/// Steps of a funnel at the most.
pub const STEPS_MAX: usize = 20;

/// Who goes through the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Visitors, one a site and day.
    Visitor,
    /// Visits.
    Visit,
    /// Users, over all of the range.
    User,
}

impl Over {
    /// Every one with its name.
    pub const NAMED: [(&'static str, Self); 3] =
        [("visitor", Self::Visitor), ("visit", Self::Visit), ("user", Self::User)];

    fn key(self) -> Key {
        match self {
            Self::Visitor => Known::Visitor.into(),
            Self::Visit => Known::Visit.into(),
            Self::User => Known::User.into(),
        }
    }

    /// How many there are.
    fn measure(self) -> Measure {
        match self {
            Self::Visitor | Self::Visit => Measure::Daily(self.key()),
            Self::User => Measure::Distinct(self.key()),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// When.
    pub range: Range,
    /// Whether bots count.
    pub bots: Bots,
    /// Which events alone.
    pub only: Filter,
    /// Which funnel.
    pub definition: Definition,
    /// Rows at the most, where there is a key.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// How many reached it.
    pub reached: u64,
    /// Of those who reached the first.
    pub rate: Option<f64>,
    /// Of those who reached the one before.
    pub rate_from_previous: Option<f64>,
    /// Since the one before: what half of them did not exceed.
    #[serde(serialize_with = "whole")]
    pub median_ms: Option<f64>,
}

/// Whole numbers without a fraction.
fn whole<S: serde::Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    crate::query::number::json(*number).serialize(serializer)
}

/// The steps of those whose first step has a value of the key; `None`: who lacks it.
pub type Row = (Option<String>, Vec<Step>);

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    /// All together.
    pub steps: Vec<Step>,
    /// By the key's values, the most at the first step first, ties by text.
    pub rows: Vec<Row>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// Counts who comes how far.
pub async fn funnel(store: &dyn Store, question: &Question) -> Result<Funnel, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    let Definition { steps, window, between, over, by } = &question.definition;
    let who = over.key();
    meta.notes.push(format!("events without a {} are in no funnel", who.name()));
    let rule = Rule {
        steps: steps.len(),
        window_ms: window.map(|window| i64::try_from(window.as_millis()).unwrap_or(i64::MAX)),
        between: *between,
    };
    let mut tally = Tally::new(rule, *over, by.is_some());
    let mut trails = store.trails(&question.plan()?).await?;
    while let Some(batch) = trails.recv().await {
        let batch = batch?;
        // Off the threads that answer everybody.
        tally = off_thread(move || {
            tally.take(&batch);
            tally
        })
        .await?;
    }
    let Counts { steps, mut rows, is_overlapping } = off_thread(move || tally.finish()).await?;
    rows.truncate(question.limit);
    let first = |steps: &[Step]| steps.first().map_or(0, |step| step.reached);
    let total = first(&steps);
    let shown = if by.is_some() { rows.iter().map(|(_, steps)| first(steps)).sum() } else { total };
    meta.sums = Some(fetch_sums(store, question, total, shown).await?.overlapping(is_overlapping));
    meta.notes
        .push(format!("sums are of those who reached step 1, without_visitor of events that have no {}", who.name()));
    meta.approximate.extend(distinct_error(store.capabilities(), "sums.bots"));
    Ok(Funnel { steps, rows, meta })
}

/// Who reached the first step: an event of theirs matches it.
async fn fetch_sums(store: &dyn Store, question: &Question, total: u64, shown: u64) -> Result<Sums, StoreError> {
    let Definition { steps, over, .. } = &question.definition;
    let (who, first) = (over.key(), steps.first().cloned().unwrap_or(Filter::All));
    let counted = |measure, only: Filter| Counted {
        site: &question.site,
        only: question.only.clone().and(first.clone()).and(only),
        range: question.range(),
        measure,
        limits: question.limits,
    };
    let nobodys = counted(Measure::Events, not(Filter::Exists(who.clone())));
    let [without] = nobodys.of_each(store, question.bots, [Filter::All]).await?;
    let [bots] = counted(over.measure(), Filter::Exists(who)).of_each(store, Bots::Only, [Filter::All]).await?;
    Ok(Sums::of(total, shown, Some(without), bots))
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Stopped)
}

impl Question {
    fn range(&self) -> TimeRange {
        TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to }
    }

    fn plan(&self) -> Result<TrailPlan, StoreError> {
        let Definition { steps, between, over, by, .. } = &self.definition;
        let many = steps.len();
        if !(STEPS_MIN..=STEPS_MAX).contains(&many) {
            let text = format!("steps: {many} filters; there may be {STEPS_MIN} to {STEPS_MAX}");
            return Err(StoreError::Invalid(text));
        }
        let mut marks = steps.clone();
        if *between == Between::NoView {
            marks.push(of_actions(&["view"]));
        }
        let who = match over {
            Over::User => vec![Known::User.into()],
            Over::Visitor | Over::Visit => Vec::new(),
        };
        Ok(TrailPlan {
            filter: of_site(&self.site, self.bots).and(self.only.clone()).and(Filter::Exists(over.key())),
            range: self.range(),
            marks,
            labels: by.iter().cloned().chain(who).collect(),
            visits: if *over == Over::Visit { Visits::Given } else { Visits::Left },
            visits_with: None,
            limits: TrailLimits { time_max: self.limits.time_max, ..TrailLimits::default() },
        })
    }
}

#[cfg(test)]
mod tests;
