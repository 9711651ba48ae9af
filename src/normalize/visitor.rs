//! Visitor: a number for whoever sent an event, which nothing can turn back.
//! - From an address: SipHash-2-4 of site, address, user agent and person-or-bot under the salt of the event's day;
//!   when the salt is destroyed, so is every way to link the number to an address or to another day.
//! - From a sender's pseudonym: the same under the site's permanent key, with browser and version, system, device, place and
//!   bot: what is a visitor's is the same on all its events.
//! - The top bit tells the two apart: 0 from an address, 1 from a pseudonym. Never 0.
//! - Stable for ever within a key: a change here would split every visitor in two. A test holds the numbers.
//! - Absent: the salts themselves (`catalog`), and who has none (`normalize`).

use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::net::IpAddr;

/// A day's salt or a site's permanent key.
pub type Salt = [u8; 16];

const FROM_PSEUDONYM: u64 = 1 << 63;

/// Events with a bot's name and events without are different visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// No bot as far as is known.
    Person,
    /// An event with `bot` set.
    Bot,
}

/// What goes into a pseudonym's hash besides the pseudonym: one person over several devices is `user`, not a visitor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traits<'a> {
    /// Browser family.
    pub browser: Option<&'a str>,
    /// Its version.
    pub browser_version: Option<&'a str>,
    /// System.
    pub os: Option<&'a str>,
    /// Kind of device.
    pub device: Option<&'a str>,
    /// ISO country code.
    pub country: Option<&'a str>,
    /// ISO region code.
    pub region: Option<&'a str>,
    /// City.
    pub city: Option<&'a str>,
    /// The bot's name, where it is one.
    pub bot: Option<&'a str>,
}

/// The visitor behind an address, under the day's salt.
pub fn from_address(salt: &Salt, site: &str, address: IpAddr, user_agent: Option<&str>, who: Who) -> u64 {
    let mut input = Input::new(salt);
    input.text(Some(site));
    // The same machine by IPv4 and by its IPv6 form is one.
    match address.to_canonical() {
        IpAddr::V4(address) => input.bytes(&address.octets()),
        IpAddr::V6(address) => input.bytes(&address.octets()),
    }
    input.text(user_agent);
    input.who(who);
    (input.finish() & !FROM_PSEUDONYM).max(1)
}

/// The visitor behind a sender's pseudonym, under the site's permanent key.
pub fn from_pseudonym(key: &Salt, site: &str, pseudonym: &str, traits: &Traits<'_>, who: Who) -> u64 {
    let mut input = Input::new(key);
    input.text(Some(site));
    input.text(Some(pseudonym));
    let Traits { browser, browser_version, os, device, country, region, city, bot } = *traits;
    for part in [browser, browser_version, os, device, country, region, city, bot] {
        input.text(part);
    }
    input.who(who);
    input.finish() | FROM_PSEUDONYM
}

/// Whether the number comes from a sender's pseudonym, and so is the same on other days.
pub fn is_from_pseudonym(visitor: u64) -> bool {
    visitor & FROM_PSEUDONYM != 0
}

/// Parts behind their lengths, so that no two lists of parts are the same bytes.
struct Input(SipHasher24);

impl Input {
    fn new(salt: &Salt) -> Self {
        Self(SipHasher24::new_with_key(salt))
    }

    fn text(&mut self, part: Option<&str>) {
        match part {
            Some(part) => self.bytes(part.as_bytes()),
            // No length is this long: absent is not empty.
            None => self.0.write(&u64::MAX.to_le_bytes()),
        }
    }

    fn bytes(&mut self, part: &[u8]) {
        self.0.write(&(part.len() as u64).to_le_bytes());
        self.0.write(part);
    }

    fn who(&mut self, who: Who) {
        self.bytes(&[u8::from(who == Who::Bot)]);
    }

    fn finish(self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const SALT: Salt = *b"0123456789abcdef";

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_numbers_stay_for_ever() {
        let seen = from_address(&SALT, "shop", address("192.0.2.7"), Some("Mozilla/5.0"), Who::Person);
        let traits = Traits { browser: Some("Firefox"), device: Some("desktop"), ..Traits::default() };
        let sent = from_pseudonym(&SALT, "shop", "anna", &traits, Who::Person);
        // Worked out by another implementation of SipHash-2-4 from the layout that the head describes.
        assert_eq!((seen, sent), (0x30a0_8c38_404c_c034, 0xb70d_bfd7_d4d2_c1c4));
    }

    #[test]
    fn every_part_makes_another_visitor() {
        let all = [
            from_address(&SALT, "a", address("192.0.2.7"), Some("x"), Who::Person),
            from_address(b"another salt 16B", "a", address("192.0.2.7"), Some("x"), Who::Person),
            from_address(&SALT, "b", address("192.0.2.7"), Some("x"), Who::Person),
            from_address(&SALT, "a", address("192.0.2.8"), Some("x"), Who::Person),
            from_address(&SALT, "a", address("2001:db8::7"), Some("x"), Who::Person),
            from_address(&SALT, "a", address("192.0.2.7"), Some("y"), Who::Person),
            from_address(&SALT, "a", address("192.0.2.7"), Some(""), Who::Person),
            from_address(&SALT, "a", address("192.0.2.7"), None, Who::Person),
            from_address(&SALT, "a", address("192.0.2.7"), Some("x"), Who::Bot),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|visitor| *visitor != 0 && !is_from_pseudonym(*visitor)));
    }

    #[test]
    fn every_trait_makes_another_visitor() {
        let of = |traits: Traits<'_>| from_pseudonym(&SALT, "a", "anna", &traits, Who::Person);
        let all = [
            of(Traits::default()),
            of(Traits { browser: Some("x"), ..Traits::default() }),
            of(Traits { browser_version: Some("x"), ..Traits::default() }),
            of(Traits { bot: Some("x"), ..Traits::default() }),
            of(Traits { os: Some("x"), ..Traits::default() }),
            of(Traits { device: Some("x"), ..Traits::default() }),
            of(Traits { country: Some("x"), ..Traits::default() }),
            of(Traits { region: Some("x"), ..Traits::default() }),
            of(Traits { city: Some("x"), ..Traits::default() }),
            of(Traits { city: Some(""), ..Traits::default() }),
            from_pseudonym(&SALT, "a", "bert", &Traits::default(), Who::Person),
            from_pseudonym(&SALT, "b", "anna", &Traits::default(), Who::Person),
            from_pseudonym(&SALT, "a", "anna", &Traits::default(), Who::Bot),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|visitor| is_from_pseudonym(*visitor)));
    }

    #[test]
    fn ipv4_in_ipv6_is_the_same_address() {
        let of = |text| from_address(&SALT, "a", address(text), Some("x"), Who::Person);
        assert_eq!(of("192.0.2.7"), of("::ffff:192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("::192.0.2.7"));
    }

    #[test]
    fn parts_do_not_run_into_one_another() {
        let of = |site, agent| from_address(&SALT, site, address("192.0.2.7"), Some(agent), Who::Person);
        assert_ne!(of("ab", "c"), of("a", "bc"));
        let sent = |browser, os| Traits { browser, os, ..Traits::default() };
        let of = |traits| from_pseudonym(&SALT, "a", "anna", &traits, Who::Person);
        assert_ne!(of(sent(Some("ab"), Some("c"))), of(sent(Some("a"), Some("bc"))));
        assert_ne!(of(sent(Some("a"), None)), of(sent(None, Some("a"))));
    }
}
