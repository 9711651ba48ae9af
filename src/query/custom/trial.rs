//! Trial: a definition's query read before anyone asks it: with every default, and with each choice in its place.
//! - What differs from one site to the next is left open: goals are those of the site that it names, else of any site.

use super::{Definition, template};
use crate::clock::Millis;
use crate::query::goal::{Goal, Goals};
use crate::query::question::{Setting, site_of};
use crate::query::read::read;
use crate::query::unfit::Unfit;
use crate::store::plan::Limits;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;

impl Definition {
    /// Reads the query as it would be asked; all that does not fit is told.
    pub fn try_out(&self, goals: &Goals, now: Millis) -> Result<(), Vec<Unfit>> {
        let usual = self.parameters.iter().filter_map(|(name, parameter)| {
            let value = parameter.default.as_ref().or(parameter.example.as_ref())?;
            Some((name.as_str(), value.clone()))
        });
        let usual: BTreeMap<&str, Value> = usual.collect();
        self.read_with(&usual, goals, now).map_err(|unfit| {
            let placed = |unfit: Unfit| Unfit::new(format!("query.{}", unfit.at), unfit.message);
            unfit.into_iter().map(placed).collect::<Vec<_>>()
        })?;
        let mut unfit = Vec::new();
        for (name, parameter) in &self.parameters {
            for (place, choice) in parameter.choices.iter().enumerate() {
                let mut values = usual.clone();
                values.insert(name, parameter.alone(choice));
                let errors = self.read_with(&values, goals, now).err().unwrap_or_default();
                let at = format!("parameters.{name}.choices[{place}]");
                unfit.extend(
                    errors
                        .into_iter()
                        .map(|error| Unfit::new(&at, format!("with it, {}: {}", error.at, error.message))),
                );
            }
        }
        if unfit.is_empty() { Ok(()) } else { Err(unfit) }
    }

    fn read_with(&self, values: &BTreeMap<&str, Value>, goals: &Goals, now: Millis) -> Result<(), Vec<Unfit>> {
        let json = template::fill(&self.written["query"], values);
        let named = site_of(&json).map_err(|unfit| vec![unfit])?;
        let goals: Vec<Goal> = match named {
            Some(site) => goals.get(site).cloned().unwrap_or_default(),
            None => goals.values().flatten().cloned().collect(),
        };
        let site = named.unwrap_or("default").to_owned();
        let setting = Setting { site, site_zone: TimeZone::UTC, goals: &goals, now, limits: Limits::default() };
        read(&json, &setting).map(drop)
    }
}
