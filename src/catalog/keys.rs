//! Keys: who may write, read and administer.
//! - A key's text is `metronome_SCOPE_` and 32 random bytes in hex; it is shown once, when it is made. The catalog holds its
//!   SHA-256 alone, which is enough for a secret of 256 bits.
//! - A text is compared with every key in constant time.
//! - A key made or revoked by another process counts at once: each question looks whether the catalog changed. While that
//!   cannot be seen (its disk fails) the keys last seen count: a disk that fails writing locks no reader out.
//! - Bounded: [`KEYS_MAX`] keys.
//! - Absent: what each scope may do (`http`).

use super::{Catalog, CatalogError, Version, hex, random};
use crate::clock::{Clock, Millis};
use crate::error::Kind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Keys there may be at once.
pub const KEYS_MAX: usize = 1_000;
/// What every key's text begins with.
pub const PREFIX: &str = "metronome_";
const KIND: &str = "key";
/// A file written longer ago than this has its last write's time for good; well above any clock's tick.
const SETTLED_MS: Millis = 2_000;

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Writing events of one site, and nothing else; public.
    Write,
    /// Reading one site, or all.
    Read,
    /// Everything.
    Admin,
}

impl Scope {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public name, for revoking it.
    pub id: String,
    /// What it is good for.
    pub scope: Scope,
    /// The only site it is good for; `None`: all.
    pub site: Option<String>,
    /// When it was made.
    pub made_at: Millis,
}

/// A key as the catalog holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    scope: Scope,
    site: Option<String>,
    made_at: Millis,
    sha256: String,
}

/// Every key beside the SHA-256 of its text.
type All = Arc<[([u8; 32], Key)]>;

#[derive(Debug)]
struct Snapshot {
    version: Version,
    /// The file's time of writing when it was known to be settled.
    settled: Option<SystemTime>,
    keys: All,
}

/// The keys in a catalog.
#[derive(Debug)]
pub struct Keys {
    catalog: Arc<Catalog>,
    clock: Clock,
    snapshot: RwLock<Snapshot>,
}

impl Keys {
    /// The keys that a catalog keeps.
    pub fn open(catalog: Arc<Catalog>, clock: Clock) -> Result<Self, CatalogError> {
        let version = catalog.version()?;
        let keys = load(&catalog)?;
        Ok(Self { catalog, clock, snapshot: RwLock::new(Snapshot { version, settled: None, keys }) })
    }

    /// Makes a key and answers it with its text, which nobody can show again. A write key is of one site, an admin key of all.
    pub fn make(&self, scope: Scope, site: Option<&str>) -> Result<(Key, String), CatalogError> {
        match (scope, site) {
            (Scope::Write, None) => return Err(CatalogError::Invalid("a write key needs a site".to_owned())),
            (Scope::Admin, Some(_)) => return Err(CatalogError::Invalid("an admin key is of all sites".to_owned())),
            _ => {}
        }
        if self.current()?.len() >= KEYS_MAX {
            return Err(CatalogError::Invalid(format!("there are {KEYS_MAX} keys already: revoke one first")));
        }
        let text = format!("{PREFIX}{}_{}", scope.name(), hex(&random::<32>()?));
        let made_at = self.clock.now();
        let site = site.map(str::to_owned);
        loop {
            let id = hex(&random::<4>()?);
            let kept = Kept { scope, site: site.clone(), made_at, sha256: hex(&digest(&text)) };
            if self.catalog.put_if_absent(KIND, &[(id.clone(), kept)])?.contains(&true) {
                return Ok((Key { id, scope, site, made_at }, text));
            }
        }
    }

    /// All keys, by id.
    pub fn list(&self) -> Result<Vec<Key>, CatalogError> {
        Ok(self.current()?.iter().map(|(_, key)| key.clone()).collect())
    }

    /// Whether there is none: then every scope is granted, on loopback.
    pub fn is_empty(&self) -> Result<bool, CatalogError> {
        Ok(self.current()?.is_empty())
    }

    /// The key of this text.
    pub fn find(&self, text: &str) -> Result<Option<Key>, CatalogError> {
        let asked = digest(text);
        let keys = self.current()?;
        // No early end within a digest: how far it agrees does not show in the time.
        let same = |kept: &[u8; 32]| kept.iter().zip(&asked).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0;
        Ok(keys.iter().filter(|(kept, _)| same(kept)).map(|(_, key)| key.clone()).next_back())
    }

    /// Whether this key is still there.
    pub fn holds(&self, key: &Key) -> Result<bool, CatalogError> {
        Ok(self.current()?.iter().any(|(_, held)| held == key))
    }

    /// Takes a key back. Answers whether there was one of this id.
    pub fn revoke(&self, id: &str) -> Result<bool, CatalogError> {
        Ok(self.catalog.remove(KIND, &[id.to_owned()])? > 0)
    }

    /// The keys as they are now. A settled file is only looked at (a microsecond); a fresh one is asked.
    fn current(&self) -> Result<All, CatalogError> {
        let written_at = self.catalog.written_at();
        let snapshot = self.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        if written_at.is_some() && snapshot.settled == written_at {
            return Ok(Arc::clone(&snapshot.keys));
        }
        let (seen, known) = (snapshot.version, Arc::clone(&snapshot.keys));
        drop(snapshot);
        match self.ask(written_at, seen, &known) {
            Err(error) if error.kind() == Kind::Unavailable => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the keys last seen count: the catalog fails");
                Ok(known)
            }
            asked => asked,
        }
    }

    /// The keys as the catalog has them, kept for the next question.
    fn ask(&self, written_at: Option<SystemTime>, seen: Version, known: &All) -> Result<All, CatalogError> {
        let version = self.catalog.version()?;
        let keys = if version == seen { Arc::clone(known) } else { load(&self.catalog)? };
        let settled = written_at.filter(|written_at| self.is_settled(*written_at));
        let fresh = Snapshot { version, settled, keys: Arc::clone(&keys) };
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(keys)
    }

    fn is_settled(&self, written_at: SystemTime) -> bool {
        let written_ms = written_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::MAX).as_millis();
        i64::try_from(written_ms).is_ok_and(|written_ms| self.clock.now().saturating_sub(written_ms) > SETTLED_MS)
    }
}

fn load(catalog: &Catalog) -> Result<All, CatalogError> {
    let all = catalog.list::<Kept>(KIND, "")?;
    let key = |(id, kept): (String, Kept)| {
        let sha256 = unhex(&kept.sha256)?;
        Some((sha256, Key { id, scope: kept.scope, site: kept.site, made_at: kept.made_at }))
    };
    Ok(all.into_iter().filter_map(key).collect())
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
