//! Syslog by the real programs: rsyslog, syslog-ng, nginx, and Apache with `logger`, each configured as its page in docs/send says.

use crate::service::{Server, run};
use crate::support::House;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// A program that is asked to end with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Where scripts/install.d/syslog.sh unpacked the programs, or `None` with a word why the test is skipped.
pub fn unpacked() -> Option<PathBuf> {
    let tools = std::env::var_os("TESTS_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"));
    let root = tools.join("syslog/root");
    present("rsyslog and syslog-ng", tools.join("syslog/done").exists().then_some(root))
}

/// The program of this machine, or `None` with a word why the test is skipped.
fn installed(program: &str) -> Option<PathBuf> {
    let found = ["/usr/sbin", "/usr/bin"].map(|folder| Path::new(folder).join(program));
    present(program, found.into_iter().find(|path| path.exists()))
}

fn present(what: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "no {what}: run scripts/install");
        println!("skipped: there is no {what}; scripts/test installs it");
    }
    found
}

/// The block of a page that is marked so, with this test's address and paths.
pub fn configuration(page: &str, mark: &str, address: SocketAddr, paths: &[(&str, &Path)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/send").join(page);
    let text = std::fs::read_to_string(&path).expect(page);
    let (_, rest) = text.split_once(&format!("```{mark}\n")).unwrap_or_else(|| panic!("{page} has no block {mark}"));
    let (block, _) = rest.split_once("```").expect("its end");
    let port = if block.contains("7171") { "7171" } else { "5140" };
    assert!(block.contains(port), "{page}: {block}");
    let mut block = block.replace(port, &address.port().to_string());
    for (from, to) in paths {
        assert!(block.contains(from), "{page}: no {from}");
        block = block.replace(from, &to.display().to_string());
    }
    block
}

/// rsyslog with a configuration of its own.
pub fn rsyslog(root: &Path, folder: &Path, configuration: &str) -> Running {
    let file = folder.join("rsyslog.conf");
    std::fs::create_dir_all(folder.join("spool")).expect("folder");
    let global = format!("global(workDirectory=\"{}\" maxMessageSize=\"64k\")\n", folder.join("spool").display());
    std::fs::write(&file, global + configuration).expect("write");
    let mut command = Command::new(root.join("usr/sbin/rsyslogd"));
    command.arg("-n").arg("-f").arg(&file).arg("-i").arg(folder.join("rsyslog.pid"));
    command.arg("-M").arg(libraries(root).join("rsyslog"));
    start(command, root)
}

/// syslog-ng with a configuration of its own.
pub fn syslog_ng(root: &Path, folder: &Path, configuration: &str) -> Running {
    let file = folder.join("syslog-ng.conf");
    std::fs::write(&file, format!("@version: 3.38\n{configuration}")).expect("write");
    let mut command = Command::new(root.join("usr/sbin/syslog-ng"));
    command
        .args(["-F", "--no-caps"])
        .arg("-f")
        .arg(&file)
        .arg("--module-path")
        .arg(root.join("usr/lib/syslog-ng/3.38"));
    command
        .arg("-R")
        .arg(folder.join("persist"))
        .arg("-p")
        .arg(folder.join("ng.pid"))
        .arg("-c")
        .arg(folder.join("ng.ctl"));
    start(command, root)
}

fn start(mut command: Command, root: &Path) -> Running {
    let lib = libraries(root);
    let paths = [lib.clone(), root.join("lib").join(lib.file_name().expect("a name")), root.join("usr/lib/syslog-ng")];
    command.env("LD_LIBRARY_PATH", std::env::join_paths(paths).expect("paths"));
    Running(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a program"))
}

/// The folder of this machine's kind: `usr/lib/x86_64-linux-gnu`.
fn libraries(root: &Path) -> PathBuf {
    root.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH))
}

fn lines(from: usize, to: usize) -> String {
    let line = |mut all: String, at: usize| {
        let second = at / 10 % 60;
        let _ = writeln!(
            all,
            r#"192.0.2.7 - - [24/Nov/2026:22:15:{second:02} +0000] "GET /item/{at} HTTP/1.1" 200 3 "-" "a \xC3\x9C\\ {FIREFOX}""#
        );
        all
    };
    (from..to).fold(String::new(), line)
}

