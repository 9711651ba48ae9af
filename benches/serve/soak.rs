//! The soak: half of the top rate for long, with readers and a probe beside it; memory, latencies, lag and disk over time.
//! - It is flat when the last third is no more than a quarter worse than the first. Events that wait count in seconds of the rate,
//!   from one second on.
//! - Where nothing was answered between two samples there is no figure, which is not a figure of zero.

use crate::machine::{Machine, median};
use crate::measures::Better;
use crate::peers::{Metronome, Peer};
use crate::pressure::{Pressure, Taken};
use crate::process::mib;
use crate::race::say;
use crate::{SEED, events, probe, taking};
use metronome::load::mix::Mix;
use serde::Serialize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const TOP_FOR: Duration = Duration::from_secs(20);
const READERS: u64 = 2;
/// Between a reader's questions, and between probes.
const PAUSE: Duration = Duration::from_millis(50);
const SAMPLES: u64 = 240;
const FLAT: f64 = 1.25;

#[derive(Serialize)]
struct Soak {
    machine: Machine,
    seconds: u64,
    top_rate: f64,
    rate: f64,
    samples: Vec<Sample>,
}

/// What was seen since the last.
#[derive(Debug, Serialize)]
struct Sample {
    at_s: f64,
    taken_per_s: f64,
    memory_mib: f64,
    store_mib: f64,
    journal_mib: f64,
    waiting_events: f64,
    tick_p50_ms: Option<f64>,
    tick_p99_ms: Option<f64>,
    tock_p50_ms: Option<f64>,
    tock_p99_ms: Option<f64>,
    /// The longest.
    seen_after_ms: Option<f64>,
}

/// Times of readers and probes, in milliseconds, since the last sample.
#[derive(Default)]
struct Times {
    tick: Series,
    tock: Series,
    seen: Series,
    ended: AtomicBool,
}

#[derive(Default)]
struct Series(Mutex<Vec<f64>>);

impl Series {
    fn add(&self, time: Duration) {
        self.0.lock().expect("lock").push(time.as_secs_f64() * 1000.0);
    }

    /// Takes what there is: its median, its p99, its longest.
    fn take(&self) -> [Option<f64>; 3] {
        let mut times = std::mem::take(&mut *self.0.lock().expect("lock"));
        times.sort_by(f64::total_cmp);
        [times.len() / 2, times.len() * 99 / 100, times.len().saturating_sub(1)].map(|at| times.get(at).copied())
    }
}

pub async fn run(folder: &Path, seconds: u64) {
    let here = tempfile::tempdir_in(folder).expect("folder");
    let machine = Machine::look(here.path(), SEED);
    say(&format!("soak of {seconds} s on {}", machine.line()));
    let top_rate = top_rate(&here.path().join("top")).await;
    let rate = top_rate / 2.0;
    say(&format!("top rate {top_rate:.0} events/s, readable; {rate:.0} events/s from here on"));
    let server = Metronome::start(&here.path().join("soak"));
    let span_ms = seconds * 1000;
    let pressure = Pressure::at_rate(events::now(SEED + 1, (rate * seconds as f64) as u64, span_ms), rate);
    let samples = pressure.beside(server.server(), async |taken| watch(&server, &taken, seconds)).await;
    let soak = Soak { machine, seconds, top_rate, rate, samples };
    std::fs::write(folder.join("soak.json"), serde_json::to_vec_pretty(&soak).expect("JSON")).expect("write samples");
    println!("{}", soak.verdict());
}

/// Events a second that can be taken and read for good.
async fn top_rate(folder: &Path) -> f64 {
    let server = Metronome::start(folder);
    let pressure = Pressure::new(events::now(SEED, 1 << 30, 3_600_000));
    let started = Instant::now();
    let sleep = async |taken: Taken| {
        tokio::time::sleep(TOP_FOR).await;
        taken.so_far()
    };
    let taken = pressure.beside(server.server(), sleep).await;
    taking::wait_for(&server, taken).await;
    taken as f64 / started.elapsed().as_secs_f64()
}

