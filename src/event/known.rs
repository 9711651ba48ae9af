//! The canonical keys: their names, in the order of their numbers, and the shape of each.
//! - The order is part of the journal's format: new keys go to the end, none is ever taken out.
//! - Adding a key is one variant and one row; a test holds the two together.

use super::{Day, Value};
use serde::{Deserialize, Serialize};

/// What a canonical key's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One [`Value::Text`].
    Text,
    /// One or several texts.
    Texts,
    /// A [`Value::Int`].
    Int,
    /// Any number: [`Value::Int`], [`Value::Uint`] or [`Value::Float`].
    Number,
    /// A [`Value::Bool`].
    Bool,
    /// Milliseconds since 1970 as [`Value::Int`]; RFC 3339 with ms for readers.
    Time,
    /// Days since 1970 as [`Value::Int`]; `YYYY-MM-DD` for readers.
    Day,
    /// A 64-bit hash by [`Value::hash`]; 16 hex digits for readers.
    Hash,
}

impl Shape {
    /// The text form of a value of this shape, as it is grouped, filtered and shown.
    pub fn text(self, value: &Value) -> String {
        match (self, value) {
            (Self::Time, Value::Int(ms)) => time_text(*ms),
            (Self::Day, Value::Int(day)) => Day(i32::try_from(*day).unwrap_or(i32::MAX)).to_string(),
            (Self::Hash, Value::Int(hash)) => format!("{hash:016x}"),
            (Self::Hash, Value::Uint(hash)) => format!("{hash:016x}"),
            _ => value.as_text().into_owned(),
        }
    }

    /// The JSON of a value of this shape.
    pub fn json(self, value: &Value) -> serde_json::Value {
        match self {
            Self::Time | Self::Day | Self::Hash => self.text(value).into(),
            _ => value.json(),
        }
    }
}

/// RFC 3339 in UTC with milliseconds; times outside the years −9999 to 9999 as the number itself.
fn time_text(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => ms.to_string(),
    }
}

/// A key with a meaning.
#[allow(missing_docs)] // the table below says it all, and the events page defines each
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Known {
    Timestamp,
    ReceivedAt,
    Site,
    Day,
    EventId,
    Action,
    Id,
    Path,
    UrlHost,
    Title,
    Format,
    Status,
    Method,
    Bytes,
    DurationMs,
    Host,
    Type,
    Tags,
    Message,
    Referer,
    User,
    Visitor,
    ViewId,
    EngagedMs,
    ScrollGain,
    EngageStart,
    TtfbMs,
    FcpMs,
    LcpMs,
    InpMs,
    Cls,
    LoadMs,
    ErrorType,
    Stack,
    Release,
    Value,
    Currency,
    Interactive,
    Search,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    Source,
    Channel,
    Browser,
    BrowserVersion,
    Os,
    Device,
    Bot,
    Country,
    Region,
    City,
    Fingerprint,
    Tag,
    Index,
    Truncated,
    UserAgent,
    Extra,
    Visit,
    VisitAt,
    Entry,
    EntryId,
    VisitorStart,
    VisitStart,
    Engaged,
    VisitMs,
    Previous,
    DwellMs,
    Counted,
    Unique,
    OwnOrigin,
}

