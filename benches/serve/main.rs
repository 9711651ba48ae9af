//! The service as a whole, measured from outside: writing one by one and in batches, import, and reading an item, beside a
//! null handler in the same server stack, the disk's own sync, and VictoriaLogs on the same events in the same run.
//! One command: `bench/first [EVENTS]`. Prints one table; nothing here passes or fails.

mod peers;
mod servers;

use metronome::load::{self, Options, Report, mix::Mix};
use servers::Server;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DAY_MS: u64 = 86_400_000;
const DAYS: u64 = 30;
const SEED: u64 = 1;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("null-handler") {
        return servers::null_handler();
    }
    let events: u64 = std::env::var("BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(300_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    let folder = tempfile::tempdir().expect("folder");
    println!("{events} events of seed {SEED}, {} cores, folder {}", cores(), folder.path().display());
    runtime.block_on(async {
        singles(folder.path()).await;
        let mix = month(events);
        batches(folder.path(), &mix).await;
        import(folder.path(), events.min(300_000));
    });
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn row(what: &str, figure: f64, unit: &str, beside: &str) {
    println!("{what:<58} {figure:>12.1} {unit:<10} {beside}");
}

/// A month that ended yesterday, so that its days can be sealed.
fn month(events: u64) -> Mix {
    let now = metronome::clock::Clock::System.now();
    let today = now - now.rem_euclid(DAY_MS as i64);
    Mix::new(SEED, "default", today - (DAYS * DAY_MS) as i64, DAYS * DAY_MS, events)
}

async fn send(server: &Server, path: &str, mix: &Mix, connections: usize, batch: u64, seconds: u64) -> Report {
    let options = Options {
        target: server.address,
        path: path.to_owned(),
        key: None,
        connections,
        batch,
        rate: None,
        time_max: Duration::from_secs(seconds),
        events: mix.events,
        mix: mix.clone(),
    };
    load::run(options, Arc::new(|_| ())).await.expect("a load")
}

/// One event a request, 256 connections, every answer after its sync.
async fn singles(folder: &Path) {
    let sync = sync_seconds(folder);
    row("one fdatasync after 4 KiB appended", sync * 1000.0, "ms", "the disk");
    let mix = month(u64::MAX >> 20);
    let null = Server::null();
    let beside = send(&null, "/tick", &mix, 256, 1, 8).await.rate();
    drop(null);
    row("null handler, single events, 256 connections", beside, "events/s", "reads the body and answers");
    let server = Server::metronome(&folder.join("singles"));
    let report = send(&server, "/tick", &mix, 256, 1, 8).await;
    let lower = (0.6 * beside).min(0.8 * 256.0 / (1.5 * sync));
    let figure = format!("{:.2} of the null handler; {:.2} of the goal", report.rate() / beside, report.rate() / lower);
    row("metronome, single events, 256 connections", report.rate(), "events/s", &figure);
    row("  answer p99", report.latency_ms[2], "ms", &format!("unanswered {}", report.unknown));
}

/// Batches of 1,000 as JSON lines: acknowledged, then readable; then what an item's question costs.
async fn batches(folder: &Path, mix: &Mix) {
    let server = Server::metronome(&folder.join("batches"));
    let started = Instant::now();
    let report = send(&server, "/tick", mix, 4, 1000, 3600).await;
    server.wait_for(mix.events).await;
    let readable = mix.events as f64 / started.elapsed().as_secs_f64();
    let open_bytes = servers::folder_bytes(&folder.join("batches/store")) as f64 / mix.events as f64;
    row("metronome, batches of 1,000: acknowledged", report.rate(), "events/s", "synced");
    row("metronome, batches of 1,000: readable", readable, "events/s", "");
    row("metronome, resident memory after it", server.resident_mib(), "MiB", "");
    row("metronome, bytes an event, open", open_bytes, "B", "");
    item("metronome, open days", &server, &peers::metronome_item).await;
    let sealing = Instant::now();
    server.seal();
    let sealed = sealing.elapsed().as_secs_f64();
    row("metronome, sealing all of it", sealed, "s", &format!("{:.2} s a million", sealed * 1e6 / mix.events as f64));
    let bytes = servers::folder_bytes(&folder.join("batches/store")) as f64 / mix.events as f64;
    row("metronome, bytes an event, sealed", bytes, "B", "");
    item("metronome, sealed days", &server, &peers::metronome_item).await;
    drop(server);
    let Some(peer) = Server::victoria_logs(&folder.join("victoria")) else {
        println!("VictoriaLogs skipped: scripts/install-peers has not been run");
        return;
    };
    let started = Instant::now();
    let theirs = send(&peer, peers::VICTORIA_INSERT, mix, 4, 1000, 3600).await;
    peers::victoria_wait_for(&peer, mix.events).await;
    let their_readable = mix.events as f64 / started.elapsed().as_secs_f64();
    let ratio = format!("not synced; metronome {:.2} of it", report.rate() / theirs.rate());
    row("VictoriaLogs, batches of 1,000: taken", theirs.rate(), "events/s", &ratio);
    let ratio = format!("metronome {:.2} of it", readable / their_readable);
    row("VictoriaLogs, batches of 1,000: readable", their_readable, "events/s", &ratio);
    item("VictoriaLogs, three questions", &peer, &peers::victoria_item).await;
}

/// The median time of one item's usage over 30 days, of the busiest item and of a seldom seen one.
async fn item(whose: &str, server: &Server, ask: &dyn Fn(&Server, &str)) {
    for (name, rank) in [("hot", 0), ("cold", 4321)] {
        let id = Mix::item(rank);
        let mut times: Vec<f64> = (0..21)
            .map(|_| {
                let asked = Instant::now();
                ask(server, &id);
                asked.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        row(&format!("{whose}: a {name} item, 30 days, p50"), times[10], "ms", "");
    }
}

/// A combined log through `metronome import`, beside reading its lines alone.
fn import(folder: &Path, lines: u64) {
    let log = folder.join("access.log");
    peers::write_log(&log, lines);
    let reading = Instant::now();
    let text = std::fs::read(&log).expect("log");
    let seen = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    let reading = seen as f64 / reading.elapsed().as_secs_f64();
    let started = Instant::now();
    servers::import(&folder.join("import"), &log);
    let rate = lines as f64 / started.elapsed().as_secs_f64();
    row("metronome import, combined log, sealed at its end", rate, "lines/s", &format!("reading alone {reading:.0}"));
}

/// The median time of an append of 4 KiB and its fdatasync.
fn sync_seconds(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("sync")).expect("file");
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            file.write_all(&[7; 4096]).expect("write");
            let asked = Instant::now();
            file.sync_data().expect("sync");
            asked.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[50]
}
