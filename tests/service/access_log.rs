//! A real site's access log: what is answered equals an independent recount (`recount.py`, SQL), with bots in and out;
//! and importing it twice, shuffled, or in two files changes nothing.

use crate::support::{Server, metronome, python, run};
use metronome::catalog::Catalog;
use metronome::catalog::salts::Salts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const LINES: u64 = 10_000;

#[test]
fn a_real_log_is_answered_as_an_independent_recount_counts_it() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let log = unpacked(folder.path());
    import(&folder.path().join("data"), &[&log], LINES);
    let server = Server::start(&folder.path().join("data"), &[]);
    let events = server.events("");
    let agents = folder.path().join("agents.tsv");
    std::fs::write(&agents, agents_of(&events)).expect("write");
    let counted = recount(&python, &log, &agents, &key(&folder.path().join("data")));
    for (kind, bots) in [("people", "exclude"), ("all", "include"), ("bots", "only")] {
        site_is(&server, bots, &counted[kind]);
        items_are(&server, bots, &counted[kind]);
        let of_kind = |event: &&Value| match kind {
            "people" => event["bot"].is_null(),
            "bots" => !event["bot"].is_null(),
            _ => true,
        };
        increments_add_up(&events.iter().filter(of_kind).collect::<Vec<_>>(), &counted[kind]);
    }
}

#[test]
fn an_import_twice_shuffled_or_in_two_files_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let log = unpacked(folder.path());
    let text = std::fs::read(&log).expect("log");
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let (a, b) = (folder.path().join("a.log"), folder.path().join("b.log"));
    // Every third line apart, and each part turned round.
    let part =
        |third: bool| lines.iter().enumerate().filter(move |(at, _)| (at % 3 == 0) == third).map(|(_, line)| *line);
    std::fs::write(&a, part(true).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().concat()).expect("write");
    std::fs::write(&b, part(false).collect::<Vec<_>>().concat()).expect("write");
    lines.reverse();
    let reversed = folder.path().join("reversed.log");
    std::fs::write(&reversed, lines.concat()).expect("write");

    let plain = folder.path().join("plain");
    import(&plain, &[&log], LINES);
    let expected = stored(&plain);
    import(&plain, &[&log], 0);
    assert_eq!(stored(&plain), expected, "twice");
    for (name, files) in [("reversed", vec![&reversed]), ("parts", vec![&a, &b]), ("other order", vec![&b, &a])] {
        let data = folder.path().join(name);
        with_keys_of(&plain, &data);
        import(&data, &files, LINES);
        assert_eq!(stored(&data), expected, "{name}");
    }
}

/// Everything the increments say, by event; visitors' hashes differ by their salts, and so do visits.
fn stored(data: &Path) -> BTreeMap<String, Value> {
    let server = Server::start(data, &[]);
    let plain = |mut event: Value| {
        let object = event.as_object_mut().expect("an object");
        for key in ["visitor", "visit", "received_at"] {
            object.remove(key);
        }
        (object["event_id"].as_str().expect("an id").to_owned(), event)
    };
    server.events("").into_iter().map(plain).collect()
}

/// A data folder whose sites have the keys of another: the same line has the same id there.
fn with_keys_of(other: &Path, data: &Path) {
    std::fs::create_dir_all(data).expect("folder");
    std::fs::copy(other.join("catalog.sqlite"), data.join("catalog.sqlite")).expect("copy");
}

fn import(data: &Path, files: &[&PathBuf], accepted: u64) {
    std::fs::create_dir_all(data).expect("folder");
    let mut command = metronome(data);
    command.env("METRONOME_PRIVACY_KEEP_USER_AGENT", "true").arg("import").args(files);
    let output = command.output().expect("the binary");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = format!("accepted    {accepted} (");
    assert!(text.contains(&expected) && text.contains(&format!("duplicates  {}\n", LINES - accepted)), "{text}");
    let verified = run(data, &["verify", "--recount"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

fn site_is(server: &Server, bots: &str, counted: &Value) {
    let answer = server
        .json(&format!("/tock.json?range=all&limit=10000&bots={bots}&fields=views,downloads,referers,visits,visitors"));
    for key in ["views", "downloads", "referers", "visits", "visitors"] {
        assert_eq!(answer[key], counted[key], "{key} with bots={bots}");
    }
}

fn items_are(server: &Server, bots: &str, counted: &Value) {
    for (metric, key) in [("views", "by_path"), ("downloads", "downloads_by_path")] {
        let answer = server.json(&format!("/top.json?by=id&metric={metric}&limit=10000&range=all&bots={bots}"));
        let listed = answer["results"].as_array().expect("results").iter();
        let listed: BTreeMap<&str, &Value> =
            listed.map(|row| (row["id"].as_str().expect("an id"), &row[metric])).collect();
        let expected: BTreeMap<&str, &Value> =
            counted[key].as_object().expect("counts").iter().map(|(path, count)| (path.as_str(), count)).collect();
        assert_eq!(listed, expected, "{metric} with bots={bots}");
        for (path, count) in expected.iter().take(50) {
            let encoded: String = path.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let item = server.json(&format!("/tock/{encoded}.json?range=all&bots={bots}"));
            let sum: u64 = item[metric].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
            assert_eq!(&json!(sum), *count, "{metric} of {path}");
        }
    }
}

/// Visits, bounces, durations and exits as sums of what stands on the events.
fn increments_add_up(events: &[&Value], counted: &Value) {
    let sum = |key: &str| events.iter().filter_map(|event| event[key].as_u64()).sum::<u64>();
    assert_eq!(json!(sum("visit_start")), counted["visits"]);
    assert_eq!(json!(sum("visit_start") - sum("engaged")), counted["bounces"]);
    assert_eq!(json!(sum("visit_ms")), counted["visit_ms"]);
    assert_eq!(json!(sum("visitor_start")), counted["visitors"]);
    let mut exits: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events.iter().filter(|event| event["action"] == "view" && !event["visit"].is_null()) {
        *exits.entry(event["path"].as_str().expect("a path")).or_default() += 1;
        if let Some(previous) = event["previous"].as_str() {
            *exits.entry(previous).or_default() -= 1;
        }
    }
    exits.retain(|_, count| *count != 0);
    assert_eq!(json!(exits), counted["exits"]);
}

fn agents_of(events: &[Value]) -> String {
    let agent = |event: &Value| {
        let bot = if event["bot"].is_null() { 0 } else { 1 };
        format!("{bot}\t{}\n", event["user_agent"].as_str().unwrap_or("-"))
    };
    events.iter().map(agent).collect::<BTreeSet<_>>().into_iter().collect()
}

fn recount(python: &Path, log: &Path, agents: &Path, key: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/recount.py");
    let output = Command::new(python).arg(script).arg(log).arg(agents).arg(key).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The permanent key of the default site, in hex.
fn key(data: &Path) -> String {
    let catalog = Arc::new(Catalog::open(&data.join("catalog.sqlite")).expect("the catalog"));
    let key = Salts::open(catalog).expect("salts").permanent("default", 0).expect("a key").expect("room");
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unpacked(folder: &Path) -> PathBuf {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs/access.log.gz");
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(packed).expect("the log")).read_to_end(&mut text).expect("unpack");
    let log = folder.join("access.log");
    std::fs::write(&log, text).expect("write");
    log
}
