//! One event a request over 256 connections, every answer after its sync, beside a null handler and the disk.

use crate::figures::{Figures, Who};
use crate::measures as m;
use crate::peers::{Metronome, Peer};
use crate::process::own_processor_time;
use crate::race::say;
use crate::server::{Sending, Server};
use crate::{SEED, events, null};
use metronome::load::{Bodies, Written};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: usize = 256;
const SECONDS: u64 = 8;
/// More than are taken in that time.
const EVENTS_MAX: u64 = 1_000_000;

pub async fn run(folder: &Path, events: u64, figures: &mut Figures) {
    say("single events");
    let mix = events::month(events.min(EVENTS_MAX));
    let written = Arc::new(Written::write(&folder.join("singles.ndjson"), &mix, "").expect("write events"));
    let sending = Sending {
        bodies: Bodies::Written(written),
        path: "/tick",
        connections: CONNECTIONS,
        batch: 1,
        rate: None,
        events: mix.events,
        time_max: Duration::from_secs(SECONDS),
    };
    let null = null::start();
    let reference = send(&null, &sending, Who::Reference, figures).await;
    drop(null);
    let server = Metronome::start(&folder.join("singles"));
    // The first event makes salts.
    server
        .server()
        .send(&Sending { events: 1, ..Sending::for_a_while(events::day(SEED + 1, 1, 1), sending.time_max) })
        .await;
    let rate = send(server.server(), &sending, Who::Metronome, figures).await;
    let disk = CONNECTIONS as f64 / (1.5 * figures.machine.sync_ms / 1000.0);
    figures.note(&m::SINGLES_DISK, Who::Metronome, rate);
    figures.note(&m::SINGLES_DISK, Who::Reference, disk);
    figures.remark(format!("Single events reach {:.2} of the goal.", rate / (0.6 * reference).min(0.8 * disk)));
}

async fn send(server: &Server, sending: &Sending, who: Who, figures: &mut Figures) -> f64 {
    let (own, theirs) = (own_processor_time(), server.process.processor_time());
    let report = server.send(sending).await;
    let (own, theirs) = (own_processor_time() - own, server.process.processor_time() - theirs);
    assert!(report.refused.is_empty() && report.unknown == 0, "{report}");
    figures.note(&m::SINGLES, who, report.rate());
    figures.note(&m::SINGLES_PROCESSOR, who, theirs.as_secs_f64() * 1e6 / report.acknowledged as f64);
    figures.note(&m::SINGLES_CLIENT, who, 100.0 * own.as_secs_f64() / (own + theirs).as_secs_f64());
    figures.note(&m::SINGLES_P99, who, report.latency_ms[2]);
    report.rate()
}
