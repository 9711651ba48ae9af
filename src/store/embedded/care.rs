//! Care: damage looked for, set aside, mended.
//! - Found by a scrub, or by a question that came upon it: then the day it speaks of is scrubbed.
//! - A scrub reads beside everything else; what it finds is looked at once more with no seal running, then set aside.

use super::aside::{is_damage, parts};
use super::expire::EXPIRED;
use super::owner::{Command, Mended};
use super::parts::DayView;
use super::read::read_current;
use super::scrub::{self, scrub_month};
use super::shared::Shared;
use super::{BROKE_OFF, Embedded, blocking, mend};
use crate::event::Day;
use crate::store::{Damaged, Derive, Remedy, StoreError};
use std::sync::Arc;

impl Embedded {
    /// Reads every checksum of a day, and sets aside what is damaged; answers what was found.
    pub(super) async fn verify_day(&self, day: Day) -> Result<Vec<String>, StoreError> {
        let (shared, days) = (self.shared.clone(), self.shared.days());
        let month = blocking(move || Ok(scrub_month(&shared, &days, day))).await?;
        let mut found: Vec<String> = month.into_iter().collect();
        if !self.scrub(day).await?.is_empty() {
            let _one = self.sealing.lock().await;
            found.extend(self.verify_held(day).await?);
        }
        if !found.is_empty() {
            self.make_months().await?;
        }
        // What was found before is still damaged.
        let known = self.shared.day(day).map(|view| view.damaged.clone()).unwrap_or_default();
        found.extend(known.iter().filter(|line| !found.contains(line)).cloned().collect::<Vec<_>>());
        Ok(found)
    }

    /// The same of the day alone, for who holds the lock of sealing.
    pub(super) async fn verify_held(&self, day: Day) -> Result<Vec<String>, StoreError> {
        let damaged = self.scrub(day).await?;
        let findings: Vec<String> = damaged.iter().flat_map(|damaged| damaged.findings.clone()).collect();
        if !findings.is_empty() {
            self.tell(|done| Command::SetAside(day, damaged, done)).await?;
        }
        Ok(findings)
    }

    async fn scrub(&self, day: Day) -> Result<Vec<scrub::Damaged>, StoreError> {
        let view = self.shared.day(day);
        blocking(move || view.map_or(Ok(Vec::new()), |view| scrub::scrub(&view))).await
    }

    /// A question failed: if that tells of damage, it is found and set aside, and the next one is told what it is.
    pub(super) async fn look_into(&self, error: &StoreError) {
        let broke_off = matches!(error, StoreError::Engine { operation, .. } if *operation == BROKE_OFF);
        if !broke_off && !is_damage(error) {
            return;
        }
        let days: Vec<Day> = match day_named(&super::error::why(error)) {
            Some(day) => vec![day],
            // Whatever was not checked when the store was opened.
            None => self.shared.days().values().filter(|view| view.has_parts()).map(|view| view.day).collect(),
        };
        for day in days {
            if let Err(error) = self.verify_day(day).await {
                tracing::error!(%day, %error, "a day in which damage is suspected cannot be read");
            }
        }
    }

    /// Makes a damaged day whole.
    pub(super) async fn repair_day(&self, day: Day, remedy: Remedy, mut derive: Derive) -> Result<(), StoreError> {
        let _one = self.sealing.lock().await;
        if self.shared.day(day).is_none_or(|view| view.damaged.is_empty()) {
            return Ok(());
        }
        if matches!(remedy, Remedy::Loss) {
            self.tell(|done| Command::Settle(day, done)).await?;
            return self.make_months().await;
        }
        let Some(frozen) = self.tell(|done| Command::Freeze(day, done)).await? else { return Ok(()) };
        let (most, open) = (self.shared.options.segment_events_max, frozen.open);
        let generation = blocking(move || match remedy {
            Remedy::Events(events, end) => mend::from_events(frozen, (events, end), most, &mut derive),
            Remedy::Aside | Remedy::Loss => mend::from_aside(frozen, most, &mut derive),
        });
        let generation = Arc::new(generation.await?);
        self.tell(|done| Command::Swap(generation, open, Mended::Yes, done)).await?;
        self.make_months().await
    }
}

/// The days that something is lost of.
pub fn damaged(shared: &Shared) -> Vec<Damaged> {
    let days = shared.days();
    days.values().filter(|view| !view.damaged.is_empty()).map(|view| of_day(shared, view)).collect()
}

fn of_day(shared: &Shared, view: &DayView) -> Damaged {
    let dir = shared.root.join("days").join(view.day.to_string());
    let mut sealed: Vec<_> = parts(&dir).unwrap_or_default();
    sealed.extend(view.generation.iter().map(|generation| generation.folder.path().to_owned()));
    Damaged {
        day: view.day,
        parts: view.damaged.to_vec(),
        from: read_current(&dir).ok().and_then(|current| current.from),
        is_plain: !sealed.iter().any(|part| part.join(EXPIRED).exists()),
    }
}

/// The first day that a text names.
fn day_named(text: &str) -> Option<Day> {
    text.split(|letter: char| !letter.is_ascii_digit() && letter != '-').find_map(Day::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_found_in_what_an_error_says() {
        let rows = [
            ("read /data/store/days/2026-03-01/g7/ids.u64: checksum mismatch", Some("2026-03-01")),
            ("read columns of 2026-03-02: failed to fill whole buffer", Some("2026-03-02")),
            ("open index: 2026-3-1", None),
            ("/tmp/2026-99-01/x", None),
        ];
        for (text, day) in rows {
            assert_eq!(day_named(text).map(|day| day.to_string()).as_deref(), day, "{text}");
        }
    }
}