const TABLE: &[(Known, &str, Shape)] = &[
    (Known::Timestamp, "@timestamp", Shape::Time),
    (Known::ReceivedAt, "received_at", Shape::Time),
    (Known::Site, "site", Shape::Text),
    (Known::Day, "day", Shape::Day),
    (Known::EventId, "event_id", Shape::Text),
    (Known::Action, "action", Shape::Text),
    (Known::Id, "id", Shape::Text),
    (Known::Path, "path", Shape::Text),
    (Known::UrlHost, "url_host", Shape::Text),
    (Known::Title, "title", Shape::Text),
    (Known::Format, "format", Shape::Text),
    (Known::Status, "status", Shape::Int),
    (Known::Method, "method", Shape::Text),
    (Known::Bytes, "bytes", Shape::Number),
    (Known::DurationMs, "duration_ms", Shape::Number),
    (Known::Host, "host", Shape::Text),
    (Known::Type, "type", Shape::Text),
    (Known::Tags, "tags", Shape::Texts),
    (Known::Message, "message", Shape::Text),
    (Known::Referer, "referer", Shape::Text),
    (Known::User, "user", Shape::Text),
    (Known::Visitor, "visitor", Shape::Hash),
    (Known::ViewId, "view_id", Shape::Text),
    (Known::EngagedMs, "engaged_ms", Shape::Number),
    (Known::ScrollGain, "scroll_gain", Shape::Number),
    (Known::EngageStart, "engage_start", Shape::Int),
    (Known::TtfbMs, "ttfb_ms", Shape::Number),
    (Known::FcpMs, "fcp_ms", Shape::Number),
    (Known::LcpMs, "lcp_ms", Shape::Number),
    (Known::InpMs, "inp_ms", Shape::Number),
    (Known::Cls, "cls", Shape::Number),
    (Known::LoadMs, "load_ms", Shape::Number),
    (Known::ErrorType, "error_type", Shape::Text),
    (Known::Stack, "stack", Shape::Text),
    (Known::Release, "release", Shape::Text),
    (Known::Value, "value", Shape::Number),
    (Known::Currency, "currency", Shape::Text),
    (Known::Interactive, "interactive", Shape::Bool),
    (Known::Search, "search", Shape::Text),
    (Known::UtmSource, "utm_source", Shape::Text),
    (Known::UtmMedium, "utm_medium", Shape::Text),
    (Known::UtmCampaign, "utm_campaign", Shape::Text),
    (Known::UtmTerm, "utm_term", Shape::Text),
    (Known::UtmContent, "utm_content", Shape::Text),
    (Known::Source, "source", Shape::Text),
    (Known::Channel, "channel", Shape::Text),
    (Known::Browser, "browser", Shape::Text),
    (Known::BrowserVersion, "browser_version", Shape::Text),
    (Known::Os, "os", Shape::Text),
    (Known::Device, "device", Shape::Text),
    (Known::Bot, "bot", Shape::Text),
    (Known::Country, "country", Shape::Text),
    (Known::Region, "region", Shape::Text),
    (Known::City, "city", Shape::Text),
    (Known::Fingerprint, "fingerprint", Shape::Hash),
    (Known::Tag, "tag", Shape::Text),
    (Known::Index, "index", Shape::Text),
    (Known::Truncated, "truncated", Shape::Bool),
    (Known::UserAgent, "user_agent", Shape::Text),
    (Known::Extra, "extra", Shape::Text),
    (Known::Visit, "visit", Shape::Hash),
    (Known::VisitAt, "visit_at", Shape::Time),
    (Known::Entry, "entry", Shape::Text),
    (Known::EntryId, "entry_id", Shape::Text),
    (Known::VisitorStart, "visitor_start", Shape::Int),
    (Known::VisitStart, "visit_start", Shape::Int),
    (Known::Engaged, "engaged", Shape::Int),
    (Known::VisitMs, "visit_ms", Shape::Int),
    (Known::Previous, "previous", Shape::Text),
    (Known::DwellMs, "dwell_ms", Shape::Int),
    (Known::Counted, "counted", Shape::Int),
    (Known::Unique, "unique", Shape::Int),
    (Known::OwnOrigin, "own_origin", Shape::Text),
];

impl Known {
    /// Every canonical key in the order of their numbers.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The key of this name.
    pub fn named(name: &str) -> Option<Self> {
        static BY_NAME: std::sync::LazyLock<std::collections::HashMap<&str, Known>> =
            std::sync::LazyLock::new(|| TABLE.iter().map(|(known, name, _)| (*name, *known)).collect());
        BY_NAME.get(name).copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What its value looks like.
    pub fn shape(self) -> Shape {
        TABLE[self as usize].2
    }

    /// Whether `indexer` writes it: the increments, and what is the same for all events of a visit.
    pub fn is_increment(self) -> bool {
        self >= Self::Visit
    }
}
