//! Holds the shape of the house: who may use whom, how long a file and a function may be, that each file has a head,
//! and that the documents name every room. Reads the sources as text; runs nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms that are open to all.
const OPEN: [&str; 4] = ["clock", "error", "folder", "nearest"];
/// Room → the rooms it may use beside those that are open to all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("error", &[]),
    ("folder", &[]),
    ("nearest", &[]),
    ("event", &[]),
    ("net", &[]),
    ("config", &[]),
    ("journal", &[]),
    ("catalog", &["event"]),
    ("normalize", &["event"]),
    ("visits", &["event"]),
    ("store", &["event"]),
    ("ingest", &["event", "normalize", "journal", "catalog"]),
    ("http", &["event", "catalog", "net"]),
    ("receive", &["event", "normalize", "ingest", "http", "net"]),
    ("indexer", &["event", "journal", "visits", "store", "catalog"]),
    ("query", &["event", "store", "catalog"]),
    ("report", &["event", "query", "store"]),
    ("jobs", &["event", "normalize", "ingest", "journal", "visits", "indexer", "store", "catalog"]),
    (
        "api",
        &[
            "event",
            "normalize",
            "journal",
            "store",
            "query",
            "report",
            "http",
            "ingest",
            "indexer",
            "catalog",
            "jobs",
            "net",
        ],
    ),
    ("load", &[]),
    ("shell", &["event", "normalize", "catalog", "load"]),
    ("app", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];
const FILE_LINES_MAX: usize = 500;
const FILE_LINES_USUAL: usize = 300;
/// Files that may lie between usual and most; each is one thing that would be worse in two.
const LONG_FILES_MAX: usize = 6;
const FUNCTION_LINES_MAX: usize = 70;

struct Source {
    path: PathBuf,
    room: String,
    /// Without the lines of test modules.
    lines: Vec<String>,
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(allowed) = allowed.get(source.room.as_str()) else {
            panic!("{}: the room {} is not in the table", source.path.display(), source.room);
        };
        for used in rooms_used(&source.lines) {
            let open = used == source.room || OPEN.contains(&used.as_str()) || allowed.contains(&"*");
            if !open && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short_and_headed() {
    let mut wrong = Vec::new();
    let mut long = Vec::new();
    for source in sources() {
        let count = source.lines.len();
        if !source.lines.first().is_some_and(|line| line.starts_with("//!")) {
            wrong.push(format!("{} has no head", source.path.display()));
        }
        if count > FILE_LINES_MAX {
            wrong.push(format!("{} has {count} lines, {FILE_LINES_MAX} at most", source.path.display()));
        }
        if count > FILE_LINES_USUAL {
            long.push(format!("{} {count}", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(long.len() <= LONG_FILES_MAX, "over {FILE_LINES_USUAL} lines: {long:#?}");
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, count) in functions(&source.lines) {
            if count > FUNCTION_LINES_MAX {
                wrong.push(format!("{}: {name} has {count} lines", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_unwraps_outside_tests() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (at, line) in source.lines.iter().enumerate() {
            let code = line.trim_start();
            let loose = [".unwrap()", ".expect(", "todo!(", "unimplemented!(", "dbg!("];
            if !code.starts_with("//") && loose.iter().any(|word| code.contains(word)) {
                wrong.push(format!("{}:{}: {code}", source.path.display(), at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let rooms: std::collections::BTreeSet<String> = sources().into_iter().map(|source| source.room).collect();
    for room in rooms.iter().filter(|room| *room != "lib" && *room != "main") {
        assert!(
            map.contains(&format!("`{room}`")) || map.contains(&format!("`{room}/`")),
            "ARCHITECTURE.md says nothing of {room}"
        );
    }
    for (room, _) in MAY_USE {
        assert!(rooms.contains(*room), "the table names {room}, which is not there");
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies]");
        } else if inside && line.contains('=') {
            assert!(line.contains(" # "), "no reason: {line}");
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    found.retain(|path| !is_test(path));
    found.sort();
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source");
        let relative = path.strip_prefix(root().join("src")).expect("below src").to_path_buf();
        let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        Source { room: first.trim_end_matches(".rs").to_owned(), lines: without_tests(&text), path: relative }
    };
    found.into_iter().map(source).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            collect(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

fn is_test(path: &Path) -> bool {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let in_tests = path.components().any(|part| part.as_os_str() == "tests");
    in_tests || name == "tests" || name.ends_with("_tests")
}

/// A file's lines without those of `#[cfg(test)]` items.
fn without_tests(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim_start().starts_with("#[cfg(test)]") || lines[at].trim_start().starts_with("#[cfg(all(test") {
            at = past_item(&lines, at + 1);
        } else {
            kept.push(lines[at].to_owned());
            at += 1;
        }
    }
    kept
}

/// The line after the item that begins at `at` or behind its attributes.
fn past_item(lines: &[&str], mut at: usize) -> usize {
    while at < lines.len() && lines[at].trim_start().starts_with("#[") {
        at += 1;
    }
    let Some(first) = lines.get(at) else { return at };
    let indent = &first[..first.len() - first.trim_start().len()];
    let closing = format!("{indent}}}");
    while at < lines.len() {
        let line = lines[at];
        let one_line = line == *first && (line.ends_with(';') || line.ends_with('}'));
        at += 1;
        if one_line || line.starts_with(&closing) {
            break;
        }
    }
    at
}

fn rooms_used(lines: &[String]) -> Vec<String> {
    let mut used = Vec::new();
    for line in lines.iter().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            if let Some(group) = rest.strip_prefix('{') {
                used.extend(group.split(',').filter_map(first_word));
            } else {
                used.extend(first_word(rest));
            }
        }
    }
    used
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.trim_start().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// Every function that has a body, with how many lines it has.
fn functions(lines: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(place) = code.find("fn ").filter(|place| is_header(&code[..*place])) else { continue };
        let name: String = code[place + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let header = lines[at..].iter().find(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
        if !header.is_some_and(|header| header.ends_with('{')) {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        let end = lines[at..].iter().position(|line| line.starts_with(&closing));
        found.push((name, end.unwrap_or_default() + 1));
    }
    found
}

fn is_header(before: &str) -> bool {
    before
        .split_whitespace()
        .all(|word| word.starts_with("pub") || ["async", "const", "in", "super)", "extern"].contains(&word))
}
