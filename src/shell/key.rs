//! `metronome key`: keys in the catalog itself, beside a running server or without one.

use super::ShellError;
use super::args::{Key, Scope};
use crate::catalog::keys::{Keys, Scope as KeyScope};
use crate::event::Day;
use std::fmt::Write;

const DAY_MS: i64 = 86_400_000;

/// Does it and gives back what to print.
pub fn run(keys: &Keys, asked: &Key) -> Result<String, ShellError> {
    match asked {
        Key::New { scope, site } => new(keys, *scope, site.as_deref()),
        Key::List => list(keys),
        Key::Revoke { id } => revoke(keys, id),
    }
}

fn new(keys: &Keys, scope: Scope, site: Option<&str>) -> Result<String, ShellError> {
    let scope = match scope {
        Scope::Write => KeyScope::Write,
        Scope::Read => KeyScope::Read,
        Scope::Admin => KeyScope::Admin,
    };
    let (key, secret) = keys.make(scope, site)?;
    Ok(format!("{secret}\nid {}; it is shown this once, and kept as a hash\n", key.id))
}

fn list(keys: &Keys) -> Result<String, ShellError> {
    let all = keys.list()?;
    if all.is_empty() {
        return Ok("no keys: the server answers on loopback only, and grants everything\n".to_owned());
    }
    let mut out = format!("{:<14} {:<6} {:<20} made\n", "id", "scope", "site");
    for key in all {
        let made = Day(i32::try_from(key.made_at.div_euclid(DAY_MS)).unwrap_or_default());
        // Writing to text cannot fail.
        let _ =
            writeln!(out, "{:<14} {:<6} {:<20} {made}", key.id, key.scope.name(), key.site.as_deref().unwrap_or("all"));
    }
    Ok(out)
}

fn revoke(keys: &Keys, id: &str) -> Result<String, ShellError> {
    if keys.revoke(id)? {
        Ok(format!("revoked {id}\n"))
    } else {
        Err(ShellError::Found(format!("there is no key {id}; metronome key list shows them")))
    }
}
