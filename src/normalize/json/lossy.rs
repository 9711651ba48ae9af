//! Repair: what web servers write into JSON that JSON does not know.
//! - Bytes that are no UTF-8, and lone surrogates, become U+FFFD.
//! - `\x22`, as nginx writes without `escape=json`, stands for its byte; several make one character.

/// The repaired text; `None` where there was nothing to repair.
pub(super) fn repair(slice: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(slice.len() + 16);
    let mut changed = false;
    let mut at = 0;
    while let Some(&byte) = slice.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let rest = &slice[at..];
        if let Some(raw) = hex_byte(rest) {
            push_raw(raw, &mut out);
            (at, changed) = (at + 4, true);
        } else if let Some(unit) = unicode_escape(rest) {
            let (length, lone) = surrogates(unit, &rest[6..]);
            let kept: &[u8] = if lone { br"\uFFFD" } else { &rest[..length] };
            out.extend_from_slice(kept);
            (at, changed) = (at + length, changed | lone);
        } else {
            out.extend_from_slice(&rest[..rest.len().min(2)]);
            at += 2;
        }
    }
    match String::from_utf8(out) {
        Ok(text) => changed.then_some(text),
        Err(error) => Some(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// A byte as it may stand within a JSON string.
fn push_raw(raw: u8, out: &mut Vec<u8>) {
    match raw {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', raw]),
        0..0x20 => out.extend_from_slice(format!("\\u{raw:04x}").as_bytes()),
        _ => out.push(raw),
    }
}

/// The byte that `\xHH` stands for.
fn hex_byte(rest: &[u8]) -> Option<u8> {
    let digits = rest.get(2..4).filter(|_| rest[1] == b'x')?;
    u8::try_from(hex(digits)?).ok()
}

fn unicode_escape(rest: &[u8]) -> Option<u32> {
    hex(rest.get(2..6).filter(|_| rest[1] == b'u')?)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
}

/// How many bytes an escape takes, with its second half where it has one, and whether it is half a character.
fn surrogates(unit: u32, after: &[u8]) -> (usize, bool) {
    match unit {
        0xD800..0xDC00 => {
            let low = after.starts_with(b"\\").then(|| unicode_escape(after)).flatten();
            if matches!(low, Some(0xDC00..0xE000)) { (12, false) } else { (6, true) }
        }
        0xDC00..0xE000 => (6, true),
        _ => (6, false),
    }
}
