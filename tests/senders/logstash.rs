//! What speaks to a Logstash: python-logstash and -async, winston-logstash, go-lumber and the logback encoder, against a server
//! that is killed while they send, and their pages in docs/send as they stand.

use crate::service::Server;
use crate::support::House;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Events of one sender, and after how many the server is killed, each time.
const EVENTS: u64 = 300;
const KILLED_AFTER: [u64; 2] = [100, 200];

/// A sender that logs an event for each number it is given.
struct Sender {
    process: Child,
    input: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
}

impl Sender {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a sender");
        let said = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { input: process.stdin.take(), process, said }
    }

    /// Has it log an event, and waits until it has.
    fn log(&mut self, number: u64) {
        writeln!(self.input.as_mut().expect("its input"), "{number}").expect("to be read");
        let said = self.said.next().expect("an answer").expect("a line");
        assert_eq!(said, format!("sent {number}"));
    }

    /// Lets it come to its end; what it says then.
    fn end(mut self) -> Option<String> {
        drop(self.input.take());
        let last = self.said.by_ref().map(|line| line.expect("a line")).last();
        assert!(self.process.wait().expect("its end").success());
        last
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The numbers of the events stored, each with how often.
fn stored(server: &Server) -> BTreeMap<u64, usize> {
    let mut stored = BTreeMap::new();
    for event in server.events("") {
        *stored.entry(event["n"].as_u64().expect("a number")).or_default() += 1;
    }
    stored
}

/// A server with a receiver on, at the same address again after each start.
struct Mortal {
    folder: tempfile::TempDir,
    receiver: &'static str,
    address: Option<SocketAddr>,
    server: Option<Server>,
}

impl Mortal {
    fn new(receiver: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut this = Self { folder, receiver, address: None, server: None };
        this.start();
        this
    }

    fn start(&mut self) {
        let variable = format!("METRONOME_{}_LISTEN", self.receiver.to_uppercase());
        let listen = self.address.map_or("127.0.0.1:0".to_owned(), |address| address.to_string());
        let data = self.folder.path().join("data");
        let server = Server::start(&data, &[(&variable, &listen)]);
        self.address = Some(if self.receiver == "http" { server.address } else { server.ports[self.receiver] });
        self.server = Some(server);
    }

    /// Kills it, in the middle of whatever it does, and starts it again.
    fn restart(&mut self) {
        drop(self.server.take());
        self.start();
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("a server")
    }

    fn host_and_port(&self) -> [String; 2] {
        let address = self.address.expect("an address");
        [address.ip().to_string(), address.port().to_string()]
    }
}

#[test]
fn python_logstash_async_loses_and_doubles_nothing_by_beats_and_by_http() {
    if !is_installed("python/done") {
        return;
    }
    for (transport, receiver) in [("BeatsTransport", "lumberjack"), ("HttpTransport", "http")] {
        let mut house = Mortal::new(receiver);
        let database = house.folder.path().join("events.db");
        let sender = |house: &Mortal| {
            let mut command = python("async.py");
            command.arg(transport).args(house.host_and_port()).arg(&database).stderr(Stdio::null());
            Sender::start(&mut command)
        };
        let mut running = sender(&house);
        for number in 0..EVENTS {
            if KILLED_AFTER.contains(&number) {
                // Some of it is there; what is on its way is acknowledged or not.
                house.server().wait_until("some", |server| stored(server).len() as u64 > number / 2);
                house.restart();
            }
            running.log(number);
        }
        let mut left = running.end();
        while left.as_deref() != Some("left 0") {
            println!("{transport}: {left:?}, and once more");
            left = sender(&house).end();
        }
        house.server().wait_until("all", |server| stored(server).len() as u64 == EVENTS);
        assert!(stored(house.server()).values().all(|count| *count == 1), "{transport}: twice");
    }
}

#[test]
fn go_lumber_loses_and_doubles_nothing_with_one_window_or_three_under_way() {
    if !is_installed("golumber") {
        return;
    }
    for how in ["sync", "async"] {
        let mut house = Mortal::new("lumberjack");
        let mut command = Command::new(home().join("golumber"));
        command.arg(house.address.expect("an address").to_string()).arg(EVENTS.to_string()).arg(how);
        let mut sender = Sender::start(&mut command);
        let mut safe = BTreeSet::new();
        for (at, line) in sender.said.by_ref().enumerate() {
            let line = line.expect("a line");
            safe.insert(line.trim_start_matches("safe ").parse::<u64>().expect("a number"));
            if KILLED_AFTER.contains(&(at as u64)) {
                house.restart();
            }
        }
        assert_eq!(safe.len() as u64, EVENTS, "{how}: all was acknowledged");
        house.server().wait_until("all", |server| stored(server).len() as u64 == EVENTS);
        assert!(stored(house.server()).values().all(|count| *count == 1), "{how}: twice");
    }
}

#[test]
fn senders_without_acknowledgement_go_on_after_a_kill_and_double_nothing() {
    let table: [(&dyn Fn() -> Command, &str); 5] = [
        (&|| with(python("plain.py"), &["tcp"]), "python/done"),
        (&|| with(python("plain.py"), &["udp"]), "python/done"),
        (&|| with(python("async.py"), &["TcpTransport"]), "python/done"),
        (&|| with(python("async.py"), &["UdpTransport"]), "python/done"),
        (&|| node("winston.js"), "node/node_modules/winston-logstash"),
    ];
    for (command, part) in table {
        if !is_installed(part) {
            return;
        }
        let mut house = Mortal::new("lines");
        let mut command = command();
        command.args(house.host_and_port()).stderr(Stdio::null());
        if format!("{command:?}").contains("async.py") {
            command.arg(house.folder.path().join("events.db"));
        }
        let mut sender = Sender::start(&mut command);
        let mut number = 0;
        for until in KILLED_AFTER.into_iter().chain([EVENTS]) {
            while number < until {
                sender.log(number);
                number += 1;
            }
            house.server().wait_until("some", |server| !stored(server).is_empty());
            if until < EVENTS {
                house.restart();
            }
        }
        // It finds its way back by itself: something of what it logs from now on comes.
        let first = number;
        house.server().wait_until("something new", |server| {
            sender.log(number);
            number += 1;
            stored(server).keys().any(|stored| *stored >= first)
        });
        let stored = stored(house.server());
        println!("{command:?}: {number} sent, {} stored", stored.len());
        assert!(stored.values().all(|count| *count == 1), "twice: {stored:?}");
        drop(sender.end());
    }
}

#[test]
fn the_pages_of_python_work_as_they_stand() {
    if !is_installed("python/done") {
        return;
    }
    let house = House::with(&["lines", "lumberjack"], &[]);
    for (at, path) in [(0, "/datasets/trees.csv"), (1, "/datasets/trees.csv")] {
        let code = placed(&block("python", "## Logstash", "python", at), &house);
        run(&house, Command::new(home().join("python/bin/python")).arg(file(&house, "main.py", &code)));
        let id = format!("d-{}", at + 1);
        house.server.wait_until("the event", |server| server.events("").iter().any(|event| event["event_id"] == id));
        let events = house.events(1);
        let event = events.iter().find(|event| event["event_id"] == id).expect("it");
        assert_eq!((&event["path"], &event["action"]), (&path.into(), &"download".into()), "{event}");
    }
}

#[test]
fn the_page_of_node_works_as_it_stands() {
    if !is_installed("node/node_modules/winston-logstash") {
        return;
    }
    let house = House::with(&["lines"], &[]);
    let code = placed(&block("node", "## Logstash", "js", 0), &house);
    run(&house, node("").arg(file(&house, "main.js", &code)));
    let event = house.events(1).remove(0);
    assert_eq!((&event["path"], &event["action"]), (&"/datasets/trees.csv".into(), &"download".into()), "{event}");
}

#[test]
fn the_page_of_java_works_as_it_stands() {
    if !is_installed("logback/classpath") {
        return;
    }
    let house = House::with(&["lines"], &[]);
    let xml = placed(&block("java", "## Logback", "xml", 0), &house);
    let code = placed(&block("java", "## Logback", "java", 0), &house);
    let (xml, code) = (file(&house, "logback.xml", &xml), file(&house, "Main.java", &code));
    let classpath = std::fs::read_to_string(home().join("logback/classpath")).expect("a class path");
    let mut java = Command::new("java");
    java.arg("-cp").arg(classpath.trim()).arg(format!("-Dlogback.configurationFile={}", xml.display())).arg(code);
    run(&house, &mut java);
    let event = house.events(1).remove(0);
    assert_eq!((&event["path"], &event["action"]), (&"/datasets/trees.csv".into(), &"download".into()), "{event}");
    assert_eq!((&event["message"], &event["logger_name"]), (&"downloaded".into(), &"app".into()), "{event}");
}

/// The block of a language in a section of a page: the first is 0.
fn block(page: &str, section: &str, language: &str, at: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/send/{page}.md"));
    let text = std::fs::read_to_string(&path).expect("a page");
    let (_, section) = text.split_once(section).unwrap_or_else(|| panic!("{page}: no {section}"));
    let block = section.split(&format!("```{language}\n")).nth(at + 1);
    let block = block.unwrap_or_else(|| panic!("{page}: no block {at} of {language}"));
    block.split_once("```").expect("an end").0.to_owned()
}

/// A page's configuration with the ports of this house, and its host by address, as these listen.
fn placed(text: &str, house: &House) -> String {
    let mut text = text.replace("localhost", "127.0.0.1");
    for (receiver, port) in [("lines", "5170"), ("lumberjack", "5044")] {
        if let Some(address) = house.server.ports.get(receiver) {
            text = text.replace(port, &address.port().to_string());
        }
    }
    text
}

fn file(house: &House, name: &str, text: &str) -> PathBuf {
    let path = house.folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Runs a program to its end, in the folder of this house: what it leaves goes with it.
fn run(house: &House, command: &mut Command) {
    let status = command.current_dir(house.folder.path()).status();
    assert!(status.expect("a program").success(), "{command:?}");
}

fn with(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

fn python(file: &str) -> Command {
    let mut python = Command::new(home().join("python/bin/python"));
    python.arg(script(file));
    python
}

fn node(file: &str) -> Command {
    let mut node = Command::new("node");
    node.env("NODE_PATH", home().join("node/node_modules"));
    if !file.is_empty() {
        node.arg(script(file));
    }
    node
}

fn script(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/senders/logstash").join(file)
}

/// Where scripts/install puts them.
fn home() -> PathBuf {
    let tools = std::env::var_os("TESTS_TOOLS").map(PathBuf::from);
    tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools")).join("logstash")
}

/// Whether a sender is there; where all must run its absence fails.
fn is_installed(part: &str) -> bool {
    let is_there = home().join(part).exists();
    if !is_there {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "{part} is not installed: run scripts/install");
        println!("skipped: {part} is not installed; scripts/test installs it");
    }
    is_there
}
