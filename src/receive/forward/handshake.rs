//! The handshake: a sender shows that it knows the shared key, and where users are configured that it is one of them.
//! - Neither key nor password is on the wire; each connection has nonces of its own.
//! - The server calls itself otherwise than its sender does: Fluentd takes a server of its own name for itself, and sends
//!   nothing.

use super::answer::{helo, pong};
use super::batch::hex;
use crate::receive::Broken;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha512};
use std::fmt;

/// What the server calls itself, and what else where its sender is called so.
const NAMES: [&str; 2] = ["metronome", "metronome-server"];

/// What senders must know.
#[derive(Clone, PartialEq, Eq)]
pub struct Security {
    /// What both ends know.
    pub shared_key: String,
    /// Names and passwords; with none nobody is asked for them.
    pub users: Vec<(String, String)>,
}

impl fmt::Debug for Security {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// What the server made up for one connection.
#[derive(Debug)]
pub(super) struct Challenge {
    nonce: [u8; 16],
    auth: [u8; 16],
}

/// `["PING", host, salt, digest, user, digest]`; every one of them is text, or bytes in a text; a sender that has no user may
/// say nil in its place.
#[derive(Debug, Deserialize)]
struct Ping(ByteBuf, ByteBuf, ByteBuf, ByteBuf, Option<ByteBuf>, Option<ByteBuf>);

impl Challenge {
    /// A new one.
    pub fn new() -> Result<Self, Broken> {
        let mut challenge = Self { nonce: [0; 16], auth: [0; 16] };
        let filled = getrandom::fill(&mut challenge.nonce).and_then(|()| getrandom::fill(&mut challenge.auth));
        filled.map_err(|error| Broken::new("auth", format!("no random bytes are to be had: {error}")))?;
        Ok(challenge)
    }

    /// What is said first.
    pub fn helo(&self) -> Result<Vec<u8>, Broken> {
        helo(&self.nonce, &self.auth)
    }

    /// What is answered to a PING, and whether its sender is let in.
    pub fn judge(&self, ping: &[u8], security: &Security) -> Result<(Vec<u8>, Result<(), Broken>), Broken> {
        let mut parser = rmp_serde::Deserializer::from_read_ref(ping);
        parser.set_max_depth(3);
        let ping = Ping::deserialize(&mut parser).map_err(|_| {
            Broken::new("auth", "in place of a PING stands something else: a PING is an array of six texts")
        })?;
        if ping.0 != b"PING" {
            return Err(Broken::new("auth", "in place of a PING stands another message: the sender has no shared key"));
        }
        match self.refusal(&ping, security) {
            Some(reason) => {
                Ok((pong(Err(reason))?, Err(Broken::new("auth", format!("a sender was refused: {reason}")))))
            }
            None => {
                let Ping(_, host, salt, ..) = &ping;
                let name = NAMES.iter().find(|name| name.as_bytes() != host.as_slice()).unwrap_or(&NAMES[0]);
                let digest = digest(&[salt, name.as_bytes(), &self.nonce, security.shared_key.as_bytes()]);
                Ok((pong(Ok((name, &digest)))?, Ok(())))
            }
        }
    }

    /// Why a sender is not let in, in Fluentd's words.
    fn refusal(&self, ping: &Ping, security: &Security) -> Option<&'static str> {
        let Ping(_, host, salt, of_key, user, of_password) = ping;
        if !same(of_key, &digest(&[salt, host, &self.nonce, security.shared_key.as_bytes()])) {
            return Some("shared_key mismatch");
        }
        let (user, of_password) = (user.as_deref().map_or(&[][..], |user| user), of_password.as_deref());
        let is_user = |(name, password): &(String, String)| {
            user == name.as_bytes()
                && same(of_password.map_or(&[], |digest| digest), &digest(&[&self.auth, user, password.as_bytes()]))
        };
        (!security.users.is_empty() && !security.users.iter().any(is_user)).then_some("username/password mismatch")
    }
}

fn digest(parts: &[&[u8]]) -> String {
    let mut all = Sha512::new();
    parts.iter().for_each(|part| all.update(part));
    hex(&all.finalize())
}

