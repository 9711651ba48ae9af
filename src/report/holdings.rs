//! Holdings: what there is to ask of a site: its keys with their kinds, when its events were, other sites.
//! - A key is told where an event of the site in the range has it: what other sites send stays theirs.
//! - Kinds are those of all sites together: a key that is a number here and text elsewhere is told as both.

use crate::event::{Day, Key, Known};
use crate::query::account::Counted;
use crate::query::meta::Sums;
use crate::query::range::{Range, day_at};
use crate::store::plan::{Bots, Filter, Group, Label, Limits, Measure, Metric, Plan, TimeKey, TimeRange};
use crate::store::{Field, Store, StoreError};
use serde::Serialize;

/// Keys counted by one plan.
const KEYS_AT_ONCE: usize = 100;
/// Sites told at the most.
const SITES_MAX: usize = 1_000;

/// A key that events have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its name.
    pub key: String,
    /// `text`, `number` or both.
    pub kinds: Vec<&'static str>,
    /// Events of the range that have it.
    pub events: u64,
}

/// The keys that the events of a range have which a site's filter matches, by name.
pub async fn keys(store: &dyn Store, filter: &Filter, range: &Range, limits: Limits) -> Result<Vec<Held>, StoreError> {
    // Days are the site's: in another zone one more on either side may hold events of the range.
    let days = (
        Day(day_at(range.from, &range.zone).0.saturating_sub(1)),
        Day(day_at(range.to.saturating_sub(1), &range.zone).0.saturating_add(1)),
    );
    let fields = store.fields(days).await?;
    let mut held = Vec::with_capacity(fields.len());
    for fields in fields.chunks(KEYS_AT_ONCE) {
        let having = fields.iter().map(|field| Metric::of(Measure::Having(field.key.clone()))).collect();
        let when = TimeRange { key: TimeKey::Timestamp, from: range.from, to: range.to };
        let answer = store.aggregate(&plan(filter.clone(), when, Vec::new(), having, limits)).await?;
        let counts = answer.rows.into_iter().flat_map(|row| row.values).map(Option::unwrap_or_default);
        // Counts are whole numbers below 2^53.
        let counted = fields.iter().zip(counts).filter(|(_, count)| *count > 0.0);
        held.extend(counted.map(|(field, count)| Held {
            key: field.key.name().to_owned(),
            kinds: kinds(field),
            events: count as u64,
        }));
    }
    Ok(held)
}

fn kinds(field: &Field) -> Vec<&'static str> {
    let kinds = [("text", field.texts), ("number", field.numbers)];
    kinds.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect()
}

/// The sites that have events, by name.
pub async fn sites(store: &dyn Store, limits: Limits) -> Result<Vec<String>, StoreError> {
    let groups = vec![Group::Key(Key::from(Known::Site))];
    let mut plan = plan(Filter::All, ALWAYS, groups, vec![Metric::of(Measure::Events)], limits);
    plan.limit = SITES_MAX;
    let labels = store.aggregate(&plan).await?.rows.into_iter().flat_map(|row| row.labels);
    let texts = labels.filter_map(|label| if let Label::Text(text) = label { Some(text.into()) } else { None });
    Ok(texts.collect())
}

/// How many events of the range there are.
pub async fn sums(
    store: &dyn Store,
    site: &str,
    only: Filter,
    range: &Range,
    bots: Bots,
    limits: Limits,
) -> Result<Sums, StoreError> {
    let when = TimeRange { key: TimeKey::Timestamp, from: range.from, to: range.to };
    let counted = Counted { site, only, range: when, measure: Measure::Events, limits };
    let sums = counted.sums(store, bots, 0).await?;
    Ok(Sums::of(sums.total, sums.total, sums.without_visitor, sums.bots))
}

/// When a site's first and last events were, in ms; `None` without any.
pub async fn held(store: &dyn Store, site: &str, limits: Limits) -> Result<Option<(i64, i64)>, StoreError> {
    let at = Key::from(Known::Timestamp);
    let metrics = vec![Metric::of(Measure::Min(at.clone())), Metric::of(Measure::Max(at))];
    let answer = store.aggregate(&plan(Filter::is(Known::Site, site), ALWAYS, Vec::new(), metrics, limits)).await?;
    let values = answer.rows.into_iter().next().map(|row| row.values).unwrap_or_default();
    Ok(match values.as_slice() {
        // Times of events are far below 2^53 ms.
        [Some(first), Some(last)] => Some((*first as i64, *last as i64)),
        _ => None,
    })
}

/// All of time.
const ALWAYS: TimeRange = TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX };

fn plan(filter: Filter, range: TimeRange, groups: Vec<Group>, metrics: Vec<Metric>, limits: Limits) -> Plan {
    Plan { filter, range, groups, metrics, order: Vec::new(), offset: 0, limit: limits.rows_max, limits }
}
