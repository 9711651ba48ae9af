//! Damage is an error that names file and place, wherever it is; never another number.

use super::*;
use crate::error::Kind;

fn small_table(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("items.tbl");
    build(&path, visits(&mut Dice(3), Day(16_457), 12).into_iter().flatten(), 1 << 20);
    path
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(small_table(folder.path())).unwrap();
    let path = folder.path().join("flipped.tbl");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(&path, &flipped).unwrap();
            let error = dump(&path).expect_err(&format!("bit {bit} of byte {at}"));
            assert_eq!(error.kind(), Kind::Corrupt, "bit {bit} of byte {at}: {error}");
            let text = error.to_string();
            assert!(text.contains("flipped.tbl") && text.contains("at byte"), "{text}");
        }
    }
}

#[test]
fn a_table_cut_anywhere_or_with_bytes_behind_it_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(small_table(folder.path())).unwrap();
    let path = folder.path().join("cut.tbl");
    for len in 0..whole.len() {
        std::fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(dump(&path).expect_err(&format!("cut at {len}")).kind(), Kind::Corrupt);
    }
    std::fs::write(&path, [&whole[..], &whole[..]].concat()).unwrap();
    assert_eq!(dump(&path).unwrap_err().kind(), Kind::Corrupt);
}

#[test]
fn an_unknown_version_and_a_missing_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = small_table(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[7] = 2;
    std::fs::write(&path, bytes).unwrap();
    assert!(Table::open(&path).unwrap_err().to_string().contains("version 1"));
    assert_eq!(Table::open(&folder.path().join("none.tbl")).unwrap_err().kind(), Kind::Internal);
}
