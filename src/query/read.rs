//! Read: `POST /query`'s JSON, checked and typed. All that does not fit is told at once, each with its place.
//! - The grammar is that of Plausible's Stats API v2; `tz bots counting goal partial` and functions of keys are added.

use super::dates::{self, When};
use super::filter;
use super::goal::{self, Reached};
use super::include::Include;
use super::meta::{BOTS, COUNTING};
use super::metrics::Metric;
use super::names;
use super::question::{By, DIMENSIONS_MAX, Dimension, METRICS_MAX, Query, ROWS_MAX, Setting};
use super::unfit::{Unfit, kind};
use crate::nearest::unknown;
use crate::store::plan::{Bots, Counting, Direction, Filter};
use serde_json::{Map, Value};

const MEMBERS: [&str; 14] = [
    "site_id",
    "site",
    "metrics",
    "date_range",
    "dimensions",
    "filters",
    "order_by",
    "include",
    "pagination",
    "tz",
    "bots",
    "counting",
    "goal",
    "partial",
];

/// Reads a question.
pub fn read(json: &Value, setting: &Setting<'_>) -> Result<Query, Vec<Unfit>> {
    let Value::Object(members) = json else {
        let shape = r#"a query is an object: {"metrics":["views"],"date_range":"30d","dimensions":["day"]}"#;
        return Err(vec![Unfit::new("query", format!("{} is no query; {shape}", kind(json)))]);
    };
    let mut reader = Reader { members, setting, unfit: Vec::new() };
    let query = reader.query();
    match query {
        Some(query) if reader.unfit.is_empty() => Ok(query),
        _ => Err(reader.unfit),
    }
}

struct Reader<'a> {
    members: &'a Map<String, Value>,
    setting: &'a Setting<'a>,
    unfit: Vec<Unfit>,
}

