//! `filter_path`: an answer cut to what was asked for.
//! - Names by dots, several by commas; `*` stands for any part of one name, `**` for any names or none, a leading `-` leaves out.
//! - Arrays are passed through: a name is looked for in each of their members. What is left empty is left out.
//! - The order of keys stays.
//! - Bounded: `NAMES_MAX` names.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Names that one filter may have, all paths together.
const NAMES_MAX: usize = 32;

/// What is asked for of an answer.
#[derive(Debug)]
pub struct Filter {
    wanted: Vec<Vec<String>>,
    unwanted: Vec<Vec<String>>,
}

/// What is left of the names of a path.
type Rest<'f> = &'f [String];

impl Filter {
    /// Reads the parameter; `None` where it asks for everything.
    ///
    /// # Errors
    /// What the bound is, where it is passed.
    pub fn read(text: &str) -> Result<Option<Self>, String> {
        let paths: Vec<&str> = text.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        if paths.iter().map(|path| 1 + path.matches('.').count()).sum::<usize>() > NAMES_MAX {
            return Err(format!("filter_path has more than {NAMES_MAX} names"));
        }
        let names = |path: &str| path.split('.').map(str::to_owned).collect();
        let wanted = paths.iter().filter(|path| !path.starts_with('-')).map(|path| names(path)).collect();
        let unwanted = paths.iter().filter_map(|path| path.strip_prefix('-')).map(names).collect();
        Ok((!paths.is_empty()).then_some(Self { wanted, unwanted }))
    }

    /// What is left of a JSON text; of what is no JSON, all.
    pub fn cut(&self, json: Vec<u8>) -> Vec<u8> {
        let Ok(raw) = serde_json::from_slice::<&RawValue>(&json) else { return json };
        let kept =
            if self.wanted.is_empty() { Some(Cow::Borrowed(raw.get())) } else { keep(raw.get(), &whole(&self.wanted)) };
        let kept = kept.and_then(|kept| match self.unwanted.as_slice() {
            [] => Some(kept.into_owned()),
            unwanted => leave_out(&kept, &whole(unwanted)).map(Cow::into_owned),
        });
        kept.unwrap_or_else(|| "{}".to_owned()).into_bytes()
    }
}

/// Paths of which nothing is taken yet.
fn whole(paths: &[Vec<String>]) -> Vec<Rest<'_>> {
    paths.iter().map(Vec::as_slice).collect()
}

/// What is wanted of a value; `None` for nothing.
fn keep<'v>(value: &'v str, paths: &[Rest<'_>]) -> Option<Cow<'v, str>> {
    each_member(
        value,
        |name, member| {
            let next = step(paths, name);
            if next.iter().any(|rest| rest.is_empty()) { Some(member.into()) } else { keep(member, &next) }
        },
        |member| keep(member, paths),
        None,
    )
}

/// A value without what is not wanted; `None` where nothing is left.
fn leave_out<'v>(value: &'v str, paths: &[Rest<'_>]) -> Option<Cow<'v, str>> {
    each_member(
        value,
        |name, member| {
            let next = step(paths, name);
            if next.iter().any(|rest| rest.is_empty()) { None } else { leave_out(member, &next) }
        },
        |member| leave_out(member, paths),
        Some(value),
    )
}

/// A value with each member of an object, and each of an array, as it is answered for; `other` for what has none.
fn each_member<'v>(
    value: &'v str,
    of_object: impl Fn(&str, &'v str) -> Option<Cow<'v, str>>,
    of_array: impl Fn(&'v str) -> Option<Cow<'v, str>>,
    other: Option<&'v str>,
) -> Option<Cow<'v, str>> {
    let (open, close, parts): (char, char, Vec<String>) = match value.as_bytes().first()? {
        b'{' => {
            let Pairs(pairs) = serde_json::from_str(value).ok()?;
            let part = |(name, member): (String, &'v RawValue)| {
                let kept = of_object(&name, member.get())?;
                Some(format!("{}:{kept}", serde_json::to_string(&name).ok()?))
            };
            ('{', '}', pairs.into_iter().filter_map(part).collect())
        }
        b'[' => {
            let members: Vec<&'v RawValue> = serde_json::from_str(value).ok()?;
            let part = |member: &'v RawValue| of_array(member.get()).map(Cow::into_owned);
            ('[', ']', members.into_iter().filter_map(part).collect())
        }
        _ => return other.map(Cow::Borrowed),
    };
    (!parts.is_empty()).then(|| format!("{open}{}{close}", parts.join(",")).into())
}

/// What is left of each path below a name.
fn step<'f>(paths: &[Rest<'f>], name: &str) -> Vec<Rest<'f>> {
    let mut next: Vec<Rest<'f>> = Vec::new();
    let mut add = |rest: Rest<'f>| {
        let is_new = |other: &Rest<'f>| !std::ptr::eq(other.as_ptr(), rest.as_ptr()) || other.len() != rest.len();
        if next.iter().all(is_new) {
            next.push(rest);
        }
    };
    for path in paths {
        let mut path = *path;
        // Any names, or none.
        while let [first, rest @ ..] = path
            && first == "**"
        {
            add(path);
            path = rest;
            if rest.is_empty() {
                add(rest);
            }
        }
        if let [first, rest @ ..] = path
            && fits(first, name)
        {
            add(rest);
        }
    }
    next
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    true
}

