//! Usage: what was done with an item, or with a whole site: views by interval, downloads by format, referers.
//! - Whole days of the site's zone come from item tables, a seek each, raw events gone or not; everything else, and
//!   every further field, is asked of the events.
//! - Views are newest first; downloads, referers and all other lists by count, largest first, ties by text.
//! - An id never seen has an empty usage.
//! - Absent: percentiles and ratios (they are queries).

mod fields;

pub use fields::{Field, Held, ItemUsage};

use super::counts::{Counts, newest_first, ranked};
use crate::event::{Key, Known};
use crate::query::range::{Bucket, Interval, Range, edges};
use crate::query::scope::{of_actions, of_site};
use crate::store::plan::{
    Answer, Bots, Case, Counting, Filter, Group, Items, Label, Limits, Measure, Metric, Plan, TimeKey, TimeRange,
    Usage, UsagePlan,
};
use crate::store::{Store, StoreError};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which site.
    pub site: String,
    /// Of these items; `None`: of all events together.
    pub ids: Option<Vec<String>>,
    /// When.
    pub range: Range,
    /// The zone the site's days are counted in.
    pub site_zone: TimeZone,
    /// How views are cut.
    pub interval: Interval,
    /// Of which events.
    pub only: Filter,
    /// Whether bots count.
    pub bots: Bots,
    /// How clicks are counted.
    pub counting: Counting,
    /// Whether intervals without views are there too.
    pub fill: bool,
    /// Entries of each list at the most, views excepted.
    pub limit: usize,
    /// Which fields.
    pub fields: Vec<Field>,
    /// Bounds.
    pub limits: Limits,
}

/// One item's counts before they are ordered and cut.
#[derive(Debug, Default)]
struct Base {
    /// By interval, ascending.
    views: Vec<(String, u64)>,
    downloads: BTreeMap<Box<str>, u64>,
    referers: BTreeMap<Box<str>, u64>,
}

/// Answers by id, in the order asked; the site as a whole under the one id `""`.
pub async fn usage(store: &dyn Store, question: &Question) -> Result<Vec<(String, ItemUsage)>, StoreError> {
    let ids = question.ids.clone().unwrap_or_else(|| vec![String::new()]);
    let mut bases = fetch_bases(store, question).await?;
    let mut further: Vec<HashMap<String, Held>> = Vec::with_capacity(question.fields.len());
    for field in &question.fields {
        further.push(fetch_further(store, question, *field).await?);
    }
    let buckets = if question.fill { question.buckets()? } else { Vec::new() };
    let items = ids.into_iter().map(|id| {
        let base = bases.remove(&id).unwrap_or_default();
        let held = question.fields.iter().zip(&mut further);
        let held = held.map(|(field, further)| {
            (*field, further.remove(&id).unwrap_or_else(|| question.held(*field, &base, &buckets)))
        });
        let held = ItemUsage(held.collect());
        (id, held)
    });
    Ok(items.collect())
}

impl Question {
    fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let refuse =
            || StoreError::Invalid("interval: more than 10000 intervals in this range; take a longer one".into());
        self.range.buckets(self.interval).ok_or_else(refuse)
    }

    /// The item tables' question, where they can answer.
    fn table_plan(&self) -> Option<UsagePlan> {
        let plain = self.interval != Interval::Hour && self.only == Filter::All;
        let days = self.range.days_of(&self.site_zone).filter(|_| plain)?;
        let items = self.ids.clone().map_or(Items::Site, Items::Ids);
        let (bots, counting, limits) = (self.bots, self.counting, self.limits);
        Some(UsagePlan { site: self.site.clone(), items, days, bots, counting, limits })
    }

    /// A question to the events: one row an item and group.
    fn plan(&self, only: Filter, group: Group, measure: Measure) -> Plan {
        let mut filter = of_site(&self.site, self.bots).and(self.only.clone()).and(only);
        let mut groups = vec![group];
        if let Some(ids) = &self.ids {
            filter = filter.and(Filter::Is(Known::Id.into(), ids.clone(), Case::Exact));
            groups.insert(0, Group::Key(Known::Id.into()));
        }
        Plan {
            filter,
            range: TimeRange { key: TimeKey::Timestamp, from: self.range.from, to: self.range.to },
            groups,
            metrics: vec![Metric::of(measure)],
            order: Vec::new(),
            offset: 0,
            limit: self.limits.rows_max,
            limits: self.limits,
        }
    }

    /// What a field holds of an item's plain counts.
    fn held(&self, field: Field, base: &Base, buckets: &[Bucket]) -> Held {
        let sum = |counts: &BTreeMap<Box<str>, u64>| counts.values().sum();
        match field {
            Field::Views => Held::Counts(newest_first(&base.views, buckets)),
            Field::Downloads => Held::Counts(ranked(&base.downloads, self.limit)),
            Field::Referers => Held::Counts(ranked(&base.referers, self.limit)),
            Field::Total => {
                let views = base.views.iter().map(|(_, count)| count).sum();
                Held::Total { views, downloads: sum(&base.downloads) }
            }
            Field::Visitors | Field::Visits => Held::Number(0),
            _ => Held::Counts(Counts::default()),
        }
    }
}

/// What counts clicks.
pub(super) fn clicks(counting: Counting) -> Measure {
    match counting {
        Counting::Raw => Measure::Events,
        Counting::Counter => Measure::Sum(Known::Counted.into()),
    }
}

