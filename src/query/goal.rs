//! Goal: what a site wants its visitors to do, by a name, and what that is worth.

use super::filter;
use super::unfit::Unfit;
use crate::event::{Key, Known};
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
    /// The key of what each is worth.
    pub value: Key,
}

/// What conversions are counted of.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// The events.
    pub filter: Filter,
    /// The key of what each is worth; `None`: they are of several goals, which have different ones.
    pub value: Option<Key>,
}

impl Reached {
    /// Of goals together.
    pub fn any_of(goals: &[&Goal]) -> Self {
        let filter = match goals {
            [one] => one.filter.clone(),
            goals => Filter::Or(goals.iter().map(|goal| goal.filter.clone()).collect()),
        };
        let first = goals.first().map(|goal| &goal.value);
        Self { filter, value: first.filter(|value| goals.iter().all(|goal| goal.value == **value)).cloned() }
    }
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

/// The events of a filter, whose worth is `value`, or of the goal whose name stands in its place.
pub fn read(json: &Value, at: &str, goals: &[Goal]) -> Result<Reached, Unfit> {
    match json {
        Value::String(name) => named(goals, name, at).map(|goal| Reached::any_of(&[goal])),
        json => Ok(Reached { filter: filter::read(json, at, goals)?, value: Some(Known::Value.into()) }),
    }
}

/// The goal that a filter names at its top, and the filter without it. What does not fit is not told: the filter was read.
pub fn in_filter(json: &Value, goals: &[Goal]) -> Option<(Reached, Filter)> {
    let is_goal = |clause: &Value| clause[0] == "is" && clause[1] == "event:goal";
    let (clause, others) = match json {
        clause if is_goal(clause) => (clause.clone(), Vec::new()),
        Value::Array(clauses) => {
            let mut others = clauses.clone();
            (others.remove(clauses.iter().position(is_goal)?), others)
        }
        _ => return None,
    };
    let names = clause[2].as_array()?.iter();
    let of_names = names.map(|name| named(goals, name.as_str()?, "filters").ok()).collect::<Option<Vec<_>>>()?;
    Some((Reached::any_of(&of_names), filter::read(&Value::Array(others), "filters", goals).ok()?))
}
