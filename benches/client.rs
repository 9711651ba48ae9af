//! How fast user agents are read: `cargo bench --bench client`.
//! - Loading the rules, then each of a real log's 559 agents for the first time, again without the cache, and from the cache.
//! - And the worst that a sender can do: agents of the full length that is read, all different.

use metronome::normalize::client;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ACCESS_LOG: &str = include_str!("../fixtures/clients/access-log.tsv");

fn main() {
    let agents: Vec<&str> =
        ACCESS_LOG.lines().filter_map(|line| line.split_once('\t')).map(|(_, agent)| agent).collect();
    let loading = Instant::now();
    client::prepare();
    println!("load the rules            {:>10.1?}", loading.elapsed());
    report("first reading", &agents, |agent| drop(black_box(client::read_uncached(agent))));
    report("again, without the cache", &agents, |agent| drop(black_box(client::read_uncached(agent))));
    report("into the cache", &agents, |agent| drop(black_box(client::read(agent))));
    report("from the cache", &agents, |agent| drop(black_box(client::read(agent))));
    let hostile: Vec<String> = (0..200).map(|number| worst(&agents, number)).collect();
    let hostile: Vec<&str> = hostile.iter().map(String::as_str).collect();
    report("hostile, 2 KiB each", &hostile, |agent| drop(black_box(client::read_uncached(agent))));
}

/// Many agents' words in one, so that as many rules as possible are tried.
fn worst(agents: &[&str], number: usize) -> String {
    let words: Vec<&str> = agents.iter().cycle().skip(number * 7).take(40).copied().collect();
    format!("{number} {}", words.join(" ").replace("bot", "b0t"))
}

fn report(what: &str, agents: &[&str], read: impl Fn(&str)) {
    let mut longest = Duration::ZERO;
    let all = Instant::now();
    for agent in agents {
        let one = Instant::now();
        read(agent);
        longest = longest.max(one.elapsed());
    }
    let mean = all.elapsed() / u32::try_from(agents.len()).unwrap_or(u32::MAX);
    println!("{what:<25} {mean:>10.1?} each, {longest:>10.1?} at worst");
}
