//! Index: a Tantivy index is looked at before it is opened: it checks its checksums only when asked, and `meta.json` has none.
//! - Schema and settings are held against ours, the number of events against the columns, the payload against its checksum.
//! - `.managed.json` is bookkeeping of what may be deleted: a damaged one is set aside and costs nothing.

use super::aside::is_damage;
use super::error::{corrupt, engine, file_error, why};
use super::schema::{Fields, settings};
use super::through;
use crate::store::StoreError;
use serde_json::Value;
use std::path::Path;
use tantivy::index::SegmentComponent;
use tantivy::{Index, Segment};

const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";
/// Length and magic number at the end of every file of a segment.
const FOOT_BYTES_MIN: u64 = 8;
/// The files of a segment.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::FastFields,
    SegmentComponent::Terms,
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FieldNorms,
    SegmentComponent::Store,
];

/// Opens an index of these fields once `meta.json` says what it should.
pub fn open(folder: &Path, fields: &Fields) -> Result<Index, StoreError> {
    let path = folder.join(META);
    let bytes = std::fs::read(&path).map_err(file_error("read", &path))?;
    let meta: Value = serde_json::from_slice(&bytes).map_err(|error| corrupt(&path, error.to_string()))?;
    let of = |value: Result<Value, serde_json::Error>| value.map_err(engine("write schema"));
    if meta["schema"] != of(serde_json::to_value(&fields.schema))? {
        return Err(corrupt(&path, "its schema is not the one it was made with"));
    }
    if meta["index_settings"] != of(serde_json::to_value(settings()))? {
        return Err(corrupt(&path, "its settings are not those it was made with"));
    }
    drop_bent_bookkeeping(folder);
    let index = Index::open_in_dir(folder).map_err(engine("open index"))?;
    for segment in index.searchable_segments().map_err(engine("list segments"))? {
        if segment.meta().has_deletes() {
            return Err(corrupt(&path, "it names deleted events"));
        }
    }
    Ok(index)
}

/// Reads all files of an index against their checksums; answers what does not fit.
pub fn bent(index: &Index, folder: &Path) -> Result<Vec<StoreError>, StoreError> {
    let mut bent = Vec::new();
    for segment in index.searchable_segments().map_err(engine("list segments"))? {
        for component in COMPONENTS {
            bent.extend(check(index, &segment.relative_path(component.clone()), folder)?);
        }
    }
    Ok(bent)
}

fn check(index: &Index, path: &Path, folder: &Path) -> Result<Option<StoreError>, StoreError> {
    // The engine takes so much for granted, and panics.
    if std::fs::metadata(folder.join(path)).is_ok_and(|file| file.len() < FOOT_BYTES_MIN) {
        return Ok(Some(corrupt(&folder.join(path), "shorter than its foot")));
    }
    match through::read(&folder.join(path)) {
        Ok(_) => {}
        Err(error) if is_damage(&error) => return Ok(Some(corrupt(&folder.join(path), why(&error)))),
        Err(error) => return Err(error),
    }
    match index.directory().validate_checksum(path).map_err(engine("check a file of an index")) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(corrupt(&folder.join(path), "checksum mismatch"))),
        Err(error) if is_damage(&error) => Ok(Some(corrupt(&folder.join(path), why(&error)))),
        Err(error) => Err(error),
    }
}

/// Checks that a segment holds as many events as `meta.json` says.
pub fn holds(segment: &Segment, columns: u32, folder: &Path) -> Result<(), StoreError> {
    let named = segment.meta().max_doc();
    match named == columns {
        true => Ok(()),
        false => Err(corrupt(&folder.join(META), format!("it names {named} events where there are {columns}"))),
    }
}

fn drop_bent_bookkeeping(folder: &Path) {
    let path = folder.join(MANAGED);
    let Ok(bytes) = std::fs::read(&path) else { return };
    if serde_json::from_slice::<Vec<String>>(&bytes).is_err()
        && let Err(error) = super::aside::set_spare(folder, &path, &"it lists no files")
    {
        tracing::warn!(%error, "a damaged list of files could not be set aside");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::parts::sealed_fields;

    #[test]
    fn a_file_cut_anywhere_is_named_and_no_panic() {
        let dir = tempfile::tempdir().expect("folder");
        let builder = Index::builder().schema(sealed_fields().schema.clone()).settings(settings());
        let index = builder.create_in_dir(dir.path()).expect("created");
        let mut writer: tantivy::IndexWriter = index.writer_with_num_threads(1, 15_000_000).expect("a writer");
        writer.add_document(tantivy::TantivyDocument::default()).expect("added");
        writer.commit().expect("committed");
        writer.wait_merging_threads().expect("closed");
        assert!(bent(&index, dir.path()).expect("checked").is_empty());
        let segment = index.searchable_segments().expect("listed").remove(0);
        let file = dir.path().join(segment.relative_path(SegmentComponent::FastFields));
        let whole = std::fs::read(&file).expect("file");
        for cut in 0..whole.len().min(64) {
            std::fs::write(&file, &whole[..cut]).expect("file");
            assert_eq!(bent(&index, dir.path()).expect("checked").len(), 1, "cut at {cut}");
        }
    }
}
