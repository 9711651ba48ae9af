use super::*;
use std::fs::OpenOptions;
use std::io::Write;

/// A folder of logs, and one log that is followed in it.
struct Case {
    folder: tempfile::TempDir,
    log: Log,
    now: Millis,
    writes: std::cell::Cell<u64>,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let log = Log::at(&folder.path().join("a.log"), &Place::default());
        Self { folder, log, now: 0, writes: std::cell::Cell::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).expect("open");
        file.write_all(text.as_bytes()).expect("write");
        self.touch(&file);
    }

    /// The clock of a file system ticks slowly: each write is a second after the one before.
    fn touch(&self, file: &File) {
        self.writes.set(self.writes.get() + 1);
        let at = std::time::Duration::from_secs(2_000_000_000 + self.writes.get());
        file.set_modified(std::time::UNIX_EPOCH + at).expect("a time");
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).expect("rename");
    }

    fn copy_and_cut(&self, to: &str) {
        std::fs::copy(self.path("a.log"), self.path(to)).expect("copy");
        std::fs::write(self.path("a.log"), "").expect("cut");
    }

    /// Compresses as gzip does: under another name, with the time of the original, which goes.
    fn compress(&self, name: &str) {
        let facts = std::fs::metadata(self.path(name)).expect("facts");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&std::fs::read(self.path(name)).expect("read")).expect("write");
        let packed = self.path(&format!("{name}.gz"));
        std::fs::write(&packed, gzip.finish().expect("finish")).expect("write");
        let file = OpenOptions::new().append(true).open(packed).expect("open");
        file.set_modified(facts.modified().expect("a time")).expect("a time");
        std::fs::remove_file(self.path(name)).expect("remove");
    }

    /// Everything there is to read now, taken.
    fn read(&mut self) -> String {
        let mut all = String::new();
        while let Some((at, chunk)) = self.log.read(self.now).expect("read") {
            all += &String::from_utf8_lossy(&chunk.bytes).replace('\n', " ");
            self.log.tails[at].taken(&chunk, |line| std::str::from_utf8(line).ok()?.parse().ok());
        }
        all.trim_end().to_owned()
    }

    /// The process ends, and another begins where it was left.
    fn restart(&mut self) {
        let place = serde_json::to_string(&self.log.place()).expect("JSON");
        self.log = Log::at(&self.path("a.log"), &serde_json::from_str(&place).expect("a place"));
    }
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_then_the_new_one() {
    let mut case = Case::new();
    assert_eq!(case.read(), "", "it need not be there");
    case.append("a.log", "100\n");
    assert_eq!(case.read(), "100");
    case.append("a.log", "200\n");
    case.rename("a.log", "a.log.1");
    case.append("a.log", "300\n");
    assert_eq!(case.read(), "200 300");
    // A writer that has not heard of it yet.
    case.append("a.log.1", "400\n");
    case.append("a.log", "500\n");
    assert_eq!(case.read(), "400 500");
    assert_eq!(case.log.tails.len(), 2);
    for _ in 0..2 {
        case.now += tail::DRAIN_MS;
        assert_eq!(case.read(), "");
    }
    assert_eq!(case.log.tails.len(), 1, "the old one is let go");
}

#[test]
fn a_file_that_goes_for_a_while_is_waited_for() {
    let mut case = Case::new();
    case.append("a.log", "100\n");
    assert_eq!(case.read(), "100");
    case.rename("a.log", "elsewhere");
    assert_eq!(case.read(), "");
    case.append("elsewhere", "200\n");
    assert_eq!(case.read(), "200");
    case.append("a.log", "300\n");
    assert_eq!(case.read(), "300");
}

#[test]
fn a_file_that_is_copied_and_cut_is_read_on_in_the_copy() {
    let mut case = Case::new();
    case.append("a.log", "100\n");
    assert_eq!(case.read(), "100");
    case.append("a.log", "200\n");
    case.copy_and_cut("a.log.1");
    assert_eq!(case.read(), "200");
    case.append("a.log", "300\n");
    assert_eq!(case.read(), "300");
    // Longer than before already when it is looked at.
    case.append("a.log", "400\n");
    case.copy_and_cut("a.log.2");
    case.append("a.log", "500\n600\n700\n");
    assert_eq!(case.read(), "400 500 600 700");
    assert!(case.log.notes().is_empty());
}

#[test]
fn a_file_that_is_cut_without_a_copy_begins_again_and_it_is_said() {
    let mut case = Case::new();
    case.append("a.log", "100\n200\n");
    assert_eq!(case.read(), "100 200");
    std::fs::write(case.path("a.log"), "300\n").expect("write");
    assert_eq!(case.read(), "300");
    assert!(case.log.notes().is_empty(), "it is looked for a while");
    case.now += 5_000;
    assert_eq!(case.read(), "");
    let notes = case.log.notes();
    assert!(notes.len() == 1 && notes[0].contains("up to byte 8, is not found"), "{notes:?}");
}

