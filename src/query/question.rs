//! Question: a query, typed: what is measured, over which events, cut by what, in which order.
//! - `day` and its kin as dimensions are in the asked zone; every other dimension is a key.
//! - Absent: reading it from JSON (`read`), answering it (`run`).

use super::dates::When;
use super::goal::{Goal, Reached};
use super::include::Include;
use super::metrics::Metric;
use super::names;
use super::range::Interval;
use super::recipe::{About, Recipe};
use super::unfit::{Unfit, kind};
use crate::clock::Millis;
use crate::event::Key;
use crate::store::plan::{Bots, Counting, Direction, Filter, Limits};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Metrics of one question.
pub const METRICS_MAX: usize = 20;
/// Dimensions of one question.
pub const DIMENSIONS_MAX: usize = 6;
/// Rows of one answer.
pub const ROWS_MAX: usize = 10_000;

/// What a question is asked of.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The site.
    pub site: String,
    /// The zone of its days.
    pub site_zone: TimeZone,
    /// Its goals.
    pub goals: &'a [Goal],
    /// The time.
    pub now: Millis,
    /// Bounds.
    pub limits: Limits,
}

/// What rows are cut by.
#[derive(Debug, Clone, PartialEq)]
pub enum Dimension {
    /// The values of a key.
    Key(Key),
    /// Intervals of time.
    Time(Interval),
}

/// What rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A metric, by its place.
    Metric(usize),
    /// A dimension, by its place.
    Dimension(usize),
}

/// One question.
#[derive(Debug, Clone)]
pub struct Query {
    /// The site.
    pub site: String,
    /// The zone of its days.
    pub site_zone: TimeZone,
    /// When it is asked.
    pub now: Millis,
    /// When.
    pub when: When,
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// What rows are cut by.
    pub dimensions: Vec<Dimension>,
    /// Of which events.
    pub filter: Filter,
    /// The filters as they were asked.
    pub filters_asked: Value,
    /// The goal that conversions are of.
    pub goal: Option<Reached>,
    /// The filter without the goal, where that is named in it: whom conversions are compared with.
    pub filter_without_goal: Option<Filter>,
    /// The order of rows.
    pub order: Vec<(By, Direction)>,
    /// What else is answered.
    pub include: Include,
    /// Whether bots count.
    pub bots: Bots,
    /// How clicks are counted.
    pub counting: Counting,
    /// Whether what is left of damaged days will do.
    pub is_partial: bool,
    /// Rows answered at the most.
    pub limit: usize,
    /// Rows passed over.
    pub offset: usize,
    /// Bounds.
    pub limits: Limits,
}

/// The site a question names, before anything else of it is read.
pub fn site_of(json: &Value) -> Result<Option<&str>, Unfit> {
    match json.get("site_id").or_else(|| json.get("site")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(site)) => Ok(Some(site)),
        Some(other) => Err(Unfit::new("site_id", format!("{} is no site's name", kind(other)))),
    }
}

impl Dimension {
    /// Its name in answers.
    pub fn name(&self) -> &str {
        match self {
            Self::Key(key) => key.name(),
            Self::Time(interval) => names::TIMES.iter().find(|(_, time)| time == interval).map_or("", |(name, _)| name),
        }
    }
}

impl Query {
    /// What a metric is made of, with these dimensions.
    pub fn recipe(&self, metric: &Metric, dimensions: &[Dimension]) -> Result<Recipe, String> {
        let (mut keys, mut times) = (Vec::new(), Vec::new());
        for dimension in dimensions {
            match dimension {
                Dimension::Key(key) => keys.push(key.clone()),
                Dimension::Time(interval) => times.push(*interval),
            }
        }
        metric.recipe(&About {
            keys: &keys,
            times: &times,
            filter: &self.filter,
            is_site_days: self.when.range.days_of(&self.site_zone).is_some(),
            counting: self.counting,
            goal: self.goal.as_ref(),
        })
    }

    /// Every key that it speaks of, with its place.
    pub fn keys(&self) -> Vec<(Key, String)> {
        let mut keys = super::keys::of_filter(&self.filter, "filters");
        keys.extend(self.goal.iter().flat_map(|goal| super::keys::of_filter(&goal.filter, "goal")));
        if self.metrics.iter().any(Metric::is_revenue) {
            let worth = self.goal.iter().filter_map(|goal| goal.value.clone());
            keys.extend(worth.map(|key| (key, "goal".to_owned())));
        }
        for (place, metric) in self.metrics.iter().enumerate() {
            if let Metric::Of(_, key) = metric {
                keys.push((key.clone(), format!("metrics[{place}]")));
            }
        }
        for (place, dimension) in self.dimensions.iter().enumerate() {
            if let Dimension::Key(key) = dimension {
                keys.push((key.clone(), format!("dimensions[{place}]")));
            }
        }
        keys
    }
}
