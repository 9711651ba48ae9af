//! The composition: the steps of normalizing, in their order.
//! - Each step reads what those before it wrote; none reads what comes after.

use super::context::Context;
use super::draft::Draft;
use super::page::QueryOrigin;
use super::site::{DEFAULT_SITE, SiteRules};
use super::source::{self, Origin};
use super::{Notes, Reason, Rejection, action, fingerprint, fit, gather, page, path, referer, time, who};
use crate::clock::Millis;
use crate::event::{Event, Known, RawEvent, Text, Value};

const DAY_MS: i64 = 86_400_000;

/// Makes an event of what a sender said, or says why not.
///
/// The event holds `@timestamp`, `received_at`, `site`, `day`, `action` and `channel`, and whatever else applies; no
/// increments, no address, no query string.
pub fn normalize(raw: RawEvent, context: &Context<'_>, notes: &mut Notes) -> Result<Event, Rejection> {
    let mut draft = gather::gather(raw, context, notes)?;
    let site = site(&mut draft, context)?;
    let rules = context.sites.get(&site);
    if !rules.takes_from(context.sender.origin) {
        let text = format!("site is {site:?}: it takes no events from pages of this origin");
        return Err(Rejection::of_key(Reason::Site, "site", text));
    }
    let at = moment(&draft, rules, context, notes)?;
    let day = rules.day(at);
    let query = page::resolve(&mut draft, rules, context.limits, notes);
    own_referer(&mut draft, rules, notes);
    let route = page::route(&mut draft, rules, context.limits, notes);
    act(&mut draft, rules, route, context, notes);
    who::resolve(&mut draft, rules, &site, day, context, notes)?;
    origin(&mut draft, &query, notes);
    check_lengths(&draft, context)?;
    draft.name_moved();
    cut(&mut draft, context, notes);
    draft.set(Known::Timestamp, Value::Int(at));
    draft.set(Known::ReceivedAt, Value::Int(context.sender.received_at));
    draft.set(Known::Site, Value::text(site));
    draft.set(Known::Day, Value::Int(i64::from(day.0)));
    let is_error = draft.text(Known::Action) == Some("error");
    let mut event = draft.into_event();
    if is_error && let Some(print) = fingerprint::of(&event, route.map(super::routes::Route::pattern)) {
        event.set(Known::Fingerprint, Value::hash(print));
    }
    Ok(event)
}

/// The event's own site, where its key may write to it; else the key's, else `default`.
fn site(draft: &mut Draft, context: &Context<'_>) -> Result<Text, Rejection> {
    let sender = &context.sender;
    let named = match draft.take(Known::Site) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    };
    if let Some(name) = &named {
        check_length("site", name, context.limits.site_bytes_max)?;
    }
    match (named, sender.site) {
        (Some(name), Some(of_key)) if sender.site_forced && &*name != of_key => {
            let text = format!("site is {name:?}: the key may write to {of_key:?} alone");
            Err(Rejection::of_key(Reason::Site, "site", text))
        }
        (Some(name), _) => Ok(name),
        (None, of_key) => Ok(of_key.unwrap_or(DEFAULT_SITE).into()),
    }
}

/// When it happened, by the receiver's clock where the sender doubts its own; within the range that is taken.
fn moment(draft: &Draft, rules: &SiteRules, context: &Context<'_>, notes: &mut Notes) -> Result<Millis, Rejection> {
    let received_at = context.sender.received_at;
    let refuse = |text: String| Rejection::of_key(Reason::Time, "@timestamp", text);
    let said = match (&draft.time, draft.protocol_time) {
        (Some(value), _) => time::read(value).ok_or_else(|| {
            let kind = fit::kind(value);
            refuse(format!("@timestamp is {kind} that names no time: RFC 3339 with an offset, or a number since 1970"))
        })?,
        (None, Some(said)) => {
            notes.add("time", Some("@timestamp"), || "its protocol says so".to_owned());
            said
        }
        (None, None) => return Ok(received_at),
    };
    let at = match draft.sent_at {
        Some(sent_at) => {
            notes.add("time", Some("@timestamp"), || format!("corrected by {} ms", received_at - sent_at));
            time::corrected(said, sent_at, received_at)
        }
        None => said,
    };
    let ahead_max = i64::try_from(context.limits.ahead_max.as_millis()).unwrap_or(i64::MAX);
    if at > received_at.saturating_add(ahead_max) {
        let hours = ahead_max / 3_600_000;
        return Err(refuse(format!("@timestamp lies more than {hours} h ahead of its receipt: that is the limit")));
    }
    if !time::is_date(at) {
        return Err(refuse("@timestamp lies outside the years -9999 to 9999 by the sender's clock".to_owned()));
    }
    match rules.retention_days {
        Some(days) if at < received_at.saturating_sub(i64::from(days) * DAY_MS) => {
            Err(refuse(format!("@timestamp is older than the retention of {days} days")))
        }
        _ => Ok(at),
    }
}