impl<'a> Reader<'a> {
    fn query(&mut self) -> Option<Query> {
        for name in self.members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            self.unfit.push(Unfit::new(name, unknown(name, &MEMBERS)));
        }
        let metrics = self.metrics();
        let dimensions = self.dimensions();
        let when = self.when();
        let (filter, in_filter) = self.filter();
        let (goal, filter_without_goal) = match (self.goal(), in_filter) {
            (None, Some((goal, without))) => (Some(goal), Some(without)),
            (goal, _) => (goal, None),
        };
        let order = self.order(&metrics, &dimensions);
        let include = self.include(when.as_ref());
        let (limit, offset) = self.pagination();
        let bots = self.word("bots", &BOTS, Bots::Exclude);
        let counting = self.word("counting", &COUNTING, Counting::Raw);
        let is_partial = self.partial();
        let query = Query {
            site: self.setting.site.clone(),
            site_zone: self.setting.site_zone.clone(),
            now: self.setting.now,
            when: when?,
            metrics,
            dimensions,
            filter,
            filters_asked: self.members.get("filters").cloned().unwrap_or_else(|| Value::Array(Vec::new())),
            goal,
            filter_without_goal,
            order,
            include: include.unwrap_or_default(),
            bots,
            counting,
            is_partial,
            limit,
            offset,
            limits: self.setting.limits,
        };
        self.check_metrics(&query);
        Some(query)
    }

    fn member(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn list(&mut self, name: &'static str, most: usize) -> Vec<&'a Value> {
        match self.member(name) {
            None => Vec::new(),
            Some(Value::Array(list)) if list.len() <= most => list.iter().collect(),
            Some(Value::Array(list)) => {
                self.unfit.push(Unfit::new(name, format!("{} {name}; at most {most} in one question", list.len())));
                Vec::new()
            }
            Some(other) => {
                self.unfit.push(Unfit::new(name, format!("{} is no list of {name}", kind(other))));
                Vec::new()
            }
        }
    }

    fn metrics(&mut self) -> Vec<Metric> {
        let list = self.list("metrics", METRICS_MAX);
        if list.is_empty() && self.unfit.iter().all(|unfit| unfit.at != "metrics") {
            self.unfit
                .push(Unfit::new("metrics", r#"a query has at least one metric: "metrics":["views","visitors"]"#));
        }
        self.each("metrics", &list, Metric::read)
    }

    fn dimensions(&mut self) -> Vec<Dimension> {
        let list = self.list("dimensions", DIMENSIONS_MAX);
        self.each("dimensions", &list, |name| match names::time(name) {
            Some(interval) => interval.map(Dimension::Time),
            None => names::key(name).map(Dimension::Key),
        })
    }

    /// Reads each name of a list.
    fn each<T>(&mut self, at: &str, list: &[&Value], read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let mut all = Vec::with_capacity(list.len());
        for (place, value) in list.iter().enumerate() {
            let read = value.as_str().ok_or_else(|| format!("{} is no name", kind(value))).and_then(&read);
            match read {
                Ok(one) => all.push(one),
                Err(message) => self.unfit.push(Unfit::new(format!("{at}[{place}]"), message)),
            }
        }
        all
    }

    fn keep<T>(&mut self, read: Result<T, Unfit>) -> Option<T> {
        read.map_err(|unfit| self.unfit.push(unfit)).ok()
    }

    fn when(&mut self) -> Option<When> {
        let zone = match self.member("tz") {
            None => Ok(self.setting.site_zone.clone()),
            Some(Value::String(name)) => dates::zone(name, "tz"),
            Some(other) => Err(Unfit::new("tz", format!("{} is no zone's name", kind(other)))),
        };
        let zone = self.keep(zone)?;
        let at = "date_range";
        let when = match self.member(at) {
            None => dates::word(dates::DEFAULT, zone, self.setting.now, at),
            Some(Value::String(word)) => dates::word(word, zone, self.setting.now, at),
            Some(Value::Array(ends)) => match ends.as_slice() {
                [Value::String(from), Value::String(to)] => {
                    dates::between((Some(from), Some(to)), zone, self.setting.now, ("date_range[0]", "date_range[1]"))
                }
                _ => Err(Unfit::new(at, r#"date_range as a list has two ends: ["2015-01-01","2015-01-31"]"#)),
            },
            Some(other) => Err(Unfit::new(at, format!("{} is no range; it may be \"30d\" or two dates", kind(other)))),
        };
        self.keep(when)
    }

    /// The filter; and the goal that it names at its top, if it does, with the filter without it.
    fn filter(&mut self) -> (Filter, Option<(Reached, Filter)>) {
        let Some(json) = self.member("filters") else { return (Filter::All, None) };
        let read = filter::read(json, "filters", self.setting.goals);
        (self.keep(read).unwrap_or(Filter::All), goal::in_filter(json, self.setting.goals))
    }

    fn goal(&mut self) -> Option<Reached> {
        let read = goal::read(self.member("goal")?, "goal", self.setting.goals);
        self.keep(read)
    }

    fn order(&mut self, metrics: &[Metric], dimensions: &[Dimension]) -> Vec<(By, Direction)> {
        let list = self.list("order_by", METRICS_MAX + DIMENSIONS_MAX);
        let mut order = Vec::with_capacity(list.len());
        for (place, value) in list.iter().enumerate() {
            let read = order_of(value, metrics, dimensions);
            let read = read.map_err(|message| Unfit::new(format!("order_by[{place}]"), message));
            order.extend(self.keep(read));
        }
        if !order.is_empty() || !list.is_empty() {
            return order;
        }
        // As Plausible does: time forward, else the first metric's largest first.
        let time = dimensions.iter().position(|dimension| matches!(dimension, Dimension::Time(_)));
        let forward = time.map(|at| (By::Dimension(at), Direction::Ascending));
        forward.into_iter().chain([(By::Metric(0), Direction::Descending)]).collect()
    }

    fn include(&mut self, when: Option<&When>) -> Option<Include> {
        let json = self.member("include")?;
        let zone = when.map_or(&self.setting.site_zone, |when| &when.range.zone);
        let read = Include::read(json, zone, self.setting.now);
        self.keep(read)
    }

    fn pagination(&mut self) -> (usize, usize) {
        let Some(json) = self.member("pagination") else { return (ROWS_MAX, 0) };
        let Value::Object(members) = json else {
            self.unfit.push(Unfit::new("pagination", "pagination is {\"limit\":100,\"offset\":0}"));
            return (ROWS_MAX, 0);
        };
        for name in members.keys().filter(|name| !["limit", "offset"].contains(&name.as_str())) {
            self.unfit.push(Unfit::new(format!("pagination.{name}"), unknown(name, &["limit", "offset"])));
        }
        let mut number = |name: &str, least: usize, most: usize, default: usize| match members.get(name) {
            None => default,
            Some(value) => {
                let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
                number.filter(|number| (least..=most).contains(number)).unwrap_or_else(|| {
                    let message = format!("{name} is {value}; it may be a whole number from {least} to {most}");
                    self.unfit.push(Unfit::new(format!("pagination.{name}"), message));
                    default
                })
            }
        };
        (number("limit", 1, ROWS_MAX, ROWS_MAX), number("offset", 0, 1_000_000_000, 0))
    }

    fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)], default: T) -> T {
        let Some(value) = self.member(name) else { return default };
        match words.iter().find(|(word, _)| value == word) {
            Some((_, choice)) => *choice,
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.unfit.push(Unfit::new(name, format!("{name} is {value}; it may be {}", words.join(", "))));
                default
            }
        }
    }

    fn partial(&mut self) -> bool {
        match self.member("partial") {
            None => false,
            Some(Value::Bool(partial)) => *partial,
            Some(value) => {
                self.unfit.push(Unfit::new("partial", format!("partial is {value}; it may be true or false")));
                false
            }
        }
    }

    /// Metrics that do not fit the question's keys.
    fn check_metrics(&mut self, query: &Query) {
        for (place, metric) in query.metrics.iter().enumerate() {
            if let Err(message) = query.recipe(metric, &query.dimensions) {
                let message = format!("{}: {message}", metric.name());
                self.unfit.push(Unfit::new(format!("metrics[{place}]"), message));
            }
        }
    }
}

fn order_of(value: &Value, metrics: &[Metric], dimensions: &[Dimension]) -> Result<(By, Direction), String> {
    let shape = r#"an order is a metric or dimension of the query and "asc" or "desc": ["visitors","desc"]"#;
    let [Value::String(name), Value::String(direction)] = value.as_array().map(Vec::as_slice).unwrap_or_default()
    else {
        return Err(shape.to_owned());
    };
    let direction = match direction.as_str() {
        "asc" => Direction::Ascending,
        "desc" => Direction::Descending,
        _ => return Err(format!("{direction:?} is no direction; {shape}")),
    };
    let metric = Metric::read(name).ok().and_then(|metric| metrics.iter().position(|asked| *asked == metric));
    let dimension = match names::time(name) {
        Some(interval) => interval.ok().map(Dimension::Time),
        None => names::key(name).ok().map(Dimension::Key),
    };
    let dimension = dimension.and_then(|dimension| dimensions.iter().position(|asked| *asked == dimension));
    let by = metric.map(By::Metric).or(dimension.map(By::Dimension));
    by.map(|by| (by, direction)).ok_or_else(|| format!("{name:?} is neither a metric nor a dimension of the query"))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
