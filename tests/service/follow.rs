//! A log that is followed while the follower and the server are killed at random moments and the log is turned over:
//! every line is there, once. The seed is printed; SEED=n runs it again.

use crate::support::{Server, metronome};
use metronome::clock::Clock;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const STEPS: u32 = 60;

#[test]
fn every_line_is_there_once_however_often_either_side_is_killed() {
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| Clock::System.now().unsigned_abs());
    println!("seed {seed}");
    let folder = tempfile::tempdir().expect("folder");
    let (data, log) = (folder.path().join("data"), folder.path().join("a.log"));
    let address = TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address");
    let mut server = Server::start(&data, &[("METRONOME_HTTP_LISTEN", &address.to_string())]);
    let mut writer = Writer::new(&log, seed);
    writer.write();
    let mut follow = Some(follow(folder.path(), address, &log));
    // A log is followed from when it was first seen on.
    server.wait_until("its place", |_| folder.path().join("places/follow").exists());
    let mut kills = [0, 0];
    for _ in 0..STEPS {
        writer.write();
        match writer.dice.below(8) {
            0 => {
                drop(follow.take());
                kills[0] += 1;
            }
            1 => {
                drop(server);
                kills[1] += 1;
                writer.write();
                server = Server::start(&data, &[("METRONOME_HTTP_LISTEN", &address.to_string())]);
            }
            2 => writer.turn(),
            // A moment, so that kills hit whatever is under way.
            _ => std::thread::sleep(Duration::from_millis(writer.dice.below(120))),
        }
        if follow.is_none() && writer.dice.below(2) == 0 {
            follow = Some(self::follow(folder.path(), address, &log));
        }
    }
    let follow = follow.unwrap_or_else(|| self::follow(folder.path(), address, &log));
    println!("{} lines, {kills:?} kills, {} turns", writer.written.values().sum::<u32>(), writer.turns);
    let all: u32 = writer.written.values().sum();
    server.wait_until("every line", |server| server.events("").len() >= all as usize);
    follow.stop();
    let mut stored = BTreeMap::new();
    for event in server.events("") {
        *stored.entry(event["path"].as_str().expect("a path").to_owned()).or_default() += 1;
    }
    assert_eq!(stored, writer.written, "seed {seed}");
}

/// Writes lines of few kinds, many of them equal, and turns the log over in every way.
struct Writer {
    log: PathBuf,
    file: File,
    /// How often each path was asked for, the second in it.
    written: BTreeMap<String, u32>,
    turns: u32,
    dice: Dice,
}

impl Writer {
    fn new(log: &Path, seed: u64) -> Self {
        Self { log: log.to_owned(), file: open(log), written: BTreeMap::new(), turns: 0, dice: Dice(seed) }
    }

    fn write(&mut self) {
        for _ in 0..=self.dice.below(400) {
            let now = Clock::System.now();
            let path = format!("/{}/{}", now / 1000, self.dice.below(3));
            writeln!(self.file, "{{\"time\":{now},\"request\":\"GET {path} HTTP/1.1\",\"status\":200}}")
                .expect("write");
            *self.written.entry(path).or_default() += 1;
        }
    }

    fn turn(&mut self) {
        self.turns += 1;
        let old = self.log.with_file_name(format!("a.log-{:04}", self.turns));
        if self.dice.below(2) == 0 {
            std::fs::rename(&self.log, &old).expect("rename");
            self.write();
            self.file = open(&self.log);
        } else {
            std::fs::copy(&self.log, &old).expect("copy");
            File::create(&self.log).expect("cut");
        }
        self.write();
        if self.dice.below(2) == 0 {
            let packed = zstd::stream::encode_all(File::open(&old).expect("open"), 1).expect("encode");
            let time = std::fs::metadata(&old).and_then(|facts| facts.modified()).expect("a time");
            let name = format!("{}.zst", old.display());
            std::fs::write(&name, packed).expect("write");
            open(Path::new(&name)).set_modified(time).expect("a time");
            std::fs::remove_file(&old).expect("remove");
        }
    }
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("open")
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

/// A follower; killed when dropped.
struct Follow(Child);

fn follow(folder: &Path, server: SocketAddr, log: &Path) -> Follow {
    let mut command = metronome(&folder.join("places"));
    command.args(["import", "--follow", "--to", &format!("http://{server}")]).arg(log).stdout(Stdio::null());
    Follow(command.spawn().expect("the binary"))
}

impl Follow {
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
