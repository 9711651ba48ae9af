//! Gathering: a sender's names and values take their places in a draft.
//! - Canonical names first, then the names of others in the order of their tables, then the request's defaults.
//! - What loses keeps its own name, but addresses and user agents, which are used and dropped, and query strings, which
//!   are never kept.

use super::aliases::{ADDRESS_NAMES, Alias, Meaning, OTHERS, SHORT, Target, meaning};
use super::context::Context;
use super::draft::{Draft, read_ip};
use super::{Notes, Reason, Rejection, access, json, mask, time};
use crate::event::{Known, RawEvent, Text, Value};
use std::collections::HashSet;

/// A value under a name that others use.
#[derive(Debug)]
pub(super) struct Named {
    /// Its place in its table.
    pub rank: usize,
    /// Its row there.
    pub alias: &'static Alias,
    /// The value.
    pub value: Value,
}

/// All that a sender said, in its place.
pub(super) fn gather(raw: RawEvent, context: &Context<'_>, notes: &mut Notes) -> Result<Draft, Rejection> {
    check_names(&raw, context)?;
    let mut draft = Draft::empty();
    draft.protocol_time = raw.protocol_time;
    let (mut others, mut short) = (Vec::new(), Vec::new());
    let is_log = context.sender.receiver.is_log();
    for (name, value) in raw.fields {
        match meaning(&name) {
            Some(Meaning::Own(target)) => own(&mut draft, name, target, value, raw.typed, notes),
            Some(Meaning::Derived) => move_aside(&mut draft, name, value, "it is worked out, never taken", notes),
            Some(Meaning::Version) if is_version(&value) => {}
            Some(Meaning::Version) => move_aside(&mut draft, name, value, "the version is always 1", notes),
            Some(Meaning::Other(rank)) => insert(&mut others, rank, &OTHERS[rank], value),
            Some(Meaning::Short(rank)) if is_log => insert(&mut short, rank, &SHORT[rank], value),
            Some(Meaning::Short(_)) | None => set_free(&mut draft, name, value),
        }
    }
    others.sort_by_key(|named| named.rank);
    for named in others {
        take_other(&mut draft, named, raw.typed, notes);
    }
    if is_log {
        access::resolve(&mut draft, short, notes);
    }
    defaults(&mut draft, context, notes);
    Ok(draft)
}

/// Every key, however it came, keeps the rules of keys.
fn check_names(raw: &RawEvent, context: &Context<'_>) -> Result<(), Rejection> {
    let (limits, defaults) = (context.limits, context.sender.defaults);
    let names =
        || raw.fields.iter().map(|(name, _)| name.as_str()).chain(defaults.iter().map(|(name, _)| name.as_str()));
    for name in names() {
        json::check_key(name, limits)?;
    }
    if raw.fields.len() + defaults.len() <= limits.keys_max {
        return Ok(());
    }
    let different = names().collect::<HashSet<_>>().len();
    if different <= limits.keys_max {
        return Ok(());
    }
    let text = format!("the event has {different} keys: the limit is {}", limits.keys_max);
    Err(Rejection::new(Reason::TooManyKeys, text))
}

fn is_version(value: &Value) -> bool {
    matches!(value, Value::Int(1)) || matches!(value, Value::Text(text) if text.as_str() == "1")
}

fn own(draft: &mut Draft, name: Text, target: Target, value: Value, typed: bool, notes: &mut Notes) {
    let Err(value) = draft.put(target, value, typed, 0) else { return };
    move_aside(draft, name, keepable(target, value), "it does not fit the key's meaning", notes);
}

/// A value that does not fit, without what must not be kept: what is no address as a whole may still hold one, what is no
/// address of a page may still hold a query.
pub(super) fn keepable(target: Target, value: Value) -> Value {
    match (target, value) {
        (_, Value::List(members)) if matches!(target, Target::Ip | Target::Url) => {
            Value::List(members.into_iter().map(|member| keepable(target, member)).collect())
        }
        (Target::Ip, Value::Text(text)) => Value::text(mask::addresses(&text).into_owned()),
        (Target::Url, Value::Text(text)) => Value::text(without_query(&text)),
        (_, value) => value,
    }
}

pub(super) fn move_aside(draft: &mut Draft, name: Text, value: Value, why: &'static str, notes: &mut Notes) {
    notes.add("moved", Some(&name), || format!("kept as x.{name}: {why}"));
    draft.moved.retain(|(earlier, _)| *earlier != name);
    draft.moved.push((name, value));
}

/// Of duplicates the last stays.
fn insert(list: &mut Vec<Named>, rank: usize, alias: &'static Alias, value: Value) {
    list.retain(|named: &Named| named.rank != rank);
    list.push(Named { rank, alias, value });
}

