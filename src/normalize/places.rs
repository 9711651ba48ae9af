//! Places: country, region and city of an address, by the GeoIP database that an operator names.
//! - The file (MaxMind DB: GeoLite2 or GeoIP2 City or Country, DB-IP) is read into memory whole at the start; a newer one needs a restart.
//! - Country is ISO 3166-1 (`US`), region ISO 3166-2 (`US-CA`), city the English name. What the database does not know is absent.
//! - Absent: downloading databases, postal codes, coordinates, networks.

use crate::error::Kind;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where an address is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// ISO 3166-1 code of the country.
    pub country: Option<String>,
    /// ISO 3166-2 code of the first subdivision, the country's code included.
    pub region: Option<String>,
    /// English name of the city.
    pub city: Option<String>,
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// The file cannot be read.
    #[error("read the GeoIP database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no MaxMind database, or a damaged one.
    #[error("open the GeoIP database {}: it is no MaxMind DB file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: maxminddb::MaxMindDbError,
    },
    /// A database of something else (networks' owners, connection types).
    #[error("open the GeoIP database {}: it is of type {found:?}; a City or Country database is needed", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// What its metadata says.
        found: String,
    },
}

impl PlacesError {
    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Read { .. } => Kind::Unavailable,
            Self::Format { .. } | Self::Type { .. } => Kind::Invalid,
        }
    }
}

/// An open database.
pub struct Places {
    reader: maxminddb::Reader<Vec<u8>>,
}

impl Places {
    /// Reads the database at `path` into memory.
    pub fn open(path: &Path) -> Result<Self, PlacesError> {
        let bytes = std::fs::read(path).map_err(|source| PlacesError::Read { path: path.to_owned(), source })?;
        let reader = maxminddb::Reader::from_source(bytes)
            .map_err(|source| PlacesError::Format { path: path.to_owned(), source })?;
        let found = &reader.metadata().database_type;
        if ["City", "Country", "Enterprise"].iter().any(|kind| found.contains(kind)) {
            return Ok(Self { reader });
        }
        Err(PlacesError::Type { path: path.to_owned(), found: found.clone() })
    }

    /// The place of an address; empty where the database does not have it.
    pub fn lookup(&self, address: IpAddr) -> Place {
        // A damaged record is a place not known: an event is never lost for it.
        let found = self.reader.lookup(address.to_canonical()).and_then(|found| found.decode::<Row<'_>>());
        let Ok(Some(row)) = found else {
            return Place::default();
        };
        let country = row.country.iso_code;
        let subdivision = row.subdivisions.first().and_then(|first| first.iso_code);
        Place {
            country: country.map(str::to_owned),
            region: country.zip(subdivision).map(|(country, code)| format!("{country}-{code}")),
            city: row.city.names.en.map(str::to_owned),
        }
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Places").field("metadata", &self.reader.metadata()).finish()
    }
}

/// What is read of a record; everything else in it is skipped.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default)]
    country: Coded<'a>,
    #[serde(borrow, default)]
    subdivisions: Vec<Coded<'a>>,
    #[serde(borrow, default)]
    city: Named<'a>,
}

#[derive(Deserialize, Default)]
struct Coded<'a> {
    #[serde(borrow, default)]
    iso_code: Option<&'a str>,
}

#[derive(Deserialize, Default)]
struct Named<'a> {
    #[serde(borrow, default)]
    names: Names<'a>,
}

#[derive(Deserialize, Default)]
struct Names<'a> {
    #[serde(borrow, default)]
    en: Option<&'a str>,
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
