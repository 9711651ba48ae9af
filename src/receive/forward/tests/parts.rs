use super::*;
use crate::ingest::Item;
use crate::net::Budget;
use crate::normalize::Limits;
use crate::receive::Broken;
use crate::receive::forward::answer::ack;
use crate::receive::forward::batch::{Origin, hex};
use crate::receive::forward::buffer::Buffer;
use crate::receive::forward::frames::{Form, Frames};
use crate::receive::forward::inflate::{Coding, Inflater};
use crate::receive::forward::{FRAME_BYTES_MAX, INFLATED_BYTES_MAX, Message};
use sha2::{Digest, Sha512};

const BUDGET: usize = 16 << 20;

/// All that comes out of coded entries.
async fn inflate(coding: Coding, coded: &[u8], budget: &Budget) -> Result<Vec<u8>, Broken> {
    let mut share = budget.share();
    let mut inflater = Inflater::new(coding, coded)?;
    let mut all = Vec::new();
    while let Some(entries) = inflater.next(0, &mut share).await? {
        all.extend_from_slice(entries);
    }
    Ok(all)
}

/// Every message of a stream, read to its items.
fn read(bytes: &[u8]) -> Result<Vec<Message>, Broken> {
    crate::receive::forward::read(bytes, &Limits::default())
}

/// An item as `tag time key=value …`.
fn shown(item: &Item) -> String {
    let Ok(raw) = &item.raw else { return format!("! {}", item.raw.as_ref().expect_err("a rejection").reason) };
    let fields = raw.fields.iter().map(|(key, value)| format!("{key}={}", value.as_text()));
    let time = raw.protocol_time.map_or("now".to_owned(), |at| at.to_string());
    [time].into_iter().chain(fields).collect::<Vec<_>>().join(" ")
}

fn shown_all(bytes: &[u8]) -> Vec<String> {
    let read = read(bytes).unwrap_or_else(|broken| panic!("{broken}"));
    read.iter().flat_map(|(_, items)| items.iter().map(shown)).collect()
}

