//! Seeds, their mutants, and the run over both.

use std::fs;
use std::path::{Path, PathBuf};

/// Larger seeds are run as they are, and not mutated.
const MUTATED_BYTES_MAX: usize = 4096;
/// What readers look for.
const TELLING: &[u8] = b"\"\\{}[],: \n\r\t0-9eE.+x/\0\x7f\x80\xff\xef";

/// Runs a property over a target's inputs. Under a fuzzing engine it is asked instead; with FUZZ_SEEDS set the seeds are
/// written there, for it to begin with.
pub fn run(target: &str, seeds: Vec<Vec<u8>>, property: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
        return write(&PathBuf::from(folder), &seeds);
    }
    if cfg!(fuzzing) {
        return bolero::check!(name = target).for_each(|bytes: &[u8]| property(bytes));
    }
    let (runs, seed) = (number("FUZZ_RUNS", 5_000), number("FUZZ_SEED", 1));
    let found = files(&root().join("tests/fuzz/found").join(target));
    println!("{target}: {} seeds, {} once found, {runs} mutants of seed {seed}", seeds.len(), found.len());
    seeds.iter().chain(&found).for_each(|bytes| held(&property, bytes));
    let small: Vec<&Vec<u8>> = seeds.iter().chain(&found).filter(|bytes| bytes.len() <= MUTATED_BYTES_MAX).collect();
    let mut dice = Dice(seed);
    for _ in 0..runs {
        held(&property, &mutant(&small, &mut dice));
    }
}

/// Every file of a folder, by name; none where there is no such folder.
pub fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

/// What senders whose captures begin so were recorded to send: each connection and each datagram.
pub fn captured(prefixes: &[&str]) -> Vec<Vec<u8>> {
    let captures = fs::read_dir(root().join("fixtures/wire")).expect("captures");
    let mut folders: Vec<PathBuf> = captures.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.is_dir() && prefixes.iter().any(|prefix| name.starts_with(prefix))
    });
    let clients = |folder: &PathBuf| {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).expect("a capture").map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths.retain(|path| path.to_string_lossy().contains("client"));
        paths.into_iter().map(|path| fs::read(path).expect("a file"))
    };
    folders.iter().flat_map(clients).collect()
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Tells the input of a property that fails.
fn held(property: &(impl Fn(&[u8]) + std::panic::RefUnwindSafe), bytes: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| property(bytes)) {
        println!("fails for {} bytes: \"{}\"", bytes.len(), bytes.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

fn write(folder: &Path, seeds: &[Vec<u8>]) {
    fs::create_dir_all(folder).expect("folder");
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed");
    }
}

/// A seed with one to four changes.
fn mutant(seeds: &[&Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(8)).min(bytes.len());
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = TELLING[dice.below(TELLING.len())],
            2 => bytes.insert(at, TELLING[dice.below(TELLING.len())]),
            3 if at < end => drop(bytes.drain(at..end)),
            4 if at < end => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = seeds[dice.below(seeds.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[dice.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
