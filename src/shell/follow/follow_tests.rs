use super::*;
use crate::ingest::{LineIds, LineOrder};
use crate::normalize::access_line::read;
use crate::shell::args::Through;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Part, State};
use axum::http::StatusCode;
use axum::routing::post;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

/// A server as far as a follow knows it: lines by their ids, kept through its restarts.
#[derive(Default)]
struct Model {
    stored: BTreeMap<String, String>,
    imports: BTreeMap<u64, LineIds>,
    begun: u64,
    /// What becomes of the next request.
    fate: Fate,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Fate {
    #[default]
    Taken,
    Refused,
    TakenAndNotAnswered,
}

type Shared = Arc<Mutex<Model>>;

fn server(model: &Shared) -> Client {
    let routes = Router::new()
        .route("/imports", post(begin))
        .route("/imports/{id}/lines", post(take))
        .route("/imports/{id}/end", post(async || "{\"sealed\":[]}"));
    Client::Local(routes.with_state(Arc::clone(model)))
}

async fn begin(State(model): State<Shared>, body: Bytes) -> String {
    let mut model = locked(&model);
    model.begun += 1;
    let is_live = serde_json::from_slice::<Value>(&body).expect("JSON")["live"] == true;
    let order = if is_live { LineOrder::Interleaved } else { LineOrder::Sorted };
    let id = model.begun;
    model.imports.insert(id, LineIds::under([7; 16], order));
    json!({"id": id}).to_string()
}

async fn take(State(model): State<Shared>, Part(id): Part<u64>, body: Bytes) -> (StatusCode, String) {
    let mut model = locked(&model);
    let fate = std::mem::take(&mut model.fate);
    let Some(mut ids) = model.imports.remove(&id) else { return (StatusCode::NOT_FOUND, String::new()) };
    let mut rejected = Vec::new();
    let before = model.stored.len();
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        if fate == Fate::Refused {
            break;
        }
        match read(line, &LineFormat::Common, &Limits::default()) {
            Ok(raw) => {
                let id = ids.id(line, crate::normalize::time::said(&raw), &raw).expect("an id").to_string();
                model.stored.insert(id, String::from_utf8_lossy(line).into_owned());
            }
            Err(_) => rejected.push(json!({"at": at + 1, "reason": "line", "message": "no request"})),
        }
    }
    let accepted = model.stored.len() - before;
    model.imports.insert(id, ids);
    let status = if fate == Fate::Taken { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json!({"accepted": accepted, "duplicates": 0, "bots": 0, "rejected": rejected}).to_string())
}

fn locked(model: &Shared) -> MutexGuard<'_, Model> {
    model.lock().expect("the model")
}

fn asked(files: Vec<PathBuf>) -> Import {
    Import { files, site: "default".to_owned(), format: None, follow: true, through: Through::default() }
}

/// One life of a follow: until it is dropped.
struct Life<'a> {
    follow: Follow<'a>,
    id: Option<u64>,
}

impl<'a> Life<'a> {
    async fn begin(client: &'a Client, asked: &Import, places: &Path, clock: &Clock) -> Self {
        let mut follow = Follow::open(client, asked, places, clock.clone()).expect("a follow");
        follow.bring_backlog(&mut Progress::new(false)).await.expect("the backlog");
        Self { follow, id: None }
    }

    /// Sends what there is; `false` where that failed, and everything begins again.
    async fn round(&mut self) -> Result<bool, ()> {
        let id = match self.id {
            Some(id) => id,
            None => self.follow.begin().await.expect("an import"),
        };
        self.id = Some(id);
        let sent = self.follow.round(id).await;
        if let Err(error) = &sent {
            assert!(passes(error), "{error}");
            self.follow.logs.iter_mut().for_each(|followed| followed.log.rewind());
            self.id = None;
        }
        sent.map_err(drop)
    }

    async fn drain(&mut self) {
        while self.round().await != Ok(false) {}
    }
}

/// A writer of a log, with everything that happens to logs.
struct Writer {
    folder: PathBuf,
    written: Vec<String>,
    /// Held open, as writers do, and not let go before they hear of it.
    file: File,
    writes: u64,
    rotations: u64,
    dice: Dice,
}

