//! The journal's segments: bytes of two files, the first's length before them.

use crate::mutants::{root, run};
use metronome::journal::{Journal, JournalError, Options, Recovery};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Positions with their payloads.
type Entries = Vec<(u64, Vec<u8>)>;

const SEGMENTS: [&str; 2] = ["00000000000000000000.journal", "00000000000000000013.journal"];
/// What was written, as the fixture of the format says.
static WRITTEN: LazyLock<Entries> = LazyLock::new(|| {
    let folder = laid([&segment(0), &segment(1)]);
    let (entries, errors, _) = recovered(folder.path());
    assert!(errors.is_empty() && !entries.is_empty());
    entries
});

#[test]
fn journal_segments() {
    let (first, second) = (segment(0), segment(1));
    let join = |first: &[u8], second: &[u8]| [&(first.len() as u16).to_le_bytes(), first, second].concat();
    let seeds = vec![join(&first, &second), join(&first, &[]), join(&second, &first), join(&first[..200], &second)];
    run("journal_segments", seeds, segments);
}

/// What is read was written, at its position; what is missing before the end is told; and writing goes on behind the end.
fn segments(bytes: &[u8]) {
    let Some((length, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let (first, second) = bytes.split_at(usize::from(u16::from_le_bytes(*length)).min(bytes.len()));
    let folder = laid([first, second]);
    let (entries, errors, recovery) = recovered(folder.path());
    assert!(entries.is_sorted_by(|one, next| one.0 < next.0), "{entries:?}");
    for entry in &entries {
        assert!(WRITTEN.contains(entry), "{entry:?} was never written");
    }
    let is_told = !recovery.damaged.is_empty() || !errors.is_empty();
    let missing = recovery.end - recovery.first - entries.len() as u64;
    assert!(missing == 0 || is_told, "{missing} are missing: {recovery}");
}

/// Opens the folder, reads all of it, and appends one more, which is read behind all others.
fn recovered(folder: &Path) -> (Entries, Vec<JournalError>, Recovery) {
    let (journal, recovery) = match Journal::open(folder, Options::default()) {
        Ok(opened) => opened,
        // Of a newer version: refused whole.
        Err(JournalError::Version { .. }) => return (Vec::new(), Vec::new(), Recovery::default()),
        Err(error) => panic!("{error}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    let appended = runtime.block_on(journal.append([&b"one more"[..]].into_iter().collect())).expect("room");
    assert_eq!(appended, recovery.end..recovery.end + 1);
    let (mut entries, mut errors) = (Entries::new(), Vec::new());
    let mut reader = journal.reader(0).expect("a reader");
    loop {
        match reader.read(100) {
            Ok(Some(block)) => entries.extend((block.first..).zip(block.iter().map(<[u8]>::to_vec))),
            Ok(None) => break,
            Err(error) => errors.push(error),
        }
        assert!(errors.len() < 1000, "no progress: {errors:?}");
    }
    assert_eq!(entries.pop(), Some((recovery.end, b"one more".to_vec())));
    journal.close();
    (entries, errors, recovery)
}

fn laid(segments: [&[u8]; 2]) -> TempDir {
    // In memory where there is such a folder: every case syncs.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("folder");
    for (name, bytes) in SEGMENTS.iter().zip(segments) {
        fs::write(folder.path().join(name), bytes).expect("a segment");
    }
    folder
}

fn segment(number: usize) -> Vec<u8> {
    fs::read(root().join("fixtures/journal/v1").join(SEGMENTS[number])).expect("the fixture")
}
