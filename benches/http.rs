//! What `/tick` costs above a null handler: the same server loop, the same clients, the same events.
//!
//! `cargo bench --bench http [SECONDS]`. Requests per second of single events over 256 connections, then events per second
//! in batches of 1,000. Clients and server share the machine and the process, so every figure holds the clients' work; what
//! counts is the ratio and, on a busy machine, the processor's time a request. `gate` is a route that reads its body behind
//! the gate and stores nothing.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use metronome::catalog::Catalog;
use metronome::catalog::keys::Keys;
use metronome::catalog::salts::Salts;
use metronome::clock::Clock;
use metronome::http::{Access, Bodies, BodyLimits, Gate, Need, Options, Origins, Problem, Rates, Routes, serve};
use metronome::ingest::{self, Ingest};
use metronome::journal::{self, Journal};
use metronome::load::{self, mix::Mix};
use metronome::normalize::{Limits, Sites};
use metronome::receive::http as receive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 256;
const ROUNDS: usize = 3;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(3);
    let time_max = Duration::from_secs(seconds);
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("single events, {CONNECTIONS} connections, {seconds} s a round: the best of {ROUNDS}");
        let mut null_rate = 0.0;
        for name in ["null", "gate", "tick"] {
            let mut best = (0.0, String::new());
            for _ in 0..ROUNDS {
                let (rate, latency) = round(name, 1, time_max).await;
                if rate > best.0 {
                    best = (rate, latency);
                }
            }
            if name == "null" {
                null_rate = best.0;
            }
            println!("{name:>5} {:>9.0} requests/s {:>4.0} % of null  {}", best.0, 100.0 * best.0 / null_rate, best.1);
        }
        let (rate, latency) = round("tick", 1_000, time_max).await;
        println!("batches of 1,000: {rate:.0} events/s  {latency}");
    });
}

/// The processor's time of this process so far (Linux: fields 14 and 15 of its `stat`, in hundredths of a second).
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Events per second that were acknowledged, and the latencies.
async fn round(name: &str, batch: u64, time_max: Duration) -> (f64, String) {
    let folder = tempfile::tempdir_in(".").expect("a folder on a real disk");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(listener, None, router(name, folder.path()), Options::default(), async { drop(stopped.await) });
    let serving = tokio::spawn(server);
    let mix = Mix::new(7, "bench", Clock::System.now() - 3_600_000, 3_600_000, 100_000_000);
    let connections = if batch == 1 { CONNECTIONS } else { 8 };
    let options = load::Options {
        target,
        path: "/tick".to_owned(),
        key: None,
        connections,
        batch,
        rate: None,
        time_max,
        events: 100_000_000,
        bodies: load::Bodies::Made(mix),
    };
    // The first event makes salts; until the catalog's file has settled, each request looks into it.
    let first = load::Options { events: 1, connections: 1, batch: 1, ..options.clone() };
    load::run(first, Arc::new(|_| {})).await.expect("a first event");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let before = processor_time();
    let report = load::run(options, Arc::new(|_| {})).await.expect("a load");
    let spent = processor_time() - before;
    let _ = stop.send(());
    let _ = serving.await;
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    let [p50, _, p99, _] = report.latency_ms;
    let each_us = spent.as_secs_f64() * 1e6 / report.acknowledged as f64;
    let text = format!("{each_us:>5.1} µs of processor an event, p50 {p50:.1} ms, p99 {p99:.1} ms");
    (report.acknowledged as f64 / report.took.as_secs_f64(), text)
}

fn router(name: &str, folder: &Path) -> Router {
    if name == "null" {
        return Router::new().route("/tick", axum::routing::post(async || StatusCode::ACCEPTED));
    }
    let catalog = Arc::new(Catalog::open(&folder.join("catalog")).expect("a catalog"));
    let keys = Keys::open(Arc::clone(&catalog), Clock::System).expect("keys");
    let bodies = Bodies::new(BodyLimits::default());
    let routes = if name == "gate" {
        Routes::default().add(Method::POST, &["/tick"], Need::Write, read_alone, &bodies)
    } else {
        receive::routes(&Arc::new(parts(folder, catalog, bodies)))
    };
    routes.into_router(Gate {
        access: Access::new(Arc::new(keys)),
        trusted_proxies: Vec::new(),
        rates: Rates::new(None, None, 1_000),
        origins: Origins::default(),
    })
}

async fn read_alone(State(bodies): State<Bodies>, request: Request) -> Result<StatusCode, Problem> {
    let (head, body) = request.into_parts();
    bodies.read(&head.headers, body).await.map(|_| StatusCode::ACCEPTED)
}

fn parts(folder: &Path, catalog: Arc<Catalog>, bodies: Bodies) -> receive::Parts {
    let (journal, _) = Journal::open(&folder.join("journal"), journal::Options::default()).expect("a journal");
    let ingest = Ingest::open(ingest::Parts {
        journal,
        stored: tokio::sync::watch::channel(u64::MAX).1,
        salts: Arc::new(Salts::open(catalog).expect("salts")),
        sites: Arc::new(Sites::default()),
        places: None,
        limits: Limits::default(),
        keep_user_agent: false,
        options: ingest::Options::default(),
    });
    let ingest = ingest.expect("the write path");
    receive::Parts { ingest, bodies, limits: Limits::default(), batch_events_max: 10_000, clock: Clock::System }
}
