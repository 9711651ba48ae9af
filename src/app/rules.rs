//! Rules: the configuration in the words of each room.

use super::AppError;
use crate::config::{self, Config};
use crate::indexer::ZoneOf;
use crate::normalize::routes::Route;
use crate::normalize::site::DEFAULT_SITE;
use crate::normalize::{Gpc, Limits, SiteRules, Sites};
use crate::query::filter;
use crate::query::goal::{Goal, Goals};
use crate::store::embedded::EmbeddedOptions;
use crate::{ingest, journal};
use std::sync::Arc;

/// The rules of every site.
pub(super) fn sites(config: &Config) -> Result<Sites, AppError> {
    let mut others = SiteRules::named(DEFAULT_SITE);
    others.gpc = gpc(config.privacy.gpc);
    others.retention_days = config.retention.days;
    let rules = |site: &config::Site| site_rules(site, config.retention.days);
    Ok(Sites::new(config.sites.iter().map(rules).collect::<Result<_, _>>()?, others))
}

/// The goals of every site.
pub(super) fn goals(config: &Config) -> Result<Goals, AppError> {
    let of_site = |site: &config::Site| {
        let goals = site.goals.iter().map(|goal| goal_of(site, goal));
        Ok((site.name.clone(), goals.collect::<Result<_, AppError>>()?))
    };
    config.sites.iter().map(of_site).collect()
}

fn goal_of(site: &config::Site, goal: &config::Goal) -> Result<Goal, AppError> {
    let filter = filter::read(&goal.filter, "filter", &[]).map_err(|unfit| AppError::Goal {
        site: site.name.clone(),
        goal: goal.name.clone(),
        why: format!("{}: {}", unfit.at, unfit.message),
    })?;
    Ok(Goal { name: goal.name.clone(), filter })
}

fn site_rules(site: &config::Site, retention_days: Option<u32>) -> Result<SiteRules, AppError> {
    let bad = |why: String| AppError::Route { site: site.name.clone(), why };
    let mut rules = SiteRules::named(&site.name);
    rules.zone = site.zone.clone();
    rules.hosts.clone_from(&site.hosts);
    rules.origins.clone_from(&site.origins);
    rules.kept_parameters.extend(site.query_parameters.iter().cloned());
    rules.path_parameters.clone_from(&site.path_parameters);
    rules.hash_routes = site.hash_routes;
    rules.search_parameter.clone_from(&site.search_parameter);
    rules.gpc = gpc(site.gpc);
    // The stricter of the two: what the store has dropped cannot be taken again.
    rules.retention_days = [site.retention_days, retention_days].into_iter().flatten().min();
    if let Some(extensions) = &site.download_extensions {
        rules.download_extensions = extensions.iter().map(|extension| extension.to_lowercase()).collect();
    }
    rules.internal_networks.clone_from(&site.internal_networks);
    let routes = site.routes.iter().map(|route| {
        Route::new(route.method.as_deref(), &route.path, route.action.as_deref())
            .map_err(|error| bad(error.to_string()))
    });
    rules.routes = routes.collect::<Result<_, _>>()?;
    Ok(rules)
}

fn gpc(gpc: config::Gpc) -> Gpc {
    match gpc {
        config::Gpc::Count => Gpc::Count,
        config::Gpc::Drop => Gpc::Drop,
        config::Gpc::Ignore => Gpc::Ignore,
    }
}

/// The zone of every site's days.
pub(super) fn zones(sites: &Arc<Sites>) -> ZoneOf {
    let sites = Arc::clone(sites);
    Arc::new(move |site| sites.get(site).zone.clone())
}

/// The bounds of an event.
pub(super) fn limits(config: &Config) -> Limits {
    let config::Limits { event_bytes_max, keys_max, depth_max, .. } = config.limits;
    Limits { event_bytes_max, keys_max, depth_max, ..Limits::default() }
}

/// The bounds of the write path.
pub(super) fn ingest(config: &Config) -> ingest::Options {
    ingest::Options { batch_events_max: config.limits.batch_events_max, ..ingest::Options::default() }
}

/// The journal's bounds; it goes on behind what the store holds.
pub(super) fn journal(config: &Config, position_min: u64) -> journal::Options {
    let config::Journal { bytes_max, segment_bytes_max } = config.journal;
    let defaults = journal::Options::default();
    let half = usize::try_from(segment_bytes_max / 2).unwrap_or(usize::MAX);
    let record_bytes_max = defaults.record_bytes_max.min(half);
    journal::Options { segment_bytes_max, bytes_max, record_bytes_max, position_min, ..defaults }
}

/// The embedded store's bounds.
pub(super) fn store(config: &Config) -> EmbeddedOptions {
    let config::Store { commit_every, commit_events_max, .. } = config.store;
    EmbeddedOptions { commit_every, commit_events_max, ..EmbeddedOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goals(filter: &str) -> Result<Goals, AppError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("[[site]]\nname = \"a\"\n[[site.goal]]\nname = \"signup\"\nfilter = {filter}");
        std::fs::write(file.path(), text).unwrap();
        super::goals(&config::load(Some(file.path()), std::iter::empty()).unwrap())
    }

    #[test]
    fn goals_are_read_at_the_start_and_a_bad_filter_is_named() {
        let read = goals("[\"is\", \"action\", [\"signup\"]]").unwrap();
        assert_eq!(read["a"][0].filter, crate::store::plan::Filter::is(crate::event::Known::Action, "signup"));
        let error = goals("[\"iz\", \"action\", [\"signup\"]]").unwrap_err().to_string();
        assert!(error.contains("site a: goal signup: filter") && error.contains("did you mean"), "{error}");
    }
}
