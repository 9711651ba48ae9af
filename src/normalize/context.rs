//! Context: all that normalizing knows beside the event itself.
//! - Handed in whole, so that the same input gives the same event.

use super::places::Places;
use super::{Limits, Sites};
use crate::clock::Millis;
use crate::event::Day;
use std::net::IpAddr;

/// The way an event came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// `POST /tick`: a browser or an application.
    Tick,
    /// `GET /tick.gif`.
    Pixel,
    /// Any live receiver of logs.
    Log,
    /// A log file that is imported.
    File,
}

impl Receiver {
    /// Whether access lines come this way: a live receiver of logs, or a file.
    pub fn is_log(self) -> bool {
        matches!(self, Self::Log | Self::File)
    }
}

/// Who sends, and by which way.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The way in.
    pub receiver: Receiver,
    /// When it was received.
    pub received_at: Millis,
    /// The connection's address, proxies taken into account.
    pub ip: Option<IpAddr>,
    /// The connection's user agent.
    pub user_agent: Option<&'a str>,
    /// The origin of the page whose script sends.
    pub origin: Option<&'a str>,
    /// Whether the request carries `Sec-GPC: 1` or `DNT: 1`.
    pub privacy_signal: bool,
    /// The site of its key.
    pub site: Option<&'a str>,
    /// Whether its key may write to no other site.
    pub site_forced: bool,
    /// Query parameters of the request: keys of every event that lacks them.
    pub defaults: &'a [(String, String)],
}

impl Sender<'_> {
    /// A sender of whom nothing is known.
    pub fn unknown(receiver: Receiver, received_at: Millis) -> Self {
        Self {
            receiver,
            received_at,
            ip: None,
            user_agent: None,
            origin: None,
            privacy_signal: false,
            site: None,
            site_forced: false,
            defaults: &[],
        }
    }
}

/// The secrets that visitors are hashed with.
pub trait Salts: Sync {
    /// The salt of a site's day; `None` where it is destroyed or was never made.
    fn daily(&self, site: &str, day: Day) -> Option<[u8; 16]>;

    /// The permanent key of a site, for senders' own pseudonyms.
    fn permanent(&self, site: &str) -> Option<[u8; 16]>;
}

/// All that normalizing knows beside the event.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Who sends.
    pub sender: Sender<'a>,
    /// The rules of every site.
    pub sites: &'a Sites,
    /// The secrets of every site.
    pub salts: &'a dyn Salts,
    /// The GeoIP database, where one is configured.
    pub places: Option<&'a Places>,
    /// The bounds of an event.
    pub limits: &'a Limits,
    /// Whether `user_agent` is kept on the event.
    pub keep_user_agent: bool,
}
