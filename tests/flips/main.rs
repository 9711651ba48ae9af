//! One damaged file under the data folder, whichever: a flipped bit, a cut end, a page of zeros. The house opens, a scrub
//! is made, questions are asked: each answer is right, or refused for damage by name. After a repair all is right again, for
//! the journal still holds every event. The same where a part, or the list of one, is gone.
//! `FLIP_ROUNDS` (default: one for each kind of file) and `FLIP_SEED` choose how many and which.

mod house;

use house::{Asked, Open, folder_with_everything};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a page.
const PAGE: usize = 4096;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn whatever_file_is_damaged_no_answer_is_wrong_in_silence() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{panic}");
    }));
    runtime.block_on(flip_files());
}

async fn flip_files() {
    let template = tempfile::tempdir().expect("a folder");
    let right = folder_with_everything(template.path()).await;
    let kinds = kinds_below(template.path());
    let rounds = number("FLIP_ROUNDS").unwrap_or(kinds.len() as u64);
    let seed = number("FLIP_SEED").unwrap_or(7);
    println!("{} kinds of files, {rounds} rounds, FLIP_SEED={seed}", kinds.len());
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for round in 0..rounds {
        let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let (kind, files) = kinds.iter().nth(round as usize % kinds.len()).expect("a kind");
        let file = &files[dice.below(files.len())];
        let folder = tempfile::tempdir().expect("a folder");
        copy(template.path(), folder.path());
        let done = damage(&folder.path().join(file), &mut dice);
        let what = format!("FLIP_SEED={seed} round {round}, {kind}, {}: {done}", file.display());
        let outcome = live_through(folder.path(), kind, &right, &what).await;
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{what}: it panicked");
        *counts.entry(outcome).or_default() += 1;
    }
    for (kind, is_folder) in [("sealed day.json", true), ("sealed day.json", false), ("open part.json", false)] {
        let file = &kinds.get(kind).expect("a kind")[0];
        let gone = if is_folder { file.parent().expect("a part") } else { file };
        let folder = tempfile::tempdir().expect("a folder");
        copy(template.path(), folder.path());
        remove(&folder.path().join(gone));
        let outcome = live_through(folder.path(), kind, &right, &format!("{} removed", gone.display())).await;
        assert_eq!(outcome, "refused by name, then repaired", "{} removed", gone.display());
        *counts.entry(outcome).or_default() += 1;
    }
    println!("{counts:?}");
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.expect("removed");
}

/// Opens the damaged folder, asks, repairs, asks again; answers what was seen.
async fn live_through(folder: &Path, kind: &str, right: &[String], what: &str) -> &'static str {
    let house = match Open::at(folder).await {
        Ok(house) => house,
        // Salts and keys are nowhere else, and without them the house would be open to all.
        Err(error) if kind == "catalog" => {
            assert!(error.contains("Catalog"), "{what}: {error}");
            return "refused to start without its catalog";
        }
        Err(error) => panic!("{what}: it did not start: {error}"),
    };
    let found = house.verify(false).await;
    let mut refused = false;
    for (question, (answer, right)) in house.ask_all().await.into_iter().zip(right).enumerate() {
        match answer {
            Asked::Answered(answer) => assert_eq!(&answer, right, "{what}: question {question} answered wrongly"),
            Asked::Refused(why) => {
                assert!(why.contains("is damaged"), "{what}: question {question} refused without a name: {why}");
                refused = true;
            }
        }
    }
    assert!(!refused || found.is_err(), "{what}: refused, and verify found nothing");
    let repaired = house.verify(true).await;
    if refused {
        repaired.unwrap_or_else(|error| panic!("{what}: not repaired: {error}"));
    }
    for (question, (answer, right)) in house.ask_all().await.into_iter().zip(right).enumerate() {
        match answer {
            Asked::Answered(answer) => assert_eq!(&answer, right, "{what}: question {question} wrong after the repair"),
            Asked::Refused(why) => panic!("{what}: question {question} refused after the repair: {why}"),
        }
    }
    house.close().await;
    match (refused, found) {
        (true, _) => "refused by name, then repaired",
        (false, Err(_)) => "named, and answered rightly",
        (false, Ok(_)) => "answered rightly",
    }
}

/// The files by kind: open and sealed parts, months, journal, catalog and what stands by itself.
fn kinds_below(folder: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("list").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let file = entry.strip_prefix(folder).expect("below").to_owned();
            if let Some(kind) = kind_of(&file).filter(|_| entry.metadata().expect("a file").len() > 0) {
                kinds.entry(kind).or_default().push(file);
            }
        }
    }
    kinds.values_mut().for_each(|files| files.sort());
    kinds
}

fn kind_of(file: &Path) -> Option<String> {
    let path = file.to_string_lossy();
    let name = file.file_name()?.to_string_lossy().into_owned();
    if name.ends_with("lock") || name == "LOCK" {
        return None;
    }
    if path.starts_with("catalog") {
        return Some("catalog".to_owned());
    }
    let place = match (path.contains("/open"), path.contains("/g1"), path.contains("months/")) {
        (true, ..) => "open",
        (_, true, _) => "sealed",
        (_, _, true) => "month",
        _ if path.starts_with("journal") => return Some("journal".to_owned()),
        _ => "",
    };
    // The engine's files are named by chance.
    let is_chance = name.len() > 32;
    let ending = file.extension().map(|ending| ending.to_string_lossy().into_owned());
    let name = ending.filter(|ending| is_chance || ending == "partial" || ending == "tbl").unwrap_or(name);
    Some(format!("{place} {name}").trim().to_owned())
}

fn damage(file: &Path, dice: &mut Dice) -> String {
    let mut bytes = std::fs::read(file).expect("a file");
    let at = dice.below(bytes.len());
    let done = match dice.below(10) {
        0 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        1 => {
            let page = at / PAGE * PAGE;
            let end = bytes.len().min(page + PAGE);
            bytes[page..end].fill(0);
            format!("zeros from {page} to {end}")
        }
        _ => {
            let bit = dice.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
    };
    std::fs::write(file, bytes).expect("written");
    done
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("list").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Numbers by chance: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
