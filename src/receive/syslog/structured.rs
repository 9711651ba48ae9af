//! Structured data (RFC 5424, 6.3): `[id name="value" …]`, one element after another, as flat keys `id.name`.
//! - `\"`, `\\` and `\]` are what they quote; any other backslash is itself.
//! - A parameter that comes several times is a list. Addresses in values are masked.
//! - One key more than an event may have is kept, so that it is refused; those after it are not.

use crate::event::{Text, Value};
use crate::normalize::access_line::masked;

/// Keys and values.
pub(super) type Parameters = Vec<(Text, Value)>;

/// The parameters at the beginning of `bytes` and what follows the elements; `None` where there are none, or they do not parse.
pub(super) fn read(mut bytes: &[u8], keys_max: usize) -> Option<(Parameters, &[u8])> {
    let mut found = Parameters::new();
    if bytes.first() != Some(&b'[') {
        return None;
    }
    while let Some(inside) = bytes.strip_prefix(b"[") {
        bytes = element(inside, keys_max, &mut found)?;
    }
    Some((found, bytes))
}

/// Reads one element behind its bracket; answers what follows it.
fn element<'a>(bytes: &'a [u8], keys_max: usize, found: &mut Parameters) -> Option<&'a [u8]> {
    let (id, mut rest) = name(bytes)?;
    loop {
        rest = match rest {
            [b']', after @ ..] => return Some(after),
            [b' ', after @ ..] => after,
            _ => return None,
        };
        let (name, after) = name(rest)?;
        let (value, after) = value(after.strip_prefix(b"=\"")?)?;
        let text = String::from_utf8_lossy(&value);
        add(found, keys_max, format!("{id}.{name}").into(), Value::text(masked(&text)));
        rest = after;
    }
}

/// A name: printable characters but those that end it.
fn name(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let is_part = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    let length = bytes.iter().position(|byte| !is_part(byte))?;
    let name = std::str::from_utf8(&bytes[..length]).ok().filter(|name| !name.is_empty())?;
    Some((name, &bytes[length..]))
}

/// A value behind its opening quote, and what follows the closing one.
fn value(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match &bytes[at..] {
            [b'"', after @ ..] => return Some((out, after)),
            [b'\\', quoted @ (b'"' | b'\\' | b']'), ..] => {
                out.push(*quoted);
                at += 2;
            }
            [byte, ..] => {
                out.push(*byte);
                at += 1;
            }
            [] => return None,
        }
    }
}

fn add(found: &mut Parameters, keys_max: usize, key: Text, value: Value) {
    let Some((_, earlier)) = found.iter_mut().find(|(known, _)| *known == key) else {
        if found.len() <= keys_max {
            found.push((key, value));
        }
        return;
    };
    match earlier {
        Value::List(members) => members.push(value),
        one => {
            let first = std::mem::replace(one, Value::List(Vec::with_capacity(2)));
            if let Value::List(members) = one {
                members.extend([first, value]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Option<(Vec<(String, String)>, String)> {
        let (found, rest) = read(text.as_bytes(), 8)?;
        let found = found.into_iter().map(|(key, value)| (key.to_string(), value.as_text().into_owned())).collect();
        Some((found, String::from_utf8_lossy(rest).into_owned()))
    }

    #[test]
    fn parameters_become_flat_keys() {
        let (found, rest) = all(r#"[a@1 k="v \"q\" \\ \] \n ü" e=""][b][c x="1" x="2" x="3"] text"#).expect("elements");
        let expected = [("a@1.k", r#"v "q" \ ] \n ü"#), ("a@1.e", ""), ("c.x", r#"["1","2","3"]"#)];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(rest, " text");
    }

    #[test]
    fn addresses_are_masked_and_bytes_that_are_no_text_replaced() {
        let (found, _) = read(b"[origin ip=\"192.0.2.1\" x=\"\xff\"]", 8).expect("an element");
        assert_eq!(found[0].1, Value::text("x.x.x.x"));
        assert_eq!(found[1].1, Value::text("\u{fffd}"));
    }

    #[test]
    fn one_key_beyond_the_bound_is_kept_and_no_more() {
        let many: String = (0..100).map(|key| format!(" k{key}=\"1\"")).collect();
        let (found, rest) = all(&format!("[a{many} k0=\"2\"] text")).expect("an element");
        assert_eq!((found.len(), found[0].1.as_str(), rest.as_str()), (9, r#"["1","2"]"#, " text"));
    }

    #[test]
    fn what_does_not_parse_is_none() {
        let broken = [
            "",
            "-",
            "text",
            "[",
            "[]",
            "[ a=\"1\"]",
            "[a",
            "[a b]",
            "[a b=]",
            "[a b=\"1]",
            "[a b=\"1\"c]",
            "[a =\"1\"]",
        ];
        for text in broken {
            assert_eq!(all(text), None, "{text}");
        }
    }

    #[test]
    fn an_element_cut_anywhere_is_none() {
        let whole = r#"[a@1 k="v \"q\""]"#;
        assert!((0..whole.len()).all(|end| all(&whole[..end]).is_none()));
        assert!(all(whole).is_some());
    }
}
