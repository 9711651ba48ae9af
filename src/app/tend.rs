//! Tend: what must be done again and again: salts made ahead and destroyed, days expired; and the indexer's task.

use super::House;
use super::belief::Belief;
use crate::catalog::Catalog;
use crate::catalog::salts::Salts;
use crate::clock::{Clock, Millis};
use crate::config::Retention;
use crate::event::Day;
use crate::indexer::{Expiry, Handle, Indexer};
use crate::journal::Recovery;
use crate::normalize::Sites;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often salts and days are looked after.
const TEND_EVERY: Duration = Duration::from_secs(600);
const DAY_MS: Millis = 86_400_000;

/// Runs the indexer until the house is closed.
pub(super) async fn index(indexer: Indexer, mut stopped: watch::Receiver<bool>) {
    let shutdown = async move {
        // A sender that is gone means the same as one that says so.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = indexer.run(shutdown).await {
        tracing::error!(%error, "indexing has ended: events are taken and wait in the journal");
    }
}

/// Says what the journal found when it was opened.
pub(super) fn report(recovery: &Recovery) {
    if let Some(cut) = &recovery.cut {
        tracing::warn!(%cut, "cut the torn end of the journal");
    }
    for damage in &recovery.damaged {
        tracing::error!(%damage, "a part of the journal is damaged and set aside");
    }
}

impl House {
    /// Looks after salts and days until the house is closed.
    pub(super) fn tending(&self, mut stopped: watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
        let tending = Tending {
            catalog: self.catalog.clone(),
            salts: self.salts.clone(),
            sites: self.sites.clone(),
            indexer: self.indexer.clone(),
            clock: self.clock.clone(),
            retention: self.config.retention.clone(),
        };
        async move {
            let mut ran = Duration::ZERO;
            loop {
                let began = Instant::now();
                tending.look_after_salts().await;
                tending.expire(ran).await;
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                    () = tokio::time::sleep(TEND_EVERY) => {}
                }
                ran = began.elapsed();
            }
        }
    }
}

/// What is looked after, and by what.
struct Tending {
    catalog: Arc<Catalog>,
    salts: Arc<Salts>,
    sites: Arc<Sites>,
    indexer: Handle,
    clock: Clock,
    retention: Retention,
}

impl Tending {
    async fn look_after_salts(&self) {
        let (salts, sites, now) = (self.salts.clone(), self.sites.clone(), self.clock.now());
        let tended = tokio::task::spawn_blocking(move || {
            let zone_of = |site: &str| sites.get(site).zone.clone();
            salts.make_ahead(now, zone_of)?;
            salts.destroy_due(now, zone_of)
        });
        match tended.await {
            Ok(Ok(destroyed)) => tracing::debug!(destroyed, "looked after the salts"),
            Ok(Err(error)) => tracing::error!(%error, "salts cannot be looked after"),
            Err(error) => tracing::error!(%error, "looking after the salts broke off"),
        }
    }

    /// Expires days, where anything expires; `ran` since the last time. How late it is, is kept in any case: whoever sets a
    /// retention later does not begin with a clock that is wrong just then.
    async fn expire(&self, ran: Duration) {
        let (catalog, clock) = (self.catalog.clone(), self.clock.now());
        let now = match tokio::task::spawn_blocking(move || Belief::renew(&catalog, clock, ran)).await {
            Ok(Ok(belief)) => belief.now,
            Ok(Err(error)) => return tracing::error!(%error, "days do not expire: how late it is cannot be told"),
            Err(error) => return tracing::error!(%error, "telling how late it is broke off"),
        };
        let Some(days) = self.retention.days else { return };
        let items = self.retention.items_days.map_or(Day(i32::MIN), |days| before(now, days));
        if let Err(error) = self.indexer.expire(Expiry { events: before(now, days), items }).await {
            tracing::error!(%error, "days cannot be expired");
        }
    }
}

/// The first day that is kept when this many are; a day may begin a zone's width later than UTC's.
fn before(now: Millis, days: u32) -> Day {
    let today = now.div_euclid(DAY_MS) - 1;
    Day(i32::try_from(today - i64::from(days)).unwrap_or(i32::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_kept_for_as_many_days_as_said_in_every_zone() {
        assert_eq!(before(10 * DAY_MS, 3), Day(6));
        assert_eq!(before(11 * DAY_MS - 1, 3), Day(6));
    }
}
