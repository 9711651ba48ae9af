//! Salts: the secrets that visitors are hashed with, and their end.
//! - A daily salt is one of a site and a day. It is made when it is first asked for or a day ahead, given out until 26 h
//!   after the day's end in the site's zone, and destroyed then: it is in no file and no cache afterwards.
//! - Days past that have a salt only while an import runs, which makes its own and destroys them at its end; those of an
//!   import that was cut off wait for it to run again, 26 h at most.
//! - A permanent salt is one of a site, for the pseudonyms of senders.
//! - New salts are random, given out at once, and written together by [`Salts::keep`], before anything made with them is.
//! - Bounded: [`SALTS_MAX`] salts; further ones are not made, and those events have no visitor.

use super::{Catalog, CatalogError, hex, random};
use crate::clock::Millis;
use crate::event::Day;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long after its end a day's salt is kept, in ms: late and offline events still find it.
pub const KEPT_AFTER_MS: Millis = 26 * 3_600_000;
/// Salts held, of all sites and days.
pub const SALTS_MAX: usize = 50_000;

/// A secret.
pub type Salt = [u8; 16];

/// What a salt is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Day(Day),
    ImportedDay(Day),
    Ever,
}

impl Of {
    fn kind(self) -> &'static str {
        match self {
            Self::Day(_) => "salt.day",
            Self::ImportedDay(_) => "salt.import",
            Self::Ever => "salt.ever",
        }
    }

    fn name(self, site: &str) -> String {
        match self {
            Self::Day(day) | Self::ImportedDay(day) => format!("{day}/{site}"),
            Self::Ever => site.to_owned(),
        }
    }
}

/// A salt as the catalog holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    salt: String,
    made_at: Millis,
}

#[derive(Debug)]
struct Held {
    salts: HashMap<(Of, Box<str>), Salt>,
    /// Given out, and not yet written.
    new: Vec<(Of, Box<str>, Millis)>,
    imports: usize,
    /// Whether the log says already that there are too many.
    is_full_told: bool,
}

/// The salts of every site.
#[derive(Debug)]
pub struct Salts {
    catalog: Arc<Catalog>,
    held: Mutex<Held>,
}

impl Salts {
    /// The salts that a catalog keeps, all of them in memory from now on.
    pub fn open(catalog: Arc<Catalog>) -> Result<Self, CatalogError> {
        let mut salts = HashMap::new();
        for (kind, of) in [("salt.day", Of::Day as fn(Day) -> Of), ("salt.import", Of::ImportedDay)] {
            for (name, kept) in catalog.list::<Kept>(kind, "")? {
                if let (Some((day, site)), Some(salt)) = (split(&name), parse(&kept.salt)) {
                    salts.insert((of(day), site.into()), salt);
                }
            }
        }
        for (site, kept) in catalog.list::<Kept>(Of::Ever.kind(), "")? {
            salts.extend(parse(&kept.salt).map(|salt| ((Of::Ever, site.into()), salt)));
        }
        Ok(Self { catalog, held: Mutex::new(Held { salts, new: Vec::new(), imports: 0, is_full_told: false }) })
    }

    /// The salt of a site's day, made if need be; `None` once the day has been over for 26 h in the site's zone.
    pub fn daily(&self, site: &str, day: Day, zone: &TimeZone, now: Millis) -> Result<Option<Salt>, CatalogError> {
        if is_due(day, zone, now) {
            return Ok(None);
        }
        self.find_or_make(Of::Day(day), site, now)
    }

    /// The salt of a site's day for an import: the daily one, else, while an import runs, one of the import's own.
    pub fn imported(&self, site: &str, day: Day, zone: &TimeZone, now: Millis) -> Result<Option<Salt>, CatalogError> {
        match self.daily(site, day, zone, now)? {
            None if self.lock().imports > 0 => self.find_or_make(Of::ImportedDay(day), site, now),
            found => Ok(found),
        }
    }

    /// The permanent salt of a site, made if need be.
    pub fn permanent(&self, site: &str, now: Millis) -> Result<Option<Salt>, CatalogError> {
        self.find_or_make(Of::Ever, site, now)
    }

    /// Whether salts were made that are not written yet.
    pub fn has_new(&self) -> bool {
        !self.lock().new.is_empty()
    }

    /// Writes the salts made since, in one sync a kind; nothing made with them may be stored before. Free when there are none.
    pub fn keep(&self) -> Result<(), CatalogError> {
        let mut held = self.lock();
        if held.new.is_empty() {
            return Ok(());
        }
        let mut by_kind: HashMap<&'static str, Vec<(String, Kept)>> = HashMap::new();
        for (of, site, made_at) in &held.new {
            if let Some(salt) = held.salts.get(&(*of, site.clone())) {
                let kept = Kept { salt: hex(salt), made_at: *made_at };
                by_kind.entry(of.kind()).or_default().push((of.name(site), kept));
            }
        }
        for (kind, entries) in by_kind {
            self.catalog.put_if_absent(kind, &entries)?;
        }
        held.new.clear();
        Ok(())
    }

