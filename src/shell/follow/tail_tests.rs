use super::*;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

fn log(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    std::fs::write(&path, text).expect("write");
    (folder, path)
}

fn append(path: &Path, text: &[u8]) {
    OpenOptions::new().append(true).open(path).expect("open").write_all(text).expect("write");
}

fn tail(path: &Path) -> Tail {
    let (file, beginning) = open(path).expect("open").expect("a file");
    let mut tail = Tail::remembered(Head::default(), 0);
    tail.settle(file, beginning).expect("settled");
    tail
}

/// Reads and takes until there is nothing more; each line's first bytes.
fn take(tail: &mut Tail, now: Millis, is_over: bool) -> Vec<String> {
    let mut all = Vec::new();
    while let Read::Lines(chunk) = tail.read(now, is_over).expect("read") {
        all.extend(chunk.lines().map(|(_, line)| String::from_utf8_lossy(&line[..line.len().min(9)]).into_owned()));
        tail.taken(&chunk, |_| None);
    }
    all
}

#[test]
fn a_line_without_its_end_waits_for_it() {
    let (_folder, path) = log(b"one\ntwo\r\n\nthr");
    let mut tail = tail(&path);
    assert_eq!(take(&mut tail, 0, false), ["one", "two"]);
    append(&path, b"ee");
    assert_eq!(take(&mut tail, DRAIN_MS * 2, false), [""; 0]);
    append(&path, b"\n");
    assert_eq!(take(&mut tail, 0, false), ["three"]);
}

#[test]
fn reading_moves_nothing_before_it_is_taken() {
    let (_folder, path) = log(b"one\n");
    let mut tail = tail(&path);
    let first = tail.read(0, false).expect("read");
    assert_eq!(tail.read(0, false).expect("read"), first);
}

#[test]
fn the_last_line_of_a_file_that_is_over_needs_no_end() {
    let (_folder, path) = log(b"one\ntwo");
    let mut tail = tail(&path);
    assert_eq!(take(&mut tail, 0, true), ["one"]);
    assert!(!tail.is_over(DRAIN_MS - 1));
    assert_eq!(take(&mut tail, DRAIN_MS - 1, true), [""; 0], "its writer may hold it open");
    assert_eq!(take(&mut tail, DRAIN_MS, true), ["two"]);
    assert_eq!(take(&mut tail, DRAIN_MS, true), [""; 0]);
    assert!(tail.is_over(DRAIN_MS));
}

#[test]
fn a_line_that_is_too_long_is_handed_out_cut_and_the_next_is_whole() {
    let long = [vec![b'x'; 3 * CHUNK_BYTES + 5], b"\nnext\n".to_vec()].concat();
    let (_folder, path) = log(&long);
    let mut tail = tail(&path);
    assert_eq!(take(&mut tail, 0, false), ["xxxxxxxxx", "next"]);
    let exact = [vec![b'y'; CHUNK_BYTES], b"\nnext\n".to_vec()].concat();
    append(&path, &exact);
    assert_eq!(take(&mut tail, 0, false), ["yyyyyyyyy", "next"]);
    assert_eq!(tail.offset, (long.len() + exact.len()) as u64);
}

#[test]
fn a_file_that_was_written_anew_is_another_and_one_that_lost_its_last_lines_is_not() {
    let (_folder, path) = log(b"one\ntwo\n");
    let mut tail = tail(&path);
    take(&mut tail, 0, false);
    std::fs::write(&path, b"").expect("cut");
    assert_eq!(tail.read(0, false).expect("read"), Read::Replaced);
    std::fs::write(&path, b"new and longer\n").expect("written anew");
    assert_eq!(tail.read(0, false).expect("read"), Read::Replaced);

    let (file, beginning) = open(&path).expect("open").expect("a file");
    let mut remembered = Tail::remembered(Head::of(b"new and longer\n"), 1000);
    remembered.settle(file, beginning).expect("settled");
    append(&path, b"more\n");
    assert_eq!(take(&mut remembered, 0, false), ["more"]);
}

#[test]
fn a_compressed_file_is_read_from_where_it_was_left_and_a_damaged_one_to_its_damage() {
    let (folder, _) = log(b"");
    let text: String =
        (0..20_000_u64).map(|number| format!("{}\n", u64::wrapping_mul(number, 0x9e37_79b9_7f4a_7c15))).collect();
    let packed = zstd::stream::encode_all(text.as_bytes(), 1).expect("encode");
    let path = folder.path().join("a.log.1.zst");
    std::fs::write(&path, &packed).expect("write");
    let left_at = text.find('\n').expect("a line") + 1;
    let left = || {
        let (file, beginning) = open(&path).expect("open").expect("a file");
        let mut tail = Tail::remembered(Head::default(), left_at as u64);
        tail.settle(file, beginning).expect("settled");
        tail
    };
    assert_eq!(take(&mut left(), 0, true).len(), 19_999);
    std::fs::write(&path, &packed[..packed.len() - 10_000]).expect("write");
    let mut damaged = left();
    assert!(damaged.read(0, true).is_err(), "told once");
    let read = take(&mut damaged, 0, true).len();
    assert!((1_000..19_999).contains(&read), "{read}");
}

#[test]
fn it_goes_back_to_its_window_and_begins_a_line_there() {
    let (_folder, path) = log(&b"12345678\n".repeat(100));
    let mut tail = tail(&path);
    let Read::Lines(chunk) = tail.read(0, false).expect("read") else { panic!("no lines") };
    let seconds = std::cell::Cell::new(0);
    tail.taken(&chunk, |_| Some(seconds.replace(seconds.get() + 1)));
    assert_eq!(tail.offset, 900);
    tail.rewind();
    assert_eq!(tail.offset, 9 * (100 - super::super::window::WINDOW_SECONDS as u64));
}
