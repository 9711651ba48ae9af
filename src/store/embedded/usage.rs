//! Usage: what items were used, asked of the events themselves.

use super::ask::ask;
use super::parts::{DayView, Days};
use super::shared::Shared;
use crate::event::{Day, Key, Known};
use crate::store::StoreError;
use crate::store::plan::{
    Answer, Bots, Case, Counting, Direction, Filter, Group, Items, Label, Measure, Metric, OrderBy,
};
use crate::store::plan::{Plan, Tally, TimeKey, TimeRange, Usage, UsageAnswer, UsagePlan};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The format of a download that names none.
const NO_FORMAT: &str = "other";

/// Answers a question from the events of its days.
pub fn usage(shared: &Shared, days: &Days, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
    let within: Vec<Arc<DayView>> = days.range(plan.days.0..=plan.days.1).map(|(_, view)| view.clone()).collect();
    let asker = Asker { shared, views: &within, plan };
    let ids = match &plan.items {
        Items::Site => None,
        Items::Ids(ids) => Some(ids.clone()),
        Items::Busiest(tally, most) => Some(asker.busiest(*tally, *most)?),
    };
    let ids_or_site = ids.clone().unwrap_or_else(|| vec![String::new()]);
    let mut found: BTreeMap<String, Usage> = BTreeMap::new();
    asker.each(
        ids.as_deref(),
        "view",
        Known::Day,
        |usage, label, times| {
            if let Some(day) = text(label).and_then(Day::parse) {
                *usage.views.entry(day).or_default() += times;
            }
        },
        &mut found,
    )?;
    asker.each(
        ids.as_deref(),
        "download",
        Known::Format,
        |usage, label, times| {
            *usage.downloads.entry(text(label).unwrap_or(NO_FORMAT).into()).or_default() += times;
        },
        &mut found,
    )?;
    for action in ["view", "download"] {
        asker.each(
            ids.as_deref(),
            action,
            Known::Referer,
            |usage, label, times| {
                if let Some(referer) = text(label) {
                    *usage.referers.entry(referer.into()).or_default() += times;
                }
            },
            &mut found,
        )?;
    }
    Ok(ids_or_site.into_iter().map(|id| (id.clone(), found.get(&id).cloned().unwrap_or_default())).collect())
}

fn text(label: &Label) -> Option<&str> {
    match label {
        Label::Text(text) => Some(text),
        _ => None,
    }
}

struct Asker<'a> {
    shared: &'a Shared,
    views: &'a [Arc<DayView>],
    plan: &'a UsagePlan,
}

impl Asker<'_> {
    /// Hands each row of clicks by item and `by` to `add`.
    fn each(
        &self,
        ids: Option<&[String]>,
        action: &str,
        by: Known,
        mut add: impl FnMut(&mut Usage, &Label, u64),
        found: &mut BTreeMap<String, Usage>,
    ) -> Result<(), StoreError> {
        let mut groups = vec![Group::Key(by.into())];
        if ids.is_some() {
            groups.insert(0, Group::Key(Known::Id.into()));
        }
        for row in self.ask(ids, action, groups, Vec::new(), usize::MAX)?.rows {
            // Counts are whole and never negative.
            let times = row.values.first().copied().flatten().unwrap_or_default() as u64;
            let id = if ids.is_some() { row.labels.first().and_then(text) } else { Some("") };
            if let (Some(id), Some(label), true) = (id, row.labels.last(), times > 0) {
                add(found.entry(id.to_owned()).or_default(), label, times);
            }
        }
        Ok(())
    }

    fn busiest(&self, tally: Tally, most: usize) -> Result<Vec<String>, StoreError> {
        let action = match tally {
            Tally::Views => "view",
            Tally::Downloads => "download",
        };
        let order = vec![(OrderBy::Metric(0), Direction::Descending)];
        // One more than asked for: the row of events without an item may be among them.
        let rows = self.ask(None, action, vec![Group::Key(Known::Id.into())], order, most.saturating_add(1))?.rows;
        let busy =
            rows.into_iter().filter(|row| row.values.first().copied().flatten().is_some_and(|times| times > 0.0));
        let ids = busy.filter_map(|row| row.labels.first().and_then(text).map(str::to_owned));
        Ok(ids.take(most).collect())
    }

    fn ask(
        &self,
        ids: Option<&[String]>,
        action: &str,
        groups: Vec<Group>,
        order: Vec<(OrderBy, Direction)>,
        limit: usize,
    ) -> Result<Answer, StoreError> {
        let mut filter = Filter::is(Known::Site, &self.plan.site).and(Filter::is(Known::Action, action));
        if let Some(ids) = ids {
            filter = filter.and(Filter::Is(Known::Id.into(), ids.to_vec(), Case::Exact));
        }
        let bot = Filter::Exists(Key::Known(Known::Bot));
        filter = match self.plan.bots {
            Bots::Include => filter,
            Bots::Only => filter.and(bot),
            Bots::Exclude => filter.and(Filter::Not(Box::new(bot))),
        };
        let measure = match self.plan.counting {
            Counting::Raw => Measure::Events,
            Counting::Counter => Measure::Sum(Known::Counted.into()),
        };
        let plan = Plan {
            filter,
            range: TimeRange { key: TimeKey::Timestamp, from: i64::MIN, to: i64::MAX },
            groups,
            metrics: vec![Metric::of(measure)],
            order,
            offset: 0,
            limit,
            limits: self.plan.limits,
        };
        ask(self.shared, self.views, &plan)
    }
}
