//! Aside: what is damaged is kept where nobody reads it by mistake, and a day says of itself that it lacks it.
//! - `DAMAGED` in a day's folder says so, a line a finding: the part's name, a tab, what is damaged of it. It stands before
//!   the part is moved, so no crash between forgets it. A part's number is not given again while it stands there.
//! - A part goes to `damaged/` in the day's folder. Once the day is whole again the folder is `repaired-1`, `repaired-2`, …
//! - Nothing here is ever deleted but with its day: it may hold what cannot be had again, and what people sent.
//! - What cannot be moved (a full disk) is passed over, and moved at the next start.

use super::current::{is_part, replace, sync_dir};
use super::error::{corrupt, file_error};
use crate::store::StoreError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tantivy::TantivyError;
use tantivy::directory::error::OpenReadError;
use tracing::{error, warn};

const MARK: &str = "DAMAGED";
const ASIDE: &str = "damaged";
const REPAIRED: &str = "repaired-";
/// The error of a disk that cannot give its bytes back.
const EIO: i32 = 5;

/// A line of the mark.
#[derive(PartialEq, Eq)]
struct Line {
    /// The part's name; empty where it cannot be told any more.
    part: String,
    finding: String,
}

impl Line {
    fn of(part: &str, finding: &str) -> Self {
        Self { part: part.to_owned(), finding: finding.replace(['\n', '\t'], " ") }
    }
}

/// What a day says is damaged of it; empty for a sound one.
pub fn marked(day: &Path) -> Vec<String> {
    lines(day).into_iter().map(|line| line.finding).collect()
}

fn lines(day: &Path) -> Vec<Line> {
    match fs::read(day.join(MARK)) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            let lines =
                text.lines().filter(|line| !line.is_empty()).map(|line| line.split_once('\t').unwrap_or(("", line)));
            let lines: Vec<Line> = lines.map(|(part, finding)| Line::of(part, finding)).collect();
            if lines.is_empty() { vec![Line::of("", "a part that is not named any more")] } else { lines }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![Line::of("", &format!("{MARK}: {error}"))],
    }
}

/// Marks a day as damaged and moves a part of it aside, as far as the disk lets it; answers what is marked then.
pub fn set(day: &Path, part: &Path, findings: &[String]) -> Vec<String> {
    error!(part = %part.display(), findings = findings.join("; "), "a part of the store is damaged and set aside");
    let name = part.file_name().unwrap_or_default().to_string_lossy();
    let mut lines = lines(day);
    for line in findings.iter().map(|finding| Line::of(&name, finding)) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let text: String = lines.iter().map(|line| format!("{}\t{}\n", line.part, line.finding)).collect();
    let done = replace(day, MARK, text.as_bytes()).and_then(|()| move_to(&day.join(ASIDE), part));
    if let Err(error) = done {
        error!(part = %part.display(), %error, "what is damaged could not be set aside; it is passed over all the same");
    }
    lines.into_iter().map(|line| line.finding).collect()
}

/// The names of the parts that a day lacks, as far as its mark can tell.
pub fn lacked(day: &Path) -> Vec<String> {
    lines(day).into_iter().map(|line| line.part).filter(|part| is_part(part)).collect()
}

/// The highest number of a kind of parts that a day lacks; 0 for none.
pub fn last_lacked(day: &Path, number: impl Fn(&str) -> Option<u32>) -> u32 {
    lacked(day).iter().filter_map(|name| number(name)).max().unwrap_or_default()
}

/// Moves parts that a day lacks and that still stand in their place: a crash or a full disk left them there.
pub fn finish(day: &Path) {
    for part in lacked(day).into_iter().map(|name| day.join(name)).filter(|part| part.exists()) {
        if let Err(error) = move_to(&day.join(ASIDE), &part) {
            error!(part = %part.display(), %error, "what is damaged could not be set aside; it is passed over all the same");
        }
    }
}

/// Moves something aside that costs no event: it is made anew.
pub fn set_spare(day: &Path, file: &Path, why: &dyn std::fmt::Display) -> Result<(), StoreError> {
    warn!(file = %file.display(), %why, "a file of the store is damaged, set aside and made anew");
    move_to(&next_repaired(day), file)
}

/// The parts that a day lacks, where they lie; damage where one of them is not there.
pub fn all_parts(day: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let parts = parts(day)?;
    for line in lines(day) {
        let (aside, mark) = (day.join(ASIDE).join(&line.part), day.join(MARK));
        match is_part(&line.part) {
            true if parts.contains(&aside) => {}
            true => return Err(corrupt(&aside, "the part is not there")),
            false => return Err(corrupt(&mark, "it does not say of which part it speaks")),
        }
    }
    Ok(parts)
}

/// What was set aside of a day and is there.
pub fn parts(day: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let dir = day.join(ASIDE);
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(file_error("list", &dir))?,
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    paths.map_err(file_error("list", &dir))
}

/// A day is whole again, or as whole as it will be: it is no longer marked, and what was set aside is kept beside it.
pub fn settle(day: &Path) -> Result<(), StoreError> {
    finish(day);
    let (mark, aside, repaired) = (day.join(MARK), day.join(ASIDE), next_repaired(day));
    if aside.exists() {
        fs::rename(&aside, &repaired).map_err(file_error("rename", &aside))?;
    }
    if mark.exists() {
        move_to(&repaired, &mark)?;
    }
    sync_dir(day)
}

