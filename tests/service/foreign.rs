//! Random questions over HTTP, recounted by `tests/foreign`: DuckDB and SQL that share no code with the product.

use crate::support::python;
use std::path::Path;
use std::process::Command;

#[test]
fn random_questions_are_answered_as_a_foreign_recount_counts_them() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/main.py");
    let mut oracle = Command::new(python);
    oracle.arg("-B").arg(script).args(["--binary", env!("CARGO_BIN_EXE_metronome"), "--questions", "300"]);
    // A day whose salts are long gone, so that the same seed is the same world on every day.
    oracle.args(["--seed", "21", "--today", "2026-11-20"]);
    let output = oracle.output().expect("the oracle");
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
