//! Queries: the files of custom queries, read when the server starts and by `check`.
//! - A file that does not fit stops the start, as any configuration does: what every file lacks is told at once.
//! - Only `NAME.toml` is read; other files of the folder are passed over.

use super::AppError;
use crate::catalog::queries::QUERIES_MAX;
use crate::clock::Clock;
use crate::config::Config;
use crate::query::custom::text::Form;
use crate::query::custom::{BYTES_MAX, Definition, NAME, is_name};
use crate::query::goal::Goals;
use crate::query::unfit::Unfit;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The queries of the configured folder, by name.
pub(super) fn filed(config: &Config, goals: &Goals, clock: &Clock) -> Result<BTreeMap<String, Definition>, AppError> {
    let Some(folder) = &config.queries_dir else { return Ok(BTreeMap::new()) };
    let files = files(folder).map_err(|source| AppError::Folder { path: folder.clone(), source })?;
    if files.len() > QUERIES_MAX {
        let why = format!("{} holds {} of them; at most {QUERIES_MAX}", folder.display(), files.len());
        return Err(AppError::Queries { why });
    }
    let (mut queries, mut unfit) = (BTreeMap::new(), String::new());
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match read(&path, &name, goals, clock) {
            Ok(definition) => drop(queries.insert(name, definition)),
            Err(errors) => {
                let lines =
                    errors.iter().map(|Unfit { at, message }| format!("\n  {}: {at}: {message}", path.display()));
                unfit.extend(lines);
            }
        }
    }
    if unfit.is_empty() { Ok(queries) } else { Err(AppError::Queries { why: unfit }) }
}

/// The files of a folder that are queries, by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path, name: &str, goals: &Goals, clock: &Clock) -> Result<Definition, Vec<Unfit>> {
    let of_file = |message: String| vec![Unfit::new("file", message)];
    if !is_name(name) {
        return Err(of_file(format!("a query's name is {NAME}")));
    }
    let mut text = Vec::new();
    let mut within = File::open(path).map_err(|error| of_file(error.to_string()))?.take(BYTES_MAX as u64 + 1);
    within.read_to_end(&mut text).map_err(|error| of_file(error.to_string()))?;
    if text.len() > BYTES_MAX {
        return Err(of_file(format!("it has more than {BYTES_MAX} bytes")));
    }
    let definition = Definition::read_text(&text, Form::Toml)?;
    definition.try_out(goals, clock.now())?;
    Ok(definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn filed(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("metronome.toml");
        std::fs::write(&config, "").unwrap();
        std::fs::create_dir(folder.path().join("queries")).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join("queries").join(name), text).unwrap());
        let config = config::load(Some(&config), std::iter::empty()).unwrap();
        let read = super::filed(&config, &Goals::new(), &Clock::manual(0));
        read.map(|queries| queries.into_keys().collect()).map_err(|error| error.to_string())
    }

    const VIEWS: &str = "[query]\nmetrics = [\"views\"]";

    #[test]
    fn queries_beside_the_configuration_are_read_and_other_files_passed_over() {
        let files = [("views.toml", VIEWS), ("a.toml", VIEWS), ("README.md", "x"), ("b.json", "{")];
        assert_eq!(filed(&files).unwrap(), ["a", "views"]);
        assert_eq!(filed(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn every_file_that_does_not_fit_is_told_with_the_place() {
        let long = format!("{VIEWS}\n#{}", "x".repeat(BYTES_MAX));
        let files = [
            ("Views.toml", VIEWS),
            ("good.toml", VIEWS),
            ("long.toml", &long),
            ("metric.toml", "[query]\nmetrics = [\"viewz\"]"),
            ("syntax.toml", "[query]\nmetrics = [\"views\""),
        ];
        let error = filed(&files).unwrap_err();
        for says in [
            "Views.toml: file: a query's name is 1 to 64 of a-z",
            "long.toml: file: it has more than 65536 bytes",
            "metric.toml: query.metrics[0]: metric \"viewz\" is not known here; did you mean \"views\"?",
            "syntax.toml: line 2: it is no TOML",
        ] {
            assert!(error.contains(says), "{says}: {error}");
        }
        assert!(!error.contains("good"), "{error}");
    }

    #[test]
    fn the_bound_of_bytes_is_the_last_that_fits() {
        let fill = "x".repeat(BYTES_MAX - VIEWS.len() - 2);
        assert_eq!(filed(&[("full.toml", &format!("{VIEWS}\n#{fill}"))]).unwrap(), ["full"]);
    }

    #[test]
    fn a_folder_that_is_named_must_be_there() {
        let environment = [("METRONOME_QUERIES_DIR".to_owned(), "no-such-folder".to_owned())];
        let config = config::load(None, environment.into_iter()).unwrap();
        let error = super::filed(&config, &Goals::new(), &Clock::manual(0)).unwrap_err();
        assert_eq!(error.to_string(), "open no-such-folder");
    }
}
