//! Secrets: the salts of one batch, as `normalize` asks for them.
//! - An import finds salts of days that are over, every other sender only those of days that are not.
//! - `normalize` cannot fail for want of a salt, so a failure is kept here and fails the batch ([`Secrets::check`]).

use super::IngestError;
use crate::catalog::CatalogError;
use crate::catalog::salts::{Salt, Salts};
use crate::clock::Millis;
use crate::event::Day;
use crate::normalize::{self, Receiver, Sender, Sites};
use std::sync::{Mutex, PoisonError};

pub(super) struct Secrets<'a> {
    salts: &'a Salts,
    sites: &'a Sites,
    receiver: Receiver,
    now: Millis,
    failure: Mutex<Option<CatalogError>>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(salts: &'a Salts, sites: &'a Sites, sender: &Sender<'_>) -> Self {
        Self { salts, sites, receiver: sender.receiver, now: sender.received_at, failure: Mutex::new(None) }
    }

    /// Fails if a salt could not be made.
    pub(super) fn check(self) -> Result<(), IngestError> {
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        failure.map_or(Ok(()), |source| Err(IngestError::Salts { source }))
    }

    fn found(&self, salt: Result<Option<Salt>, CatalogError>) -> Option<Salt> {
        salt.unwrap_or_else(|error| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            None
        })
    }
}

impl normalize::Salts for Secrets<'_> {
    fn daily(&self, site: &str, day: Day) -> Option<Salt> {
        let zone = &self.sites.get(site).zone;
        self.found(match self.receiver {
            Receiver::File => self.salts.imported(site, day, zone, self.now),
            Receiver::Tick | Receiver::Pixel | Receiver::Log => self.salts.daily(site, day, zone, self.now),
        })
    }

    fn permanent(&self, site: &str) -> Option<Salt> {
        self.found(self.salts.permanent(site, self.now))
    }
}
