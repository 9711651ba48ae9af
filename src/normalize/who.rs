//! Who sent an event: client, bot, place and visitor, out of address and user agent, which are dropped.
//! - The connection's own speak for `/tick` and the pixel alone, where the event brings neither.
//! - A library's agent on `/tick` is an application at work: no bot, and no visitor by the connection's address.
//! - No visitor without a salt, without an address, or where the person asked for none; a pseudonym needs neither of the
//!   first two.

use super::client::{self, Client, Device, Libraries};
use super::context::{Context, Receiver};
use super::draft::Draft;
use super::places::Place;
use super::site::{Gpc, SiteRules};
use super::visitor::{self, Traits, Who};
use super::{Notes, Reason, Rejection};
use crate::event::{Day, Known, Text, Value};
use std::net::IpAddr;
use std::sync::Arc;

/// Whom an event speaks of.
struct Person {
    ip: Option<IpAddr>,
    agent: Option<Text>,
    client: Arc<Client>,
    /// Whether the agent is a program that reports its own events.
    is_application: bool,
}

/// Writes client, bot, place and visitor.
pub(super) fn resolve(
    draft: &mut Draft,
    rules: &SiteRules,
    site: &str,
    day: Day,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Result<(), Rejection> {
    let person = person(draft, context);
    if let Some(ip) = person.ip
        && rules.is_internal(ip)
    {
        return Err(Rejection::new(Reason::InternalNetwork, "its address lies in a network that the site leaves out"));
    }
    let is_anonymous = privacy(draft, rules, context, notes)?;
    let is_bot = write_client(draft, &person, notes);
    let place = match (context.places, person.ip) {
        (Some(places), Some(ip)) => places.lookup(ip),
        _ => Place::default(),
    };
    let who = if is_bot { Who::Bot } else { Who::Person };
    let found = if is_anonymous {
        notes.add("visitor", None, || "none: the person asked not to be followed".to_owned());
        None
    } else {
        find_visitor(draft, &person, &place, who, site, day, context, notes)
    };
    if let Some(visitor) = found {
        draft.set(Known::Visitor, Value::hash(visitor));
    }
    for (known, text) in [(Known::Country, place.country), (Known::Region, place.region), (Known::City, place.city)] {
        if let Some(text) = text {
            draft.set(known, Value::text(text));
        }
    }
    if let Some(agent) = person.agent.filter(|_| context.keep_user_agent) {
        draft.set(Known::UserAgent, Value::Text(agent));
    }
    Ok(())
}

fn person(draft: &mut Draft, context: &Context<'_>) -> Person {
    let (mut ip, mut agent) = (draft.ip.take(), draft.agent.take());
    let by_connection = matches!(context.sender.receiver, Receiver::Tick | Receiver::Pixel);
    let brings_neither = ip.is_none() && agent.is_none();
    if by_connection && brings_neither {
        agent = context.sender.user_agent.filter(|agent| !agent.is_empty()).map(Text::from);
    }
    let client = agent.as_deref().map(client::read).unwrap_or_default();
    let is_application = client.library && by_connection;
    if by_connection && brings_neither && !is_application {
        ip = context.sender.ip;
    }
    Person { ip, agent, client, is_application }
}

/// Whether the event may have no visitor and no user.
fn privacy(draft: &mut Draft, rules: &SiteRules, context: &Context<'_>, notes: &mut Notes) -> Result<bool, Rejection> {
    if !context.sender.privacy_signal || rules.gpc == Gpc::Ignore {
        return Ok(false);
    }
    if rules.gpc == Gpc::Drop {
        let text = "the person asked not to be followed, and the site leaves such events out";
        return Err(Rejection::new(Reason::Privacy, text));
    }
    let (free, moved) = (draft.free.len(), draft.moved.len());
    // Nor under the name or in the place that a second user got.
    draft.free.retain(|(name, _)| name != "user.id");
    draft.moved.retain(|(name, _)| !matches!(name.as_str(), "user" | "visitor"));
    if draft.take(Known::User).is_some() || draft.free.len() < free || draft.moved.len() < moved {
        notes.add("dropped", Some("user"), || "the person asked not to be followed".to_owned());
    }
    Ok(true)
}

/// Writes what the user agent says; whether it is a bot.
fn write_client(draft: &mut Draft, person: &Person, notes: &mut Notes) -> bool {
    if person.agent.is_none() || person.is_application {
        let why = if person.is_application { "no: a library on /tick is an application" } else { "no: no user agent" };
        notes.add("bot", None, || why.to_owned());
        return false;
    }
    let libraries = if draft.is_access { Libraries::AreBots } else { Libraries::AreApplications };
    let client = &person.client;
    let (bot, device) = client.seen_as(libraries);
    let texts = [
        (Known::Browser, client.browser.as_deref()),
        (Known::BrowserVersion, client.browser_version.as_deref()),
        (Known::Os, client.os.as_deref()),
        (Known::Device, Some(Device::name(device))),
        (Known::Bot, bot),
    ];
    for (known, text) in texts {
        if let Some(text) = text {
            draft.set(known, Value::text(text));
        }
    }
    notes.add("bot", bot.map(|_| "bot"), || match bot {
        Some(name) => format!("yes: its user agent is {name}'s"),
        None => "no: its user agent is no known bot's".to_owned(),
    });
    bot.is_some()
}

#[allow(clippy::too_many_arguments)] // each goes into the hash
fn find_visitor(
    draft: &mut Draft,
    person: &Person,
    place: &Place,
    who: Who,
    site: &str,
    day: Day,
    context: &Context<'_>,
    notes: &mut Notes,
) -> Option<u64> {
    if let Some(pseudonym) = draft.pseudonym.take() {
        let Some(key) = context.salts.permanent(site) else {
            notes.add("visitor", None, || "none: the site has no permanent key".to_owned());
            return None;
        };
        let traits = Traits {
            browser: draft.text(Known::Browser),
            browser_version: draft.text(Known::BrowserVersion),
            os: draft.text(Known::Os),
            device: draft.text(Known::Device),
            country: place.country.as_deref(),
            region: place.region.as_deref(),
            city: place.city.as_deref(),
            bot: draft.text(Known::Bot),
        };
        notes.add("visitor", Some("visitor"), || "from the sender's pseudonym".to_owned());
        return Some(visitor::from_pseudonym(&key, site, &pseudonym, &traits, who));
    }
    let Some(ip) = person.ip else {
        notes.add("visitor", None, || "none: there is no address of a person, and no pseudonym".to_owned());
        return None;
    };
    let Some(salt) = context.salts.daily(site, day) else {
        notes.add("visitor", None, || format!("none: the salt of {day} is gone"));
        return None;
    };
    notes.add("visitor", Some("visitor"), || "from address and user agent".to_owned());
    Some(visitor::from_address(&salt, site, ip, person.agent.as_deref(), who))
}