impl Writer {
    fn new(folder: &Path, seed: u64) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(folder.join("a.log")).expect("open");
        Self { folder: folder.to_owned(), written: Vec::new(), file, writes: 0, rotations: 0, dice: Dice(seed) }
    }

    /// A line of this second, one of few: many are equal.
    fn line(&mut self, now: Millis) -> String {
        let second = now / 1000;
        let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
        let page = self.dice.below(3);
        format!("1.2.3.4 - - [17/May/2015:{hours:02}:{minutes:02}:{seconds:02} +0000] \"GET /{page} HTTP/1.1\" 200 1")
    }

    fn write(&mut self, now: Millis) {
        for _ in 0..=self.dice.below(6) {
            let line = self.line(now);
            self.put(format!("{line}\n").as_bytes());
            self.written.push(line);
        }
    }

    /// Writes the first half of a line, does something else, and writes the rest.
    fn write_in_two(&mut self, now: Millis) -> (String, usize) {
        let line = self.line(now) + "\n";
        let half = self.dice.below(line.len() as u64) as usize;
        self.put(&line.as_bytes()[..half]);
        (line, half)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).expect("write");
        let at = self.tick();
        self.file.set_modified(at).expect("a time");
    }

    /// The clock of a file system ticks slowly: each write is a second after the one before.
    fn tick(&mut self) -> std::time::SystemTime {
        self.writes += 1;
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(2_000_000_000 + self.writes)
    }

    /// Renames the log; the writer goes on in the old one until [`Writer::reopen`].
    fn rename(&mut self) -> String {
        self.rotations += 1;
        let name = format!("a.log-{:04}", self.rotations);
        std::fs::rename(self.folder.join("a.log"), self.folder.join(&name)).expect("rename");
        name
    }

    fn reopen(&mut self) {
        self.file = OpenOptions::new().append(true).create(true).open(self.folder.join("a.log")).expect("open");
        let at = self.tick();
        self.file.set_modified(at).expect("a time");
    }

    fn copy_and_cut(&mut self) -> String {
        self.rotations += 1;
        let name = format!("a.log-{:04}", self.rotations);
        std::fs::copy(self.folder.join("a.log"), self.folder.join(&name)).expect("copy");
        let copy = OpenOptions::new().append(true).open(self.folder.join(&name)).expect("open");
        copy.set_modified(self.tick()).expect("a time");
        File::create(self.folder.join("a.log")).expect("cut");
        let at = self.tick();
        self.file.set_modified(at).expect("a time");
        name
    }

    fn compress(&mut self, name: &str) {
        let plain = self.folder.join(name);
        let time = std::fs::metadata(&plain).and_then(|facts| facts.modified()).expect("a time");
        let packed = self.folder.join(format!("{name}.zst"));
        std::fs::write(
            &packed,
            zstd::stream::encode_all(&std::fs::read(&plain).expect("read")[..], 1).expect("encode"),
        )
        .expect("write");
        OpenOptions::new().append(true).open(packed).and_then(|file| file.set_modified(time)).expect("a time");
        std::fs::remove_file(plain).expect("remove");
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[tokio::test]
async fn every_line_is_there_once_whatever_ends_in_between() {
    let seeds = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    for seed in 0..seeds {
        println!("seed {seed}");
        life(seed).await;
    }
}

async fn life(seed: u64) {
    let folder = tempfile::tempdir().expect("folder");
    let (logs, places) = (folder.path().join("logs"), folder.path().join("follow"));
    std::fs::create_dir(&logs).expect("folder");
    let clock = Clock::manual(3_600_000);
    let model = Shared::default();
    let client = server(&model);
    let asked = asked(vec![logs.join("a.log")]);
    let mut writer = Writer::new(&logs, seed);
    writer.write(clock.now());
    let mut life = Life::begin(&client, &asked, &places, &clock).await;
    life.drain().await;
    for _ in 0..150 {
        clock.set(clock.now() + writer.dice.below(2500) as Millis);
        match writer.dice.below(16) {
            0..6 => writer.write(clock.now()),
            6..9 => drop(life.round().await),
            9 => {
                let (line, half) = writer.write_in_two(clock.now());
                let _ = life.round().await;
                writer.put(&line.as_bytes()[half..]);
                writer.written.push(line.trim_end().to_owned());
            }
            10 => {
                let name = writer.rename();
                if writer.dice.below(2) == 0 {
                    writer.write(clock.now());
                    let _ = life.round().await;
                }
                writer.write(clock.now());
                clock.set(clock.now() + 2000);
                writer.reopen();
                if writer.dice.below(2) == 0 {
                    writer.compress(&name);
                }
            }
            11 => {
                writer.write(clock.now());
                // Two that begin with the same line of the same second are taken for one.
                clock.set(clock.now() + 2000);
                let name = writer.copy_and_cut();
                if writer.dice.below(2) == 0 {
                    writer.compress(&name);
                }
            }
            12 => locked(&model).fate = Fate::Refused,
            13 => locked(&model).fate = Fate::TakenAndNotAnswered,
            14 => locked(&model).imports.clear(),
            _ => life = Life::begin(&client, &asked, &places, &clock).await,
        }
    }
    life.drain().await;
    let mut stored: Vec<String> = locked(&model).stored.values().cloned().collect();
    stored.sort();
    writer.written.sort();
    assert_eq!(stored.len(), writer.written.len(), "seed {seed}");
    assert_eq!(stored, writer.written, "seed {seed}");
}

#[tokio::test]
async fn what_a_log_held_before_is_brought_in_and_nothing_of_it_comes_twice() {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Clock::manual(3_600_000);
    let model = Shared::default();
    let client = server(&model);
    let asked = asked(vec![folder.path().join("a.log")]);
    let mut writer = Writer::new(folder.path(), 1);
    for _ in 0..50 {
        writer.write(clock.now());
        clock.set(clock.now() + 300);
    }
    let (line, half) = writer.write_in_two(clock.now());
    let mut life = Life::begin(&client, &asked, &folder.path().join("follow"), &clock).await;
    assert_eq!(locked(&model).stored.len(), writer.written.len(), "its last line has no end yet");
    writer.put(&line.as_bytes()[half..]);
    life.drain().await;
    assert_eq!(locked(&model).stored.len(), writer.written.len() + 1);
    assert_eq!(
        life.follow.summary.to_string().lines().next(),
        Some(&*format!("accepted    {} (0 by bots)", writer.written.len() + 1))
    );
}

#[tokio::test]
async fn what_is_turned_over_before_it_could_be_brought_in_is_read_all_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let clock = Clock::manual(3_600_000);
    let model = Shared::default();
    let client = server(&model);
    let asked = asked(vec![folder.path().join("a.log")]);
    let mut writer = Writer::new(folder.path(), 1);
    writer.write(clock.now());
    locked(&model).fate = Fate::Refused;
    let mut follow = Follow::open(&client, &asked, &folder.path().join("follow"), clock.clone()).expect("a follow");
    assert!(follow.bring_backlog(&mut Progress::new(false)).await.is_err());
    drop(follow);
    for _ in 0..2 {
        let name = writer.rename();
        clock.set(clock.now() + 2000);
        writer.reopen();
        writer.compress(&name);
        writer.write(clock.now());
    }
    let mut life = Life::begin(&client, &asked, &folder.path().join("follow"), &clock).await;
    life.drain().await;
    assert_eq!(locked(&model).stored.len(), writer.written.len());
}