/// Normalizes the referer; one of the event's own host or the site's is none.
fn own_referer(draft: &mut Draft, rules: &SiteRules, notes: &mut Notes) {
    let Some(Value::Text(text)) = draft.take(Known::Referer) else { return };
    let Some(normal) = referer::normalize(&text) else {
        let kept = Value::text(gather::without_query(&text));
        return gather::move_aside(draft, "referer".into(), kept, "it is no address of a page", notes);
    };
    let host = referer::host_of(&normal);
    let is_own = |own: &str| referer::host_of(path::bare_host(own)).eq_ignore_ascii_case(host);
    if draft.text(Known::UrlHost).is_some_and(is_own) || rules.hosts.iter().any(|own| is_own(own)) {
        return notes.add("dropped", Some("referer"), || format!("{host} is the site itself"));
    }
    draft.set(Known::Referer, Value::text(normal));
}

/// Decides the action where the sender does not.
fn act(
    draft: &mut Draft,
    rules: &SiteRules,
    route: Option<&super::routes::Route>,
    context: &Context<'_>,
    notes: &mut Notes,
) {
    if draft.known(Known::Action).is_none() {
        let decision = action::decide(draft, context.sender.receiver, rules, route);
        notes.add("action", Some("action"), || format!("{}: {}", decision.action, decision.because));
        draft.set(Known::Action, Value::text(decision.action));
        if let Some((known, text)) = decision.adds.filter(|(known, _)| draft.known(*known).is_none()) {
            draft.set(known, Value::text(text));
        }
    } else {
        notes.add("action", Some("action"), || "the sender says so".to_owned());
    }
    if draft.text(Known::Action) == Some("download") && draft.known(Known::Format).is_none() {
        let format = action::default_format(draft.text(Known::Path));
        draft.set(Known::Format, Value::text(format));
    }
}

/// Where somebody came from.
fn origin(draft: &mut Draft, query: &QueryOrigin, notes: &mut Notes) {
    let origin = Origin {
        utm_source: draft.text(Known::UtmSource),
        utm_medium: draft.text(Known::UtmMedium),
        utm_campaign: draft.text(Known::UtmCampaign),
        source_parameter: query.source.as_deref(),
        ref_parameter: query.reference.as_deref(),
        referer: draft.text(Known::Referer),
        click_id: query.click_id,
    };
    let source = source::source_of(&origin).map(str::to_owned);
    let channel = source::channel_of(&origin).name();
    notes.add("source", Some("source"), || match &source {
        Some(source) => format!("{source}: {}", because_of(&origin)),
        None => "none: no campaign, no parameter, no referer".to_owned(),
    });
    notes.add("channel", Some("channel"), || channel.to_owned());
    draft.set(Known::Channel, Value::text(channel));
    if let Some(source) = source {
        draft.set(Known::Source, Value::text(source));
    }
}

fn because_of(origin: &Origin<'_>) -> &'static str {
    if origin.utm_source.is_some() {
        "utm_source says so"
    } else if origin.source_parameter.is_some() {
        "the parameter source says so"
    } else if origin.ref_parameter.is_some() {
        "the parameter ref says so"
    } else {
        "the referer's host"
    }
}

/// What must not be cut is refused where it is too long.
fn check_lengths(draft: &Draft, context: &Context<'_>) -> Result<(), Rejection> {
    let limits = context.limits;
    let rows = [
        // Before `id`, which is the path where the sender gives none: the message names what was sent.
        (Known::Path, limits.id_bytes_max),
        (Known::Id, limits.id_bytes_max),
        (Known::EventId, limits.event_id_bytes_max),
        (Known::User, limits.user_bytes_max),
        (Known::Action, limits.action_bytes_max),
    ];
    rows.into_iter().try_for_each(|(known, bytes_max)| match draft.text(known) {
        Some(text) => check_length(known.name(), text, bytes_max),
        None => Ok(()),
    })
}

fn check_length(key: &str, text: &str, bytes_max: usize) -> Result<(), Rejection> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    let text = format!("{key} is a text of {} bytes: the limit is {bytes_max}", text.len());
    Err(Rejection::of_key(Reason::TooLong, key, text))
}

/// Cuts all other text, and says so on the event.
fn cut(draft: &mut Draft, context: &Context<'_>, notes: &mut Notes) {
    let mut any = false;
    for (known, name, value) in draft.values() {
        let bytes_max = fit::text_bytes_max(known, context.limits);
        if fit::cut(value, bytes_max) {
            let name = known.map(Known::name).or(name);
            notes.add("cut", name, || format!("longer than {bytes_max} bytes"));
            any = true;
        }
    }
    if any {
        draft.set(Known::Truncated, Value::Bool(true));
    }
}
