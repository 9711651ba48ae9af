//! Taking events in batches until they are readable, and what is asked of them afterwards: the same for every peer.

use crate::events;
use crate::figures::Figures;
use crate::machine::median;
use crate::measures::{self as m, Measure};
use crate::peers::{Days, Metronome, Peer};
use crate::process::own_processor_time;
use crate::server::Sending;
use metronome::load::Written;
use metronome::load::mix::Mix;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often each question is asked; the median counts.
const RUNS: usize = 21;
/// How often a peer is asked whether the last event is readable.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const READABLE_WITHIN: Duration = Duration::from_secs(3600);

/// Sends every event, waits until the last is readable, and notes both rates.
pub async fn take<P: Peer>(peer: &P, written: &Arc<Written>, figures: &mut Figures) {
    let events = written.events();
    let watch = peer.server().process.watch_memory();
    let (own, theirs) = (own_processor_time(), peer.server().process.processor_time());
    let started = Instant::now();
    let report = peer.server().send(&Sending::batches(written, P::INSERT)).await;
    let (own, theirs) = (own_processor_time() - own, peer.server().process.processor_time() - theirs);
    assert_eq!(report.acknowledged, events, "{report}");
    wait_for(peer, events).await;
    figures.note(&m::TAKEN, P::WHO, report.rate());
    figures.note(&m::READABLE, P::WHO, events as f64 / started.elapsed().as_secs_f64());
    figures.note(&m::TAKEN_CLIENT, P::WHO, 100.0 * own.as_secs_f64() / (own + theirs).as_secs_f64());
    figures.note(&m::MEMORY, P::WHO, watch.peak_mib());
}

/// Adds today's events to those that are there, unmeasured.
pub async fn take_quietly(server: &Metronome, today: Mix, already: u64) {
    let more = today.events;
    let sending = Sending { events: more, ..Sending::for_a_while(today, READABLE_WITHIN) };
    server.server().send(&sending).await;
    wait_for(server, already + more).await;
}

pub async fn wait_for<P: Peer>(peer: &P, events: u64) {
    let asked = Instant::now();
    while peer.readable() < events {
        assert!(asked.elapsed() < READABLE_WITHIN, "{:?}: {events} events do not become readable", P::WHO);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Notes the median time of a hot and a cold item's question.
pub fn ask<P: Peer>(peer: &P, days: &Days, measures: [&Measure; 2], figures: &mut Figures) {
    for (item, measure) in events::items().iter().zip(measures) {
        let times = (0..RUNS).map(|_| {
            let asked = Instant::now();
            peer.ask(item, days);
            asked.elapsed().as_secs_f64() * 1000.0
        });
        figures.note(measure, P::WHO, median(times.collect()));
    }
}

pub fn bytes<P: Peer>(peer: &mut P, measure: &Measure, events: u64, figures: &mut Figures) {
    let bytes = peer.bytes();
    figures.note(measure, P::WHO, bytes as f64 / events as f64);
}
