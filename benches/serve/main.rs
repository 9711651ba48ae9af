//! The service as a whole, measured from outside, beside others that do the same work in the same run.
//! `bench/race`, `bench/soak` and `bench/memory` are the commands; nothing here passes or fails.

mod crash;
mod events;
mod figures;
mod import;
mod machine;
mod measures;
mod memory;
mod null;
mod peers;
mod pressure;
mod probe;
mod process;
mod questions;
mod race;
mod sealing;
mod server;
mod singles;
mod soak;
mod taking;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Makes one run's events differ from another's.
const SEED: u64 = 1;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Figures go here, and what is measured with lives here meanwhile.
    #[arg(long, global = true, default_value = "target/race")]
    folder: PathBuf,
    /// What `cargo bench` says to every bench.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// The same work on each contestant: one table.
    Race {
        #[arg(default_value_t = 1_000_000)]
        events: u64,
        /// OpenSearch gets this many at the most: it is slow.
        #[arg(long, default_value_t = 1_000_000)]
        opensearch_events_max: u64,
    },
    /// Every kind of question, beside DuckDB.
    Questions {
        #[arg(default_value_t = 1_000_000)]
        events: u64,
    },
    /// Half of the top rate with readers beside it, for long.
    Soak {
        #[arg(default_value_t = 3600)]
        seconds: u64,
    },
    /// As many senders as can be served, ten times and a hundred times as many.
    Memory {
        #[arg(default_value_t = 10)]
        seconds: u64,
    },
    /// Serves a handler that reads the body and answers.
    NullHandler,
}

fn main() {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.folder).expect("the folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        match arguments.command {
            Command::Race { events, opensearch_events_max } => {
                race::run(&arguments.folder, events, opensearch_events_max).await;
            }
            Command::Questions { events } => questions::run(&arguments.folder, events).await,
            Command::Soak { seconds } => soak::run(&arguments.folder, seconds).await,
            Command::Memory { seconds } => memory::run(&arguments.folder, seconds).await,
            Command::NullHandler => null::serve().await,
        }
    });
}
