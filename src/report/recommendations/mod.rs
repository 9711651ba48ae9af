//! Recommendations: items that are used together with one.
//! - A basket is a visit or a user: the items each viewed or downloaded, the first [`ITEMS_MAX`] in order of events.
//! - Of the item the newest [`BASKETS_MAX`] baskets are read; an item is scored that at least [`TOGETHER_MIN`] of them hold.
//! - An item that none is found together with as often is too new: the busiest items come instead, and the answer says so.
//! - Fetched here and in `fetch`; `basket` and `score` compute.

mod basket;
mod fetch;
mod score;

use super::top;
use crate::event::{Key, Known};
use crate::query::meta::{Meta, distinct_error};
use crate::query::range::Range;
use crate::query::scope::{having, of_actions, of_site};
use crate::store::plan::{Bots, Counting, Filter, Limits, Measure, TimeKey, TimeRange};
use crate::store::{Store, StoreError};
use jiff::tz::TimeZone;
use score::Table;
use serde::Serialize;
use std::collections::HashMap;

/// Items of a basket that count, the first ones.
pub const ITEMS_MAX: usize = 500;
/// Baskets of the item that count, the newest ones.
pub const BASKETS_MAX: usize = 500;
/// Baskets that two items are in at the least.
pub const TOGETHER_MIN: u64 = 3;
/// Items that are scored at the most, those most often together.
pub const SCORED_MAX: usize = 10_000;

/// What a basket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A visit, which counts by when it began.
    Visit,
    /// A user; what it did in the range.
    User,
}

impl Over {
    /// Every kind with its name.
    pub const NAMED: [(&'static str, Self); 2] = [("visit", Self::Visit), ("user", Self::User)];

    fn time(self) -> TimeKey {
        match self {
            Self::Visit => TimeKey::VisitAt,
            Self::User => TimeKey::Timestamp,
        }
    }

    /// Counts baskets.
    fn measure(self) -> Measure {
        match self {
            Self::Visit => Measure::Visits,
            Self::User => Measure::Distinct(Known::User.into()),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// Together with which item.
    pub item: String,
    /// What a basket is.
    pub over: Over,
    /// When.
    pub range: Range,
    /// The zone the site's days are counted in.
    pub site_zone: TimeZone,
    /// Of which events.
    pub only: Filter,
    /// Whether bots count.
    pub bots: Bots,
    /// Items at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// How results were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// By the log-likelihood ratio.
    Llr,
    /// They are the busiest items.
    Popular,
}

/// An item that goes with the one asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// Which.
    pub id: String,
    /// The log-likelihood ratio; `None` of busy items.
    pub score: Option<f64>,
    /// Of the item's baskets, those with both; `None` of busy items.
    pub together: Option<u64>,
    /// Baskets with this one; `None` of busy items.
    pub support: Option<u64>,
    /// Views, of busy items alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendations {
    /// How results were found.
    pub method: Method,
    /// Baskets of the item that were read.
    pub support: u64,
    /// All baskets with an item; `None` where nothing is scored.
    pub baskets: Option<u64>,
    /// The best first, ties by text.
    pub results: Vec<Recommended>,
    /// What the answer says of itself.
    pub meta: Meta,
}

/// What goes with an item.
pub async fn recommend(store: &dyn Store, question: &Question) -> Result<Recommendations, StoreError> {
    let mut meta = Meta::of(store, &question.site, &question.range, question.bots).await?;
    meta.notes.push(match question.over {
        Over::Visit => "a basket is a visit; time is that of the visit's start".to_owned(),
        Over::User => "a basket is what a user viewed and downloaded in the range".to_owned(),
    });
    let baskets = match question.over {
        Over::Visit => fetch::visits(store, question).await?,
        Over::User => fetch::users(store, question).await?,
    };
    let support = baskets.len() as u64;
    if baskets.len() == BASKETS_MAX {
        meta.notes.push(format!("the newest {BASKETS_MAX} baskets of the item are read"));
    }
    let (together, rest) = basket::together(&baskets, &question.item);
    if together.is_empty() {
        let what = format!("no item is in {TOGETHER_MIN} of the item's baskets; these are the most viewed ones");
        meta.notes.push(what);
        let results = popular(store, question).await?;
        return Ok(Recommendations { method: Method::Popular, support, baskets: None, results, meta });
    }
    if rest > 0 {
        meta.notes.push(format!("the {SCORED_MAX} items most often together are scored; {rest} more are not"));
    }
    if question.over == Over::User {
        meta.approximate.extend(distinct_error(store.capabilities(), "support, baskets"));
    }
    let all = fetch::count(store, question).await?;
    let supports = fetch::supports(store, question, together.iter().map(|(id, _)| id.clone()).collect()).await?;
    let results = scored(together, &supports, (support, all), question.limit);
    Ok(Recommendations { method: Method::Llr, support, baskets: Some(all), results, meta })
}

/// The items found more often together than by chance, the best first.
fn scored(
    together: Vec<(String, u64)>,
    supports: &HashMap<String, u64>,
    (own, all): (u64, u64),
    limit: usize,
) -> Vec<Recommended> {
    let scored = together.into_iter().filter_map(|(id, together)| {
        let support = supports.get(&id).copied().unwrap_or(together);
        let score = score::likelihood(Table { together, own, support, all })?;
        Some(Recommended { id, score: Some(score), together: Some(together), support: Some(support), views: None })
    });
    let mut results: Vec<Recommended> = scored.collect();
    results.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(std::cmp::Ordering::Equal).then(a.id.cmp(&b.id)));
    results.truncate(limit);
    results
}

/// The busiest other items.
async fn popular(store: &dyn Store, question: &Question) -> Result<Vec<Recommended>, StoreError> {
    let busiest = top::Question {
        site: question.site.clone(),
        key: Known::Id.into(),
        by: top::By::Views,
        range: question.range.clone(),
        site_zone: question.site_zone.clone(),
        only: question.only.clone(),
        bots: question.bots,
        counting: Counting::Raw,
        limit: question.limit.saturating_add(1),
        limits: question.limits,
    };
    let rows = top::rows(store, &busiest).await?.into_iter();
    let others = rows.filter_map(|(id, views)| Some((id.filter(|id| *id != question.item)?, views)));
    let popular = |(id, views)| Recommended { id, score: None, together: None, support: None, views: Some(views) };
    Ok(others.take(question.limit).map(popular).collect())
}

impl Question {
    /// The events that put their item, where they have one, into a basket.
    fn clicks(&self) -> Filter {
        let clicks = of_site(&self.site, self.bots).and(self.only.clone()).and(of_actions(&["view", "download"]));
        match self.over {
            // Visits are asked by their times, which nothing without one has.
            Over::Visit => clicks,
            Over::User => clicks.and(having(Known::User)),
        }
    }

    fn times(&self) -> TimeRange {
        TimeRange { key: self.over.time(), from: self.range.from, to: self.range.to }
    }
}

fn item_is(ids: Vec<String>) -> Filter {
    Filter::Is(Key::Known(Known::Id), ids, crate::store::plan::Case::Exact)
}

#[cfg(test)]
mod tests;
