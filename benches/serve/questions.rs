//! Questions: what reports and the question language cost, beside DuckDB over the same events (`bench/questions.py` asks both).

use crate::events::days_of_month;
use crate::machine::Machine;
use crate::peers::{Metronome, Peer};
use crate::race::{say, written};
use crate::server::{Sending, tools};
use crate::{SEED, taking};
use metronome::load::mix::Mix;
use std::path::Path;
use std::process::Command;

/// The rank of an item that is neither the busiest nor seldom used.
const ORDINARY: u64 = 500;

pub async fn run(folder: &Path, events: u64) {
    let figures = folder.join(format!("questions-{events}.json"));
    let here = tempfile::tempdir_in(folder).expect("folder");
    let folder = here.path();
    say(&format!("{events} events on {}", Machine::look(folder, SEED).line()));
    let written = written(folder, events, "");
    let server = Metronome::start(&folder.join("metronome"));
    server.server().send(&Sending::batches(&written, Metronome::INSERT)).await;
    taking::wait_for(&server, events).await;
    server.seal(&[]);
    say("questions");
    let (from, to) = days_of_month();
    let mut script = Command::new(tools().join("python/bin/python"));
    script.arg("bench/questions.py").arg(format!("http://{}", server.server().address));
    script.arg(written.path()).arg(folder.join("events.duckdb"));
    script.args([Mix::item(0), Mix::item(ORDINARY), from, to]).arg(figures);
    assert!(script.status().expect("python").success(), "bench/questions.py failed");
}
