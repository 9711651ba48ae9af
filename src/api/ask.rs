//! Asking: the parameters that questions share: site, range, zone, bots, `where`.
//! - A value that does not fit is a 400 that says which and what would fit.

use super::Parts;
use super::questions::refused;
use crate::clock::Millis;
use crate::event::Key;
use crate::http::query::Parameters;
use crate::http::{Caller, InputError, Problem, Type};
use crate::query;
use crate::query::dates::{self, When};
use crate::query::goal::Goal;
use crate::query::meta::{BOTS, damaged_days};
use crate::query::unfit::Unfit;
use crate::report::funnels::definition::Definition;
use crate::store::Store;
use crate::store::plan::{Bots, Filter};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// The parameters that every question takes.
pub(super) const SHARED: [&str; 8] = ["site", "from", "to", "range", "tz", "bots", "where", "partial"];

/// Bytes of a site's name at the most.
pub(super) const SITE_BYTES_MAX: usize = 64;

/// What every question says.
#[derive(Debug)]
pub(super) struct Asked {
    pub site: String,
    pub site_zone: TimeZone,
    pub when: When,
    pub bots: Bots,
    /// What `where` says; all events where it says nothing.
    pub only: Filter,
    pub wanted: Wanted,
}

/// What is to be answered where something of the range is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing: the question is refused.
    Whole,
    /// What is sound.
    Sound,
}

impl Wanted {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Problem> {
        parameters.choice("partial", &[("true", Self::Sound), ("false", Self::Whole)], Self::Whole)
    }

    /// The store to be asked.
    pub(super) fn store(self, parts: &Parts) -> &dyn Store {
        match self {
            Self::Whole => &*parts.store,
            Self::Sound => &*parts.sound,
        }
    }
}

/// The header of an answer that lacks something: the days, for the forms that have no `meta`.
const DAMAGED: HeaderName = HeaderName::from_static("x-metronome-damaged-days");

/// Says on an answer which days of its range it lacks something of.
pub(super) fn marked(mut response: Response, damaged: &[String]) -> Response {
    if !damaged.is_empty()
        && let Ok(days) = HeaderValue::from_str(&damaged.join(", "))
    {
        response.headers_mut().insert(DAMAGED, days);
    }
    response
}

impl Asked {
    pub(super) async fn read(parts: &Parts, caller: &Caller, parameters: &Parameters) -> Result<Self, Problem> {
        let site = caller.site(parameters.get("site"))?;
        if site.len() > SITE_BYTES_MAX {
            return Err(Problem::invalid("site", format!("site is longer than {SITE_BYTES_MAX} bytes")));
        }
        let site_zone = parts.sites.get(&site).zone.clone();
        let zone = parameters.get("tz").map_or_else(|| Ok(site_zone.clone()), |name| dates::zone(name, "tz"));
        Ok(Self {
            when: when(parameters, zone.map_err(unfit)?, parts.clock.now()).map_err(unfit)?,
            bots: parameters.choice("bots", &BOTS, Bots::Exclude)?,
            only: only(parts, &site, parameters.get("where")).await?,
            wanted: Wanted::read(parameters)?,
            site,
            site_zone,
        })
    }

    /// The same for a question that events answer: those of its range that are kept.
    pub(super) async fn of_events(parts: &Parts, caller: &Caller, parameters: &Parameters) -> Result<Self, Problem> {
        let mut asked = Self::read(parts, caller, parameters).await?;
        asked.when = parts.kept(&asked.site, asked.when, last_named(parameters)).await?;
        Ok(asked)
    }

    /// The days of the range that an answer from what is sound lacks something of.
    pub(super) async fn damaged(&self, parts: &Parts) -> Result<Vec<String>, Problem> {
        match self.wanted {
            Wanted::Whole => Ok(Vec::new()),
            Wanted::Sound => damaged_days(&*parts.sound, &self.when.range).await.map_err(|error| refused(&error)),
        }
    }

    /// Begins the range with the first day held, where it is all there is: what is cut by time must not begin long before.
    pub(super) async fn begin(&mut self, parts: &Parts) -> Result<(), Problem> {
        if self.when.is_all {
            let days = parts.ask("days", parts.store.days()).await?;
            self.when.begin_with(days.first().map(|state| state.day), &self.site_zone);
        }
        Ok(())
    }

