use super::*;

const BOUND: usize = 64;

/// All of a stream's messages as they come in pieces of these bytes, and `None` for each that is too long.
fn messages(pieces: &[&[u8]]) -> Vec<Option<String>> {
    let (mut frames, mut held, mut found) = (Frames::bounded(BOUND), Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        take(&mut frames, &mut held, &mut found);
        assert!(held.len() <= BOUND + 2 + DIGITS_MAX, "held {} bytes", held.len());
    }
    if frames.ends_line(&held) {
        held.push(b'\n');
        take(&mut frames, &mut held, &mut found);
    }
    found
}

fn take(frames: &mut Frames, held: &mut Vec<u8>, found: &mut Vec<Option<String>>) {
    loop {
        let end = match frames.next(held).expect("no lie") {
            Next::More => return,
            Next::Passed { end } => end,
            Next::TooLong { end } => {
                found.push(None);
                end
            }
            Next::Message { message, end } => {
                found.push(Some(String::from_utf8_lossy(&held[message]).into_owned()));
                end
            }
        };
        held.drain(..end);
    }
}

fn whole(stream: &[u8]) -> Vec<Option<String>> {
    messages(&[stream])
}

fn texts(expected: &[&str]) -> Vec<Option<String>> {
    expected.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn lines_and_counted_messages_are_told_apart_one_by_one() {
    let stream = b"<1>a b\n5 <1>ab6 <1>cd\n<2>c\n10 <1>e\nf\r\ng\n7 apples\n10 zebras\n5 <b>x</b>\n12\n<3>end";
    let expected =
        ["<1>a b", "<1>ab", "<1>cd", "<2>c", "<1>e\nf\r\ng", "7 apples", "10 zebras", "5 <b>x</b>", "12", "<3>end"];
    assert_eq!(whole(stream), texts(&expected));
}

#[test]
fn one_end_is_stripped_however_it_is_written() {
    assert_eq!(whole(b"<1>a\r\n<1>b\0<1>c\n\n6 <1>d\n\n"), texts(&["<1>a", "<1>b", "<1>c", "", "<1>d\n"]));
    assert_eq!([trimmed(b"a\n\n"), trimmed(b"a\0"), trimmed(b"a\r\n"), trimmed(b"")], [&b"a\n"[..], b"a", b"a", b""]);
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_messages() {
    let long = "y".repeat(3 * BOUND);
    let stream = format!("<1>one\n8 <1>a\n\nb<1>two\0{long}\n200 <1>{}\n7 <1>last{long}", "x".repeat(197));
    let stream = stream.as_bytes();
    let at_once = whole(stream);
    assert_eq!(at_once.iter().filter(|message| message.is_none()).count(), 3, "{at_once:?}");
    for first in 0..stream.len() {
        assert_eq!(messages(&[&stream[..first], &stream[first..]]), at_once, "cut at byte {first}");
    }
    assert_eq!(messages(&stream.chunks(1).collect::<Vec<_>>()), at_once, "byte by byte");
}

#[test]
fn what_is_cut_off_is_told_by_how_it_was_framed() {
    let counted = b"10 <1>abcdefg";
    for end in 5..counted.len() {
        assert_eq!(whole(&counted[..end]), [], "cut at byte {end}");
    }
    assert_eq!(whole(counted), texts(&["<1>abcdefg"]));
    assert_eq!(whole(b"<1>abc"), texts(&["<1>abc"]));
    assert_eq!(whole(b"5 <1>ab17"), texts(&["<1>ab"]), "the length of one that was to come");
    assert_eq!(whole(b"<1>ab\n17"), texts(&["<1>ab", "17"]));
}

#[test]
fn the_bound_is_exact_and_what_is_beyond_is_told_once() {
    let fits = "x".repeat(BOUND);
    for end in ["\n", "\r\n", "\0"] {
        assert_eq!(whole(format!("{fits}{end}b\n").as_bytes()), texts(&[&fits, "b"]), "{end:?}");
        assert_eq!(whole(format!("{fits}x{end}b\n").as_bytes()), [None, Some("b".into())], "{end:?}");
    }
    let counted = |bytes: usize| format!("{bytes} <1>{}<2>b\n", "x".repeat(bytes - 3));
    assert_eq!(whole(counted(BOUND).as_bytes()).len(), 2);
    assert_eq!(whole(counted(BOUND + 1).as_bytes()), [None, Some("<2>b".into())]);
    assert_eq!(whole(counted(100 * BOUND).as_bytes()), [None, Some("<2>b".into())]);
}

#[test]
fn a_length_that_lies_costs_what_it_says_and_no_more() {
    assert_eq!(whole(b"3 <1>ab\n<2>c\n"), texts(&["<1>", "ab", "<2>c"]), "too small");
    assert_eq!(whole(b"9 <1>ab\n<2>c\n<3>d\n"), texts(&["<1>ab\n<2>", "c", "<3>d"]), "too large");
    for lie in ["16777217", "4294967296", "9999999999"] {
        let broken = Frames::bounded(BOUND).next(format!("{lie} <1>a").as_bytes()).expect_err("a lie");
        assert_eq!(broken.reason, "frame");
        assert!(broken.message.contains(lie), "{broken}");
    }
    assert_eq!(whole(b"99999999999 <1>a\n0 <1>b\n"), texts(&["99999999999 <1>a", "0 <1>b"]), "no lengths");
}

#[test]
fn compressed_messages_are_known_by_their_first_bytes() {
    assert_eq!(is_compressed(b"zx\x9c\x03"), Some(true));
    assert_eq!(is_compressed(b"zx"), None);
    assert_eq!([is_compressed(b"zxy"), is_compressed(b"zebra"), is_compressed(b"<1>")], [Some(false); 3]);
    assert_eq!(whole(b"5 zx\x9c\x01\x02<1>a\n").len(), 2);
}
