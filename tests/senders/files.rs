//! Log files, followed: a real nginx writes, a real logrotate turns over, by the commands of docs/send/files.md as they stand.

use crate::service::Server;
use crate::support::House;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_MAX: Duration = Duration::from_secs(20);
/// Requests between two turns; equal ones fall into one second.
const REQUESTS: u32 = 20;

#[test]
fn nothing_is_lost_or_twice_when_logrotate_renames_copies_and_compresses() {
    let (Some(nginx), Some(logrotate)) = (program("nginx"), program("logrotate")) else { return };
    let house = House::with(&[], &[]);
    let root = house.folder.path().join("web");
    let web = Nginx::start(&nginx, &root);
    let block = block("As they are written", "logrotate");
    let turns = [
        block.clone(),
        block.replace("delaycompress", "nodelaycompress"),
        block.replace("delaycompress", "nodelaycompress").replace("create 0640 www-data adm", "copytruncate"),
        block.replace("create 0640 www-data adm", "copytruncate"),
    ];
    web.visit();
    let mut follow = Follow::start(&house, &root);
    // A log is followed from when it was first seen on.
    house.server.wait_until("its first lines", |server| count(server) == web.asked());
    // Twice each, and each also while nobody follows.
    for (number, turn) in turns.iter().cycle().take(2 * turns.len()).enumerate() {
        web.visit();
        if number % 3 == 2 {
            follow.kill();
            web.visit();
        }
        web.turn(&logrotate, turn);
        web.visit();
        if number % 3 == 2 {
            follow = Follow::start(&house, &root);
        }
        house.server.wait_until("every request", |server| count(server) == web.asked());
    }
    follow.stop();
    assert_eq!(by_path(&house.server), web.by_path());
}

fn count(server: &Server) -> u64 {
    let events = server.json("/top.json?by=site&metric=events&range=90d&bots=include&site=shop");
    events["results"][0]["events"].as_u64().unwrap_or_default()
}

fn by_path(server: &Server) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for event in server.events("&site=shop") {
        assert_eq!(event["site"], "shop", "{event}");
        *counts.entry(event["path"].as_str().expect("a path").to_owned()).or_default() += 1;
    }
    counts
}

/// A block of the page.
fn block(section: &str, language: &str) -> String {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/send/files.md")).expect("the page");
    let (_, section) = page.split_once(&format!("## {section}")).expect("the section");
    let (_, block) = section.split_once(&format!("```{language}\n")).expect("the block");
    block.split_once("```").expect("its end").0.to_owned()
}

/// The program, or `None` with a word why the test is skipped; where all must run its absence fails.
fn program(name: &str) -> Option<PathBuf> {
    let found =
        ["/usr/sbin", "/usr/bin"].map(|folder| Path::new(folder).join(name)).into_iter().find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("TESTS_SKIP_NOTHING").is_none(), "{name} is not installed: run scripts/install");
        println!("skipped: {name} is not installed; scripts/test installs it");
    }
    found
}

/// An nginx that writes an access log.
struct Nginx {
    process: Child,
    root: PathBuf,
    address: SocketAddr,
    rounds: std::cell::Cell<u32>,
}

impl Nginx {
    fn start(binary: &Path, root: &Path) -> Self {
        std::fs::create_dir_all(root.join("log")).expect("folder");
        // A server that runs as root drops to another user, who has to open the log anew.
        let open = Command::new("chmod").arg("-R").arg("a+rwX").arg(root).arg(root.parent().expect("above")).status();
        assert!(open.expect("chmod").success());
        let address = TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};", root.display()))
            .concat();
        let conf = format!(
            "daemon off; worker_processes 2; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\n\
             http {{ {temporary} access_log {0}/log/access.log combined; server {{ listen {address}; location / {{ return 204; }} }} }}",
            root.display()
        );
        std::fs::write(root.join("nginx.conf"), conf).expect("write");
        let mut command = Command::new(binary);
        command.arg("-c").arg(root.join("nginx.conf")).arg("-p").arg(root).arg("-e").arg(root.join("error.log"));
        let process = command.stdout(Stdio::null()).spawn().expect("nginx");
        let nginx = Self { process, root: root.to_owned(), address, rounds: std::cell::Cell::new(0) };
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < START_MAX, "nginx does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }

    /// Asks for a few pages, again and again.
    fn visit(&self) {
        let round = self.rounds.replace(self.rounds.get() + 1);
        let agent = crate::service::agent();
        for request in 0..REQUESTS {
            let asked = agent.get(format!("http://{}/{round}/{}", self.address, request % 3)).call();
            assert_eq!(asked.expect("an answer").status(), 204);
        }
    }

    fn asked(&self) -> u64 {
        u64::from(self.rounds.get() * REQUESTS)
    }

    fn by_path(&self) -> BTreeMap<String, u32> {
        let all = (0..self.rounds.get())
            .flat_map(|round| (0..REQUESTS).map(move |request| format!("/{round}/{}", request % 3)));
        all.fold(BTreeMap::new(), |mut counts, path| {
            *counts.entry(path).or_default() += 1;
            counts
        })
    }

    /// Turns the log over as this block says.
    fn turn(&self, logrotate: &Path, block: &str) {
        let root = self.root.display().to_string();
        let block =
            block.replace("/var/log/nginx", &format!("{root}/log")).replace("/run/nginx.pid", &format!("{root}/pid"));
        // Whoever owns the files here.
        let block =
            block.replace("create 0640 www-data adm", "create 0666").replace("daily", "daily\n    su root root");
        let (conf, state) = (self.root.join("logrotate.conf"), self.root.join("logrotate.state"));
        std::fs::write(&conf, block).expect("write");
        let before = self.size();
        let mut command = Command::new(logrotate);
        assert!(command.arg("--force").arg("--state").arg(state).arg(conf).status().expect("logrotate").success());
        // Its workers open the log anew when they come to it: until then they write to the old one.
        assert!(self.size() < before, "the log was not turned over");
    }

    fn size(&self) -> u64 {
        std::fs::metadata(self.root.join("log/access.log")).map_or(0, |facts| facts.len())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// `metronome import --follow`, as the page says.
struct Follow(Child);

impl Follow {
    fn start(house: &House, root: &Path) -> Self {
        let line = block("As they are written", "sh");
        let line = line.replace("127.0.0.1:7171", &house.port("http").to_string());
        let line = line.replace("/var/log/nginx", &root.join("log").display().to_string());
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("metronome"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_metronome"));
        command.current_dir(house.folder.path()).args(words).stdout(Stdio::null());
        Self(command.spawn().expect("the binary"))
    }

    fn kill(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("its end");
    }

    fn stop(mut self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        assert!(asked.expect("kill").success());
        assert!(self.0.wait().expect("its end").success());
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
