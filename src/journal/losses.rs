//! Losses: positions that were given out and whose payloads cannot be read any more, in a file of the folder.
//! - They are noted by whoever follows the journal and would have needed them, and stay until somebody accepts them: the
//!   damaged segment may be gone long before anybody looks.
//! - The file is replaced whole; one that cannot be written is tried again with the next loss, and is known until then.
//! - Bounded: [`LOSSES_MAX`]; further ones join the last, and so does what follows it for the same reason.

use super::aside::create_anew;
use super::error::JournalError;
use super::files::Files;
use std::fmt;
use std::io;
use std::ops::Range;

const NAME: &str = "losses";
const NEW: &str = "losses.new";
/// Losses told one by one.
const LOSSES_MAX: usize = 1_000;

/// Payloads that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Their positions; empty where it is not known how many they were.
    pub positions: Range<u64>,
    /// What became of them, in words.
    pub why: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "positions {}..{} of the journal are lost: {}", self.positions.start, self.positions.end, self.why)
    }
}

/// What is noted in the folder.
pub(super) fn read(files: &dyn Files) -> Result<Vec<Loss>, JournalError> {
    match text(files) {
        Ok(text) => Ok(text.lines().map(parse).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(JournalError::io("read", &NAME, source)),
    }
}

/// Adds a loss, unless it is noted already; whether it was new.
pub(super) fn add(losses: &mut Vec<Loss>, loss: Loss) -> bool {
    if losses.iter().any(|noted| noted.positions == loss.positions) {
        return false;
    }
    let is_full = losses.len() >= LOSSES_MAX;
    let joins = |last: &Loss| is_full || (last.why == loss.why && last.positions.end == loss.positions.start);
    match losses.last_mut().filter(|last| joins(last)) {
        Some(last) => last.positions.end = last.positions.end.max(loss.positions.end),
        None => losses.push(loss),
    }
    true
}

/// Notes these in the folder, in place of what was noted.
pub(super) fn write(files: &dyn Files, losses: &[Loss]) -> Result<(), JournalError> {
    let line = |Loss { positions, why }: &Loss| {
        format!("{} {} {}\n", positions.start, positions.end, why.replace(char::is_control, " "))
    };
    let text: String = losses.iter().map(line).collect();
    let written = create_anew(files, NEW)
        .and_then(|file| file.append(text.as_bytes(), 0).and_then(|()| file.sync()))
        .and_then(|()| files.rename(NEW, NAME))
        .and_then(|()| files.sync_folder());
    written.map_err(|source| JournalError::io("write", &NAME, source))
}

fn text(files: &dyn Files) -> io::Result<String> {
    let file = files.open(NAME)?;
    let mut bytes = vec![0; usize::try_from(file.bytes()?).unwrap_or_default()];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line that is damaged itself is a loss too.
fn parse(line: &str) -> Loss {
    let mut words = line.splitn(3, ' ');
    let mut number = || words.next().and_then(|word| word.parse().ok());
    match (number(), number(), words.next()) {
        (Some(start), Some(end), Some(why)) => Loss { positions: start..end, why: why.to_owned() },
        _ => Loss { positions: 0..0, why: format!("what was noted cannot be read: {line}") },
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Disk;
    use super::*;

    fn loss(positions: Range<u64>) -> Loss {
        Loss { positions, why: "bent\nbytes".to_owned() }
    }

    #[test]
    fn losses_stay_until_they_are_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        let disk = Disk::open(dir.path()).expect("open");
        assert_eq!(read(&disk).expect("read"), []);
        write(&disk, &[loss(3..5), loss(9..9)]).expect("write");
        let told: Vec<String> = read(&disk).expect("read").iter().map(Loss::to_string).collect();
        let rows = [
            "positions 3..5 of the journal are lost: bent bytes",
            "positions 9..9 of the journal are lost: bent bytes",
        ];
        assert_eq!(told, rows);
        std::fs::write(dir.path().join(NAME), "3 x\n").expect("bend");
        assert_eq!(read(&disk).expect("read")[0].positions, 0..0);
        write(&disk, &[]).expect("write");
        assert_eq!(read(&disk).expect("read"), []);
    }

    #[test]
    fn a_loss_counts_once_and_there_are_never_too_many() {
        let mut losses = Vec::new();
        for at in 0..2 * LOSSES_MAX as u64 {
            assert!(add(&mut losses, loss(2 * at..2 * at + 1)), "{at}");
        }
        assert!(!add(&mut losses, loss(8..9)));
        assert_eq!(losses.len(), LOSSES_MAX);
        assert_eq!(losses[LOSSES_MAX - 1].positions, 1_998..3_999);
        let mut losses = vec![loss(0..1)];
        assert!(add(&mut losses, loss(1..3)) && add(&mut losses, loss(4..5)));
        assert_eq!(losses, [loss(0..3), loss(4..5)]);
    }
}
