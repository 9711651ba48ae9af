//! Client: what a user agent says of itself. Browser, system, device, and whether it is a machine.
//! - Pure: the same text gives the same answer; a bounded cache stands in front and only saves time.
//! - Only the first `READ_BYTES_MAX` of an agent are looked at, so that one reading costs microseconds at worst.
//! - Browsers and systems by the rules of uap-core (`ua-parser`, which tries only the rules whose words occur:
//!   one agent in ten microseconds, 40 ms to load; `uaparser` tries them all in turn). Bots by `crawler-user-agents` and a list of ours.
//!   Refreshed by `scripts/refresh-data`; `benches/client.rs` measures.
//! - The rules are loaded on first use; [`prepare`] does it ahead.
//! - A machine has no browser: what a crawler claims to be is camouflage.
//! - Absent: client hints (no sender of ours brings them), brand and model of a device.

mod bots;
mod browsers;
mod device;

use crate::event::Text;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

pub use device::Device;

/// How much of a user agent is read; longer ones are cut.
const READ_BYTES_MAX: usize = 2048;
/// Agents remembered; with the bound above at most 8 MiB of text.
const REMEMBERED_MAX: usize = 4096;

/// Whether an HTTP library's agent is a bot there where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libraries {
    /// In access lines: somebody fetches pages with a program.
    AreBots,
    /// On `/tick`: an application at work that reports its events.
    AreApplications,
}

/// What a user agent says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// Browser by its family (`Chrome`, `Safari`, `Firefox`), without its mobile variants.
    pub browser: Option<Text>,
    /// Its version, major and minor where the minor says something (`131`, `17.4`).
    pub browser_version: Option<Text>,
    /// System (`Windows`, `macOS`, `iOS`, `Android`, `Linux`, …).
    pub os: Option<Text>,
    /// Kind of device; of a library [`Device::Other`].
    pub device: Device,
    /// Name of the crawler, monitor, headless browser or library; absent for people.
    pub bot: Option<Text>,
    /// Whether `bot` names an HTTP library.
    pub library: bool,
}

impl Client {
    /// The bot's name and the device, as they are where libraries are seen so.
    pub fn seen_as(&self, libraries: Libraries) -> (Option<&str>, Device) {
        match (self.bot.as_deref(), self.library, libraries) {
            (None, ..) => (None, self.device),
            (Some(_), true, Libraries::AreApplications) => (None, self.device),
            (bot, ..) => (bot, Device::Bot),
        }
    }
}

/// Reads a user agent, from the cache where it is there.
pub fn read(user_agent: &str) -> Arc<Client> {
    let user_agent = cut(user_agent.trim());
    CACHE.get(user_agent).unwrap_or_else(|| CACHE.put(user_agent, Arc::new(read_uncached(user_agent))))
}

/// Reads a user agent without the cache: what [`read`] remembers.
pub fn read_uncached(user_agent: &str) -> Client {
    let user_agent = cut(user_agent.trim());
    if user_agent.is_empty() {
        return Client::default();
    }
    let os = browsers::system(user_agent);
    let machine = bots::find(user_agent);
    let (bot, library) = match machine {
        Some(machine) => (Some(machine.name), machine.kind == bots::Kind::Library),
        None => (None, false),
    };
    if bot.is_some() {
        let device = if library { Device::Other } else { Device::Bot };
        return Client { os, device, bot, library, ..Client::default() };
    }
    let device = device::of(user_agent, os.as_deref());
    let (browser, browser_version) = browsers::browser(user_agent).unzip();
    Client { browser, browser_version: browser_version.flatten(), os, device, bot, library }
}

/// Loads the rules ahead of the first event; some 50 ms of one core.
pub fn prepare() {
    read_uncached("metronome");
}

fn cut(user_agent: &str) -> &str {
    &user_agent[..user_agent.floor_char_boundary(READ_BYTES_MAX)]
}

/// Agents read lately: each has one place by its hash, and the newer takes it.
struct Cache {
    hasher: RandomState,
    places: Box<[Mutex<Option<Remembered>>]>,
}

struct Remembered {
    user_agent: Text,
    client: Arc<Client>,
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::new(REMEMBERED_MAX));

impl Cache {
    fn new(remembered_max: usize) -> Self {
        let places = (0..remembered_max).map(|_| Mutex::new(None)).collect();
        Self { hasher: RandomState::new(), places }
    }

    fn get(&self, user_agent: &str) -> Option<Arc<Client>> {
        let place = self.place(user_agent).lock().unwrap_or_else(PoisonError::into_inner);
        place.as_ref().filter(|held| &*held.user_agent == user_agent).map(|held| Arc::clone(&held.client))
    }

    fn put(&self, user_agent: &str, client: Arc<Client>) -> Arc<Client> {
        let held = Remembered { user_agent: user_agent.into(), client: Arc::clone(&client) };
        *self.place(user_agent).lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        client
    }

    // The hash is keyed at random, so that no sender can aim at another's place.
    fn place(&self, user_agent: &str) -> &Mutex<Option<Remembered>> {
        let hash = self.hasher.hash_one(user_agent) as usize;
        &self.places[hash % self.places.len()]
    }
}

#[cfg(test)]
mod tests;