/// Readers and a probe beside the load, and a sample of everything from time to time. Blocks.
fn watch(server: &Metronome, taken: &Taken, seconds: u64) -> Vec<Sample> {
    let times = Times::default();
    let every = Duration::from_secs_f64(seconds as f64 / SAMPLES as f64).max(Duration::from_secs(1));
    let started = Instant::now();
    let sampling = || {
        let mut samples = Vec::new();
        let (mut before, mut at) = (taken.so_far(), Instant::now());
        while started.elapsed() + every < Duration::from_secs(seconds) {
            std::thread::sleep(every);
            let now = taken.so_far();
            let taken_per_s = (now - before) as f64 / at.elapsed().as_secs_f64();
            (before, at) = (now, Instant::now());
            samples.push(sample(server, &times, started.elapsed().as_secs_f64(), taken_per_s));
        }
        times.ended.store(true, Ordering::Relaxed);
        samples
    };
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for reader in 0..READERS {
                let times = &times;
                scope.spawn(move || read(server, reader, times));
            }
            scope.spawn(|| repeat(&times, || times.tick.add(probe::post(server, "soak"))));
            scope.spawn(|| repeat(&times, || times.seen.add(probe::lag(server))));
            sampling()
        })
    })
}

fn sample(server: &Metronome, times: &Times, at_s: f64, taken_per_s: f64) -> Sample {
    let [tick_p50_ms, tick_p99_ms, _] = times.tick.take();
    let [tock_p50_ms, tock_p99_ms, _] = times.tock.take();
    let [_, _, seen_after_ms] = times.seen.take();
    let sample = Sample {
        at_s,
        taken_per_s,
        memory_mib: mib(server.server().process.anonymous_bytes()),
        store_mib: mib(server.store_bytes()),
        journal_mib: mib(server.journal_bytes()),
        waiting_events: server.metric("metronome_store_lag_events"),
        tick_p50_ms,
        tick_p99_ms,
        tock_p50_ms,
        tock_p99_ms,
        seen_after_ms,
    };
    eprintln!("   {}", serde_json::to_string(&sample).expect("JSON"));
    sample
}

/// Asks about items of every rank, one after the other.
fn read(server: &Metronome, first: u64, times: &Times) {
    let days = events::days_with_today();
    let mut rank = first;
    repeat(times, || {
        let asked = Instant::now();
        server.ask(&Mix::item(rank), &days);
        times.tock.add(asked.elapsed());
        rank = (rank * 3 + 1) % 10_000;
    });
}

fn repeat(times: &Times, mut what: impl FnMut()) {
    while !times.ended.load(Ordering::Relaxed) {
        what();
        std::thread::sleep(PAUSE);
    }
}

impl Soak {
    /// The last third beside the first, and whether all of it is flat.
    fn verdict(&self) -> String {
        let series = [
            ("events/s taken", Better::More, self.series(|sample| Some(sample.taken_per_s))),
            ("memory, MiB", Better::Less, self.series(|sample| Some(sample.memory_mib))),
            ("/tick p99, ms", Better::Less, self.series(|sample| sample.tick_p99_ms)),
            ("/tock p99, ms", Better::Less, self.series(|sample| sample.tock_p99_ms)),
            ("seen after, ms", Better::Less, self.series(|sample| sample.seen_after_ms)),
            ("waiting, s", Better::Less, self.series(|sample| Some((sample.waiting_events / self.rate).max(1.0)))),
        ];
        let head = format!("{} s at {:.0} events/s; medians of the first and the last third:", self.seconds, self.rate);
        let mut lines = vec![head];
        let mut flat = true;
        for (name, better, figures) in series {
            let third = figures.len() / 3;
            let [first, last] = [&figures[..third], &figures[figures.len() - third..]];
            let [first, last] = [first, last].map(|third| median(third.iter().copied().flatten().collect()));
            // Nothing to compare is nothing that stayed as it was.
            let is_flat = better.times(first, last).is_some_and(|times| times <= FLAT);
            flat &= is_flat;
            lines.push(format!("  {name}: {first:.1} → {last:.1}{}", if is_flat { "" } else { ": not flat" }));
        }
        lines.push(format!("verdict: {}", if flat { "flat" } else { "not flat" }));
        lines.join("\n")
    }

    fn series(&self, of: impl Fn(&Sample) -> Option<f64>) -> Vec<Option<f64>> {
        self.samples.iter().map(of).collect()
    }
}
