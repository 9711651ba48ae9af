//! Goal: what a site wants its visitors to do, by a name.

use super::filter;
use super::unfit::Unfit;
use crate::nearest::unknown;
use crate::store::plan::Filter;
use serde_json::Value;
use std::collections::HashMap;

/// Goals by site.
pub type Goals = HashMap<String, Vec<Goal>>;

/// A goal of a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// The events that reach it.
    pub filter: Filter,
}

/// The goal of this name.
pub fn named<'a>(goals: &'a [Goal], name: &str, at: &str) -> Result<&'a Goal, Unfit> {
    goals.iter().find(|goal| goal.name == name).ok_or_else(|| {
        let names: Vec<&str> = goals.iter().map(|goal| goal.name.as_str()).collect();
        let message = match names.is_empty() {
            true => format!("{name:?} is no goal: the site has none; [[site.goal]] in the configuration makes one"),
            false => format!("goal {}", unknown(name, &names)),
        };
        Unfit::new(at, message)
    })
}

/// The events of a filter, or of the goal whose name stands in its place.
pub fn read(json: &Value, at: &str, goals: &[Goal]) -> Result<Filter, Unfit> {
    match json {
        Value::String(name) => named(goals, name, at).map(|goal| goal.filter.clone()),
        json => filter::read(json, at, goals),
    }
}