/// Of duplicates the last stays: [`Draft::into_event`] sees to it.
pub(super) fn set_free(draft: &mut Draft, name: Text, value: Value) {
    draft.free.push((name, value));
}

fn take_other(draft: &mut Draft, named: Named, typed: bool, notes: &mut Notes) {
    let Named { alias, value, .. } = named;
    // Where the protocol says when it was, an application's own `timestamp` need not be one.
    let is_known = alias.target == Target::Time && draft.protocol_time.is_some() && time::read(&value).is_none();
    if is_known || !draft.is_vacant(alias.target) {
        return lose(draft, alias, value, notes);
    }
    match draft.put(alias.target, value, typed, alias.digits) {
        Ok(()) => note_name(alias, notes),
        Err(value) => lose(draft, alias, value, notes),
    }
}

pub(super) fn note_name(alias: &Alias, notes: &mut Notes) {
    notes.add("name", Some(target_name(alias.target)), || format!("given as {}", alias.name));
}

fn target_name(target: Target) -> &'static str {
    match target {
        Target::Key(known) => known.name(),
        Target::Time => "@timestamp",
        Target::SentAt => "sent_at",
        Target::Ip => "ip",
        Target::Agent => "user_agent",
        Target::Url | Target::Request => "url",
        Target::Pseudonym => "visitor",
    }
}

/// A name that lost keeps its value, without what must not be kept.
pub(super) fn lose(draft: &mut Draft, alias: &Alias, value: Value, notes: &mut Notes) {
    let value = match (alias.target, value) {
        (Target::Ip | Target::Agent, _) => {
            notes.add("dropped", Some(alias.name), || "addresses and user agents are never kept".to_owned());
            return;
        }
        (Target::Url | Target::Request | Target::Key(Known::Referer | Known::Path), Value::Text(text)) => {
            Value::text(without_query(&text))
        }
        (_, value) => value,
    };
    set_free(draft, alias.name.into(), value);
}

/// A text without what stands from a `?` to the next space.
pub(super) fn without_query(text: &str) -> String {
    let Some((before, after)) = text.split_once('?') else { return text.to_owned() };
    format!("{before}{}", after.find(' ').map_or("", |space| &after[space..]))
}

/// In an access line, keys that hold an address are dropped; in any other log line, short names of one that do.
pub(super) fn drop_addresses(draft: &mut Draft, notes: &mut Notes) {
    draft.free.retain(|(name, _)| {
        let drops = ADDRESS_NAMES.contains(&name.as_str());
        if drops {
            notes.add("dropped", Some(name), || "addresses are never kept".to_owned());
        }
        !drops
    });
}

/// Whether a value is the text of an address, or a list with one.
pub(super) fn is_address(value: &Value) -> bool {
    value.scalars().iter().any(|scalar| matches!(scalar, Value::Text(text) if read_ip(text).is_some()))
}

/// Query parameters of the request, for what the event does not say itself. Among themselves they keep the rules of
/// events: the last of a name, canonical names first, then the names of others in their order.
fn defaults(draft: &mut Draft, context: &Context<'_>, notes: &mut Notes) {
    let given = context.sender.defaults;
    let is_last = |at: usize| !given[at + 1..].iter().any(|(later, _)| *later == given[at].0);
    let read =
        given.iter().enumerate().filter(|(at, _)| is_last(*at)).map(|(_, (name, text))| (name, text, meaning(name)));
    // What the event says itself is no default's, under whatever name.
    let is_free = |meaning: &Option<Meaning>| match meaning {
        Some(Meaning::Own(target)) => draft.is_vacant(*target),
        Some(Meaning::Other(rank)) => draft.is_vacant(OTHERS[*rank].target),
        _ => true,
    };
    let mut left: Vec<_> = read.filter(|(_, _, meaning)| is_free(meaning)).collect();
    left.sort_by_key(|(_, _, meaning)| match meaning {
        Some(Meaning::Other(rank)) => 1 + rank,
        _ => 0,
    });
    for (name, text, meaning) in left {
        let (name, value) = (Text::from(name.as_str()), Value::text(text.as_str()));
        match meaning {
            Some(Meaning::Own(target)) => own(draft, name, target, value, false, notes),
            Some(Meaning::Other(rank)) => {
                take_other(draft, Named { rank, alias: &OTHERS[rank], value }, false, notes);
            }
            Some(Meaning::Derived) if !draft.moved.iter().any(|(taken, _)| *taken == name) => {
                move_aside(draft, name, value, "it is worked out, never taken", notes);
            }
            Some(Meaning::Short(_)) | None if !draft.free.iter().any(|(taken, _)| *taken == name) => {
                set_free(draft, name, value);
            }
            _ => {}
        }
    }
}
