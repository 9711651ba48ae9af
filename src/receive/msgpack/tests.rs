use super::*;
use crate::clock::Millis;
use crate::event::Value;
use crate::normalize::json;
use proptest::prelude::*;

const MAX: usize = 16 << 20;

fn limits() -> Limits {
    Limits::default()
}

fn packed(json: &str) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_str(json).expect(json);
    rmp_serde::to_vec(&value).expect("MessagePack")
}

/// Every marker there is, each with what follows it.
fn all_kinds() -> Vec<u8> {
    let mut bytes = vec![0xdc, 0, 36];
    let parts: [&[u8]; 36] = [
        &[0x00],
        &[0xe0],
        &[0xc0],
        &[0xc2],
        &[0xc3],
        &[0xcc, 1],
        &[0xcd, 1, 2],
        &[0xce, 1, 2, 3, 4],
        &[0xcf, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xd0, 1],
        &[0xd1, 1, 2],
        &[0xd2, 1, 2, 3, 4],
        &[0xd3, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xca, 1, 2, 3, 4],
        &[0xcb, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xa2, b'a', b'b'],
        &[0xd9, 1, b'a'],
        &[0xda, 0, 1, b'a'],
        &[0xdb, 0, 0, 0, 1, b'a'],
        &[0xc4, 1, 0],
        &[0xc5, 0, 1, 0],
        &[0xc6, 0, 0, 0, 1, 0],
        &[0xd4, 7, 1],
        &[0xd5, 7, 1, 2],
        &[0xd6, 7, 1, 2, 3, 4],
        &[0xd7, 7, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xd8, 7, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xc7, 1, 7, 1],
        &[0xc8, 0, 1, 7, 1],
        &[0xc9, 0, 0, 0, 1, 7, 1],
        &[0x91, 0x90],
        &[0xdd, 0, 0, 0, 1, 1],
        &[0x81, 1, 2],
        &[0xde, 0, 1, 1, 2],
        &[0xdf, 0, 0, 0, 1, 1, 0x80],
        &[0xa0],
    ];
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

#[test]
fn a_value_ends_where_it_ends_however_it_is_cut() {
    let value = all_kinds();
    let mut two = value.clone();
    two.push(0xc0);
    assert_eq!(Scanner::default().scan(&two, MAX), Ok(Some(value.len())));
    assert_eq!(first(&two), Ok((&*value, &[0xc0][..])));
    let mut byte_by_byte = Scanner::default();
    for cut in 0..value.len() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(&value[..cut], MAX), Ok(None), "cut at {cut}");
        assert_eq!(scanner.scan(&two, MAX), Ok(Some(value.len())), "cut at {cut}, whole then");
        assert_eq!(scanner.scan(&two[value.len()..], MAX), Ok(Some(1)), "the next value after a cut at {cut}");
        assert_eq!(byte_by_byte.scan(&value[..cut], MAX), Ok(None), "byte {cut}");
        assert_eq!(first(&value[..cut]), Err(Malformed::Short));
    }
    assert_eq!(byte_by_byte.scan(&value, MAX), Ok(Some(value.len())));
}

#[test]
fn a_length_that_lies_is_refused_by_its_head() {
    let rows: [(&[u8], u64); 6] = [
        (&[0xc6, 0xff, 0xff, 0xff, 0xff], 5 + 0xffff_ffff),
        (&[0xdb, 0x01, 0, 0, 0], 5 + (1 << 24)),
        (&[0xdd, 0xff, 0xff, 0xff, 0xff], 5 + 0xffff_ffff),
        (&[0xdf, 0xff, 0xff, 0xff, 0xff], 5 + 2 * 0xffff_ffff),
        (&[0x92, 0xc6, 0x00, 0xff, 0xff, 0xff], 1 + 5 + 0x00ff_ffff + 1),
        (&[0xc9, 0xff, 0xff, 0xff, 0xff], 5 + 1 + 0xffff_ffff),
    ];
    for (bytes, needed) in rows {
        assert_eq!(Scanner::default().scan(bytes, MAX), Err(Malformed::TooLong { needed, limit: MAX }), "{bytes:x?}");
    }
    assert_eq!(Scanner::default().scan(&[0xa3, 1, 2, 3], 4), Ok(Some(4)), "at the limit");
    assert_eq!(Scanner::default().scan(&[0xa3], 3), Err(Malformed::TooLong { needed: 4, limit: 3 }));
    assert_eq!(Scanner::default().scan(&[0x92, 1, 0xc1], MAX), Err(Malformed::Reserved { at: 2 }));
}

