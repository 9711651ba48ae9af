//! Memory whatever comes: as many senders as can be served, ten times and a hundred times as many, none of which waits.

use crate::machine::Machine;
use crate::peers::{Metronome, Peer};
use crate::race::say;
use crate::server::Sending;
use crate::{SEED, events};
use metronome::load::Report;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Senders that a machine of two cores can just serve: of batches of 1,000, and of single events.
const BATCH_SENDERS: usize = 4;
const SINGLE_SENDERS: usize = 100;
const TIMES: [usize; 3] = [1, 10, 100];

#[derive(Serialize)]
struct Memory {
    machine: Machine,
    seconds: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    batch: u64,
    senders: usize,
    memory_mib: f64,
    taken_per_s: f64,
    refused: BTreeMap<u16, u64>,
    unanswered: u64,
    p99_ms: f64,
}

pub async fn run(folder: &Path, seconds: u64) {
    let here = tempfile::tempdir_in(folder).expect("folder");
    let machine = Machine::look(here.path(), SEED);
    say(&format!("memory, {seconds} s each, on {}", machine.line()));
    let mut rows = Vec::new();
    for (batch, senders) in [(1000, BATCH_SENDERS), (1, SINGLE_SENDERS)] {
        for times in TIMES {
            rows.push(row(here.path(), batch, senders * times, seconds).await);
        }
    }
    let memory = Memory { machine, seconds, rows };
    std::fs::write(folder.join("memory.json"), serde_json::to_vec_pretty(&memory).expect("JSON")).expect("write");
    std::fs::write(folder.join("memory.md"), memory.table()).expect("write the table");
    println!("{}", memory.table());
}

async fn row(folder: &Path, batch: u64, senders: usize, seconds: u64) -> Row {
    let server = Metronome::start(&folder.join(format!("{batch}-{senders}")));
    let watch = server.server().process.watch_memory();
    let mix = events::now(SEED, 1 << 30, 3_600_000);
    let sending = Sending { batch, connections: senders, ..Sending::for_a_while(mix, Duration::from_secs(seconds)) };
    let report = server.server().send(&sending).await;
    let taken_per_s = report.rate();
    let Report { refused, unknown, latency_ms: [.., p99_ms, _], .. } = report;
    let row = Row { batch, senders, memory_mib: watch.peak_mib(), taken_per_s, refused, unanswered: unknown, p99_ms };
    eprintln!("   {}", row.line());
    row
}

impl Memory {
    fn table(&self) -> String {
        let mut lines = vec![
            format!("{} s each. {}.", self.seconds, self.machine.line()),
            String::new(),
            "| senders | events a request | anonymous memory, MiB | taken, events/s | 429 | 503 | other | unanswered | p99, ms |"
                .to_owned(),
            "|---|---|---|---|---|---|---|---|---|".to_owned(),
        ];
        lines.extend(self.rows.iter().map(Row::line));
        lines.join("\n") + "\n"
    }
}

impl Row {
    fn line(&self) -> String {
        let of = |status: u16| self.refused.get(&status).copied().unwrap_or_default();
        let others = self.refused.values().sum::<u64>() - of(429) - of(503);
        let Self { batch, senders, memory_mib, taken_per_s, unanswered, p99_ms, .. } = self;
        format!(
            "| {senders} | {batch} | {memory_mib:.0} | {taken_per_s:.0} | {} | {} | {others} | {unanswered} | {p99_ms:.0} |",
            of(429),
            of(503)
        )
    }
}
