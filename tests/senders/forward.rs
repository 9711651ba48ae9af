//! The fluent-loggers: against a server that is killed while they send, and their pages in docs/send as they stand.

use crate::service::Server;
use crate::support::House;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Events of one sender, and after how many that it was told are safe the server is killed, each time.
const EVENTS: usize = 300;
const KILLED_AFTER: [usize; 2] = [60, 70];

#[test]
fn nothing_that_the_logger_of_go_was_told_is_safe_is_lost_or_twice() {
    outlives("go", Command::new(home().join("go")));
}

#[test]
fn nothing_that_the_first_logger_of_node_was_told_is_safe_is_lost_or_twice() {
    outlives("node/node_modules/fluent-logger", node("fluent-logger.js"));
}

#[test]
fn nothing_that_the_other_logger_of_node_was_told_is_safe_is_lost_or_twice() {
    outlives("node/node_modules/@fluent-org/logger", node("fluent-org-logger.js"));
}

#[test]
fn the_logger_of_python_goes_on_after_a_kill_and_nothing_is_twice() {
    let mut python = Command::new(home().join("python/bin/python"));
    python.arg(script("sender.py"));
    // It knows no acknowledgement: what was on its way is lost with the server.
    outlives("python/done", python);
}

/// Runs a sender against a server that is killed while it sends, and starts again on its port.
fn outlives(part: &str, mut sender: Command) {
    if !is_installed(part) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &[("METRONOME_FORWARD_LISTEN", "127.0.0.1:0")]);
    let address = server.ports["forward"];
    let listen = address.to_string();
    sender.arg(address.ip().to_string()).arg(address.port().to_string()).arg(EVENTS.to_string());
    sender.env("NODE_PATH", home().join("node/node_modules")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut sender = Running(sender.spawn().expect("a sender"));
    let mut go_on = sender.0.stdin.take().expect("its input");
    let mut lines = BufReader::new(sender.0.stdout.take().expect("its output")).lines();
    let mut told = BTreeSet::new();
    for killed_after in KILLED_AFTER {
        hear(&mut lines, &mut told, killed_after);
        // Killed, in the middle of whatever it does.
        drop(server);
        server = Server::start(&data, &[("METRONOME_FORWARD_LISTEN", listen.as_str())]);
        let _ = go_on.write_all(b"\n");
    }
    drop(go_on);
    hear(&mut lines, &mut told, usize::MAX);
    assert!(sender.0.wait().expect("its end").success());
    let is_told_what_is_safe = part != "python/done";
    let last = EVENTS as u64 - 1;
    server.wait_until("the last event", |server| server.events("").iter().any(|event| event["n"] == last));
    let mut stored: BTreeMap<u64, usize> = BTreeMap::new();
    for event in server.events("") {
        *stored.entry(event["n"].as_u64().expect("a number")).or_default() += 1;
    }
    assert!(stored.values().all(|count| *count == 1), "twice: {stored:?}");
    let missing: Vec<_> = told.iter().filter(|number| !stored.contains_key(number)).collect();
    println!("{part}: told of {}, stored {}, missing {}", told.len(), stored.len(), missing.len());
    match is_told_what_is_safe {
        true => assert!(missing.is_empty() && told.len() == EVENTS, "lost: {missing:?}"),
        // What it emitted once the server was back for good.
        false => assert!((last - 99..=last).all(|number| stored.contains_key(&number)), "{stored:?}"),
    }
}

/// Hears of so many events more, or all.
fn hear(lines: &mut std::io::Lines<BufReader<ChildStdout>>, told: &mut BTreeSet<u64>, count: usize) {
    for line in lines.by_ref().take(count) {
        let line = line.expect("a line");
        let number = line.split(' ').nth(1).and_then(|number| number.parse().ok());
        told.insert(number.unwrap_or_else(|| panic!("{line:?}")));
    }
}

#[test]
fn the_page_of_python_works_as_it_stands() {
    let program = home().join("python/bin/python");
    follows("python", "python", "python/done", |code| run(Command::new(&program).arg(code)));
}

#[test]
fn the_page_of_node_works_as_it_stands() {
    follows("node", "js", "node/node_modules/@fluent-org/logger", |code| {
        run(Command::new("node").env("NODE_PATH", home().join("node/node_modules")).arg(code));
    });
}

#[test]
fn the_page_of_go_works_as_it_stands() {
    follows("go", "go", "go", |code| {
        let module = code.parent().expect("a folder");
        for file in ["go.mod", "go.sum"] {
            std::fs::copy(script("go").join(file), module.join(file)).expect("a file");
        }
        run(Command::new("go").arg("run").arg(".").current_dir(module));
    });
}

/// Runs the code of a page's section on Forward against a server of ours.
fn follows(page: &str, language: &str, part: &str, run: impl Fn(&Path)) {
    if !is_installed(part) {
        return;
    }
    let house = House::with(&["forward"], &[]);
    let code = block(page, "## Forward", language).replace("24224", &house.port("forward").port().to_string());
    let name = if language == "python" { "main.py".to_owned() } else { format!("main.{language}") };
    let path = house.folder.path().join(name);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(code.as_bytes())).expect("a file");
    run(&path);
    let events = house.events(1);
    assert_eq!(
        (events.len(), &events[0]["path"], &events[0]["tag"]),
        (1, &"/datasets/trees".into(), &"app.view".into())
    );
}

/// The first block of a language in a section of a page.
fn block(page: &str, section: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/send/{page}.md"));
    let text = std::fs::read_to_string(&path).expect("a page");
    let (_, section) = text.split_once(section).unwrap_or_else(|| panic!("{page}: no {section}"));
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("{page}: no {language}"));
    block.split_once("```").expect("an end").0.to_owned()
}

fn run(command: &mut Command) {
    assert!(command.status().expect("a program").success(), "{command:?}");
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn node(file: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(script(file));
    node
}

fn script(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/senders/fluent").join(file)
}

/// Where scripts/install puts the loggers.
fn home() -> PathBuf {
    let tools = std::env::var_os("TESTS_TOOLS").map(PathBuf::from);
    tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")).join("forward")
}

/// Whether a logger is there; where all must run its absence fails.
fn is_installed(part: &str) -> bool {
    let is_there = home().join(part).exists();
    if !is_there {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "{part} is not installed: run scripts/install");
        println!("skipped: {part} is not installed; scripts/test installs it");
    }
    is_there
}
