//! A combined log through `metronome import`, beside reading its lines alone.

use crate::figures::{Figures, Who};
use crate::measures as m;
use crate::peers::Metronome;
use crate::race::say;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

pub fn run(folder: &Path, lines: u64, figures: &mut Figures) {
    say("import");
    let log = folder.join("access.log");
    write_log(&log, lines);
    let reading = Instant::now();
    let text = std::fs::read(&log).expect("log");
    let seen = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    figures.note(&m::IMPORT, Who::Reference, seen as f64 / reading.elapsed().as_secs_f64());
    let started = Instant::now();
    Metronome::import(&folder.join("import"), &log);
    figures.note(&m::IMPORT, Who::Metronome, lines as f64 / started.elapsed().as_secs_f64());
}

/// A combined log over ten days: pages, assets, downloads, a few errors, many clients.
fn write_log(path: &Path, lines: u64) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).expect("log"));
    for line in 0..lines {
        let mixed = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (day, hour, minute, second) = (1 + line * 10 / lines, line * 240 / lines % 24, mixed % 60, mixed / 60 % 60);
        let page = ["/", "/about", "/style.css", "/data/trees.csv", "/missing"][(mixed % 5) as usize];
        let status = if page == "/missing" { 404 } else { 200 };
        writeln!(
            out,
            "10.{}.{}.{} - - [{day:02}/May/2015:{hour:02}:{minute:02}:{second:02} +0000] \"GET {page}?n={} HTTP/1.1\" {status} {} \"https://arcgis.com/home\" \"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0\"",
            mixed % 3, mixed / 3 % 250, mixed / 750 % 250, mixed % 97, mixed % 100_000,
        )
        .expect("write");
    }
}