/// The members of an object, in order.
struct Pairs<'v>(Vec<(String, &'v RawValue)>);

impl<'de: 'v, 'v> Deserialize<'de> for Pairs<'v> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PairsVisitor).map(Pairs)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"took":7,"errors":true,"items":[{"index":{"_id":"1","status":201}},{"create":{"_id":"2","status":400,"error":{"type":"t","reason":"r"}}}]}"#;

    #[test]
    fn an_answer_is_cut_to_what_is_asked_for() {
        let table = [
            ("errors", r#"{"errors":true}"#),
            ("errors,took", r#"{"took":7,"errors":true}"#),
            ("items.*.error.type", r#"{"items":[{"create":{"error":{"type":"t"}}}]}"#),
            ("items.*.status", r#"{"items":[{"index":{"status":201}},{"create":{"status":400}}]}"#),
            ("**.reason", r#"{"items":[{"create":{"error":{"reason":"r"}}}]}"#),
            ("items.**.type", r#"{"items":[{"create":{"error":{"type":"t"}}}]}"#),
            ("items.c*te._i*", r#"{"items":[{"create":{"_id":"2"}}]}"#),
            ("-items", r#"{"took":7,"errors":true}"#),
            (
                "items,-items.*.error",
                r#"{"items":[{"index":{"_id":"1","status":201}},{"create":{"_id":"2","status":400}}]}"#,
            ),
            (
                "-took,-**.status,-items.index",
                r#"{"errors":true,"items":[{"create":{"_id":"2","error":{"type":"t","reason":"r"}}}]}"#,
            ),
            ("nothing", "{}"),
            ("took.x", "{}"),
            ("**", ANSWER),
            ("*", ANSWER),
            ("items.**", &format!("{{{}", &ANSWER[ANSWER.find("\"items").unwrap()..])),
        ];
        for (paths, expected) in table {
            let filter = Filter::read(paths).unwrap().unwrap();
            assert_eq!(String::from_utf8(filter.cut(ANSWER.into())).unwrap(), expected, "{paths}");
        }
        assert!(Filter::read(" ,").unwrap().is_none());
    }

    #[test]
    fn a_filter_is_bounded() {
        assert!(Filter::read(&"a.".repeat(31)).is_ok());
        assert_eq!(Filter::read(&"a.".repeat(32)).unwrap_err(), "filter_path has more than 32 names");
        assert_eq!(Filter::read(&"a,".repeat(33)).unwrap_err(), "filter_path has more than 32 names");
        let wild = Filter::read(&"**.".repeat(30)).unwrap().unwrap();
        assert_eq!(wild.cut(ANSWER.into()), b"{}");
    }

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        let table = [
            ("*", "", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*a", "a", false),
            ("a*c", "ab", false),
            ("_i*x", "_index", true),
            ("*n*", "_index", true),
            ("ab", "a", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
