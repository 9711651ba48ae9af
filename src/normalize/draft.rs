//! Draft: an event while it is worked out: canonical keys in their places, what is used and dropped, free keys.
//! - A canonical key is filled by its own name, whose last value wins, or while it is vacant.
//! - Empty text under a canonical name is nothing.
//! - What moves to `x.NAME` takes another `x.` where that name is taken.

use super::aliases::Target;
use super::{fit, path, time};
use crate::clock::Millis;
use crate::event::{Event, Key, Known, Text, Value};
use std::net::IpAddr;

/// An address that names the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// As it was given.
    pub text: Text,
    /// Whether it was the target of a request: `//x` is a path there.
    pub is_target: bool,
}

/// An event in the making.
#[derive(Debug)]
pub struct Draft {
    known: Vec<Option<Value>>,
    /// `@timestamp`, not yet read.
    pub time: Option<Value>,
    /// When it happened by its protocol, should nothing else say so.
    pub protocol_time: Option<Millis>,
    /// `sent_at`.
    pub sent_at: Option<Millis>,
    /// The person's address.
    pub ip: Option<IpAddr>,
    /// The person's user agent.
    pub agent: Option<Text>,
    /// Where the page is.
    pub url: Option<PageAddress>,
    /// The sender's pseudonym of the visitor.
    pub pseudonym: Option<Text>,
    /// Keys of the application's own.
    pub free: Vec<(Text, Value)>,
    /// Values that go to `x.NAME`.
    pub moved: Vec<(Text, Value)>,
    /// Whether it is an access line.
    pub is_access: bool,
}

