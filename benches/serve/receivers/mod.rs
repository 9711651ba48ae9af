//! Receivers: what each way in takes and costs, beside JSON lines on `/tick` and beside VictoriaLogs by the ways it has.
//! - The same events by each way, encoded before the clock starts, over as many connections, batches of 1,000 where there are
//!   batches, each acknowledged after its sync; where a protocol acknowledges nothing, until the server counts it as taken.
//! - Rounds are interleaved, each on servers of its own; the median counts.

mod streams;
mod ways;

use crate::events;
use crate::machine::{Machine, median};
use crate::peers::{Metronome, Peer, VictoriaLogs, victoria};
use crate::race::say;
use crate::server::{Sending, Server};
use crate::{SEED, taking};
use metronome::load::Written;
use metronome::load::mix::Mix;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ways::{OURS, THEIRS, Way};

const ROUNDS: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(10);
const TAKEN_WITHIN: Duration = Duration::from_secs(600);

/// What one way came to in one round.
struct Measured {
    events_per_second: f64,
    processor_us: f64,
    lost: f64,
}

/// Medians over the rounds.
#[derive(Serialize)]
struct Row {
    way: &'static str,
    goal: &'static str,
    events_per_second: f64,
    processor_us: f64,
    lost: f64,
    victoria_events_per_second: Option<f64>,
    victoria_processor_us: Option<f64>,
}

#[derive(Serialize)]
struct Table {
    machine: Machine,
    events: u64,
    rows: Vec<Row>,
}

pub async fn run(folder: &Path, events: u64) {
    let here = tempfile::tempdir_in(folder).expect("folder");
    let mut machine = Machine::look(here.path(), SEED);
    say(&format!("{events} events by each way, on {}", machine.line()));
    let mix = events::now(SEED, events, 3_600_000);
    let mix = Mix { from: mix.from - 3_600_000, ..mix };
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    for round in 0..ROUNDS {
        say(&format!("round {}", round + 1));
        // Datagrams are sent as fast as the same was taken by TCP: nobody holds them back.
        let mut rate = None;
        for way in OURS {
            if let Some(measured) = metronome(&here.path().join(format!("m{round}-{way:?}")), way, &mix, rate).await {
                rate = (way == Way::SyslogTcp).then_some(measured.events_per_second).or(rate);
                note(&mut ours, way, measured);
            }
        }
        for way in THEIRS {
            if let Some(measured) = victoria_logs(&here.path().join(format!("v{round}-{way:?}")), way, &mix).await {
                machine.versions.insert("VictoriaLogs", victoria::VERSION.to_owned());
                note(&mut theirs, way, measured);
            }
        }
    }
    let rows = OURS.into_iter().filter_map(|way| row(way, &ours, &theirs)).collect();
    let table = Table { machine, events, rows };
    std::fs::write(folder.join("receivers.json"), serde_json::to_vec_pretty(&table).expect("JSON")).expect("write");
    std::fs::write(folder.join("receivers.md"), table.text()).expect("write the table");
    println!("{}", table.text());
}

fn note(all: &mut BTreeMap<Way, Vec<Measured>>, way: Way, measured: Measured) {
    let Measured { events_per_second, processor_us, lost } = &measured;
    eprintln!("   {:<12} {events_per_second:.0}/s, {processor_us:.1} µs each, {:.1} % lost", way.name(), 100.0 * lost);
    all.entry(way).or_default().push(measured);
}

fn row(way: Way, ours: &BTreeMap<Way, Vec<Measured>>, theirs: &BTreeMap<Way, Vec<Measured>>) -> Option<Row> {
    let middle = |all: &[Measured], of: fn(&Measured) -> f64| median(all.iter().map(of).collect());
    let ours = ours.get(&way)?;
    let theirs = theirs.get(&way);
    Some(Row {
        way: way.name(),
        goal: way.goal(),
        events_per_second: middle(ours, |measured| measured.events_per_second),
        processor_us: middle(ours, |measured| measured.processor_us),
        lost: middle(ours, |measured| measured.lost),
        victoria_events_per_second: theirs.map(|all| middle(all, |measured| measured.events_per_second)),
        victoria_processor_us: theirs.map(|all| middle(all, |measured| measured.processor_us)),
    })
}

/// `None` where the server has no such port.
async fn metronome(folder: &Path, way: Way, mix: &Mix, rate: Option<f64>) -> Option<Measured> {
    let peer = Metronome::start_with_ports(folder, &way.port().into_iter().collect::<Vec<_>>());
    let server = peer.server();
    // The first event makes salts.
    let first = Mix { events: 1, ..events::now(SEED + 1, 1, 1) };
    server.send(&Sending { events: 1, ..Sending::for_a_while(first, TAKEN_WITHIN) }).await;
    let measured = match way.port() {
        None => by_http(server, way, Metronome::INSERT, "/_bulk", folder, mix).await,
        Some(port) => {
            let Some(address) = server.ports.get(port).copied() else {
                eprintln!("   {:<12} left out: the server has no such port", way.name());
                return None;
            };
            let taken = || counter(server, "receiver_events_accepted", &format!("receiver=\"{port}\""));
            by_stream(server, way, address, mix, rate, &taken).await
        }
    };
    if way != Way::SyslogUdp {
        taking::wait_for(&peer, mix.events + 1).await;
    }
    drop(peer);
    std::fs::remove_dir_all(folder).expect("its folder");
    Some(measured)
}