/// Removes what was set aside of a day whose events expire.
pub fn expire(day: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(day).map_err(file_error("list", day))? {
        let path = entry.map_err(file_error("list", day))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == ASIDE || name.starts_with(REPAIRED) {
            fs::remove_dir_all(&path).map_err(file_error("remove", &path))?;
        }
    }
    Ok(())
}

fn next_repaired(day: &Path) -> PathBuf {
    let free = (1..).map(|number| day.join(format!("{REPAIRED}{number}"))).find(|path| !path.exists());
    free.unwrap_or_else(|| day.join(REPAIRED))
}

/// Moves a file or folder into a folder, under a name that is free there; durable when it returns.
fn move_to(dir: &Path, from: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(dir).map_err(file_error("create", dir))?;
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut to = dir.join(&name);
    let mut number = 1;
    while to.exists() {
        number += 1;
        to = dir.join(format!("{name}-{number}"));
    }
    match fs::rename(from, &to) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        renamed => renamed.map_err(file_error("set aside", from))?,
    }
    sync_dir(dir)?;
    from.parent().map_or(Ok(()), sync_dir)
}

/// Whether an error tells of damage, and not of a machine that is short of something.
pub fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Corrupt { .. } => true,
        StoreError::Io { source, .. } => is_bent(source),
        StoreError::Engine { source, .. } => match source.downcast_ref::<TantivyError>() {
            Some(TantivyError::OpenReadError(error)) => is_unreadable(error),
            Some(TantivyError::IoError(error)) => is_bent(error),
            Some(
                TantivyError::DataCorruption(_) | TantivyError::SchemaError(_) | TantivyError::IncompatibleIndex(_),
            ) => true,
            Some(_) => false,
            None => source.downcast_ref::<OpenReadError>().is_some_and(is_unreadable),
        },
        _ => false,
    }
}

fn is_unreadable(error: &OpenReadError) -> bool {
    match error {
        OpenReadError::IoError { io_error, .. } => is_bent(io_error),
        OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_) => true,
    }
}

fn is_bent(error: &std::io::Error) -> bool {
    let kinds = [ErrorKind::InvalidData, ErrorKind::UnexpectedEof, ErrorKind::NotFound, ErrorKind::InvalidInput];
    kinds.contains(&error.kind()) || error.raw_os_error() == Some(EIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_kept_and_its_day_marked_until_it_is_settled() {
        let dir = tempfile::tempdir().expect("folder");
        let day = dir.path();
        assert!(marked(day).is_empty() && parts(day).expect("none").is_empty());
        for round in 1..=2 {
            for (name, inside) in [("g7", "a"), ("g7", "b")] {
                fs::create_dir(day.join(name)).expect("folder");
                fs::write(day.join(name).join("file"), inside).expect("file");
                set(day, &day.join(name), &[format!("{name}/file: {inside}")]);
            }
            assert_eq!(marked(day), ["g7/file: a", "g7/file: b"]);
            assert_eq!(parts(day).expect("listed").len(), 2);
            settle(day).expect("settled");
            assert!(marked(day).is_empty() && parts(day).expect("none").is_empty());
            let kept = day.join(format!("{REPAIRED}{round}"));
            assert_eq!(fs::read_to_string(kept.join("g7-2").join("file")).expect("kept"), "b");
        }
        expire(day).expect("expired");
        assert_eq!(fs::read_dir(day).expect("list").count(), 0);
    }

    #[test]
    fn a_mark_that_is_damaged_itself_still_marks_and_calls_nothing_whole() {
        let dir = tempfile::tempdir().expect("folder");
        for text in [&b""[..], b"\n", b"\xff\xfe", b"g1 a finding", b"../g1\ta finding"] {
            fs::write(dir.path().join(MARK), text).expect("file");
            assert_eq!(marked(dir.path()).len(), 1, "{text:?}");
            assert!(lacked(dir.path()).is_empty() && all_parts(dir.path()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_part_that_is_marked_and_not_where_it_belongs_is_missed_until_it_is_moved() {
        let dir = tempfile::tempdir().expect("folder");
        let day = dir.path();
        fs::create_dir(day.join("g7")).expect("folder");
        fs::write(day.join(ASIDE), "in the way").expect("file");
        set(day, &day.join("g7"), &["it is bent".to_owned()]);
        assert!(day.join("g7").exists() && all_parts(day).is_err());
        fs::remove_file(day.join(ASIDE)).expect("removed");
        assert!(all_parts(day).is_err());
        finish(day);
        assert_eq!(all_parts(day).expect("there"), [day.join(ASIDE).join("g7")]);
        fs::remove_dir(day.join(ASIDE).join("g7")).expect("removed");
        assert!(all_parts(day).is_err());
    }

    #[test]
    fn what_a_machine_is_short_of_is_no_damage() {
        let of = |code| StoreError::Io {
            operation: "read",
            object: "x".into(),
            source: std::io::Error::from_raw_os_error(code),
        };
        let (emfile, enospc) = (24, 28);
        assert!(is_damage(&of(EIO)) && !is_damage(&of(emfile)) && !is_damage(&of(enospc)));
    }
}