#[test]
fn any_depth_is_scanned_and_none_beyond_the_limit_is_read() {
    let mut deep = vec![0x91; 100_000];
    deep.push(0xc0);
    assert_eq!(Scanner::default().scan(&deep, MAX), Ok(Some(deep.len())));
    let nested = |levels: usize| [[0x81, 0xa1, b'a'].repeat(levels - 1), vec![0x81, 0xa1, b'a', 1]].concat();
    assert!(record(&nested(32), &limits()).is_ok());
    assert_eq!(record(&nested(33), &limits()).expect_err("too deep").reason, Reason::TooDeep);
    let lists = |levels: usize| [vec![0x81, 0xa1, b'a'], vec![0x91; levels - 1], vec![1]].concat();
    assert!(record(&lists(32), &limits()).is_ok());
    assert_eq!(record(&lists(33), &limits()).expect_err("too deep").reason, Reason::TooDeep);
    assert_eq!(record(&lists(60_000), &limits()).expect_err("much too deep").reason, Reason::TooDeep);
}

#[test]
fn a_record_has_its_limits() {
    let text = |bytes: u16| {
        let [high, low] = bytes.to_be_bytes();
        [vec![0x81, 0xa1, b'a', 0xda, high, low], vec![b'x'; bytes.into()]].concat()
    };
    assert!(record(&text(65_530), &limits()).is_ok());
    let rejection = record(&text(65_531), &limits()).expect_err("too large");
    assert_eq!(rejection.reason, Reason::EventTooLarge);
    assert!(rejection.message.contains("65537 bytes") && rejection.message.contains("65536"), "{rejection}");
    let refusals: [(&[u8], Reason, &str); 8] = [
        (&[0x81, 0xa0, 1], Reason::BadKey, "a key is empty"),
        (&[0x81, 0xa1, b'a', 0x81, 0xa0, 1], Reason::BadKey, "a key in \"a\" is empty"),
        (&[0x81, 0xa2, b'a', b'\n', 1], Reason::BadKey, "control character"),
        (&[0x81, 0x90, 1], Reason::BadKey, "a key is no text: invalid type: sequence"),
        (&[0x81, 0xa1, b'a', 0x91, 0x81, 0xc0, 1], Reason::BadKey, "a key is no text"),
        (&[0xa1, b'a'], Reason::NotAnObject, "in place of the record stands a text"),
        (&[0x90], Reason::NotAnObject, "stands an array"),
        (&[0xdf, 0xff, 0xff, 0xff, 0xff], Reason::NotJson, "not MessagePack"),
    ];
    for (bytes, reason, words) in refusals {
        let rejection = record(bytes, &limits()).expect_err(words);
        assert_eq!(rejection.reason, reason, "{rejection}");
        assert!(rejection.message.contains(words), "{rejection}");
    }
}

