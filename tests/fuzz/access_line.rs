//! Lines of access logs, in every format.

use crate::events::normalized;
use crate::mutants::run;
use metronome::normalize::access_line::{LineFormat, detect, is_comment, read, unparsed};
use metronome::normalize::{Limits, Receiver};
use std::fmt::Write;

const SEEDS: [&str; 7] = [
    r#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a/b.png?x=1 HTTP/1.1" 200 203023 "http://s.example/p" "Mozilla/5.0""#,
    r#"::1 - frank j [31/Dec/2016:23:59:60 -0330] "GET /a\x22b\\ HTTP/1.0" 304 - "-" "a \"b\"" "10.0.0.1""#,
    r#"a.example:443 10.0.0.1 - - [17/May/2015:10:05:03 +0000] "POST / HTTP/2.0" 404 0"#,
    r#"{"time_local":"17/May/2015:10:05:03 +0000","request":"GET /x HTTP/1.1","status":"200","remote_addr":"10.0.0.1","http_user_agent":"\xff"}"#,
    r#"{"ts":1431857103.5,"request":{"method":"GET","uri":"/x","headers":{"User-Agent":["a"]}},"status":200,"size":5}"#,
    "2015-05-17\t10:05:03\tFRA2\t203\t10.0.0.1\tGET\td.cloudfront.net\t/a%2520b\t200\t-\tMozilla/5.0%20x\ta=1",
    "2015-05-17T10:05:03+00:00\tapp.access\t{\"message\":\"x\",\"level\":3}",
];
const FORMATS: [&str; 6] = ["combined", "common", "vhost", "json", "cloudfront", "fluentd"];

#[test]
fn access_lines() {
    run("access_lines", SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec(), line);
}

#[test]
fn access_line_formatted() {
    let seeds = ["/a\0http://r.example/\0Mozilla/5.0", "/a b\"c\\d\0\x01\0\\x22 \" -", "/\u{e4}\u{f6}\0-\0"];
    run("access_line_formatted", seeds.map(|seed| seed.as_bytes().to_vec()).to_vec(), formatted);
}

/// Any line is read or refused in every format; what is read makes whole events.
fn line(bytes: &[u8]) {
    // Lines are cut at their ends before they come here.
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let limits = Limits::default();
    let _ = detect([line]);
    for format in FORMATS.map(|name| LineFormat::named(name).expect("a format")) {
        if is_comment(line, &format) {
            continue;
        }
        if let Ok(raw) = read(line, &format, &limits) {
            normalized(raw, Receiver::File);
        }
    }
    normalized(unparsed(line), Receiver::File);
}

/// Target, referer and agent come out as a server wrote them in, whatever bytes they are.
fn formatted(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let [target, referer, agent] = [(); 3].map(|()| parts.next().unwrap_or_default());
    // A space ends a target; browsers never send one.
    let target: Vec<u8> = target.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let line = format!(
        r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /{} HTTP/1.1" 200 5 "{}" "{}""#,
        escaped(&target),
        escaped(referer),
        escaped(agent)
    );
    if line.len() > Limits::default().event_bytes_max {
        return;
    }
    let raw = read(line.as_bytes(), &LineFormat::Combined, &Limits::default()).expect("a line");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let written = [("uri", format!("/{}", text(&target))), ("referer", text(referer)), ("user_agent", text(agent))];
    for (name, text) in written {
        let read = raw.get(name).map(|value| value.as_text().into_owned());
        assert_eq!(read.unwrap_or_default(), if text == "-" { String::new() } else { text }, "{name} of {line}");
    }
}

/// As nginx escapes in its logs.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => {
                // Writing to text cannot fail.
                let _ = write!(out, "\\x{byte:02X}");
            }
            _ => out.push(char::from(*byte)),
        }
    }
    out
}
