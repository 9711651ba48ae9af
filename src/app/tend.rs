//! Tend: what must be done again and again: salts made ahead and destroyed, days expired; and the indexer's task.

use super::House;
use crate::clock::Millis;
use crate::event::Day;
use crate::indexer::{Expiry, Indexer};
use crate::journal::Recovery;
use std::future::Future;
use std::time::Duration;
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
        let (salts, sites, indexer) = (self.salts.clone(), self.sites.clone(), self.indexer.clone());
        let (clock, retention) = (self.clock.clone(), self.config.retention.clone());
        async move {
            loop {
                let now = clock.now();
                let zones = sites.clone();
                let zone_of = move |site: &str| zones.get(site).zone.clone();
                let salts = salts.clone();
                let tended = tokio::task::spawn_blocking(move || {
                    salts.make_ahead(now, &zone_of)?;
                    salts.destroy_due(now, &zone_of)
                });
                match tended.await {
                    Ok(Ok(destroyed)) => tracing::debug!(destroyed, "looked after the salts"),
                    Ok(Err(error)) => tracing::error!(%error, "salts cannot be looked after"),
                    Err(error) => tracing::error!(%error, "looking after the salts broke off"),
                }
                if let Some(days) = retention.days {
                    let items = retention.items_days.map_or(Day(i32::MIN), |days| before(now, days));
                    if let Err(error) = indexer.expire(Expiry { events: before(now, days), items }).await {
                        tracing::error!(%error, "days cannot be expired");
                    }
                }
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                    () = tokio::time::sleep(TEND_EVERY) => {}
                }
            }
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
