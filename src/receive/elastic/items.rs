//! The answer to a bulk: what became of each action, in order.
//! - Compact, its keys in the order `took`, `errors`, `items`: some senders read it as text.
//! - Each item bears its real status: 201, 200 for what is there already, 409, 400, 403, and 429 for what waits.

use super::bulk::{Head, Op};
use super::errors::{Fault, REJECTED_FOR_NOW};
use super::take::Outcome;
use axum::http::StatusCode;
use std::io::Write;
use std::time::Duration;

/// What an item takes beside its index and id, usually.
const ITEM_BYTES: usize = 240;

/// What a document that names no index is said to be in.
const INDEX: &str = "metronome";

/// About how many bytes the answer to these actions takes.
pub(super) fn bytes(heads: &[Head]) -> usize {
    let length = |text: &Option<crate::event::Text>| text.as_ref().map_or(0, |text| text.len());
    heads.iter().map(|head| ITEM_BYTES + length(&head.index) + length(&head.id)).sum()
}

/// Writes the answer.
pub(super) fn write(took: Duration, heads: &[Head], outcomes: &[Outcome]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes(heads));
    let errors = heads.iter().zip(outcomes).any(|(head, outcome)| fault(head, outcome).is_some());
    put(&mut out, format_args!("{{\"took\":{},\"errors\":{errors},\"items\":[", took.as_millis()));
    for (at, (head, outcome)) in heads.iter().zip(outcomes).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        put(&mut out, format_args!("{{\"{}\":{{", head.op.name()));
        let status = match fault(head, outcome) {
            Some(fault) => {
                name(&mut out, head, outcome);
                fault.status
            }
            None => document(&mut out, head, outcome),
        };
        put(&mut out, format_args!(",\"status\":{status}"));
        if let Some(fault) = fault(head, outcome) {
            put(&mut out, format_args!(",\"error\":{{\"type\":\"{}\",\"reason\":", fault.kind));
            text(&mut out, &fault.reason);
            out.push(b'}');
        }
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}");
    out
}

/// Writes what is said of a document that is there; answers its status.
pub(super) fn document(out: &mut Vec<u8>, head: &Head, outcome: &Outcome) -> u16 {
    let (result, position, status) = match outcome {
        Outcome::Created(position) => ("created", *position, StatusCode::CREATED),
        _ => ("noop", 0, StatusCode::OK),
    };
    name(out, head, outcome);
    put(
        out,
        format_args!(
            ",\"_version\":1,\"result\":\"{result}\",\"_shards\":{{\"total\":1,\"successful\":1,\"failed\":0}},\
             \"_seq_no\":{position},\"_primary_term\":1"
        ),
    );
    status.as_u16()
}

/// What is wrong with an action by its outcome; `None` where nothing is.
pub(super) fn fault(head: &Head, outcome: &Outcome) -> Option<Fault> {
    match outcome {
        Outcome::Created(_) | Outcome::LeftOut => None,
        Outcome::Known if head.op == Op::Create => Some(Fault::known(head.id.as_deref().unwrap_or_default())),
        Outcome::Known => None,
        Outcome::Refused(fault) => Some((**fault).clone()),
        Outcome::Waiting => {
            let reason = "there is no room at the moment; send it again";
            Some(Fault::new(StatusCode::TOO_MANY_REQUESTS, REJECTED_FOR_NOW, reason))
        }
    }
}

/// Writes the index and id of a document; its place in the journal where it has no id.
fn name(out: &mut Vec<u8>, head: &Head, outcome: &Outcome) {
    out.extend_from_slice(b"\"_index\":");
    text(out, head.index.as_deref().unwrap_or(INDEX));
    out.extend_from_slice(b",\"_id\":");
    match (&head.id, outcome) {
        (Some(id), _) => text(out, id),
        (None, Outcome::Created(position)) => put(out, format_args!("\"{position}\"")),
        (None, _) => out.extend_from_slice(b"\"\""),
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    // Nothing that is written to memory fails, here and below.
    let _ = serde_json::to_writer(out, text);
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(op: Op, id: Option<&str>) -> Head {
        Head { op, index: Some("i".into()), id: id.map(Into::into) }
    }

    fn said(head: Head, outcome: Outcome) -> String {
        let answer = write(Duration::from_millis(7), &[head], &[outcome]);
        String::from_utf8(answer).unwrap()
    }

    #[test]
    fn items_are_answered_with_their_real_status() {
        let there = r#""_shards":{"total":1,"successful":1,"failed":0},"_seq_no""#;
        let answer = said(head(Op::Index, Some("a\"")), Outcome::Created(9));
        let item = format!(
            r#"{{"_index":"i","_id":"a\"","_version":1,"result":"created",{there}:9,"_primary_term":1,"status":201}}"#
        );
        assert_eq!(answer, format!(r#"{{"took":7,"errors":false,"items":[{{"index":{item}}}]}}"#));
        let refused = Outcome::Refused(Box::new(Fault::unfit("why")));
        let table = [
            (head(Op::Create, None), Outcome::Created(9), r#""_id":"9""#, 201, false),
            (head(Op::Index, Some("a")), Outcome::Known, r#""result":"noop""#, 200, false),
            (
                head(Op::Create, Some("a")),
                Outcome::Known,
                r#""type":"version_conflict_engine_exception","reason":"[a]:"#,
                409,
                true,
            ),
            (head(Op::Create, Some("a")), Outcome::LeftOut, r#""result":"noop""#, 200, false),
            (head(Op::Delete, Some("a")), refused, r#""type":"illegal_argument_exception","reason":"why""#, 400, true),
            (head(Op::Index, Some("a")), Outcome::Waiting, r#""type":"es_rejected_execution_exception""#, 429, true),
        ];
        for (head, outcome, holds, status, errors) in table {
            let answer = said(head, outcome);
            let parsed: serde_json::Value = serde_json::from_str(&answer).unwrap();
            let item = parsed["items"][0].as_object().unwrap().values().next().unwrap();
            assert_eq!((item["status"].as_u64(), &parsed["errors"]), (Some(status), &errors.into()), "{answer}");
            assert!(answer.contains(holds), "{answer}");
        }
        assert_eq!(write(Duration::ZERO, &[], &[]), br#"{"took":0,"errors":false,"items":[]}"#);
    }
}
