//! The binary on a disk of ours: a file system in memory that forgets what was not synced, fails, and is full.

#[path = "../../contract/generated/dice.rs"]
#[allow(dead_code)] // generated plans need more of it
mod dice;
mod faults;
mod full;
mod layer;
pub mod ledger;
mod mount;
mod power;
mod power_loss;
mod tree;
mod users;

use metronome::load::mix::Mix;

const SITE: &str = "disk";
const DAY_MS: u64 = 86_400_000;

/// Events over the last days, of an own seed for each run and life.
fn mix(seed: u64, life: u64, days: u64, events: u64) -> Mix {
    let today = metronome::clock::Clock::System.now() / DAY_MS as i64 * DAY_MS as i64;
    let from = today - (days as i64 - 1) * DAY_MS as i64;
    // Today's have been: none lies ahead of the clock.
    let mut mix = Mix::new(seed.wrapping_mul(100) + life, SITE, from, (days - 1) * DAY_MS + 60_000, events);
    mix.items = 50;
    mix
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
