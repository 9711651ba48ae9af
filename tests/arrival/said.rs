//! What senders say, and how it arrives.

use proptest::prelude::*;

/// 2024-01-05T00:00:00Z, in ms.
const BASE: i64 = 1_704_412_800_000;
const MINUTE: i64 = 60_000;

/// One event as it was sent.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its JSON.
    pub text: String,
    /// Whether it carries an id, and may be sent again.
    pub has_id: bool,
}

/// How events arrive: batches of places in the list of events, and what happens after each.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub batches: Vec<(Vec<usize>, Then)>,
}

/// What happens after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    GoOn,
    /// Everything stops cleanly and starts again.
    Stop,
    /// The indexer is cut off wherever it is, and all starts again.
    Kill,
    /// All days are sealed, though more will come.
    Seal,
}

/// Some two visitors' worth of everything that visits depend on, over three days and two zones.
pub fn any_events() -> impl Strategy<Value = Vec<Said>> {
    prop::collection::vec(any_fields(), 1..50).prop_map(|all| {
        let text = |(number, (fields, has_id)): (usize, (String, bool))| {
            let id = if has_id { format!(r#","event_id":"e{number}""#) } else { String::new() };
            Said { text: format!("{{{fields}{id}}}"), has_id }
        };
        all.into_iter().enumerate().map(text).collect()
    })
}

fn any_fields() -> impl Strategy<Value = (String, bool)> {
    let at = prop_oneof![
        4 => (0..40i64).prop_map(|tens| tens * 10_000),
        4 => (0..30i64).prop_map(|tens| tens * 10 * MINUTE),
        1 => (0..4_300i64).prop_map(|minutes| minutes * MINUTE),
    ];
    let action = prop::sample::select(vec!["view", "view", "view", "download", "click", "engage", "error", "signup"]);
    let place = prop::sample::select(vec![
        r#""path":"/a""#,
        r#""path":"/b","id":"x""#,
        r#""id":"x""#,
        r#""id":"y""#,
        r#""title":"t""#,
    ]);
    let origin = prop::sample::select(vec![
        "",
        "",
        r#","referer":"https://example.org/x""#,
        r#","utm_source":"news","utm_medium":"email""#,
        r#","url":"https://s.example/a?utm_campaign=c&gclid=1""#,
        r#","interactive":false"#,
    ]);
    let who = prop::sample::select(vec![r#","visitor":"v""#, r#","visitor":"v""#, r#","visitor":"w""#, ""]);
    let site = prop::sample::select(vec!["", "", r#","site":"berlin""#]);
    (at, action, place, origin, who, site, any::<bool>()).prop_map(|(at, action, place, origin, who, site, has_id)| {
        let fields = format!(r#""@timestamp":{},"action":"{action}",{place}{origin}{who}{site}"#, BASE + at);
        (fields, has_id)
    })
}

/// One batch, in the order given.
pub fn in_order(events: &[Said]) -> Arrival {
    Arrival { batches: vec![((0..events.len()).collect(), Then::GoOn)] }
}

/// Every event at least once, those with an id perhaps more often, in any order and any batches.
pub fn any_arrival(events: &[Said]) -> impl Strategy<Value = Arrival> + use<> {
    let with_id: Vec<usize> = (0..events.len()).filter(|place| events[*place].has_id).collect();
    let all: Vec<usize> = (0..events.len()).collect();
    let again = match with_id.is_empty() {
        true => Just(Vec::new()).boxed(),
        false => prop::collection::vec(prop::sample::select(with_id), 0..20).boxed(),
    };
    let then = prop_oneof![5 => Just(Then::GoOn), 1 => Just(Then::Stop), 1 => Just(Then::Kill), 1 => Just(Then::Seal)];
    let cuts = prop::collection::vec((1..12usize, then), 80);
    let order = again.prop_map(move |again| [all.clone(), again].concat()).prop_shuffle();
    (order, cuts).prop_map(|(order, cuts)| {
        let mut left = order.as_slice();
        let mut batches = Vec::new();
        for (length, then) in cuts {
            let (batch, rest) = left.split_at(length.min(left.len()));
            if !batch.is_empty() {
                batches.push((batch.to_vec(), then));
            }
            left = rest;
        }
        Arrival { batches }
    })
}
