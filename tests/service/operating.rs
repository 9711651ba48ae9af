//! Starting, stopping, what is said when it cannot.

use crate::support::{Server, agent, metronome, run};
use std::io::{BufRead, BufReader};

#[test]
fn a_fresh_folder_serves_takes_an_event_and_answers_for_it() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(
        server.post("/tick", r#"{"path":"/a"}"#),
        (202, r#"{"accepted":1,"duplicates":0,"rejected":[]}"#.to_owned())
    );
    server.wait_until("the view", |server| {
        server.json("/tock/%2Fa.json")["views"].as_object().is_some_and(|days| days.len() == 1)
    });
    assert_eq!(server.get("/health").0, 200);
    assert_eq!(server.get("/ready").0, 200);
    assert!(server.get("/metrics").1.contains("metronome_"));
}

#[test]
fn sigterm_finishes_what_was_taken_and_exits_with_0() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.post("/tick", r#"{"path":"/a","event_id":"1"}"#).0, 202);
    assert!(server.stop().success());
    let server = Server::start(folder.path(), &[]);
    server.wait_until("the event", |server| server.events("").len() == 1);
    assert!(server.post("/tick", r#"{"path":"/a","event_id":"1"}"#).1.contains("\"duplicates\":1"));
}

#[test]
fn a_second_start_on_one_folder_is_refused_with_a_clear_message() {
    let folder = tempfile::tempdir().expect("folder");
    let first = Server::start(folder.path(), &[]);
    let output = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("another Metronome is using it"), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    assert_eq!(first.post("/tick", r#"{"path":"/a"}"#).0, 202);
}

#[test]
fn wrong_usage_exits_with_2_and_a_wrong_configuration_with_1() {
    let folder = tempfile::tempdir().expect("folder");
    assert_eq!(run(folder.path(), &["no-such-command"]).status.code(), Some(2));
    std::fs::write(folder.path().join("metronome.toml"), "[http]\nlisen = \"x\"\n").expect("write");
    let output = metronome(folder.path()).arg("check").output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean http.listen?"));
}

#[test]
fn a_key_made_beside_a_running_server_works_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    let output = run(folder.path(), &["key", "new", "--scope", "read"]);
    assert!(output.status.success());
    let secret = String::from_utf8(output.stdout).expect("text").lines().next().expect("a key").to_owned();
    assert_eq!(server.get("/tock.json").0, 401);
    let asked =
        ureq::get(format!("http://{}/tock.json", server.address)).header("authorization", format!("Bearer {secret}"));
    assert_eq!(asked.call().expect("an answer").status(), 200);
}

#[test]
fn a_question_from_the_shell_is_answered_by_a_server_and_by_its_folder() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.post("/tick", r#"{"path":"/a"}"#).0, 202);
    server.wait_until("the view", |server| server.events("").len() == 1);
    let question = r#"{"metrics":["views"],"dimensions":["path"],"date_range":"all"}"#;
    let (file, url) = (folder.path().join("views.json"), format!("http://{}", server.address));
    std::fs::write(&file, question).expect("file");
    let csv = run(folder.path(), &["query", &file.display().to_string(), "--output", "csv", "--to", &url]);
    assert_eq!(String::from_utf8_lossy(&csv.stdout), "path,views\r\n/a,1\r\n");
    assert!(server.stop().success());
    let json = run(folder.path(), &["query", question]);
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(answer["results"], serde_json::json!([{"dimensions": ["/a"], "metrics": [1]}]));
    for (wrong, said) in [("no-such.json", "no-such.json"), (r#"{"metrics":["viewz"]}"#, "did you mean \"views\"?")] {
        let output = run(folder.path(), &["query", wrong]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && message.contains(said), "{message}");
    }
}

#[test]
fn an_export_is_what_events_shows_and_sent_back_it_is_known() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    let event = |n: usize| {
        let kind = ["view", "download", "error", "poll"][n % 4];
        format!(
            r#"{{"event_id":"e{n}","action":"{kind}","path":"/a/{n}","user":"u{}","n":{n}.5,"tags":["x","{n}"]}}"#,
            n % 7
        )
    };
    let lines: Vec<String> = (0..2_500).map(event).collect();
    assert_eq!(server.post("/tick", &lines.join("\n")).0, 202);
    server.wait_until("all events", |server| server.events("").len() == lines.len());
    let (status, export) = server.get("/events.ndjson?bots=include");
    let read: Vec<serde_json::Value> = export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(status == 200 && read == server.events(""), "{status}: {} events", read.len());
    let again = server.post("/tick", &export);
    assert_eq!(again, (202, r#"{"accepted":0,"duplicates":2500,"rejected":[]}"#.to_owned()));
}

#[test]
fn a_stream_of_what_happens_goes_on_until_the_server_stops() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[("METRONOME_STORE_COMMIT_MS", "20")]);
    let stream = agent().get(format!("http://{}/live", server.address)).call().expect("a stream");
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
    let mut events = || -> Option<serde_json::Value> {
        let data = lines.by_ref().map(|line| line.expect("it is not broken off"));
        let live = data.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned)).next()?;
        Some(serde_json::from_str::<serde_json::Value>(&live).expect("JSON")["meta"]["sums"]["total"].clone())
    };
    assert_eq!(events(), Some(0.into()));
    assert_eq!(server.post("/tick", r#"{"path":"/a"}"#).0, 202);
    assert_eq!(events(), Some(1.into()));
    assert!(server.stop().success());
    assert_eq!(events(), None);
}

#[test]
fn a_folder_that_is_not_there_is_neither_sound_nor_made() {
    let folder = tempfile::tempdir().expect("folder");
    let typo = folder.path().join("typo");
    for command in [&["verify"][..], &["seal"], &["tock"], &["query", "{}"], &["key", "list"], &["key", "revoke", "a"]]
    {
        let output = run(&typo, command);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {message}");
        assert!(message.contains("is no data folder"), "{command:?}: {message}");
    }
    let checked = run(&typo, &["check"]);
    assert!(checked.status.success() && String::from_utf8_lossy(&checked.stdout).contains("not made yet"));
    assert!(!typo.exists());
    assert!(run(&typo, &["key", "new", "--scope", "read"]).status.success());
    assert!(run(&typo, &["verify"]).status.success());
    let unheld = run(&typo, &["verify", "2026-03-01"]);
    assert_eq!(unheld.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unheld.stderr).contains("2026-03-01"));
}

#[test]
fn what_stands_in_the_way_of_a_start_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().expect("folder");
    let first = Server::start(&folder.path().join("first"), &[]);
    let taken = run(&folder.path().join("second"), &["serve", "--listen", &first.address.to_string()]);
    let message = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert!(message.contains("in use") && message.contains("--listen"), "{message}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("file");
    for command in ["serve", "verify"] {
        let message = String::from_utf8_lossy(&run(&file, &[command]).stderr).into_owned();
        assert!(message.contains("it is not a folder"), "{command}: {message}");
    }
}
