//! Usage: what items were used: of sealed days by their item tables, of open parts by their events.
//! - A whole finished month is one table, every other sealed day its own; open parts, late ones of sealed days too, are
//!   asked through their index, and count on top by the increments they have.
//! - So the events of a sealed day are never read, and may be gone.

use super::ask::ask;
use super::deadline::Deadline;
use super::items::{Cell, DayTable, Gathering, busiest, month_of};
use super::parts::{DayView, Days};
use super::shared::Shared;
use crate::event::{Day, Key, Known};
use crate::store::StoreError;
use crate::store::plan::{Answer, Bots, Case, Counting, Filter, Group, Items, Label, Measure, Metric};
use crate::store::plan::{Plan, Tally, TimeKey, TimeRange, UsageAnswer, UsagePlan};
use std::collections::HashMap;
use std::sync::Arc;
use tracing::warn;

/// The format of a download that names none.
const NO_FORMAT: &str = "other";

/// Answers a question about these days.
pub fn usage(shared: &Shared, days: &Days, plan: &UsagePlan) -> Result<UsageAnswer, StoreError> {
    let within: Vec<&Arc<DayView>> =
        days.iter().filter(|(day, _)| plan.days.0 <= **day && **day <= plan.days.1).map(|(_, view)| view).collect();
    let tables = shared.months.tables_of(&tables(within.iter().copied()))?;
    let late = within.iter().filter(|view| view.late() > 0);
    let open = Open { shared, views: late.map(|view| Arc::new(view.without_sealed())).collect(), plan };
    let ids = match &plan.items {
        Items::Site => vec![String::new()],
        Items::Ids(ids) => ids.clone(),
        Items::Busiest(tally, most) => busiest(plan, (*tally, *most), &tables, open.tallies(*tally)?)?,
    };
    let mut gathering = Gathering::new(plan, ids);
    gathering.add_tables(&tables)?;
    open.add_to(&mut gathering)?;
    Ok(gathering.answer())
}

/// Makes the tables of months that are over and have all of their days sealed, where they are not there or outdated. One
/// that cannot be made is read by its days, and tried again the next time.
pub fn make_months(shared: &Shared, days: &Days) {
    let views: Vec<&Arc<DayView>> = days.values().collect();
    // Days are sealed when they are over everywhere: a month is over when a day of a later one is sealed.
    let last = views.iter().filter(|view| view.generation.is_some()).map(|view| month_of(view.day)).max();
    for month in views.chunk_by(|a, b| month_of(a.day) == month_of(b.day)) {
        let is_over = month.first().map(|view| month_of(view.day)) < last;
        if is_over && month.iter().all(|view| view.generation.is_some()) {
            let made = shared.months.make(&tables(month.iter().copied()));
            if let Err(error) = made {
                let month = month.first().map(|view| month_of(view.day).to_string());
                warn!(month, %error, "a month's item table was not made; its days are read");
            }
        }
    }
}

fn tables<'a>(views: impl Iterator<Item = &'a Arc<DayView>>) -> Vec<DayTable> {
    views.flat_map(|view| view.tables()).collect()
}

fn text(label: &Label) -> Option<&str> {
    match label {
        Label::Text(text) => Some(text),
        _ => None,
    }
}

/// The open parts of the days asked for.
struct Open<'a> {
    shared: &'a Shared,
    views: Vec<Arc<DayView>>,
    plan: &'a UsagePlan,
}

impl Open<'_> {
    /// Adds the usage of the items that are gathered.
    fn add_to(&self, gathering: &mut Gathering<'_>) -> Result<(), StoreError> {
        self.each(gathering, "view", Known::Day, |label| text(label).and_then(Day::parse).map(Cell::Views))?;
        self.each(gathering, "download", Known::Format, |label| {
            Some(Cell::Downloads(text(label).unwrap_or(NO_FORMAT)))
        })?;
        for action in ["view", "download"] {
            self.each(gathering, action, Known::Referer, |label| text(label).map(Cell::Referers))?;
        }
        Ok(())
    }

    /// Adds each row of clicks by item and `by`, to what `cell` makes of it.
    fn each(
        &self,
        gathering: &mut Gathering<'_>,
        action: &str,
        by: Known,
        cell: impl for<'b> Fn(&'b Label) -> Option<Cell<'b>>,
    ) -> Result<(), StoreError> {
        let is_site = self.plan.items == Items::Site;
        let ids = (!is_site).then(|| gathering.ids().to_vec());
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, id) in ids.iter().flatten().enumerate() {
            places.entry(id).or_default().push(at);
        }
        let groups = match is_site {
            true => vec![Group::Key(by.into())],
            false => vec![Group::Key(Known::Id.into()), Group::Key(by.into())],
        };
        let site = [0];
        for row in self.ask(ids.as_deref(), action, groups)?.rows {
            let at = match row.labels.as_slice() {
                [_] => Some(site.as_slice()),
                [id, _] => text(id).and_then(|id| places.get(id)).map(Vec::as_slice),
                _ => None,
            };
            for at in at.unwrap_or_default() {
                if let Some(cell) = row.labels.last().and_then(&cell) {
                    gathering.add(*at, cell, whole(row.values.first()))?;
                }
            }
        }
        Ok(())
    }

    /// How often each item has been viewed or downloaded.
    fn tallies(&self, tally: Tally) -> Result<HashMap<String, u64>, StoreError> {
        let action = match tally {
            Tally::Views => "view",
            Tally::Downloads => "download",
        };
        let rows = self.ask(None, action, vec![Group::Key(Known::Id.into())])?.rows;
        let tallies = rows.iter().filter_map(|row| Some((text(row.labels.first()?)?.to_owned(), row)));
        Ok(tallies.map(|(id, row)| (id, whole(row.values.first()))).collect())
    }

    fn ask(&self, ids: Option<&[String]>, action: &str, groups: Vec<Group>) -> Result<Answer, StoreError> {
        if self.views.is_empty() {
            return Ok(Answer { rows: Vec::new(), rows_total: 0, overlap: false });
        }
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
            order: Vec::new(),
            offset: 0,
            limit: usize::MAX,
            limits: self.plan.limits,
        };
        ask(self.shared, &self.views, &plan, Deadline::after(plan.limits.time_max))
    }
}

/// A count, which is whole and never negative.
fn whole(value: Option<&Option<f64>>) -> u64 {
    value.copied().flatten().unwrap_or_default() as u64
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