#[test]
fn what_only_messagepack_has_becomes_text_and_numbers() {
    let rows: [(&[u8], &str, Value); 9] = [
        (&[0x81, 0xa1, b'a', 0xc4, 2, 0xc3, 0xbc], "a", Value::text("ü")),
        (&[0x81, 0xa1, b'a', 0xc4, 2, b'x', 0xff], "a", Value::text("x\u{fffd}")),
        (&[0x81, 0xa1, b'a', 0xa2, b'x', 0xff], "a", Value::text("x\u{fffd}")),
        (&[0x81, 0xc4, 1, b'a', 1], "a", Value::Int(1)),
        (&[0x81, 0x05, 1], "5", Value::Int(1)),
        (&[0x81, 0xff, 1], "-1", Value::Int(1)),
        (&[0x81, 0xa1, b'a', 0xca, 0x3d, 0xcc, 0xcc, 0xcd], "a", Value::Float(0.1)),
        (
            &[0x81, 0xa1, b'a', 0xd7, 0, 0x69, 0x24, 0x81, 0, 0x0e, 0xe6, 0xb2, 0x80],
            "a",
            Value::text("2025-11-24T16:00:00.25Z"),
        ),
        (&[0x81, 0xa1, b'a', 0x92, 0x81, 0x05, 0xc4, 1, b'x', 0xd4, 9, 0xab], "a", Value::text(r#"[{"5":"x"},"ab"]"#)),
    ];
    for (bytes, key, expected) in rows {
        assert_eq!(record(bytes, &limits()).expect("an event").fields, [(key.into(), expected)], "{bytes:x?}");
    }
    let nan = record(&[0x81, 0xa1, b'a', 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], &limits());
    assert_eq!(nan.expect("an event").fields, []);
}

#[test]
fn an_entry_says_when_it_was_in_every_form() {
    const AT: Millis = 1_764_000_000_250;
    let number = |marker: u8, bytes: &[u8]| [&[marker][..], bytes].concat();
    let seconds = 1_764_000_000_u32.to_be_bytes();
    let nanoseconds = 250_000_000_u32.to_be_bytes();
    let event_time = [seconds, nanoseconds].concat();
    let never = |kind| When::Never(kind);
    let rows = [
        (number(0xce, &seconds), When::At(AT - 250)),
        (number(0xcf, &1_764_000_000_250_u64.to_be_bytes()), When::At(AT)),
        (number(0xd2, &1_764_000_000_i32.to_be_bytes()), When::At(AT - 250)),
        (number(0xcb, &1_764_000_000.25_f64.to_be_bytes()), When::At(AT)),
        (number(0xcb, &1_764_000_000_250_f64.to_be_bytes()), When::At(AT)),
        (number(0xca, &1_000.5_f32.to_be_bytes()), When::At(1_000_500)),
        ([&[0xd7, 0][..], &event_time].concat(), When::At(AT)),
        ([&[0xc7, 8, 0][..], &event_time].concat(), When::At(AT)),
        ([&[0xd6, 0xff][..], &seconds].concat(), When::At(AT - 250)),
        ([&[0xb4][..], b"2025-11-24T16:00:00Z"].concat(), When::At(AT - 250)),
        (vec![0x00], When::Now),
        (vec![0xc0], When::Now),
        (vec![0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0], When::Now),
        (vec![0xff], When::Group),
        (vec![0xfe], When::Group),
        (vec![0xd7, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], When::Group),
        (vec![0xd7, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0], When::Group),
        (vec![0xd7, 1, 0, 0, 0, 0, 0, 0, 0, 0], never(Kind::Extension)),
        (vec![0xa4, b'n', b'o', b'o', b'n'], never(Kind::Text)),
        (vec![0xc3], never(Kind::Bool)),
        (vec![0x80], never(Kind::Map)),
        (number(0xcf, &[0xff; 8]), never(Kind::Int)),
        (number(0xcb, &f64::NAN.to_be_bytes()), never(Kind::Float)),
    ];
    for (time, when) in rows {
        let alone = [&[0x92][..], &time, &[0x80]].concat();
        let expected = Entry { when, metadata: None, record: &[0x80] };
        assert_eq!(entry(&alone), Ok(expected), "{time:x?}");
        let with_metadata = [&[0x92, 0x92][..], &time, &[0x81, 0xa1, b'k', 1, 0x80]].concat();
        let expected = Entry { when, metadata: Some(&[0x81, 0xa1, b'k', 1]), record: &[0x80] };
        assert_eq!(entry(&with_metadata), Ok(expected), "{time:x?}");
    }
}

#[test]
fn an_entry_is_its_record_its_time_and_its_metadata() {
    let bytes = [&[0x92, 0x92, 0x05, 0x81, 0xa1, b'k', 1][..], &packed(r#"{"a":{"b":2}}"#)].concat();
    let event = entry(&bytes).expect("an entry").event(&limits()).expect("an event").expect("no mark");
    assert_eq!(event.fields, [("a.b".into(), Value::Int(2)), ("metadata.k".into(), Value::Int(1))]);
    assert_eq!((event.protocol_time, event.bytes), (Some(5000), 7));
    let of = |bytes: &[u8]| entry(bytes).expect("an entry").event(&limits());
    assert_eq!(of(&[0x92, 0xff, 0xc0]), Ok(None), "a mark's record is not looked at");
    assert_eq!(
        of(&[0x92, 0, 0x80]).expect("an event"),
        Some(RawEvent { typed: true, bytes: 1, ..RawEvent::default() })
    );
    assert_eq!(of(&[0x92, 0xc3, 0x80]).expect_err("no time").reason, Reason::Time);
    assert_eq!(of(&[0x92, 0, 0x90]).expect_err("no record").reason, Reason::NotAnObject);
    assert_eq!(of(&[0x92, 0x92, 0, 0xc3, 0x80]).expect_err("no metadata").reason, Reason::NotAnObject);
    assert_eq!(entry(&[0x91, 0]), Err(Malformed::Short));
    assert_eq!(entry(&[0x92, 0]), Err(Malformed::Short));
    assert_eq!(entry(&[0x80]), Err(Malformed::Kind { expected: "an array", found: Kind::Map }));
}

/// Any JSON value of a few levels.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-c.]{1,3}", inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_record_is_flattened_as_its_json_is(map in prop::collection::btree_map("[a-z]{1,3}", any_json(), 0..6)) {
        let value = serde_json::Value::Object(map.into_iter().collect());
        let json = json::read(value.to_string().as_bytes(), &limits()).expect("JSON");
        let record = record(&rmp_serde::to_vec(&value).expect("MessagePack"), &limits()).expect("a record");
        prop_assert_eq!(record.fields, json.fields);
    }
}
