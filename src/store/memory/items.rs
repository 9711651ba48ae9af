//! Items: what items were used, a day at a time.
//! - A table counts clicks by what an answer may ask of them; nothing in it is about a person.
//! - An answer reads every click of the days asked for.

use crate::event::{Day, Event, Known};
use crate::store::StoreError;
use crate::store::plan::{Bots, Counting, Items, Tally, Usage, UsageAnswer, UsagePlan};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The format of a download that names none.
const NO_FORMAT: &str = "other";

/// A view or a download, and nothing of who did it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Click {
    site: String,
    id: Option<String>,
    what: What,
    referer: Option<String>,
    bot: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    View,
    /// In this format.
    Download(String),
}

/// How often.
#[derive(Debug, Clone, Copy, Default)]
struct Clicks {
    raw: u64,
    counted: u64,
}

/// One day's clicks.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(BTreeMap<Click, Clicks>);

impl Table {
    /// Counts an event, if it is a view or a download.
    pub(super) fn add(&mut self, event: &Event) {
        let what = match event.action() {
            "view" => What::View,
            "download" => What::Download(event.text(Known::Format).unwrap_or(NO_FORMAT).to_owned()),
            _ => return,
        };
        let click = Click {
            site: event.site().to_owned(),
            id: event.text(Known::Id).map(str::to_owned),
            what,
            referer: event.text(Known::Referer).map(str::to_owned),
            bot: event.known(Known::Bot).is_some(),
        };
        let counted = event.int(Known::Counted).and_then(|counted| u64::try_from(counted).ok()).unwrap_or_default();
        self.count(click, Clicks { raw: 1, counted });
    }

    /// Counts all that another table of the same day has.
    pub(super) fn join(&mut self, other: &Self) {
        other.0.iter().for_each(|(click, clicks)| self.count(click.clone(), *clicks));
    }

    fn count(&mut self, click: Click, clicks: Clicks) {
        let sum = self.0.entry(click).or_default();
        sum.raw += clicks.raw;
        sum.counted += clicks.counted;
    }
}

/// Answers a question from the tables of its days.
pub(super) fn answer(plan: &UsagePlan, tables: &BTreeMap<Day, Table>) -> Result<UsageAnswer, StoreError> {
    let usage = |id: &str| usage_of(plan, tables, |click| click.id.as_deref() == Some(id));
    Ok(match &plan.items {
        Items::Site => vec![(String::new(), usage_of(plan, tables, |_| true))],
        Items::Ids(ids) => ids.iter().map(|id| (id.clone(), usage(id))).collect(),
        Items::Busiest(tally, most) => {
            let clicks = tables.values().flat_map(|table| table.0.keys()).filter(|click| click.site == plan.site);
            let ids: BTreeSet<&str> = clicks.filter_map(|click| click.id.as_deref()).collect();
            if ids.len() > plan.limits.rows_max {
                return Err(StoreError::Limit { operation: "usage", limit: plan.limits.rows_max as u64, of: "items" });
            }
            let mut answer: UsageAnswer = ids.into_iter().map(|id| (id.to_owned(), usage(id))).collect();
            answer.retain(|(_, usage)| total(usage, *tally) > 0);
            answer.sort_by_key(|(_, usage)| Reverse(total(usage, *tally)));
            answer.truncate(*most);
            answer
        }
    })
}

/// The sum of the clicks asked for that `wanted` wants.
fn usage_of(plan: &UsagePlan, tables: &BTreeMap<Day, Table>, wanted: impl Fn(&Click) -> bool) -> Usage {
    let mut usage = Usage::default();
    for (day, table) in tables {
        for (click, clicks) in &table.0 {
            let times = match plan.counting {
                Counting::Raw => clicks.raw,
                Counting::Counter => clicks.counted,
            };
            if times == 0 || click.site != plan.site || !counts(plan.bots, click.bot) || !wanted(click) {
                continue;
            }
            match &click.what {
                What::View => *usage.views.entry(*day).or_default() += times,
                What::Download(format) => *usage.downloads.entry(format.as_str().into()).or_default() += times,
            }
            if let Some(referer) = &click.referer {
                *usage.referers.entry(referer.as_str().into()).or_default() += times;
            }
        }
    }
    usage
}

fn counts(bots: Bots, bot: bool) -> bool {
    match bots {
        Bots::Exclude => !bot,
        Bots::Include => true,
        Bots::Only => bot,
    }
}

fn total(usage: &Usage, tally: Tally) -> u64 {
    match tally {
        Tally::Views => usage.views.values().sum(),
        Tally::Downloads => usage.downloads.values().sum(),
    }
}