impl Draft {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self {
            known: vec![None; Known::all().len()],
            time: None,
            protocol_time: None,
            sent_at: None,
            ip: None,
            agent: None,
            url: None,
            pseudonym: None,
            free: Vec::new(),
            moved: Vec::new(),
            is_access: false,
        }
    }

    /// The value of a canonical key.
    pub fn known(&self, known: Known) -> Option<&Value> {
        self.known[known as usize].as_ref()
    }

    /// The text of a canonical key.
    pub fn text(&self, known: Known) -> Option<&str> {
        match self.known(known)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Sets a canonical key.
    pub fn set(&mut self, known: Known, value: Value) {
        self.known[known as usize] = Some(value);
    }

    /// Takes a canonical key out.
    pub fn take(&mut self, known: Known) -> Option<Value> {
        self.known[known as usize].take()
    }

    /// Whether nothing stands there yet.
    pub fn is_vacant(&self, target: Target) -> bool {
        match target {
            Target::Key(known) => self.known(known).is_none(),
            Target::Time => self.time.is_none(),
            Target::SentAt => self.sent_at.is_none(),
            Target::Ip => self.ip.is_none(),
            Target::Agent => self.agent.is_none(),
            Target::Url => self.url.is_none(),
            Target::Pseudonym => self.pseudonym.is_none(),
            Target::Request => self.url.is_none() && self.known(Known::Path).is_none(),
        }
    }

    /// Puts a value where it belongs; what does not fit comes back, and leaves the place vacant.
    pub fn put(&mut self, target: Target, value: Value, typed: bool, digits: i32) -> Result<(), Value> {
        match target {
            Target::Key(known) => return self.put_known(known, value, typed, digits),
            Target::Time => self.time = Some(value),
            Target::SentAt => {
                self.sent_at = time::read(&value);
                return if self.sent_at.is_some() { Ok(()) } else { Err(value) };
            }
            Target::Ip => {
                self.ip = text_of(&value).and_then(read_ip);
                return if self.ip.is_some() || is_empty(&value) { Ok(()) } else { Err(value) };
            }
            Target::Agent => self.agent = some_text(value)?,
            Target::Pseudonym => self.pseudonym = some_text(value)?,
            Target::Url => {
                let text = some_text(value)?;
                if let Some(opaque) = text.as_ref().filter(|text| path::split(text).is_none()) {
                    self.url = None;
                    return Err(Value::text(opaque.clone()));
                }
                self.url = text.map(|text| PageAddress { text, is_target: false });
            }
            Target::Request => return Err(value),
        }
        Ok(())
    }

    fn put_known(&mut self, known: Known, value: Value, typed: bool, digits: i32) -> Result<(), Value> {
        let shifted = match digits {
            0 => value,
            _ => fit::shifted(&value, digits).ok_or(value)?,
        };
        if is_empty(&shifted) {
            return Ok(());
        }
        let fitted = fit::fit(known.shape(), shifted, typed);
        let slot = &mut self.known[known as usize];
        match fitted {
            Ok(value) => {
                *slot = Some(value);
                Ok(())
            }
            Err(value) => {
                *slot = None;
                Err(value)
            }
        }
    }

    /// Every canonical text, every free and moved value that is the text `-` is absent.
    pub fn drop_dashes(&mut self) {
        let is_dash = |value: &Value| matches!(value, Value::Text(text) if text.as_str() == "-");
        for slot in &mut self.known {
            if slot.as_ref().is_some_and(is_dash) {
                *slot = None;
            }
        }
        self.agent.take_if(|text| text.as_str() == "-");
        self.pseudonym.take_if(|text| text.as_str() == "-");
        self.url.take_if(|url| url.text.as_str() == "-");
        self.time.take_if(|value| is_dash(value));
        self.free.retain(|(_, value)| !is_dash(value));
        self.moved.retain(|(_, value)| !is_dash(value));
    }

    /// The values of all canonical and free keys, for cutting.
    pub fn values(&mut self) -> impl Iterator<Item = (Option<Known>, Option<&str>, &mut Value)> {
        let known = Known::all().zip(&mut self.known).filter_map(|(known, slot)| Some((Some(known), slot.as_mut()?)));
        let named = known.map(|(known, value)| (known, None, value));
        named.chain(self.free.iter_mut().map(|(name, value)| (None, Some(name.as_str()), value)))
    }

    /// Gives what was moved its names, behind all that have theirs.
    pub fn name_moved(&mut self) {
        for (name, value) in std::mem::take(&mut self.moved) {
            let mut moved = format!("x.{name}");
            while self.free.iter().any(|(taken, _)| *taken == moved) {
                moved.insert_str(0, "x.");
            }
            self.free.push((moved.into(), value));
        }
    }

    /// The event.
    pub fn into_event(mut self) -> Event {
        // Of duplicates the last stays.
        self.free.reverse();
        self.free.sort_by(|a, b| a.0.cmp(&b.0));
        self.free.dedup_by(|earlier, kept| earlier.0 == kept.0);
        let mut fields: Vec<(Key, Value)> = Vec::with_capacity(40 + self.free.len());
        fields.extend(Known::all().zip(self.known).filter_map(|(known, slot)| Some((Key::Known(known), slot?))));
        fields.extend(self.free.into_iter().map(|(name, value)| (Key::Free(name), value)));
        Event::from_sorted(fields)
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.is_empty())
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The text of a value, nothing where it is empty.
fn some_text(value: Value) -> Result<Option<Text>, Value> {
    match fit::fit(crate::event::Shape::Text, value, true)? {
        Value::Text(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        other => Err(other),
    }
}

/// An address as it is written in logs and headers: with port, brackets or zone, the first of several.
pub fn read_ip(text: &str) -> Option<IpAddr> {
    let first = text.split(',').next().unwrap_or_default().trim();
    if let Ok(ip) = first.parse::<IpAddr>() {
        return Some(ip);
    }
    let bare = match first.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        // One colon parts an IPv4 address from its port; an IPv6 address has more.
        None => first.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(first, |(ip, _)| ip),
    };
    bare.split('%').next().unwrap_or_default().parse().ok()
}
