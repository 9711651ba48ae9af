//! The page of an event: its address taken apart, `path`, `id`, `url_host`, what the query says, and the routes.
//! - `path` under its own name wins over the address's; the address still gives host and query.
//! - Of a query only what the site keeps becomes keys; `source`, `ref` and click ids speak and are dropped.

use super::aliases::{Meaning, OTHERS, Target, meaning};
use super::draft::{Draft, PageAddress};
use super::gather::{move_aside, set_free};
use super::path::{self, Address};
use super::routes::Route;
use super::site::SiteRules;
use super::source::ClickId;
use super::{Limits, Notes, json};
use crate::event::{Known, Value};

/// What a query says of where somebody came from, beside what becomes keys.
#[derive(Debug, Default)]
pub(super) struct QueryOrigin {
    /// The parameter `source`.
    pub source: Option<String>,
    /// The parameter `ref`.
    pub reference: Option<String>,
    /// The first click id.
    pub click_id: Option<ClickId>,
}

/// Takes the addresses apart.
pub(super) fn resolve(draft: &mut Draft, rules: &SiteRules, limits: &Limits, notes: &mut Notes) -> QueryOrigin {
    let mut origin = QueryOrigin::default();
    let url = draft.url.take();
    if let Some(Value::Text(text)) = draft.take(Known::Path) {
        let address = path::split_path(&text);
        let page = path::page(&address, rules);
        let page = Value::text(page.into_owned());
        host_and_query(draft, &address, rules, limits, &mut origin, notes);
        draft.set(Known::Path, page);
    }
    if let Some(PageAddress { text, is_target }) = &url {
        let address = if *is_target { path::split_path(text) } else { path::split(text).unwrap_or_default() };
        host_and_query(draft, &address, rules, limits, &mut origin, notes);
        if draft.known(Known::Path).is_none() {
            draft.set(Known::Path, Value::text(path::page(&address, rules).into_owned()));
        }
    }
    if let Some(host) = draft.text(Known::UrlHost).map(path::host) {
        draft.set(Known::UrlHost, Value::text(host));
    }
    id(draft, rules);
    origin
}

/// One that begins with `/` is a path; else it stays, and without one the page is the item.
fn id(draft: &mut Draft, rules: &SiteRules) {
    let id = match draft.text(Known::Id) {
        Some(id) if id.starts_with('/') => path::page(&path::split_path(id), rules).into_owned(),
        Some(_) => return,
        None => match draft.text(Known::Path) {
            Some(path) => path.to_owned(),
            None => return,
        },
    };
    draft.set(Known::Id, Value::text(id));
}

fn host_and_query(
    draft: &mut Draft,
    address: &Address<'_>,
    rules: &SiteRules,
    limits: &Limits,
    origin: &mut QueryOrigin,
    notes: &mut Notes,
) {
    if let Some(host) = address.host.filter(|_| draft.is_vacant(Target::Key(Known::UrlHost))) {
        draft.set(Known::UrlHost, Value::text(host));
    }
    let Some(query) = address.query else { return };
    for (name, value) in path::parameters(query) {
        if origin.click_id.is_none() {
            origin.click_id = ClickId::of_parameter(&name);
        }
        if value.is_empty() {
            continue;
        }
        if rules.search_parameter.as_deref() == Some(&*name) {
            fill(draft, Known::Search, &value);
        } else if path::listed(&rules.kept_parameters, &name) {
            match &*name {
                "source" => drop(origin.source.get_or_insert_with(|| value.into_owned())),
                "ref" => drop(origin.reference.get_or_insert_with(|| value.into_owned())),
                _ => parameter(draft, &name, &value, limits, notes),
            }
        }
    }
}

fn fill(draft: &mut Draft, known: Known, text: &str) {
    if draft.known(known).is_none() {
        draft.set(known, Value::text(text));
    }
}

/// A parameter or a part of a path becomes a key, as if the sender had given it; the sender's own wins.
fn parameter(draft: &mut Draft, name: &str, text: &str, limits: &Limits, notes: &mut Notes) {
    if json::check_key(name, limits).is_err() || draft.free.len() >= limits.keys_max {
        return;
    }
    let value = Value::text(text);
    match meaning(name) {
        Some(Meaning::Own(target)) if draft.is_vacant(target) => {
            if let Err(value) = draft.put(target, value, false, 0) {
                move_aside(draft, name.into(), value, "it does not fit the key's meaning", notes);
            }
        }
        Some(Meaning::Other(at)) if draft.is_vacant(OTHERS[at].target) => {
            if let Err(value) = draft.put(OTHERS[at].target, value, false, OTHERS[at].digits) {
                set_free(draft, name.into(), value);
            }
        }
        Some(Meaning::Derived) if !draft.moved.iter().any(|(taken, _)| taken == name) => {
            move_aside(draft, name.into(), value, "it is worked out, never taken", notes);
        }
        Some(Meaning::Short(_)) | None if !draft.free.iter().any(|(taken, _)| taken == name) => {
            set_free(draft, name.into(), value);
        }
        _ => {}
    }
}

/// The route that the path matches; its names become keys.
pub(super) fn route<'r>(
    draft: &mut Draft,
    rules: &'r SiteRules,
    limits: &Limits,
    notes: &mut Notes,
) -> Option<&'r Route> {
    if rules.routes.is_empty() {
        return None;
    }
    let path = draft.text(Known::Path)?.to_owned();
    let method = draft.text(Known::Method).map(str::to_owned);
    let fits =
        |route: &&Route| route.method().is_none_or(|wanted| method.as_deref().is_none_or(|given| given == wanted));
    let (route, names) = rules.routes.iter().filter(fits).find_map(|route| Some((route, route.matches(&path)?)))?;
    notes.add("route", None, || format!("the path matches {}", route.pattern()));
    // Without an id of its own the event would have its path as id by now.
    let has_own_id = draft.text(Known::Id) != Some(path.as_str());
    for (name, part) in names {
        let text = percent_encoding::percent_decode_str(part).decode_utf8().unwrap_or(part.into());
        match name {
            "id" if has_own_id => {}
            "id" => draft.set(Known::Id, Value::text(text.into_owned())),
            "format" => parameter(draft, name, &text.to_ascii_lowercase(), limits, notes),
            _ => parameter(draft, name, &text, limits, notes),
        }
    }
    Some(route)
}