#[tokio::test]
async fn a_line_that_is_refused_is_counted_and_those_after_it_are_taken() {
    let folder = tempfile::tempdir().expect("folder");
    let (clock, model) = (Clock::manual(3_600_000), Shared::default());
    let client = server(&model);
    let asked = asked(vec![folder.path().join("a.log"), folder.path().join("not-there.log")]);
    let mut writer = Writer::new(folder.path(), 1);
    writer.write(clock.now());
    let mut life = Life::begin(&client, &asked, &folder.path().join("follow"), &clock).await;
    let at = std::fs::metadata(folder.path().join("a.log")).expect("facts").len();
    writer.put(b"nonsense\n");
    writer.write(clock.now());
    life.drain().await;
    assert_eq!(locked(&model).stored.len(), writer.written.len());
    let said = life.follow.summary.to_string();
    assert!(said.contains("rejected    1\n") && said.contains(&format!("a.log, byte {at}: no request")), "{said}");
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let client = server(&Shared::default());
    let open = |files: Vec<PathBuf>| Follow::open(&client, &asked(files), folder.path(), Clock::manual(0)).map(drop);
    for files in [vec!["-".into()], vec![folder.path().to_owned()], vec!["a.log".into(); LOGS_MAX + 1]] {
        assert_eq!(open(files).expect_err("refused").kind(), crate::error::Kind::Invalid);
    }
    assert!(open(vec!["a.log".into(); LOGS_MAX]).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_waited_for_and_a_refusal_that_stays_is_not() {
    let folder = tempfile::tempdir().expect("folder");
    let asks = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asks);
    let answer = move || {
        *counted.lock().expect("count") += 1;
        let status = if *counted.lock().expect("count") < 20 { 503 } else { 401 };
        async move { (StatusCode::from_u16(status).expect("a status"), "{\"detail\":\"no\"}") }
    };
    let client = Client::Local(Router::new().route("/imports", post(answer)));
    let asked = asked(vec![folder.path().join("a.log")]);
    let mut follow = Follow::open(&client, &asked, folder.path(), Clock::manual(0)).expect("a follow");
    let begun = tokio::time::Instant::now();
    let ended = follow.run(&mut Progress::new(false)).await.expect_err("a key");
    assert!(ended.to_string().contains("401"), "{ended}");
    let waited = begun.elapsed();
    assert!(waited > 10 * PAUSE_MAX && waited < 20 * PAUSE_MAX, "{waited:?}");
}
