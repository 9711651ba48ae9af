//! Bulk: the actions of a `_bulk` body, one after another, their documents still bytes.
//! - An action is one line; the document of `index`, `create` and `update` is the line behind it, `delete` has none.
//! - Blank lines between actions are passed over; the last line needs no end.
//! - What follows a document that is no JSON and is no action itself is the rest of that document: nothing else suffers by it.
//! - Any other line where an action should stand ends the reading: nobody knows what belongs to what from there on.
//! - One pass; a document is looked at here only where the line behind it is no action, and then once.
//! - Absent: what a document says (`normalize`), `_type`, routing, versions and pipelines, which mean nothing here.

use crate::event::Text;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};
use std::fmt;

/// What is to be done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// To take it, or to leave the one of its id as it is.
    Index,
    /// To take it unless there is one of its id.
    Create,
    /// To change one: refused.
    Update,
    /// To remove one: refused.
    Delete,
}

impl Op {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What an action says of its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What is to be done.
    pub op: Op,
    /// `_index`.
    pub index: Option<Text>,
    /// `_id`.
    pub id: Option<Text>,
}

/// An action with its document's bytes; `None` where none follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action<'b> {
    /// What is to be done.
    pub head: Head,
    /// With what.
    pub document: Option<&'b [u8]>,
}

/// A line that should be an action and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "malformed action line {line}: {why}; it is one of {{\"index\":{{}}}}, {{\"create\":{{}}}}, {{\"update\":{{}}}}, {{\"delete\":{{}}}}"
)]
pub struct Malformed {
    /// Which line of the body, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// The actions of a body, in order; nothing comes after a [`Malformed`] one.
#[derive(Debug)]
pub struct Actions<'b> {
    rest: &'b [u8],
    /// How many lines were read.
    lines: usize,
    /// The document read last.
    last: Option<&'b [u8]>,
}

/// The actions of a body.
pub fn actions(body: &[u8]) -> Actions<'_> {
    Actions { rest: body, lines: 0, last: None }
}

impl<'b> Actions<'b> {
    fn line(&mut self) -> Option<&'b [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.lines += 1;
        Some(line.trim_ascii())
    }

    /// Whether the last document broke off at its line's end. Asked again, it is not read again.
    fn is_broken(&mut self) -> bool {
        let Some(last) = self.last else { return false };
        let is_broken = serde_json::from_slice::<IgnoredAny>(last).is_err();
        // What is empty is found broken at once.
        self.last = if is_broken { Some(&[]) } else { None };
        is_broken
    }
}

impl<'b> Iterator for Actions<'b> {
    type Item = Result<Action<'b>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line()?;
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(line) {
                Ok(line) => {
                    let head = line.head();
                    let document = if head.op == Op::Delete { None } else { self.line() };
                    self.last = document;
                    return Some(Ok(Action { head, document }));
                }
                Err(_) if self.is_broken() => {}
                Err(error) => {
                    self.rest = &[];
                    let why = error.to_string();
                    let why = why.split(" at line ").next().unwrap_or_default().to_owned();
                    return Some(Err(Malformed { line: self.lines, why }));
                }
            }
        }
    }
}

/// An action's line.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Index(Meta),
    Create(Meta),
    Update(Meta),
    Delete(Meta),
}

impl Line {
    fn head(self) -> Head {
        let (op, Meta { index, id }) = match self {
            Self::Index(meta) => (Op::Index, meta),
            Self::Create(meta) => (Op::Create, meta),
            Self::Update(meta) => (Op::Update, meta),
            Self::Delete(meta) => (Op::Delete, meta),
        };
        Head { op, index: index.map(|word| word.0), id: id.map(|word| word.0) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<Word>,
    #[serde(rename = "_id")]
    id: Option<Word>,
}

/// A text, or what stands for one.
struct Word(Text);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(WordVisitor)
    }
}

struct WordVisitor;

impl Visitor<'_> for WordVisitor {
    type Value = Word;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
        Ok(Word(text.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Word, E> {
        Ok(Word(number.to_string().into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Word, E> {
        Ok(Word(number.to_string().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<String> {
        let show = |action: Result<Action<'_>, Malformed>| match action {
            Ok(Action { head: Head { op, index, id }, document }) => {
                let document = document.map_or("none".into(), String::from_utf8_lossy);
                format!("{} {} {} {document}", op.name(), index.as_deref().unwrap_or("-"), id.as_deref().unwrap_or("-"))
            }
            Err(Malformed { line, why }) => format!("malformed {line}: {why}"),
        };
        actions(body.as_bytes()).map(show).collect()
    }

    #[test]
    fn actions_are_read_with_their_documents() {
        let body = "{\"index\":{\"_index\":\"a\",\"_id\":\"1\",\"_type\":\"_doc\",\"routing\":{\"x\":[1]}}}\n{\"n\":1}\n\
                    \n{ \"create\" : {} }\r\n{\"n\":2}\r\n{\"delete\":{\"_id\":7}}\n{\"update\":{\"_id\":-1}}\n{\"doc\":{}}\n\
                    {\"create\":{\"_id\":null}}\n\n{\"index\":{\"_id\":\"\\u00fc\"}}\n{}";
        let expected = [
            "index a 1 {\"n\":1}",
            "create - - {\"n\":2}",
            "delete - 7 none",
            "update - -1 {\"doc\":{}}",
            "create - - ",
            "index - ü {}",
        ];
        assert_eq!(read(body), expected);
        assert_eq!(read(" \n\n"), [""; 0]);
        assert_eq!(read("{\"index\":{}}\n{}\n{\"index\":{}}"), ["index - - {}", "index - - none"]);
    }

    #[test]
    fn the_rest_of_a_broken_document_is_passed_over() {
        let body = "{\"index\":{}}\n{\"a\":\"one\ntwo\",\nthree}\n{\"index\":{\"_id\":\"2\"}}\n{\"b\":1}\n";
        assert_eq!(read(body), ["index - - {\"a\":\"one", "index - 2 {\"b\":1}"]);
        let after_a_whole_one = "{\"index\":{}}\n{}\n{\"b\":1}\n{\"index\":{}}\n{}\n";
        let said = "malformed 3: unknown variant `b`, expected one of `index`, `create`, `update`, `delete`";
        assert_eq!(read(after_a_whole_one), ["index - - {}", said]);
    }

    #[test]
    fn what_is_no_action_says_where_and_why() {
        let table = [
            ("nonsense", "malformed 1: expected value"),
            ("[]", "malformed 1: expected value"),
            ("{}", "malformed 1: expected value"),
            ("\n{\"index\":{},\"create\":{}}", "malformed 2: "),
            ("{\"index\":7}", "malformed 1: invalid type: integer `7`, expected struct Meta"),
            ("{\"index\":{\"_id\":[1]}}", "malformed 1: invalid type: sequence, expected a text"),
            ("{\"delete\":{}}\n{\"doc\":{}}", "malformed 2: unknown variant `doc`"),
        ];
        for (body, expected) in table {
            let said = read(body);
            assert!(said.last().unwrap().starts_with(expected), "{body}: {said:?}");
        }
    }
}