#[test]
fn a_mode_is_told_by_the_second_element() {
    let (record, option) = (json!({ "id": "a" }), json!({ "chunk": "c1", "size": 1, "more": [[1]] }));
    let rows = [
        (pack(("t", 5, &record)), "5000 id=a tag=t"),
        (pack(("t", 5, &record, &option)), "5000 id=a tag=t event_id=c1-0"),
        (pack(("t", 5, &record, ())), "5000 id=a tag=t"),
        (pack(("t", [(5, &record)])), "5000 id=a tag=t"),
        (pack(("t", [(5, &record)], &option)), "5000 id=a tag=t event_id=c1-0"),
        (pack(("t", [((5, json!({ "k": 1 })), &record)], &option)), "5000 id=a metadata.k=1 tag=t event_id=c1-0"),
        (packed("t", &entry(&record), option.clone()), "1764000000250 id=a tag=t event_id=c1-0"),
        (packed("t", &entry(&record), json!({ "compressed": "text" })), "1764000000250 id=a tag=t"),
        (pack((serde_bytes::Bytes::new(b"t"), 0, &record)), "now id=a tag=t"),
        (pack(("", 0, &record)), "now id=a"),
        (pack(("t", 0.0, &record)), "now id=a tag=t"),
        (pack(("t", 0, json!({ "tag": "mine", "event_id": "e" }), &option)), "now event_id=e x.tag=mine tag=t"),
        (pack(("t", 0, json!({ "event": { "id": "e" } }), &option)), "now event.id=e tag=t"),
        (pack(("t", 0, json!({ "event_id": "" }), &option)), "now event_id= tag=t event_id=c1-0"),
        (pack(("t", 0, "no record")), "! not_an_object"),
        (pack(("t", "2025")), "!"),
        (br#"["t",5,{"id":"a"}]"#.to_vec(), "5000 id=a tag=t"),
        (br#"["t",1764000000.25,{"id":"a"},{"chunk":"c1"}]"#.to_vec(), "1764000000250 id=a tag=t event_id=c1-0"),
        (br#"["t",[[0,{"id":"[\"}"}]],null]"#.to_vec(), "now id=[\"} tag=t"),
        (br#"["t",null,{"id":"a"},{}]"#.to_vec(), "now id=a tag=t"),
        (br#"["t",0.0,{"id":"a"}]"#.to_vec(), "now id=a tag=t"),
        (br#"["t",0,3]"#.to_vec(), "! not_an_object"),
        (br#"["t",true,{}]"#.to_vec(), "! time"),
    ];
    for (bytes, expected) in rows {
        match expected {
            "!" => assert_eq!(read(&bytes).expect_err("a bad frame").reason, "frame"),
            expected => assert_eq!(shown_all(&bytes), [expected], "{}", bytes.escape_ascii()),
        }
    }
}

#[test]
fn heartbeats_marks_and_other_signals_are_no_events() {
    let mark =
        |seconds: u8| [&[0x92, 0x92, 0xd7, 0, 0xff, 0xff, 0xff, seconds, 0, 0, 0, 0, 0x80][..], &[0x80]].concat();
    let group = [mark(0xff), entry(&json!({ "id": "a" })), mark(0xfe), entry(&json!({ "id": "b" }))].concat();
    let stream = [
        vec![0xc0],
        packed("t", &group, json!({ "chunk": "c", "fluent_signal": 0 })),
        vec![0xc0, 0xc0],
        packed("t", b"\xc1 no entries at all", json!({ "chunk": "m", "fluent_signal": 1, "compressed": "?" })),
    ];
    let read = read(&stream.concat()).expect("messages");
    let shown: Vec<Vec<String>> = read.iter().map(|(_, items)| items.iter().map(shown).collect()).collect();
    // A mark counts as an entry: the numbers are the same whoever sends it again.
    let expected = ["1764000000250 id=a tag=t event_id=c-1", "1764000000250 id=b tag=t event_id=c-3"];
    assert_eq!(shown, [expected.map(str::to_owned).to_vec(), vec![]]);
    assert_eq!(read.iter().map(|(chunk, _)| chunk.as_deref()).collect::<Vec<_>>(), [Some(&b"c"[..]), Some(b"m")]);
}

#[test]
fn messages_end_where_they_end_however_they_are_cut() {
    let msgpack =
        [packed("t", &entries(0, 3), json!({ "chunk": "c" })), vec![0xc0], pack(("t", 5, json!({ "a": "x" })))];
    let json = [r#"["t",5,{"a":"\"]}"},{}]"#, "\n", r#"["t",[[5,{"a":[1]}]]]"#].map(|text| text.as_bytes().to_vec());
    for stream in [msgpack.concat(), json.concat()] {
        let mut whole = Frames::new();
        let mut expected = Vec::new();
        while let Some(frame) = whole.next(&stream).expect("frames") {
            expected.push(frame.to_vec());
        }
        let mut byte_by_byte = Frames::new();
        let mut found = Vec::new();
        for cut in 0..=stream.len() {
            while let Some(frame) = byte_by_byte.next(&stream[..cut]).expect("frames") {
                found.push(frame.to_vec());
            }
            let mut in_two = Frames::new();
            let (mut parts, mut dropped) = (Vec::new(), 0);
            for end in [cut, stream.len()] {
                while let Some(frame) = in_two.next(&stream[dropped..end]).expect("frames") {
                    parts.push(frame.to_vec());
                }
                dropped += in_two.take_done();
            }
            assert_eq!(parts, expected, "cut at {cut}");
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn a_bad_frame_says_what_is_wrong() {
    let rows: [(&[u8], &str); 14] = [
        (&[0xc1], "begins none"),
        (&[0x93, 0xa1, b't', 0xc6, 0xff, 0xff, 0xff, 0xff], "the limit is 16777216"),
        (&[0xdd, 0xff, 0xff, 0xff, 0xff], "the limit is 16777216"),
        (&[0x05], "in place of an array stands a whole number"),
        (&[0x91, 0xa1, b't'], "end within a value"),
        (&[0x92, 0xa1, b't', 0x05], "end within a value"),
        (&[0x92, 0x05, 0x90], "in place of a text stands a whole number"),
        (&[0x93, 0xa1, b't', 0x90, 0x05], "in place of a map of options stands a whole number"),
        (
            &[0x93, 0xa1, b't', 0x90, 0x81, 0xa5, b'c', b'h', b'u', b'n', b'k', 0x05],
            "options of a message cannot be read",
        ),
        (&[0x93, 0xa1, b't', 0xa1, 0x92, 0x80], "end within a value"),
        (b"{\"a\":1}", "in place of a message stands '{'"),
        (b"[1,2,3]", "in place of a tag"),
        (b"[\"t\"]", "entries, or a time is missing"),
        (b"[\"t\",\"packed\"]", "packed entries"),
    ];
    for (bytes, words) in rows {
        let broken = read(bytes).expect_err(words);
        assert_eq!(broken.reason, "frame");
        assert!(broken.message.contains(words), "{words:?} is not in {broken}");
    }
    for bytes in
        [&br#"["t",5,{},{"chunk":"c","fluent_signal":"secret"}]"#[..], b"\x93\xa1t\x90\x81\xadfluent_signal\xa6secret"]
    {
        let broken = read(bytes).expect_err("bad options");
        assert!(!broken.message.contains("secret"), "{broken}");
    }
    let unknown = packed("t", &[], json!({ "compressed": "lz4" }));
    assert_eq!(read(&unknown).expect_err("unknown").reason, "inflate");
    let mut endless = vec![b'['; FRAME_BYTES_MAX];
    assert_eq!(Frames::new().next(&endless), Ok(None), "at the limit");
    endless.push(b'[');
    assert!(Frames::new().next(&endless).expect_err("too long").message.contains("more than 16777216 bytes"));
}

#[tokio::test]
async fn coded_entries_are_inflated_members_and_all() {
    let plain = entries(0, 50);
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 3).expect("zstd");
    let (one, other) = plain.split_at(plain.len() / 3);
    let budget = Budget::new(BUDGET);
    for (coding, coded) in [
        (Coding::Gzip, gzip(&plain)),
        (Coding::Gzip, [gzip(one), gzip(b""), gzip(other)].concat()),
        (Coding::Zstd, zstd(&plain)),
        (Coding::Zstd, [zstd(one), zstd(other)].concat()),
    ] {
        assert_eq!(inflate(coding, &coded, &budget).await, Ok(plain.clone()));
        for cut in [1, coded.len() / 2, coded.len() - 1] {
            let torn = inflate(coding, &coded[..cut], &budget).await.expect_err("torn");
            assert_eq!(torn.reason, "inflate", "{torn}");
        }
    }
    // What is within is not inflated again: it is no entries.
    let nested = inflate(Coding::Gzip, &gzip(&gzip(&plain)), &budget).await;
    let read = nested.and_then(|bytes| read(&packed("t", &bytes, json!({}))));
    assert_eq!(read.expect_err("nested").reason, "frame");
    assert_eq!(inflate(Coding::Gzip, &plain, &budget).await.expect_err("plain").reason, "inflate");
    assert_eq!(inflate(Coding::Gzip, &gzip(&plain[..40]), &budget).await.expect_err("torn").reason, "frame");
}

#[tokio::test]
async fn a_bomb_stops_at_the_limit_and_holds_a_window() {
    let budget = Budget::new(3 << 20);
    let value = [&[0xc6, 0, 0x0f, 0xff, 0xfb][..], &vec![0; (1 << 20) - 5]].concat();
    let bomb = |count: usize, rest: &[u8]| gzip(&[value.repeat(count), rest.to_vec()].concat());
    let count = INFLATED_BYTES_MAX / value.len();
    let at_limit = bomb(count, &[]);
    assert!(at_limit.len() < 1 << 20);
    assert_eq!(inflate(Coding::Gzip, &at_limit, &budget).await.map(|out| out.len()), Ok(INFLATED_BYTES_MAX));
    for coded in [bomb(count, &[0]), [at_limit.clone(), gzip(&[0])].concat()] {
        let broken = inflate(Coding::Gzip, &coded, &budget).await.expect_err("a bomb");
        assert!(broken.reason == "inflate" && broken.message.contains("67108864"), "{broken}");
    }
    // One value, as long as a message may be, has to be held; it finds no room.
    let long = gzip(&[&[0xc6, 0, 0xff, 0xff, 0xfb][..], &vec![0; 0x00ff_fffb]].concat());
    assert_eq!(inflate(Coding::Gzip, &long, &budget).await.expect_err("no room").reason, "memory");
    assert_eq!(budget.share().hold(3 << 20), Ok(()), "all is free again");
    let longer = gzip(&[0xc6, 0x01, 0, 0, 0]);
    assert_eq!(inflate(Coding::Gzip, &longer, &budget).await.expect_err("too long").reason, "frame");
    // A window of 128 MiB, in the head of a frame.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
    let budget = Budget::new(BUDGET);
    assert_eq!(inflate(Coding::Zstd, &window, &budget).await.expect_err("a window").reason, "inflate");
}

#[test]
fn a_chunk_goes_back_byte_for_byte_and_makes_ids() {
    assert_eq!(ack(Form::Msgpack, b"abc\n").expect("bytes"), b"\x81\xa3ack\xa4abc\n");
    let long = [7; 40];
    assert_eq!(ack(Form::Msgpack, &long).expect("bytes"), [&b"\x81\xa3ack\xd9\x28"[..], &long].concat());
    assert_eq!(ack(Form::Json, b"a\"\n").expect("bytes"), br#"{"ack":"a\"\n"}"#);
    let id = |chunk: &[u8]| {
        let message = pack((
            "t",
            0,
            json!({}),
            [("chunk", serde_bytes::Bytes::new(chunk))].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        ));
        let (echoed, items) = read(&message).expect("a message").remove(0);
        assert_eq!(echoed.as_deref(), Some(chunk));
        shown(&items[0]).rsplit_once("event_id=").expect("an id").1.to_owned()
    };
    assert_eq!(id(b"ZhDN4o8W0j1r2/g4HZVS/A==\n"), "ZhDN4o8W0j1r2/g4HZVS/A==-0");
    let hash = |chunk: &[u8]| format!("{}-0", hex(&Sha512::digest(chunk)[..16]));
    for chunk in [&b"\xff\xfe"[..], b"a\0b", b"", &[b'x'; 117]] {
        assert_eq!(id(chunk), hash(chunk));
    }
    assert_eq!(id(&[b'x'; 116]).len(), 118);
}

#[test]
fn a_tag_is_kept_as_far_as_a_text_goes() {
    let limits = Limits::default();
    let origin = |length: usize| Origin::tagged(&vec![b't'; length], &limits);
    assert_eq!(origin(1 << 20), origin(limits.text_bytes_max + 4));
    assert_ne!(origin(limits.text_bytes_max + 1), origin(limits.text_bytes_max));
}

#[tokio::test]
async fn an_idle_connection_holds_nothing() {
    let budget = Budget::new(1 << 20);
    let mut buffer = Buffer::new(budget.share());
    let mut stream = &vec![1; 200_000][..];
    while buffer.fill(&mut stream).await.expect("bytes") > 0 {}
    assert_eq!(buffer.bytes.len(), 200_000);
    assert!(budget.share().hold(900 << 10).is_err(), "the bytes are out of the budget");
    buffer.drop_first(150_000).expect("less");
    assert_eq!(buffer.bytes.len(), 50_000);
    buffer.drop_first(50_000).expect("none");
    assert_eq!(buffer.bytes.capacity(), 0);
    assert_eq!(budget.share().hold(1 << 20), Ok(()));
    let mut beyond = &vec![1; (1 << 20) + 1][..];
    let broken = loop {
        if let Err(broken) = buffer.fill(&mut beyond).await {
            break broken;
        }
    };
    assert_eq!(broken.reason, "memory");
}
