//! The same question in each server's words, and a log to import.

use crate::servers::{Server, get};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Where VictoriaLogs takes JSON lines.
pub const VICTORIA_INSERT: &str = "/insert/jsonline?_time_field=@timestamp&_msg_field=path&_stream_fields=site";

pub fn metronome_item(server: &Server, id: &str) {
    let answer = get(server, &format!("/tock/{id}.json?range=90d"));
    assert!(answer.contains("\"views\""), "{answer}");
}

/// Views by day, downloads by format, referers: three questions.
pub fn victoria_item(server: &Server, id: &str) {
    let item = format!("_time:90d id:={id}");
    for question in [
        format!("{item} action:=view | stats by (_time:1d) count() n"),
        format!("{item} action:=download | stats by (format) count() n"),
        format!("{item} referer:* | stats by (referer) count() n"),
    ] {
        victoria(server, &question);
    }
}

pub async fn victoria_wait_for(server: &Server, events: u64) {
    loop {
        let answer = victoria(server, "_time:90d * | stats count() n");
        let counted = answer.split("\"n\":\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<u64>().ok());
        if counted.is_some_and(|counted| counted >= events) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn victoria(server: &Server, question: &str) -> String {
    get(server, &format!("/select/logsql/query?query={}", utf8_percent_encode(question, NON_ALPHANUMERIC)))
}

/// A combined log over ten days: pages, assets, downloads, a few errors, many clients.
pub fn write_log(path: &Path, lines: u64) {
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
