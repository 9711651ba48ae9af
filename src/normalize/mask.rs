//! Masking: addresses in free text are blotted out, so that none reaches a disk.
//! - Found are IPv4 and IPv6 addresses as they are commonly written, with or without port and brackets.
//! - Absent: host names that contain an address.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// What stands for an IPv4 address.
const MASK_V4: &str = "x.x.x.x";
/// What stands for an IPv6 address.
const MASK_V6: &str = "x::x";

/// The text with its addresses blotted out.
pub fn addresses(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text[at..].bytes().position(is_part) {
        let start = at + found;
        let length = text[start..].bytes().position(|byte| !is_part(byte)).unwrap_or(text.len() - start);
        let bounded = !text[..start].ends_with(|before: char| before.is_alphanumeric())
            && !text[start + length..].starts_with(|after: char| after.is_alphanumeric());
        if let Some(masked) = mask(&text[start..start + length], bounded) {
            out.push_str(&text[copied..start]);
            out.push_str(&masked);
            copied = start + length;
        }
        at = start + length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// A run of digits, colons and dots with what is an address in it masked; `None` where nothing is.
fn mask(run: &str, bounded: bool) -> Option<String> {
    let bare = run.trim_end_matches(['.', ':']);
    // `2001:db8::` ends in colons that belong to it.
    let six = [run, run.trim_end_matches('.'), bare].into_iter().find(|part| bounded && is_v6(part));
    if let Some(part) = six {
        return Some(format!("{MASK_V6}{}", &run[part.len()..]));
    }
    let parts: Vec<Cow<'_, str>> = run.split(':').map(mask_v4).collect();
    let found = parts.iter().any(|part| matches!(part, Cow::Owned(_)));
    found.then(|| parts.join(":"))
}

/// The part between two colons, masked where it is an address but for dots around it.
fn mask_v4(part: &str) -> Cow<'_, str> {
    let bare = part.trim_matches('.');
    if !is_v4(bare) {
        return Cow::Borrowed(part);
    }
    Cow::Owned(part.replacen(bare, MASK_V4, 1))
}

/// Four numbers up to 255, leading zeros allowed.
fn is_v4(text: &str) -> bool {
    let number = |part: &str| {
        (1..=3).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u16>().is_ok_and(|number| number < 256)
    };
    text.split('.').count() == 4 && text.split('.').all(number)
}

fn is_v6(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_hexdigit()) && text.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
#[path = "tests/mask.rs"]
mod tests;
