//! Custom queries of a running server: files read at the start, what was put after a kill, the shell.

use crate::support::{Server, agent, metronome, run};

const VIEWS: &str = "[parameters.page]\nkind = \"text\"\nexample = \"/a\"\n[query]\nmetrics = [\"views\"]\ndimensions = [\"path\"]\n\
    filters = [[\"is\", \"path\", [\"{page}\"]]]\ndate_range = \"all\"\n";

fn put(server: &Server, name: &str, query: &str) -> u16 {
    let request = agent().put(format!("http://{}/queries/{name}", server.address));
    request.header("content-type", "application/toml").send(query).expect("an answer").status().as_u16()
}

#[test]
fn what_was_put_is_there_after_a_kill() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(put(&server, "views", VIEWS), 201);
    assert_eq!(put(&server, "gone", VIEWS), 201);
    assert_eq!(put(&server, "views", &VIEWS.replace("all", "7d")), 200);
    let deleted = agent().delete(format!("http://{}/queries/gone", server.address)).call().expect("an answer");
    assert_eq!(deleted.status(), 204);
    // Dropped is killed.
    drop(server);
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.json("/queries/views")["query"]["date_range"], "7d");
    assert_eq!(server.get("/queries/gone").0, 404);
}

#[test]
fn files_are_asked_over_the_wire_and_from_the_shell() {
    let folder = tempfile::tempdir().expect("folder");
    let queries = folder.path().join("queries");
    std::fs::create_dir(&queries).expect("folder");
    std::fs::write(queries.join("views.toml"), VIEWS).expect("file");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.post("/tick", r#"{"path":"/a b&c"}"#).0, 202);
    server.wait_until("the view", |server| server.events("").len() == 1);
    assert_eq!(server.get("/queries/views.csv?page=/a%20b%26c").1, "path,views\r\n/a b&c,1\r\n");
    assert_eq!(put(&server, "views", VIEWS), 409);
    let url = format!("http://{}", server.address);
    let csv = run(folder.path(), &["query", "views", "page=/a b&c", "--output", "csv", "--to", &url]);
    assert_eq!(String::from_utf8_lossy(&csv.stdout), "path,views\r\n/a b&c,1\r\n");
    assert!(server.stop().success());
    let json = run(folder.path(), &["query", "views", "page=/a b&c"]);
    assert!(String::from_utf8_lossy(&json.stdout).starts_with(r#"{"results":[{"dimensions":["/a b&c"],"#), "{json:?}");
    for (arguments, said) in [
        (&["query", "views"][..], "page is needed; it may be a text"),
        (&["query", "views", "paeg=/a", "page=/a"], "did you mean \"page\"?"),
        (&["query", "none"], "GET /queries.json lists them"),
        (&["query", "{}", "page=/a"], "the name of a custom query"),
    ] {
        let output = run(folder.path(), arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && message.contains(said), "{arguments:?}: {message}");
    }
    assert_eq!(run(folder.path(), &["query", "views", "page"]).status.code(), Some(2));
}

#[test]
fn a_file_that_does_not_fit_stops_the_start_and_check_tells_it() {
    let folder = tempfile::tempdir().expect("folder");
    let queries = folder.path().join("queries");
    std::fs::create_dir(&queries).expect("folder");
    std::fs::write(queries.join("good.toml"), VIEWS).expect("file");
    let sound = run(folder.path(), &["check"]);
    assert!(String::from_utf8_lossy(&sound.stdout).contains("custom queries in queries: 1"), "{sound:?}");
    std::fs::write(queries.join("bad.toml"), VIEWS.replace("{page}", "{paeg}")).expect("file");
    for command in ["check", "serve"] {
        let output = run(folder.path(), &[command]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("queries/bad.toml: query.filters[0][2][0]: {paeg} is not declared"), "{message}");
        assert!(message.contains("did you mean \"page\"?"), "{message}");
    }
    let settings = [("METRONOME_QUERIES_DIR", "no-such-folder")];
    let output = metronome(folder.path()).arg("check").envs(settings).output().expect("the binary");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-folder"), "{output:?}");
}