/// The plain counts of every item asked for.
async fn fetch_bases(store: &dyn Store, question: &Question) -> Result<HashMap<String, Base>, StoreError> {
    let plain = [Field::Views, Field::Downloads, Field::Referers, Field::Total];
    if !question.fields.iter().any(|field| plain.contains(field)) {
        return Ok(HashMap::new());
    }
    if let Some(plan) = question.table_plan() {
        let answer = store.usage(&plan).await?;
        return Ok(answer.into_iter().map(|(id, usage)| (id, of_days(usage, question.interval))).collect());
    }
    let buckets = question.buckets()?;
    let measure = clicks(question.counting);
    let by_time = Group::Time { key: TimeKey::Timestamp, edges: edges(&buckets) };
    let views = store.aggregate(&question.plan(of_actions(&["view"]), by_time, measure.clone())).await?;
    let formats = Group::Key(Known::Format.into());
    let downloads = store.aggregate(&question.plan(of_actions(&["download"]), formats, measure.clone())).await?;
    let referers = Group::Key(Known::Referer.into());
    let referers = store.aggregate(&question.plan(of_actions(&["view", "download"]), referers, measure)).await?;
    Ok(of_rows(&buckets, views, downloads, referers))
}

/// Plain counts of an item table's days.
fn of_days(usage: Usage, interval: Interval) -> Base {
    let mut views: Vec<(String, u64)> = Vec::new();
    for (day, count) in usage.views {
        let name = interval.name(day);
        match views.last_mut() {
            Some((last, sum)) if *last == name => *sum += count,
            _ => views.push((name, count)),
        }
    }
    Base { views, downloads: usage.downloads, referers: usage.referers }
}

/// Plain counts of the rows of three answers.
fn of_rows(buckets: &[Bucket], views: Answer, downloads: Answer, referers: Answer) -> HashMap<String, Base> {
    let names: HashMap<_, _> = buckets.iter().map(|bucket| (bucket.from, bucket.name.as_str())).collect();
    let mut bases: HashMap<String, Base> = HashMap::new();
    let mut times: Vec<(String, i64, u64)> = Vec::new();
    for (id, label, count) in rows(views) {
        if let Label::Time(at) = label {
            times.push((id, at, count));
        }
    }
    times.sort();
    for (id, at, count) in times {
        let name = names.get(&at).map(|name| (*name).to_owned()).unwrap_or_default();
        bases.entry(id).or_default().views.push((name, count));
    }
    for (id, label, count) in rows(downloads) {
        let format = text(label).unwrap_or_else(|| "other".into());
        *bases.entry(id).or_default().downloads.entry(format).or_default() += count;
    }
    for (id, label, count) in rows(referers) {
        if let Some(referer) = text(label) {
            bases.entry(id).or_default().referers.insert(referer, count);
        }
    }
    bases
}

/// What a field holds that only the events know, by id; nothing for the others.
async fn fetch_further(
    store: &dyn Store,
    question: &Question,
    field: Field,
) -> Result<HashMap<String, Held>, StoreError> {
    let distinct = match field {
        Field::Visitors => Some(Known::Visitor),
        Field::Visits => Some(Known::Visit),
        _ => None,
    };
    if let Some(of) = distinct {
        // A visitor's day and a visit lie within one day: days add up, and each is small enough to be exact.
        let mut plan = question.plan(Filter::All, Group::Key(Known::Day.into()), Measure::Distinct(of.into()));
        if field == Field::Visits {
            plan.range.key = TimeKey::VisitAt; // visits are those that began in the range
        }
        let mut sums: HashMap<String, u64> = HashMap::new();
        for (id, _, count) in rows(store.aggregate(&plan).await?) {
            *sums.entry(id).or_default() += count;
        }
        return Ok(sums.into_iter().map(|(id, sum)| (id, Held::Number(sum))).collect());
    }
    let Some(key) = field.key() else { return Ok(HashMap::new()) };
    let group = Group::Key(Key::from(key));
    let plan = question.plan(of_actions(&["view", "download"]), group, clicks(question.counting));
    let mut lists: HashMap<String, BTreeMap<Box<str>, u64>> = HashMap::new();
    for (id, label, count) in rows(store.aggregate(&plan).await?) {
        if let Some(name) = text(label) {
            lists.entry(id).or_default().insert(name, count);
        }
    }
    Ok(lists.into_iter().map(|(id, list)| (id, Held::Counts(ranked(&list, question.limit)))).collect())
}

/// The rows of an answer that count something: id (`""` without), label, count.
fn rows(answer: Answer) -> impl Iterator<Item = (String, Label, u64)> {
    answer.rows.into_iter().filter_map(|row| {
        // Counts are whole numbers below 2^53.
        let count = row.values.first().copied().flatten().unwrap_or_default() as u64;
        let mut labels = row.labels.into_iter().rev();
        let label = labels.next()?;
        let id = labels.next().and_then(text).unwrap_or_default();
        (count > 0).then(|| (id.into(), label, count))
    })
}

fn text(label: Label) -> Option<Box<str>> {
    match label {
        Label::Text(text) => Some(text),
        Label::Null | Label::Time(_) => None,
    }
}

#[cfg(test)]
mod tests;
