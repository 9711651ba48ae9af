//! `/meta`: what there is to ask of a site: keys, metrics, dimensions, goals, funnels, the range held, what was not taken.

use super::Parts;
use super::ask::{Asked, SHARED};
use super::format::{Format, json};
use crate::event::{Known, Shape, Value as Held};
use crate::http::query::Parameters;
use crate::http::{Caller, Problem};
use crate::query::meta::Meta;
use crate::query::scope::of_site;
use crate::query::{metrics, names};
use crate::report::holdings;
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json as object};
use std::sync::Arc;

/// `GET /meta.json`.
pub(super) async fn meta(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    Format::split(uri.path())?;
    let parameters = Parameters::read(uri.query(), &SHARED)?;
    let asked = Asked::read(&parts, &caller, &parameters).await?;
    let (store, limits, range) = (asked.wanted.store(&parts), parts.questions.limits, &asked.when.range);
    let of_asked = of_site(&asked.site, asked.bots).and(asked.only.clone());
    let keys = parts.ask("meta", holdings::keys(store, &of_asked, range, limits)).await?;
    let held = parts.ask("meta", holdings::held(store, &asked.site, limits)).await?;
    let sites = match caller.bound() {
        Some(site) => vec![site.to_owned()],
        None => parts.ask("meta", holdings::sites(store, limits)).await?,
    };
    let days = parts.ask("days", store.days()).await?;
    let dirty: Vec<String> = days.iter().filter(|state| state.dirty).map(|state| state.day.to_string()).collect();
    let mut meta = parts.ask("days", Meta::of(store, &asked.site, range, asked.bots)).await?;
    meta.sums =
        Some(parts.ask("meta", holdings::sums(store, &asked.site, asked.only, range, asked.bots, limits)).await?);
    let (since, not_taken) = parts.metrics.rejected(caller.bound());
    let (filtered, rejected): (Vec<_>, Vec<_>) = not_taken.into_iter().partition(|count| count.is_filter);
    let time = |at: i64| -> Value { Shape::Time.text(&Held::Int(at)).into() };
    Ok(json(&object!({
        "sites": sites,
        "keys": keys,
        "metrics": metrics::NAMED.map(|(name, _)| name),
        "functions": metrics::FUNCTIONS,
        "times": names::TIMES.map(|(name, _)| name),
        "canonical_keys": Known::all().map(Known::name).collect::<Vec<_>>(),
        "funnels": parts.funnels(&asked.site).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        "goals": parts.goals(&asked.site).iter().map(|goal| goal.name.as_str()).collect::<Vec<_>>(),
        "held": held.map(|(first, last)| object!({"first": time(first), "last": time(last)})),
        "dirty_days": dirty,
        "rejected": rejected,
        "filtered": filtered,
        "counting_since": time(since),
        "meta": meta,
    })))
}