fn append(log: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

fn count(server: &Server) -> usize {
    server.events("").len()
}

fn wait(server: &Server, events: usize) {
    server.wait_until(&format!("{events} events"), |server| count(server) >= events);
    assert_eq!(count(server), events);
}

/// Stops the server, imports the log, and holds that all its lines are there then, each once.
fn import(house: House, log: &Path, lines: usize) {
    let House { server, folder } = house;
    assert!(server.stop().success());
    let output = run(&folder.path().join("data"), &["import", &log.display().to_string()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("rejected    0\n"), "{text}{output:?}");
    assert_eq!(count(&House::on(folder, &[], &[]).server), lines, "{text}");
}

#[test]
fn rsyslog_reads_a_log_and_its_file_adds_nothing() {
    let Some(root) = unpacked() else { return };
    let house = House::with(&["syslog"], &[]);
    let log = house.folder.path().join("access.log");
    append(&log, &lines(0, 40));
    append(&log, &lines(0, 10));
    let paths = [("/var/log/nginx/access.log", log.as_path())];
    let page = configuration("rsyslog.md", "rsyslog", house.port("syslog"), &paths);
    let sender = rsyslog(&root, house.folder.path(), &page);
    wait(&house.server, 50);
    let events = house.server.events("");
    assert!(events.iter().all(|event| event["action"] == "view" && event["program"] == "nginx"), "{events:?}");
    drop(sender);
    import(house, &log, 50);
}

#[test]
fn rsyslog_sends_datagrams() {
    let Some(root) = unpacked() else { return };
    let house = House::with(&["syslog"], &[]);
    let log = house.folder.path().join("access.log");
    append(&log, &lines(0, 40));
    let action = configuration("rsyslog.md", "rsyslog-udp", house.port("syslog"), &[]);
    let input = format!("module(load=\"imfile\")\ninput(type=\"imfile\" file=\"{}\" tag=\"nginx\")\n", log.display());
    let _sender = rsyslog(&root, house.folder.path(), &(input + &action));
    wait(&house.server, 40);
}

#[test]
fn a_kill_loses_what_was_under_way_and_the_file_brings_it_back() {
    let Some(root) = unpacked() else { return };
    let house = House::with(&["syslog"], &[]);
    let (log, address) = (house.folder.path().join("access.log"), house.port("syslog"));
    append(&log, &lines(0, 1000));
    let paths = [("/var/log/nginx/access.log", log.as_path())];
    let page = configuration("rsyslog.md", "rsyslog", address, &paths);
    let sender = rsyslog(&root, house.folder.path(), &page);
    let accepted = r#"metronome_receiver_events_accepted_total{receiver="syslog"}"#;
    house.server.wait_until("some", |_| house.metric(accepted) > 100);
    append(&log, &lines(1000, 8000));
    let House { server, folder } = house;
    // With a signal that nobody can catch.
    drop(server);
    append(&log, &lines(8000, 9000));
    let house = House::on(folder, &["syslog"], &[("METRONOME_SYSLOG_LISTEN", &address.to_string())]);
    // The last line is there: what the queue held has come.
    house.server.wait_until("the last", |server| {
        server.json("/tock/%2Fitem%2F8999.json?range=all")["views"].as_object().is_some_and(|views| !views.is_empty())
    });
    drop(sender);
    // What it was sending when the connection broke it may send twice: nothing tells that from two equal lines.
    let paths: Vec<_> = house.server.events("").iter().map(|event| event["path"].to_string()).collect();
    let different = paths.iter().collect::<std::collections::BTreeSet<_>>().len();
    let twice = paths.len() - different;
    println!("lost by the kill: {} of 9000; sent twice: {twice}", 9000 - different);
    assert!(twice < 1000, "sent twice: {twice}");
    import(house, &log, 9000 + twice);
}

#[test]
fn syslog_ng_reads_a_log_and_its_file_adds_nothing() {
    let Some(root) = unpacked() else { return };
    let house = House::with(&["syslog"], &[]);
    let log = house.folder.path().join("access.log");
    append(&log, &lines(0, 40));
    append(&log, &lines(0, 10));
    let paths = [("/var/log/nginx/access.log", log.as_path()), ("/var/lib/syslog-ng", house.folder.path())];
    let page = configuration("syslog-ng.md", "syslog-ng", house.port("syslog"), &paths);
    let sender = syslog_ng(&root, house.folder.path(), &page);
    wait(&house.server, 50);
    drop(sender);
    import(house, &log, 50);
}

#[test]
fn syslog_ng_sends_by_its_network_driver() {
    let Some(root) = unpacked() else { return };
    for (transport, flags) in [("udp", true), ("tcp", true), ("tcp", false), ("udp", false)] {
        let house = House::with(&["syslog"], &[]);
        let log = house.folder.path().join("access.log");
        append(&log, &lines(0, 40));
        let mut page = configuration("syslog-ng.md", "syslog-ng-network", house.port("syslog"), &[]);
        page = page.replace("\"udp\"", &format!("{transport:?}"));
        if !flags {
            page = page.replace(" flags(syslog-protocol)", "");
        }
        let source = format!(
            "source s_access {{ file(\"{}\" flags(no-parse) program-override(\"nginx\")); }};\n{page}\
             log {{ source(s_access); destination(d_metronome); }};",
            log.display()
        );
        let _sender = syslog_ng(&root, house.folder.path(), &source);
        wait(&house.server, 40);
        assert!(house.server.events("").iter().all(|event| event["program"] == "nginx"), "{transport} {flags}");
    }
}

/// A page, a file to download.
fn site(root: &Path) {
    std::fs::create_dir_all(root.join("www/data")).expect("folder");
    std::fs::write(root.join("www/page"), "hello").expect("write");
    std::fs::write(root.join("www/data/trees.csv"), "a,b\n").expect("write");
    // A server that runs as root drops to another user.
    let open = Command::new("chmod").arg("-R").arg("a+rwX").arg(root).status();
    assert!(open.expect("chmod").success());
}

/// Asks a web server for everything as a browser does.
fn visit(port: u16) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut first = agent.get(format!("http://127.0.0.1:{port}/page")).header("user-agent", FIREFOX).call();
    let started = std::time::Instant::now();
    while first.is_err() {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "the web server does not start");
        std::thread::sleep(std::time::Duration::from_millis(20));
        first = agent.get(format!("http://127.0.0.1:{port}/page")).header("user-agent", FIREFOX).call();
    }
    for path in ["/page", "/page?utm_source=mail", "/data/trees.csv", "/missing", "/%C3%BCber%22quote"] {
        let asked = agent.get(format!("http://127.0.0.1:{port}{path}"));
        asked
            .header("user-agent", "Ünï \"q\" \\")
            .header("referer", "https://arcgis.com/home?x=1")
            .call()
            .expect("an answer");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}

fn assert_visited(house: &House) {
    wait(&house.server, 6);
    let events = house.server.events("");
    let of = |action: &str| events.iter().filter(|event| event["action"] == action).count();
    assert_eq!((of("view"), of("download"), of("error")), (3, 1, 2), "{events:?}");
}

#[test]
fn nginx_sends_its_access_log() {
    let Some(nginx) = installed("nginx") else { return };
    for mark in ["nginx", "nginx-json"] {
        let house = House::with(&["syslog"], &[]);
        let root = house.folder.path().join("web");
        site(&root);
        let (port, log) = (free_port(), root.join("access.log"));
        let paths = [("/var/log/nginx/access.log", log.as_path())];
        let paths = if mark == "nginx" { &paths[..] } else { &[] };
        let conf = format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\nhttp {{\n\
             client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;\n\
             {1}\nserver {{ listen 127.0.0.1:{port}; root {0}/www; }} }}",
            root.display(),
            configuration("nginx.md", mark, house.port("syslog"), paths)
        );
        std::fs::write(root.join("nginx.conf"), conf).expect("write");
        let mut command = Command::new(&nginx);
        command.arg("-c").arg(root.join("nginx.conf")).arg("-p").arg(&root).arg("-e").arg(root.join("error.log"));
        let server = Running(command.stdout(Stdio::null()).spawn().expect("nginx"));
        visit(port);
        assert_visited(&house);
        drop(server);
        if mark == "nginx" {
            import(house, &log, 6);
        }
    }
}