    /// Makes the salts of the next day for every site that has one of `now`'s day in its zone.
    pub fn make_ahead(&self, now: Millis, zone_of: impl Fn(&str) -> TimeZone) -> Result<(), CatalogError> {
        let running = |day: Day, zone: &TimeZone| (day.start(zone)..day.next().start(zone)).contains(&now);
        for (site, day) in self.days(Of::Day) {
            let zone = zone_of(&site);
            if running(day, &zone) {
                self.daily(&site, day.next(), &zone, now)?;
            }
        }
        self.keep()
    }

    /// Destroys every daily salt whose day has been over for 26 h in its site's zone, and what an import that does not run
    /// any more left behind 26 h ago. Answers how many it destroyed.
    pub fn destroy_due(&self, now: Millis, zone_of: impl Fn(&str) -> TimeZone) -> Result<usize, CatalogError> {
        let due = |(site, day): &(Box<str>, Day)| is_due(*day, &zone_of(site), now);
        let days = self.days(Of::Day).into_iter().filter(due).map(|(site, day)| (Of::Day(day), site)).collect();
        let destroyed = self.destroy(days)?;
        Ok(destroyed + self.destroy_left_behind(now)?)
    }

    /// An import begins: days that are over have salts until [`Salts::end_import`]. Several may run at once.
    pub fn begin_import(&self, now: Millis) -> Result<(), CatalogError> {
        self.destroy_left_behind(now)?;
        self.lock().imports += 1;
        Ok(())
    }

    /// An import ends: with the last one that runs the salts that imports made are destroyed.
    pub fn end_import(&self) -> Result<(), CatalogError> {
        let mut held = self.lock();
        held.imports = held.imports.saturating_sub(1);
        let last = held.imports == 0;
        drop(held);
        if last {
            let all = self.days(Of::ImportedDay).into_iter().map(|(site, day)| (Of::ImportedDay(day), site)).collect();
            self.destroy(all)?;
        }
        Ok(())
    }

    fn destroy_left_behind(&self, now: Millis) -> Result<usize, CatalogError> {
        if self.lock().imports > 0 {
            return Ok(0);
        }
        let kept = self.catalog.list::<Kept>("salt.import", "")?;
        let old = kept.into_iter().filter(|(_, kept)| kept.made_at.saturating_add(KEPT_AFTER_MS) <= now);
        let of = |(name, _): (String, Kept)| split(&name).map(|(day, site)| (Of::ImportedDay(day), site.into()));
        self.destroy(old.filter_map(of).collect())
    }

    fn destroy(&self, salts: Vec<(Of, Box<str>)>) -> Result<usize, CatalogError> {
        let mut held = self.lock();
        let mut by_kind: HashMap<&'static str, Vec<String>> = HashMap::new();
        for (of, site) in salts {
            by_kind.entry(of.kind()).or_default().push(of.name(&site));
            held.new.retain(|(new, whose, _)| (*new, whose) != (of, &site));
            held.salts.remove(&(of, site));
        }
        by_kind.into_iter().try_fold(0, |sum, (kind, names)| Ok(sum + self.catalog.remove(kind, &names)?))
    }

    /// The sites and days that have a salt of this sort.
    fn days(&self, sort: fn(Day) -> Of) -> Vec<(Box<str>, Day)> {
        let of = |(of, site): &(Of, Box<str>)| match of {
            Of::Day(day) | Of::ImportedDay(day) if sort(*day) == *of => Some((site.clone(), *day)),
            _ => None,
        };
        self.lock().salts.keys().filter_map(of).collect()
    }

    fn find_or_make(&self, of: Of, site: &str, now: Millis) -> Result<Option<Salt>, CatalogError> {
        let mut held = self.lock();
        let name = (of, site.into());
        if let Some(salt) = held.salts.get(&name) {
            return Ok(Some(*salt));
        }
        if held.salts.len() >= SALTS_MAX {
            if !std::mem::replace(&mut held.is_full_told, true) {
                tracing::warn!(salts = SALTS_MAX, "too many sites and days: events of further ones have no visitor");
            }
            return Ok(None);
        }
        let salt = random()?;
        held.salts.insert(name, salt);
        held.new.push((of, site.into(), now));
        Ok(Some(salt))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Every change of it is a single insertion or removal: a panic leaves nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_due(day: Day, zone: &TimeZone, now: Millis) -> bool {
    day.next().start(zone).saturating_add(KEPT_AFTER_MS) <= now
}

fn split(name: &str) -> Option<(Day, &str)> {
    let (day, site) = name.split_once('/')?;
    Some((Day::parse(day)?, site))
}

fn parse(text: &str) -> Option<Salt> {
    u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32).map(u128::to_be_bytes)
}

#[cfg(test)]
#[path = "salts_tests.rs"]
mod tests;
