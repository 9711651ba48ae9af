//! What readers and operators wait for: an event to be seen while others are taken, and a start after a kill −9 under load.

use crate::SEED;
use crate::events;
use crate::figures::{Figures, Who};
use crate::measures as m;
use crate::peers::{Metronome, Peer};
use crate::pressure::Pressure;
use crate::probe;
use crate::race::say;
use std::path::Path;
use std::time::{Duration, Instant};

const PROBING: Duration = Duration::from_secs(10);
const PRESSURE: Duration = Duration::from_secs(8);
const HOUR_MS: u64 = 3_600_000;

pub async fn run(folder: &Path, figures: &mut Figures) {
    say("lag, kill");
    let folder = folder.join("crash");
    let server = Metronome::start(&folder);
    let top = figures.of(&m::READABLE, Who::Metronome).expect("measured before");
    let half = Pressure::at_rate(events::now(SEED + 30, 1 << 30, HOUR_MS), top / 2.0);
    let lag = half.beside(server.server(), async |_| probe::longest_lag(&server, PROBING)).await;
    figures.note(&m::LAG_HALF, Who::Metronome, lag);
    let full = Pressure::new(events::now(SEED + 31, 1 << 30, HOUR_MS));
    let lag = full.beside(server.server(), async |_| probe::longest_lag(&server, PROBING)).await;
    figures.note(&m::LAG_FULL, Who::Metronome, lag);
    let again = Pressure::new(events::now(SEED + 32, 1 << 30, HOUR_MS));
    let kill = async |_| {
        tokio::time::sleep(PRESSURE).await;
        server.server().process.kill();
    };
    again.beside(server.server(), kill).await;
    drop(server);
    let starting = Instant::now();
    let server = Metronome::start(&folder);
    server.server().get("/ready");
    figures.note(&m::START, Who::Metronome, starting.elapsed().as_secs_f64());
}