#[test]
fn after_a_restart_it_goes_on_in_whatever_became_of_the_file() {
    type Change = fn(&Case);
    let changes: [(&str, Change); 4] = [
        ("nothing", |_| {}),
        ("renamed", |case| case.rename("a.log", "a.log.1")),
        ("compressed", |case| {
            case.rename("a.log", "a.log-20260301");
            case.compress("a.log-20260301");
        }),
        ("copied and cut", |case| case.copy_and_cut("a.log.1")),
    ];
    for (name, change) in changes {
        let mut case = Case::new();
        case.append("a.log", "100\n200\n");
        assert_eq!(case.read(), "100 200");
        case.append("a.log", "300\n");
        change(&case);
        case.append("a.log", "400\n");
        case.restart();
        // The last seconds again, then what is new.
        assert_eq!(case.read(), "200 300 400", "{name}");
        assert!(case.log.notes().is_empty(), "{name}");
    }
}

#[test]
fn whole_files_that_came_and_went_meanwhile_are_read_in_order() {
    let mut case = Case::new();
    case.append("a.log.5", "old\n");
    case.append("a.log", "100\n200\n");
    assert_eq!(case.read(), "100 200");
    case.append("a.log", "300\n");
    case.rename("a.log", "a.log.3");
    case.append("a.log.2", "400\n");
    case.append("a.log.1", "500\n");
    case.append("a.log", "600\n");
    case.compress("a.log.3");
    case.compress("a.log.2");
    case.restart();
    assert_eq!(case.read(), "200 300 400 500 600");
    for _ in 0..2 {
        case.now += tail::DRAIN_MS;
        assert_eq!(case.read(), "");
    }
    case.restart();
    assert_eq!(case.read(), "600", "what is over is not read again");
}

#[test]
fn a_file_that_is_gone_is_told_and_does_not_hold_up_the_next() {
    let mut case = Case::new();
    case.append("a.log", "100\n");
    assert_eq!(case.read(), "100");
    std::fs::remove_file(case.path("a.log")).expect("remove");
    case.append("a.log", "200\n");
    case.restart();
    assert_eq!(case.read(), "200");
    case.now += 5_000;
    assert_eq!(case.read(), "");
    assert_eq!(case.log.notes().len(), 1);
}

#[test]
fn a_longer_copy_in_its_place_is_read_on() {
    let mut case = Case::new();
    case.append("a.log", "100\n");
    assert_eq!(case.read(), "100");
    std::fs::write(case.path("copy"), "100\n200\n").expect("write");
    case.rename("copy", "a.log");
    assert_eq!(case.read(), "200");
}

#[test]
fn more_files_than_may_be_open_are_left_out_and_it_is_said() {
    let mut case = Case::new();
    case.append("a.log", "0\n");
    assert_eq!(case.read(), "0");
    for number in 0..TAILS_MAX + 4 {
        case.append(&format!("a.log-{number:04}"), &format!("{}\n", 1000 + number));
    }
    assert_eq!(case.read().split_whitespace().count(), TAILS_MAX - 1);
    let notes = case.log.notes();
    assert!(case.log.tails.len() == TAILS_MAX && notes.len() == 1 && notes[0].contains("5 rotated files"), "{notes:?}");
    for _ in 0..2 {
        case.now += tail::DRAIN_MS;
        assert_eq!(case.read(), "");
    }
    assert_eq!(case.log.tails.len(), 1);
}

#[test]
fn a_copy_that_is_only_being_made_is_not_read() {
    let mut case = Case::new();
    case.append("a.log", "100\n200\n");
    assert_eq!(case.read(), "100 200");
    for part in ["", "1", "00\n"] {
        case.append("a.log.1", part);
        assert_eq!(case.read(), "");
        case.restart();
        assert_eq!(case.read(), "200");
    }
    case.append("a.log.1", "200\n");
    std::fs::write(case.path("a.log"), "300\n").expect("cut");
    assert_eq!(case.read(), "300");
    assert!(case.log.notes().is_empty());
}

#[test]
fn a_file_that_was_empty_when_it_was_looked_at_is_found_in_its_copy() {
    let mut case = Case::new();
    case.append("a.log", "");
    assert_eq!(case.read(), "");
    case.append("a.log", "100\n");
    std::fs::copy(case.path("a.log"), case.path("a.log.1")).expect("copy");
    case.touch(&OpenOptions::new().append(true).open(case.path("a.log.1")).expect("open"));
    std::fs::write(case.path("a.log"), "").expect("cut");
    case.append("a.log", "200\n");
    assert_eq!(case.read(), "100 200");
}
