//! Rates: how many requests a key or an address may send, by the generic cell rate algorithm (ITU-T I.371).
//! - One number a sender: the time at which its bucket is full again.
//! - Bounded: two generations of senders; the older half is forgotten, and with it at most one burst.
//! - IPv6 senders count by their /64.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Parts of the map, each with a lock of its own.
const SHARDS: usize = 16;

/// A steady rate and how far it may be exceeded for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once after a pause.
    pub burst: u32,
}

/// Whose rate it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    /// By key.
    Key(Box<str>),
    /// By address.
    Address(IpAddr),
}

impl Sender {
    /// An address; of IPv6 the network a site is given.
    pub(super) fn address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        })
    }
}

/// The senders of one shard: since `epoch`, in ns, when each one's bucket is full again.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Sender, u64>,
    old: HashMap<Sender, u64>,
}

/// Counts requests against the rates.
#[derive(Debug)]
pub struct Rates {
    by_key: Option<Rate>,
    by_address: Option<Rate>,
    senders_max: usize,
    epoch: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl Rates {
    /// Rates by key and by address (`None`: no limit), remembering at most `senders_max` senders.
    pub fn new(by_key: Option<Rate>, by_address: Option<Rate>, senders_max: usize) -> Self {
        Self {
            by_key,
            by_address,
            senders_max: senders_max.max(2 * SHARDS),
            epoch: Instant::now(),
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    /// Takes one request of a sender; if it is over its rate, how long it should wait.
    pub(super) fn take(&self, sender: &Sender, now: Instant) -> Result<(), Duration> {
        let rate = match sender {
            Sender::Key(_) => self.by_key,
            Sender::Address(_) => self.by_address,
        };
        let Some(rate) = rate else { return Ok(()) };
        let interval = 1_000_000_000 / u64::from(rate.per_second.max(1));
        let burst = interval * u64::from(rate.burst.max(1));
        let now = u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX);
        let shard = &self.shards[self.hasher.hash_one(sender) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = shard.recall(sender, self.senders_max / SHARDS / 2);
        let next = (*full_at).max(now) + interval;
        if next > now + burst {
            return Err(Duration::from_nanos(next - now - burst));
        }
        *full_at = next;
        Ok(())
    }
}

impl Shard {
    /// What is remembered of a sender, in the young generation, which becomes the old one when it is full.
    fn recall(&mut self, sender: &Sender, generation_max: usize) -> &mut u64 {
        if !self.young.contains_key(sender) && self.young.len() >= generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young.entry(sender.clone()).or_insert_with(|| old.remove(sender).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Sender {
        Sender::address(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_burst_passes_and_then_the_steady_rate() {
        let rates = Rates::new(None, Some(Rate { per_second: 10, burst: 3 }), 1000);
        let start = rates.epoch + Duration::from_secs(5);
        for _ in 0..3 {
            assert_eq!(rates.take(&address(1), start), Ok(()));
        }
        assert_eq!(rates.take(&address(1), start), Err(Duration::from_millis(100)));
        assert_eq!(rates.take(&address(2), start), Ok(()), "another sender has its own");
        assert_eq!(rates.take(&address(1), start + Duration::from_millis(100)), Ok(()));
        assert!(rates.take(&address(1), start + Duration::from_millis(199)).is_err());
        assert_eq!(rates.take(&Sender::Key("k".into()), start), Ok(()), "no rate by key");
    }

    #[test]
    fn an_ipv6_sender_counts_by_its_network() {
        let rates = Rates::new(None, Some(Rate { per_second: 1, burst: 1 }), 1000);
        let sender = |text: &str| Sender::address(text.parse().unwrap());
        assert!(rates.take(&sender("2001:db8::1"), rates.epoch).is_ok());
        assert!(rates.take(&sender("2001:db8::2"), rates.epoch).is_err());
        assert!(rates.take(&sender("2001:db8:0:1::2"), rates.epoch).is_ok());
    }

    #[test]
    fn the_senders_remembered_are_bounded() {
        let rates = Rates::new(Some(Rate { per_second: 1, burst: 1 }), None, 64);
        for number in 0..10_000 {
            let _ = rates.take(&Sender::Key(number.to_string().into()), rates.epoch);
        }
        let held: usize =
            rates.shards.iter().map(|shard| shard.lock().unwrap()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held <= 64, "{held}");
    }
}
