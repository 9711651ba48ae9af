//! Rules: the configuration in the words of each room.

use super::AppError;
use crate::config::{self, Config};
use crate::event::Known;
use crate::indexer::ZoneOf;
use crate::normalize::routes::Route;
use crate::normalize::site::DEFAULT_SITE;
use crate::normalize::{Gpc, Limits, SiteRules, Sites};
use crate::query::goal::{Goal, Goals};
use crate::query::unfit::Unfit;
use crate::query::{filter, names};
use crate::report::funnels::definition::{Definition, Funnels, Words};
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
    let goal = |goal: &config::Goal| {
        let filter = filter::read(&goal.filter, "filter", &[])?;
        let value = goal.value.as_deref().map_or(Ok(Known::Value.into()), names::key);
        let value = value.map_err(|message| Unfit::new("value", message))?;
        Ok(Goal { name: goal.name.clone(), filter, value })
    };
    let of_site = |site: &config::Site| {
        let goals = site.goals.iter().map(|each| goal(each).map_err(|unfit| misread(site, "goal", &each.name, unfit)));
        Ok((site.name.clone(), goals.collect::<Result<_, AppError>>()?))
    };
    config.sites.iter().map(of_site).collect()
}

/// The funnels of every site.
pub(super) fn funnels(config: &Config, goals: &Goals) -> Result<Funnels, AppError> {
    let funnel = |funnel: &config::Funnel, goals: &[Goal]| {
        let strict = funnel.strict.map(|strict| strict.to_string());
        Definition::of(&funnel.steps, goals)?.with(Words {
            window: funnel.window.as_deref(),
            strict: strict.as_deref(),
            over: funnel.over.as_deref(),
            by: funnel.by.as_deref(),
        })
    };
    let of_site = |site: &config::Site| {
        let goals = goals.get(&site.name).map_or(&[][..], Vec::as_slice);
        let named = site.funnels.iter().map(|each| match funnel(each, goals) {
            Ok(definition) => Ok((each.name.clone(), definition)),
            Err(unfit) => Err(misread(site, "funnel", &each.name, unfit)),
        });
        Ok((site.name.clone(), named.collect::<Result<_, AppError>>()?))
    };
    config.sites.iter().map(of_site).collect()
}

fn misread(site: &config::Site, what: &str, name: &str, unfit: Unfit) -> AppError {
    AppError::Site { site: site.name.clone(), why: format!("{what} {name}: {}: {}", unfit.at, unfit.message) }
}

fn site_rules(site: &config::Site, retention_days: Option<u32>) -> Result<SiteRules, AppError> {
    let bad = |why: String| AppError::Site { site: site.name.clone(), why };
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
    use crate::event::Key;
    use crate::report::funnels::Over;
    use crate::report::funnels::run::Between;
    use crate::store::plan::Filter;
    use std::time::Duration;

    fn config(text: &str) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[[site]]\nname = \"a\"\n{text}")).unwrap();
        config::load(Some(file.path()), std::iter::empty()).unwrap()
    }

    const SIGNUP: &str = "[[site.goal]]\nname = \"signup\"\nfilter = [\"is\", \"action\", [\"signup\"]]\n";

    #[test]
    fn goals_are_read_at_the_start_and_a_bad_filter_is_named() {
        let read = goals(&config(SIGNUP)).unwrap();
        assert_eq!(read["a"][0].filter, Filter::is(Known::Action, "signup"));
        assert_eq!(read["a"][0].value, Known::Value.into());
        let read = goals(&config(&format!("{SIGNUP}value = \"price\""))).unwrap();
        assert_eq!(read["a"][0].value, Key::named("price"));
        let error = goals(&config(&format!("{SIGNUP}value = \"event:prize\""))).unwrap_err().to_string();
        assert!(error.contains("site a: goal signup: value: \"event:prize\""), "{error}");
        let error = goals(&config(&SIGNUP.replace("is", "iz"))).unwrap_err().to_string();
        assert!(error.contains("site a: goal signup: filter") && error.contains("did you mean"), "{error}");
    }

    #[test]
    fn funnels_are_read_at_the_start_and_what_does_not_fit_is_named() {
        let funnels = |funnel: &str| {
            let config = config(&format!("{SIGNUP}[[site.funnel]]\nname = \"f\"\n{funnel}"));
            super::funnels(&config, &goals(&config).unwrap())
        };
        let steps = "steps = [[\"exists\", \"path\"], \"signup\"]\n";
        let read = funnels(&format!("{steps}window = \"1h\"\nstrict = true\nover = \"visit\"\nby = \"event:page\""));
        let (name, funnel) = &read.unwrap()["a"][0];
        assert_eq!((name.as_str(), funnel.steps.len(), funnel.over), ("f", 2, Over::Visit));
        assert_eq!((funnel.window, funnel.between), (Some(Duration::from_secs(3_600)), Between::NoView));
        assert_eq!((&funnel.steps[1], &funnel.by), (&Filter::is(Known::Action, "signup"), &Some(Known::Path.into())));
        let table = [
            ("steps = [\"signup\"]".to_owned(), "steps are 1; there may be 2 to 20"),
            (
                "steps = [\"signup\", \"sign-up\"]".to_owned(),
                "steps[1]: goal \"sign-up\" is not known here; did you mean",
            ),
            ("steps = [\"signup\", [\"iz\", \"path\", [\"/\"]]]".to_owned(), "steps[1][0]: operator \"iz\""),
            (format!("{steps}window = \"half\""), "such as 30m"),
            (format!("{steps}over = \"item\""), "over is \"item\"; it may be visitor, visit, user"),
            (format!("{steps}by = \"visit:exit_page\""), "by: \"visit:exit_page\" is not had here"),
        ];
        for (funnel, says) in table {
            let error = funnels(&funnel).unwrap_err().to_string();
            assert!(error.starts_with("configuration: site a: funnel f: ") && error.contains(says), "{error}");
        }
    }
}
