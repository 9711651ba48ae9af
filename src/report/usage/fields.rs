//! The fields of a usage answer: their names, and what each holds.

use crate::event::Known;
use crate::report::counts::Counts;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Views by interval.
    Views,
    /// Downloads by format.
    Downloads,
    /// Referers of views and downloads.
    Referers,
    /// Visitors of the range: a person counts once a day.
    Visitors,
    /// Visits of the range.
    Visits,
    /// Views and downloads by country.
    Countries,
    /// Views and downloads by source.
    Sources,
    /// Views and downloads by browser.
    Browsers,
    /// Views and downloads by path.
    Pages,
    /// Views and downloads of the range.
    Total,
}

impl Field {
    /// Every field with its name, the three of a plain answer first.
    pub const NAMED: [(&'static str, Self); 10] = [
        ("views", Self::Views),
        ("downloads", Self::Downloads),
        ("referers", Self::Referers),
        ("visitors", Self::Visitors),
        ("visits", Self::Visits),
        ("countries", Self::Countries),
        ("sources", Self::Sources),
        ("browsers", Self::Browsers),
        ("pages", Self::Pages),
        ("total", Self::Total),
    ];

    /// The fields of a plain answer.
    pub const PLAIN: [Self; 3] = [Self::Views, Self::Downloads, Self::Referers];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// The key whose values it lists, where the events alone hold it.
    pub(super) fn key(self) -> Option<Known> {
        match self {
            Self::Countries => Some(Known::Country),
            Self::Sources => Some(Known::Source),
            Self::Browsers => Some(Known::Browser),
            Self::Pages => Some(Known::Path),
            _ => None,
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Held {
    /// A list.
    Counts(Counts),
    /// A number.
    Number(u64),
    /// The sums.
    Total {
        /// Of views.
        views: u64,
        /// Of downloads.
        downloads: u64,
    },
}

/// One item's usage: the fields asked for, in the order asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemUsage(pub Vec<(Field, Held)>);

impl Serialize for ItemUsage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, held) in &self.0 {
            map.serialize_entry(field.name(), held)?;
        }
        map.end()
    }
}