    /// Whether the range is cut by another calendar than the site's.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.when.range.zone != self.site_zone
    }
}

/// The parameter that says where a range ends.
pub(super) fn last_named(parameters: &Parameters) -> &'static str {
    ["to", "range"].into_iter().find(|name| parameters.get(name).is_some()).unwrap_or("from")
}

/// What a question's parameters say of when.
fn when(parameters: &Parameters, zone: TimeZone, now: Millis) -> Result<When, Unfit> {
    let (from, to) = (parameters.get("from"), parameters.get("to"));
    match (parameters.get("range"), from.or(to)) {
        (Some(_), Some(_)) => Err(Unfit::new("range", "range and from or to exclude each other")),
        (word, None) => dates::word(word.unwrap_or(dates::DEFAULT), zone, now, "range"),
        (None, Some(_)) => dates::between((from, to), zone, now, ("from", "to")),
    }
}

/// The filter of a `where`.
async fn only(parts: &Parts, site: &str, text: Option<&str>) -> Result<Filter, Problem> {
    let Some(text) = text else { return Ok(Filter::All) };
    let json = query::json::read(text.as_bytes(), "where").map_err(unfit)?;
    let filter = query::filter::read(&json, "where", parts.goals(site)).map_err(unfit)?;
    parts.check_keys(&query::keys::of_filter(&filter, "where")).await?;
    Ok(filter)
}

impl Parts {
    /// The part of a range whose events are kept; refuses one that has none. What is still held is kept, whatever the clock
    /// says of it.
    pub(super) async fn kept(&self, site: &str, when: When, at: &str) -> Result<When, Problem> {
        let rules = self.sites.get(site);
        let Some(days) = rules.retention_days else { return Ok(when) };
        let first = dates::first_kept(self.clock.now(), &rules.zone, days);
        let held = self.ask("days", self.sound.days()).await?.first().map(|state| state.day);
        when.kept(Some(held.map_or(first, |held| held.min(first))), at).map_err(unfit)
    }

    /// The goals of a site.
    pub(super) fn goals(&self, site: &str) -> &[Goal] {
        self.goals.get(site).map_or(&[], Vec::as_slice)
    }

    /// The funnels of a site, each with its name.
    pub(super) fn funnels(&self, site: &str) -> &[(String, Definition)] {
        self.funnels.get(site).map_or(&[], Vec::as_slice)
    }

    /// Refuses keys that no event has, each with its place in the question.
    pub(super) async fn check_keys(&self, keys: &[(Key, String)]) -> Result<(), Problem> {
        let unknown = self.keys.unknown(&*self.sound, keys).await.map_err(|error| refused(&error))?;
        if unknown.is_empty() { Ok(()) } else { Err(unfits(unknown)) }
    }
}

/// What does not fit, in the wire's words.
pub(super) fn unfit(unfit: Unfit) -> Problem {
    unfits(vec![unfit])
}

/// All that does not fit, in the wire's words.
pub(super) fn unfits(unfits: Vec<Unfit>) -> Problem {
    let detail = unfits.first().map(|first| first.message.clone()).unwrap_or_default();
    let errors = unfits.into_iter().map(|unfit| InputError { at: unfit.at.as_str().into(), message: unfit.message });
    Problem::new(Type::InvalidInput, detail).with_errors(errors.collect())
}

/// Parameters of a question: the shared ones and its own.
pub(super) fn known<'a>(own: &[&'a str]) -> Vec<&'a str> {
    SHARED.iter().chain(own).copied().collect()
}

/// The names in a list, each once, in order; an unknown one is refused.
pub(super) fn listed<T: Copy>(name: &'static str, text: &str, words: &[(&'static str, T)]) -> Result<Vec<T>, Problem> {
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let Some((word, choice)) = words.iter().find(|(known, _)| *known == word) else {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            return Err(Problem::invalid(name, format!("{name}: {}", crate::http::query::unknown(word, &known))));
        };
        if seen.insert(*word) {
            chosen.push(*choice);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
