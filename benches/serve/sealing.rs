//! Sealing: a month at once; one day alone, and one day while events are taken as fast as they can be.

use crate::events::{self, day_ago};
use crate::figures::{Figures, Who};
use crate::measures as m;
use crate::peers::{Metronome, Peer};
use crate::pressure::Pressure;
use crate::race::say;
use crate::{SEED, taking};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long taking is measured before the day is sealed.
const BEFORE: Duration = Duration::from_secs(8);

/// Seals all there is.
pub fn month(server: &Metronome, events: u64, figures: &mut Figures) {
    let sealing = Instant::now();
    server.seal(&[]);
    figures.note(&m::SEAL_MONTH, Who::Metronome, a_million(sealing.elapsed(), events));
}

/// Two days of as many events: one is sealed while nothing else is done, the other under load.
pub async fn run(folder: &Path, events: u64, figures: &mut Figures) {
    say("sealing one day");
    let server = Metronome::start(&folder.join("sealing"));
    for (already, ago) in [(0, 3), (events, 2)] {
        taking::take_quietly(&server, events::day(SEED + 10 + ago as u64, ago, events), already).await;
    }
    let sealing = Instant::now();
    server.seal(&[&day_ago(3).to_string()]);
    figures.note(&m::SEAL_DAY, Who::Reference, a_million(sealing.elapsed(), events));

    let pressure = Pressure::new(events::day(SEED + 20, 0, 1 << 40));
    let measured = pressure
        .beside(server.server(), async |taken| {
            let before = taken.rate(tokio::time::sleep(BEFORE)).await.0;
            let sealing = async { tokio::task::block_in_place(|| server.seal(&[&day_ago(2).to_string()])) };
            (before, taken.rate(sealing).await)
        })
        .await;
    let (before, (during, took)) = measured;
    figures.note(&m::SEAL_DAY, Who::Metronome, a_million(took, events));
    figures.note(&m::TAKEN_SEALING, Who::Metronome, during);
    figures.note(&m::TAKEN_SEALING, Who::Reference, before);
}

fn a_million(took: Duration, events: u64) -> f64 {
    took.as_secs_f64() * 1e6 / events as f64
}