#[test]
fn apache_pipes_its_access_log_into_logger() {
    let (Some(apache), Some(_)) = (installed("apache2"), installed("logger")) else { return };
    let house = House::with(&["syslog"], &[]);
    let root = house.folder.path().join("web");
    site(&root);
    let (port, log) = (free_port(), root.join("access.log"));
    let modules = "/usr/lib/apache2/modules";
    let conf = format!(
        "ServerRoot {0}\nPidFile {0}/pid\nServerName localhost\nListen 127.0.0.1:{port}\nErrorLog {0}/error.log\n\
         LoadModule mpm_event_module {modules}/mod_mpm_event.so\nLoadModule authz_core_module {modules}/mod_authz_core.so\n\
         DocumentRoot {0}/www\nMutex file:{0}\n{1}",
        root.display(),
        configuration("apache.md", "apache", house.port("syslog"), &[("/var/log/apache2/access.log", &log)])
    );
    std::fs::write(root.join("apache.conf"), conf).expect("write");
    let mut command = Command::new(apache);
    command.arg("-f").arg(root.join("apache.conf")).arg("-DFOREGROUND");
    let server = Running(command.stdout(Stdio::null()).spawn().expect("apache"));
    visit(port);
    assert_visited(&house);
    drop(server);
    import(house, &log, 6);
}
