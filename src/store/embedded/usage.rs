//! Usage: what items were used: of sealed days by their item tables, of open parts by their events.
//! - A whole finished month is one table, every other sealed day its own; open parts, late ones of sealed days too, are
//!   asked through their index, and count on top by the increments they have.
//! - So the events of a sealed day are never read, and may be gone.

use super::ask::ask;
use super::deadline::Deadline;
use super::items::{Cell, DayTable, Gathering, busiest, month_of};
use super::parts::{DayView, Days};
use super::shared::Shared;
use crate::event::{Key, Known};
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

/// Makes cells of a row's labels, and adds its count to each.
type Cells<'a> = dyn FnMut(&[Label], &mut dyn FnMut(Cell<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> + 'a;

/// The open parts of the days asked for.
struct Open<'a> {
    shared: &'a Shared,
    views: Vec<Arc<DayView>>,
    plan: &'a UsagePlan,
}

impl Open<'_> {
    /// Adds the usage of the items that are gathered: of each day at one look, and its downloads by format at another, for
    /// an event may have several.
    fn add_to(&self, gathering: &mut Gathering<'_>) -> Result<(), StoreError> {
        for view in &self.views {
            let by = [Known::Action, Known::Referer];
            self.each(view, gathering, &["view", "download"], &by, &mut |labels, add| {
                if text(&labels[0]) == Some("view") {
                    add(Cell::Views(view.day))?;
                }
                text(&labels[1]).map_or(Ok(()), |referer| add(Cell::Referers(referer)))
            })?;
            self.each(view, gathering, &["download"], &[Known::Format], &mut |labels, add| {
                add(Cell::Downloads(text(&labels[0]).unwrap_or(NO_FORMAT)))
            })?;
        }
        Ok(())
    }

    /// Adds each row of a day's clicks by item and `by`, to the cells that `cells` makes of it.
    fn each(
        &self,
        view: &Arc<DayView>,
        gathering: &mut Gathering<'_>,
        actions: &[&str],
        by: &[Known],
        cells: &mut Cells<'_>,
    ) -> Result<(), StoreError> {
        let is_site = self.plan.items == Items::Site;
        let ids = (!is_site).then(|| gathering.ids().to_vec());
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, id) in ids.iter().flatten().enumerate() {
            places.entry(id).or_default().push(at);
        }
        let by_item = (!is_site).then_some(Known::Id);
        let groups = by_item.iter().chain(by).map(|key| Group::Key((*key).into())).collect();
        for row in self.ask(std::slice::from_ref(view), ids.as_deref(), actions, groups)?.rows {
            let (at, labels) = match row.labels.split_first() {
                Some((id, labels)) if !is_site => (text(id).and_then(|id| places.get(id)).map(Vec::as_slice), labels),
                _ => (Some([0].as_slice()), row.labels.as_slice()),
            };
            let count = whole(row.values.first());
            for at in at.unwrap_or_default() {
                cells(labels, &mut |cell| gathering.add(*at, cell, count))?;
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
        let rows = self.ask(&self.views, None, &[action], vec![Group::Key(Known::Id.into())])?.rows;
        let tallies = rows.iter().filter_map(|row| Some((text(row.labels.first()?)?.to_owned(), row)));
        Ok(tallies.map(|(id, row)| (id, whole(row.values.first()))).collect())
    }

    fn ask(
        &self,
        views: &[Arc<DayView>],
        ids: Option<&[String]>,
        actions: &[&str],
        groups: Vec<Group>,
    ) -> Result<Answer, StoreError> {
        if views.is_empty() {
            return Ok(Answer { rows: Vec::new(), rows_total: 0, overlap: false });
        }
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        let mut filter = Filter::is(Known::Site, &self.plan.site);
        filter = filter.and(Filter::Is(Known::Action.into(), actions, Case::Exact));
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
        ask(self.shared, views, &plan, Deadline::after(plan.limits.time_max))
    }
}

/// A count, which is whole and never negative.
fn whole(value: Option<&Option<f64>>) -> u64 {
    value.copied().flatten().unwrap_or_default() as u64
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
