//! The race: the same events and the same work on each contestant, one table.

use crate::events::{self, days_of_month};
use crate::figures::{Figures, Who};
use crate::machine::Machine;
use crate::measures as m;
use crate::peers::{DuckDb, Metronome, OpenSearch, Peer, VictoriaLogs, opensearch, victoria};
use crate::server::Sending;
use crate::{SEED, crash, import, sealing, singles, taking};
use metronome::load::Written;
use metronome::load::mix::Mix;
use std::path::Path;
use std::sync::Arc;

/// Lines of the log that is imported, at the most.
const LINES_MAX: u64 = 300_000;

pub async fn run(folder: &Path, events: u64, opensearch_events_max: u64) {
    let here = tempfile::tempdir_in(folder).expect("folder");
    let mut figures = Figures::new(Machine::look(here.path(), SEED), events, folder.join(format!("{events}.json")));
    say(&format!("{events} events on {}", figures.machine.line()));
    singles::run(here.path(), events, &mut figures).await;
    let written = written(here.path(), events, "");
    metronome(here.path(), &written, &mut figures).await;
    without_ids(here.path(), events, &mut figures).await;
    peers(here.path(), &written, opensearch_events_max, &mut figures).await;
    sealing::run(here.path(), events.min(1_000_000), &mut figures).await;
    crash::run(here.path(), &mut figures).await;
    import::run(here.path(), events.min(LINES_MAX), &mut figures);
    std::fs::write(folder.join(format!("{events}.md")), figures.table()).expect("write the table");
    println!("{}", figures.table());
}

pub fn say(what: &str) {
    eprintln!("== {what}");
}

/// The month's events in a file, so that making them takes nothing from those who take them.
pub fn written(folder: &Path, events: u64, before: &str) -> Arc<Written> {
    let path = folder.join(if before.is_empty() { "events.ndjson" } else { "events.bulk" });
    Arc::new(Written::write(&path, &events::month(events), before).expect("write events"))
}

async fn metronome(folder: &Path, written: &Arc<Written>, figures: &mut Figures) {
    say("Metronome: batches, questions, sealing");
    let events = written.events();
    let mut server = Metronome::start(&folder.join("metronome"));
    taking::take(&server, written, figures).await;
    taking::bytes(&mut server, &m::BYTES_OPEN, events, figures);
    taking::ask(&server, &days_of_month(), [&m::HOT_OPEN, &m::COLD_OPEN], figures);
    sealing::month(&server, events, figures);
    taking::bytes(&mut server, &m::BYTES_SEALED, events, figures);
    for bytes in [&m::BYTES_OPEN, &m::BYTES_SEALED] {
        figures.note(bytes, Who::Reference, written.bytes() as f64 / events as f64);
    }
    taking::ask(&server, &days_of_month(), [&m::HOT_SEALED, &m::COLD_SEALED], figures);
    let today = events::day(SEED + 1, 0, events / events::DAYS as u64);
    taking::take_quietly(&server, today, events).await;
    taking::ask(&server, &events::days_with_today(), [&m::HOT_TODAY, &m::COLD_TODAY], figures);
}

async fn without_ids(folder: &Path, events: u64, figures: &mut Figures) {
    say("Metronome: events without ids");
    let mut server = Metronome::start(&folder.join("plain"));
    let mix = Mix { ids: false, ..events::month(events) };
    let written = Written::write(&folder.join("plain.ndjson"), &mix, "").expect("write events");
    figures.note(&m::BYTES_PLAIN, Who::Reference, written.bytes() as f64 / events as f64);
    server.server().send(&Sending::batches(&Arc::new(written), Metronome::INSERT)).await;
    taking::wait_for(&server, events).await;
    server.seal(&[]);
    taking::bytes(&mut server, &m::BYTES_PLAIN, events, figures);
}

async fn peers(folder: &Path, all: &Arc<Written>, opensearch_events_max: u64, figures: &mut Figures) {
    match VictoriaLogs::start(&folder.join("victoria")) {
        None => figures.remark("VictoriaLogs is left out: scripts/install-peers did not install it.".to_owned()),
        Some(server) => {
            say("VictoriaLogs");
            figures.machine.versions.insert("VictoriaLogs", victoria::VERSION.to_owned());
            peer(server, all, all.events(), figures).await;
        }
    }
    match OpenSearch::start(&folder.join("opensearch")) {
        None => figures.remark("OpenSearch is left out: scripts/install-peers did not install it.".to_owned()),
        Some(server) => {
            say("OpenSearch");
            figures.machine.versions.insert("OpenSearch", server.version());
            let events = all.events().min(opensearch_events_max);
            if events < all.events() {
                figures.remark(format!("OpenSearch was given {events} events: it is slow."));
            }
            peer(server, &written(folder, events, opensearch::BEFORE_EACH), events, figures).await;
        }
    }
    say("DuckDB");
    let [hot, cold] = events::items();
    match DuckDb::run(folder, all.path(), [&hot, &cold], &days_of_month()) {
        None => figures.remark("DuckDB is left out: scripts/install-peers did not install it.".to_owned()),
        Some(measured) => duckdb(&measured, all.events(), figures),
    }
}

/// The same work on a peer. What it was asked stands beside each of Metronome's states: to it, all days are alike.
async fn peer<P: Peer>(mut server: P, written: &Arc<Written>, events: u64, figures: &mut Figures) {
    taking::take(&server, written, figures).await;
    taking::ask(&server, &days_of_month(), [&m::HOT_SEALED, &m::COLD_SEALED], figures);
    taking::bytes(&mut server, &m::BYTES_SEALED, events, figures);
    beside_every_state(P::WHO, figures);
}

fn duckdb(measured: &DuckDb, events: u64, figures: &mut Figures) {
    figures.machine.versions.insert("DuckDB", measured.version.clone());
    figures.note(&m::READABLE, Who::DuckDb, measured.events_per_second);
    figures.note(&m::HOT_SEALED, Who::DuckDb, measured.hot_ms);
    figures.note(&m::COLD_SEALED, Who::DuckDb, measured.cold_ms);
    figures.note(&m::BYTES_SEALED, Who::DuckDb, measured.bytes as f64 / events as f64);
    beside_every_state(Who::DuckDb, figures);
}

fn beside_every_state(who: Who, figures: &mut Figures) {
    let same = [
        (&m::HOT_SEALED, [&m::HOT_TODAY, &m::HOT_OPEN].as_slice()),
        (&m::COLD_SEALED, &[&m::COLD_TODAY, &m::COLD_OPEN]),
        (&m::BYTES_SEALED, &[&m::BYTES_OPEN]),
    ];
    for (measured, states) in same {
        for state in states {
            if let Some(figure) = figures.of(measured, who) {
                figures.note(state, who, figure);
            }
        }
    }
}