/// Compares in a time that tells nothing of where they differ.
fn same(given: &[u8], expected: &str) -> bool {
    let differs = given.iter().zip(expected.as_bytes()).fold(0, |differs, (one, other)| differs | (one ^ other));
    given.len() == expected.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A conversation that Fluentd 1.18 had with Fluent Bit 5.1 (fixtures/wire).
    fn genuine(file: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/fluentbit-forward-shared-key-user--fluentd/");
        std::fs::read(format!("{folder}{file}")).expect("a capture")
    }

    fn challenge() -> Challenge {
        let said = genuine("server-1.bin");
        let part = |name: &[u8]| {
            let at = said.windows(name.len()).position(|window| window == name).expect("a part") + name.len();
            said[at..at + 16].try_into().expect("16 bytes")
        };
        Challenge { nonce: part(b"nonce\xc4\x10"), auth: part(b"auth\xc4\x10") }
    }

    fn security(key: &str, users: &[(&str, &str)]) -> Security {
        let users = users.iter().map(|(name, password)| ((*name).to_owned(), (*password).to_owned())).collect();
        Security { shared_key: key.to_owned(), users }
    }

    #[test]
    fn the_same_is_said_as_fluentd_says() {
        let (challenge, said) = (challenge(), genuine("server-1.bin"));
        let helo = challenge.helo().expect("a HELO");
        assert!(said.starts_with(&helo));
        let digest = &said[said.len() - 128..];
        let salt = rmp_serde::from_slice::<Ping>(&genuine("client-1.bin")).expect("a PING").2;
        assert_eq!(self::digest(&[&salt, b"server.example", &challenge.nonce, b"metronome-test"]).as_bytes(), digest);
        let pong = pong(Ok(("server.example", std::str::from_utf8(digest).expect("hex")))).expect("a PONG");
        assert_eq!([helo, pong].concat(), said);
    }

    #[test]
    fn who_knows_the_key_and_is_a_user_is_let_in() {
        let ping = genuine("client-1.bin");
        let rows = [
            ("metronome-test", &[("bob", "x"), ("alice", "wonder-test")][..], ""),
            ("metronome-test", &[], ""),
            ("metronome-tes", &[], "shared_key mismatch"),
            ("", &[], "shared_key mismatch"),
            ("metronome-test", &[("alice", "wonder")], "username/password mismatch"),
            ("metronome-test", &[("bob", "wonder-test")], "username/password mismatch"),
        ];
        for (key, users, reason) in rows {
            let (pong, judged) = challenge().judge(&ping, &security(key, users)).expect("a PONG");
            let (name, is_in, why, host, digest): (String, bool, String, String, String) =
                rmp_serde::from_slice(&pong).expect("a PONG");
            assert_eq!((name.as_str(), is_in, why.as_str()), ("PONG", reason.is_empty(), reason));
            assert_eq!((host.is_empty(), digest.len()), (!is_in, if is_in { 128 } else { 0 }));
            assert_eq!(judged.map_err(|broken| broken.reason), if is_in { Ok(()) } else { Err("auth") });
        }
    }

    #[test]
    fn the_server_is_never_called_as_its_sender() {
        for (host, name) in [("metronome", "metronome-server"), ("metronome-server", "metronome"), ("a", "metronome")] {
            let challenge = challenge();
            let key = self::digest(&[b"salt", host.as_bytes(), &challenge.nonce, b"k"]);
            let ping = rmp_serde::to_vec(&("PING", host, "salt", key, "", "")).expect("a PING");
            let (pong, judged) = challenge.judge(&ping, &security("k", &[])).expect("a PONG");
            assert_eq!(judged, Ok(()));
            let pong: (String, bool, String, String, String) = rmp_serde::from_slice(&pong).expect("a PONG");
            assert_eq!(pong.3, name);
            assert_eq!(pong.4, self::digest(&[b"salt", name.as_bytes(), &challenge.nonce, b"k"]));
        }
    }

    #[test]
    fn another_message_is_no_ping() {
        let security = security("k", &[]);
        for bytes in [&b"\xc0"[..], b"\x92\xa1t\x90", b"\x96\xa4PINK\xa0\xa0\xa0\xa0\xa0", b"[\"PING\"]"] {
            assert_eq!(challenge().judge(bytes, &security).expect_err("no PING").reason, "auth");
        }
    }
}
