//! Fetch: the newest baskets of the item, in how many baskets other items are, and how many there are.
//! - Visits are looked for from the newest day back, over twice the time each time, until there are enough.
//! - Counts are of whole baskets: what came past a basket's end counts for the other item all the same.

use super::basket::{Basket, Newest};
use super::{BASKETS_MAX, ITEMS_MAX, Question, item_is};
use crate::clock::Millis;
use crate::event::Known;
use crate::query::scope::having;
use crate::store::plan::{Case, Direction, Filter, Group, Label, Measure, Metric, OrderBy, Plan, Row, TimeRange};
use crate::store::trails::{TrailLimits, TrailPlan, Visits};
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Up to so many items are looked up each.
const ASKED_ALONE_MAX: usize = 8;
const HOUR_MS: Millis = 3_600_000;
const DAY_MS: Millis = 24 * HOUR_MS;

/// The newest visits with the item.
pub async fn visits(store: &dyn Store, question: &Question) -> Result<Vec<Basket>, StoreError> {
    let days = store.days().await?;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    // Days are counted in the site's zone: a day more on either side holds all of their times.
    let from = question.range.from.max(Millis::from(first.day.0 - 1) * DAY_MS);
    let mut to = question.range.to.min(Millis::from(last.day.0 + 2) * DAY_MS);
    let (mut newest, mut back) = (Newest::of(&question.item), HOUR_MS);
    while to > from && !newest.is_full() {
        let since = to.saturating_sub(back).max(from);
        newest = take(store, question, TimeRange { from: since, to, ..question.times() }, newest).await?;
        (to, back) = (since, back.saturating_mul(2));
    }
    Ok(newest.finish())
}

/// Takes the visits with the item that began in `range`.
async fn take(
    store: &dyn Store,
    question: &Question,
    range: TimeRange,
    mut newest: Newest,
) -> Result<Newest, StoreError> {
    let plan = TrailPlan {
        filter: question.clicks(),
        range,
        marks: vec![having(Known::Id)],
        labels: vec![Known::Id.into()],
        visits: Visits::Given,
        visits_with: Some(item_is(vec![question.item.clone()])),
        limits: TrailLimits { time_max: question.limits.time_max, ..TrailLimits::default() },
    };
    let mut trails = store.trails(&plan).await?;
    while let Some(batch) = trails.recv().await {
        let batch = batch?;
        // Off the threads that answer everybody.
        let taken = tokio::task::spawn_blocking(move || {
            newest.take(&batch);
            newest
        });
        newest = taken.await.map_err(|_| StoreError::Stopped)?;
    }
    Ok(newest)
}

/// The users with the item whose last use of it is newest.
pub async fn users(store: &dyn Store, question: &Question) -> Result<Vec<Basket>, StoreError> {
    let user = || Group::Key(Known::User.into());
    let newest = Plan {
        order: vec![(OrderBy::Metric(0), Direction::Descending), (OrderBy::Group(0), Direction::Descending)],
        limit: BASKETS_MAX,
        ..question.plan(item_is(vec![question.item.clone()]), vec![user()], Measure::Max(Known::Timestamp.into()))
    };
    let users: Vec<String> = store.aggregate(&newest).await?.rows.iter().filter_map(|row| text(row, 0)).collect();
    let theirs = Plan {
        order: vec![(OrderBy::Group(0), Direction::Ascending), (OrderBy::Metric(0), Direction::Ascending)],
        ..question.plan(
            Filter::Is(Known::User.into(), users, Case::Exact),
            vec![user(), Group::Key(Known::Id.into())],
            Measure::Min(Known::Timestamp.into()),
        )
    };
    let mut baskets: BTreeMap<String, Basket> = BTreeMap::new();
    for row in store.aggregate(&theirs).await?.rows {
        if let (Some(user), Some(item)) = (text(&row, 0), text(&row, 1)) {
            let basket = baskets.entry(user).or_default();
            if basket.len() < ITEMS_MAX {
                basket.push(item.into());
            }
        }
    }
    let held = |basket: &Basket| basket.iter().any(|item| **item == *question.item);
    Ok(baskets.into_values().filter(held).collect())
}

/// How many baskets have an item.
pub async fn count(store: &dyn Store, question: &Question) -> Result<u64, StoreError> {
    let answer = store.aggregate(&question.plan(having(Known::Id), Vec::new(), question.over.measure())).await?;
    Ok(answer.rows.first().map_or(0, number))
}

/// In how many baskets each of these items is. Many, of all events, are asked for among all there are: that is the same
/// question whichever the item, so a store that keeps answers answers the next one at once.
pub async fn supports(
    store: &dyn Store,
    question: &Question,
    ids: Vec<String>,
) -> Result<HashMap<String, u64>, StoreError> {
    let plan = |only| question.plan(only, vec![Group::Key(Known::Id.into())], question.over.measure());
    let among_all = match ids.len() > ASKED_ALONE_MAX && question.only == Filter::All {
        true => Some(store.aggregate(&plan(having(Known::Id))).await),
        false => None,
    };
    let answer = match among_all {
        // There are more items than a question may have rows.
        None | Some(Err(StoreError::Limit { .. })) => store.aggregate(&plan(item_is(ids.clone()))).await?,
        Some(answer) => answer?,
    };
    let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let supports = answer.rows.iter().filter_map(|row| Some((text(row, 0)?, number(row))));
    Ok(supports.filter(|(id, _)| wanted.contains(id.as_str())).collect())
}

impl Question {
    fn plan(&self, only: Filter, groups: Vec<Group>, measure: Measure) -> Plan {
        Plan {
            filter: self.clicks().and(only),
            range: self.times(),
            groups,
            metrics: vec![Metric::of(measure)],
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }
}

fn text(row: &Row, at: usize) -> Option<String> {
    match row.labels.get(at) {
        Some(Label::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// A count: a whole number below 2^53.
fn number(row: &Row) -> u64 {
    row.values.first().copied().flatten().unwrap_or_default() as u64
}