async fn victoria_logs(folder: &Path, way: Way, mix: &Mix) -> Option<Measured> {
    let (peer, syslog) = VictoriaLogs::start_with_syslog(folder)?;
    let server = peer.server();
    let measured = match way {
        Way::SyslogTcp => {
            let taken = || counter(server, "vl_rows_ingested_total", "syslog");
            by_stream(server, way, syslog, mix, None, &taken).await
        }
        _ => {
            let bulk = "/insert/elasticsearch/_bulk?_time_field=@timestamp&_msg_field=path&_stream_fields=site";
            by_http(server, way, VictoriaLogs::INSERT, bulk, folder, mix).await
        }
    };
    drop(peer);
    std::fs::remove_dir_all(folder).expect("its folder");
    Some(measured)
}

/// Requests of batches, by the load generator that the race uses.
async fn by_http(
    server: &Server,
    way: Way,
    lines: &'static str,
    bulk: &'static str,
    folder: &Path,
    mix: &Mix,
) -> Measured {
    let (path, before) = if way == Way::Bulk { (bulk, "{\"create\":{}}\n") } else { (lines, "") };
    let file = folder.with_extension("ndjson");
    let written = Arc::new(Written::write(&file, mix, before).expect("write events"));
    let before = server.process.processor_time();
    let report = server.send(&Sending::batches(&written, path)).await;
    let processor = server.process.processor_time() - before;
    assert_eq!(report.acknowledged, mix.events, "{report}");
    std::fs::remove_file(file).expect("the events");
    Measured {
        events_per_second: report.rate(),
        processor_us: processor.as_secs_f64() * 1e6 / mix.events as f64,
        lost: 0.0,
    }
}

/// A stream's bytes, until all is acknowledged, or where nothing is, taken.
async fn by_stream(
    server: &Server,
    way: Way,
    address: std::net::SocketAddr,
    mix: &Mix,
    rate: Option<f64>,
    taken: &impl Fn() -> u64,
) -> Measured {
    let pieces = Arc::new(way.encode(mix));
    let before = server.process.processor_time();
    let begun = Instant::now();
    let sending = tokio::task::spawn_blocking(move || streams::send(way, address, &pieces, rate));
    sending.await.expect("a sender");
    let (mut count, mut since) = (taken(), Instant::now());
    let mut took = begun.elapsed();
    while count < mix.events && begun.elapsed() < TAKEN_WITHIN {
        // What a datagram's loss leaves out does not come any more.
        if way == Way::SyslogUdp && since.elapsed() > Duration::from_secs(1) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let now = taken();
        if now > count {
            (count, since, took) = (now, Instant::now(), begun.elapsed());
        }
    }
    let processor = server.process.processor_time() - before;
    assert!(count == mix.events || way == Way::SyslogUdp, "{}: {count} of {}", way.name(), mix.events);
    Measured {
        events_per_second: count as f64 / took.as_secs_f64(),
        processor_us: processor.as_secs_f64() * 1e6 / count as f64,
        lost: 1.0 - count as f64 / mix.events as f64,
    }
}

/// The sum of a metric's series that hold this text.
fn counter(server: &Server, name: &str, label: &str) -> u64 {
    let text = server.get("/metrics");
    let series = text.lines().filter(|line| line.contains(name) && line.contains(label) && !line.starts_with('#'));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
}

impl Table {
    fn text(&self) -> String {
        let reference = self.rows.first().map_or(f64::NAN, |row| row.events_per_second);
        let mut lines = vec![
            format!("{} events by each way, the median of {ROUNDS} rounds. {}.", self.events, self.machine.line()),
            String::new(),
            "| | events/s | of `/tick` | goal | processor an event, µs | lost | VictoriaLogs, events/s | its processor, µs |"
                .to_owned(),
            "|---|---|---|---|---|---|---|---|".to_owned(),
        ];
        for row in &self.rows {
            let Row { way, goal, events_per_second, processor_us, lost, .. } = row;
            let ratio = events_per_second / reference;
            let lost = if *lost > 0.0 { format!("{:.1} %", 100.0 * lost) } else { String::new() };
            let theirs = row.victoria_events_per_second.map(|rate| format!("{rate:.0}")).unwrap_or_default();
            let their_us = row.victoria_processor_us.map(|us| format!("{us:.1}")).unwrap_or_default();
            lines.push(format!(
                "| {way} | {events_per_second:.0} | {ratio:.2} | {goal} | {processor_us:.1} | {lost} | {theirs} | {their_us} |"
            ));
        }
        lines.join("\n") + "\n"
    }
}
