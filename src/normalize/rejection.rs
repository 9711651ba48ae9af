//! Rejection: why an event was not taken, for its sender and for the counts of the operator.
//! - The message names the key, the kind of value found and the limit; it is read by users.
//! - A message never repeats an address.

use crate::error::Kind;
use std::fmt;

/// The class of a rejection: the label of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The bytes are no JSON.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// Invalid UTF-8 or a lone surrogate.
    Encoding,
    /// A number beyond any 64-bit float.
    Number,
    /// One event beyond its bytes.
    EventTooLarge,
    /// Nested too deep.
    TooDeep,
    /// Too many keys.
    TooManyKeys,
    /// A key that is empty, too long or holds control characters.
    BadKey,
    /// A value that must not be cut is too long.
    TooLong,
    /// A time that is none, too far ahead, or older than the retention.
    Time,
    /// A write key of another site, or a page that may not write to it.
    Site,
    /// A log line that does not parse.
    Line,
    /// The person asked not to be counted, and the site heeds it by dropping.
    Privacy,
    /// From a network that the site leaves out.
    InternalNetwork,
}

impl Reason {
    /// The label in metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::Encoding => "encoding",
            Self::Number => "number",
            Self::EventTooLarge => "event_too_large",
            Self::TooDeep => "too_deep",
            Self::TooManyKeys => "too_many_keys",
            Self::BadKey => "bad_key",
            Self::TooLong => "too_long",
            Self::Time => "time",
            Self::Site => "site",
            Self::Line => "line",
            Self::Privacy => "privacy",
            Self::InternalNetwork => "internal_network",
        }
    }

    /// Whether it was left out as configured, and is no fault of its sender.
    pub fn is_filter(self) -> bool {
        matches!(self, Self::Privacy | Self::InternalNetwork)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// An event that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// Its class.
    pub reason: Reason,
    /// What is wrong, for the sender.
    pub message: String,
    /// The key concerned, where it is one.
    pub key: Option<String>,
}

impl Rejection {
    /// A rejection that concerns the whole event.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), key: None }
    }

    /// A rejection that concerns one key.
    pub fn of_key(reason: Reason, key: &str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), key: Some(key.to_owned()) }
    }

    /// Always [`Kind::Invalid`]: the same event fails again.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
