use super::*;

fn read_text(line: &[u8], format: &LineFormat) -> String {
    match read(line, format, &Limits::default()) {
        Ok(raw) => {
            let shown = raw.fields.iter().map(|(name, value)| format!("{name}={}", value.as_text()));
            shown.collect::<Vec<_>>().join("|")
        }
        Err(rejection) => format!("! {rejection}"),
    }
}

const TIME: &str = "@timestamp=17/May/2015:10:05:03 +0000";

#[test]
fn lines_of_the_common_formats() {
    let rows: [(&[u8], LineFormat, String); 13] = [
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a?b HTTP/1.1\" 200 12 \"http://r.org/\" \"UA 1\"",
            LineFormat::Combined,
            format!(
                "remote_host=1.2.3.4|{TIME}|method=GET|uri=/a?b|status=200|bytes=12|referer=http://r.org/|user_agent=UA 1"
            ),
        ),
        (
            b"1.2.3.4 id ann b [17/May/2015:10:05:03 +0000] \"HEAD / HTTP/1.1\" 304 - \"-\" \"-\"",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|ident=id|remote_user=ann b|{TIME}|method=HEAD|uri=/|status=304"),
        ),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 12",
            LineFormat::Common,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/a|status=200|bytes=12"),
        ),
        (
            b"shop.org:443 1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"UA\"",
            LineFormat::Vhost,
            format!(
                "url_host=shop.org:443|remote_host=1.2.3.4|{TIME}|method=GET|uri=/a|status=200|bytes=12|user_agent=UA"
            ),
        ),
        // A last field without its closing quote ends with the line.
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"Bot (+http://b.org/",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/a|status=200|bytes=12|user_agent=Bot (+http://b.org/"),
        ),
        // Escapes before UTF-8: nginx's, then Apache's, then raw bytes that are none.
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"\\x22q\\x22 \\x5C \\xC3\\x9C\"",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/|status=200|bytes=1|user_agent=\"q\" \\ \u{DC}"),
        ),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"\\\"q\\\" \\\\ \\xc3\\xa9\\t\"",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/|status=200|bytes=1|user_agent=\"q\" \\ \u{e9}\t"),
        ),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"a\xFCb\\xZZ\"",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/|status=200|bytes=1|user_agent=a\u{FFFD}b\\xZZ"),
        ),
        // A line of another format among these: no address is kept under ident and user.
        (
            b"shop.org 1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 1",
            LineFormat::Combined,
            format!("remote_host=shop.org|ident=x.x.x.x|remote_user=- -|{TIME}|method=GET|uri=/a|status=200|bytes=1"),
        ),
        // Fields behind the user agent are not read.
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"UA\" \"5.6.7.8\" 0.01",
            LineFormat::Combined,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/|status=200|bytes=1|user_agent=UA"),
        ),
        // Targets with spaces, without protocol, absolute, and none.
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a b c HTTP/1.0\" 200 1",
            LineFormat::Common,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/a b c|status=200|bytes=1"),
        ),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a\" 200 1",
            LineFormat::Common,
            format!("remote_host=1.2.3.4|{TIME}|method=GET|uri=/a|status=200|bytes=1"),
        ),
        (
            b"::1 - - [17/May/2015:10:05:03 +0000] \"OPTIONS * HTTP/1.0\" 200 - \"-\" \"UA\"",
            LineFormat::Combined,
            format!("remote_host=::1|{TIME}|method=OPTIONS|uri=*|status=200|user_agent=UA"),
        ),
    ];
    for (line, format, expected) in rows {
        assert_eq!(read_text(line, &format), expected, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn lines_that_do_not_parse_say_why() {
    let rows: [(&[u8], LineFormat, &str); 10] = [
        (b"", LineFormat::Combined, "no time in brackets"),
        (b"hello world", LineFormat::Combined, "no time in brackets"),
        (
            b"1.2.3.4 - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1",
            LineFormat::Common,
            "host, ident and user",
        ),
        (b"1.2.3.4 - - [17/May/2015:10:05:03 +0000]", LineFormat::Common, "no request in quotes"),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"\\x16\\x03\\x01\" 400 157 \"-\" \"-\"",
            LineFormat::Combined,
            "its request is none",
        ),
        (
            b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"-\" 408 0 \"-\" \"-\"",
            LineFormat::Combined,
            "its request is none",
        ),
        (b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" ok 1", LineFormat::Common, "no status"),
        (b"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1", LineFormat::Common, "no status"),
        (b"2015-05-17T10:05:03Z\ttag", LineFormat::TagTab, "between tabs"),
        (b"noon\ttag\t{}", LineFormat::TagTab, "is no time"),
    ];
    for (line, format, expected) in rows {
        let found = read_text(line, &format);
        assert!(found.starts_with("! ") && found.contains(expected), "{}: {found}", String::from_utf8_lossy(line));
    }
    let long = vec![b'a'; 65_537];
    assert!(read_text(&long, &LineFormat::Combined).contains("the limit is 65536"));
}

#[test]
fn cloudfront_lines_are_read_by_their_columns() {
    let fields = Fields::parse(b"#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) time-taken x-forwarded-for sc-bytes x-host-header c-port x-edge-location").expect("fields");
    let format = LineFormat::CloudFront(fields);
    let line = b"2019-12-04\t21:02:31\t192.0.2.100\tGET\td111.cloudfront.net\t/index%20a.html\t200\t-\tMozilla/5.0%2520(X;%20Y)\ta=b\tsecret=1\t0.001\t9.9.9.9\t392\tshop.org\t4711\tLAX1";
    let expected = "@timestamp=2019-12-04T21:02:31Z|method=GET|uri=/index%20a.html?a=b|url_host=shop.org|\
        remote_host=192.0.2.100|status=200|user_agent=Mozilla/5.0 (X; Y)|request_time=0.001|bytes=392|x-edge-location=LAX1";
    assert_eq!(read_text(line, &format), expected);
    assert!(is_comment(b"#Version: 1.0", &format) && !is_comment(b"#x", &LineFormat::Combined));
    assert!(read_text(b"2019-12-04\t21:02:31", &format).contains("columns"));
    assert_eq!(Fields::parse(b"#Fields:"), None);
}

#[test]
fn fluentd_lines_lend_their_time_and_tag() {
    let rows: [(&[u8], &str); 3] = [
        (b"2015-05-17T10:05:03+00:00\tapp.web\t{\"a\":1}", "a=1|@timestamp=2015-05-17T10:05:03+00:00|tag=app.web"),
        (b"2015-05-17T10:05:03Z\tt\t{\"timestamp\":5,\"tag\":\"own\"}", "timestamp=5|tag=own"),
        (b"1431857103\tt\t{}", "@timestamp=1431857103|tag=t"),
    ];
    for (line, expected) in rows {
        assert_eq!(read_text(line, &LineFormat::TagTab), expected);
    }
}

#[test]
fn the_format_is_found_from_the_first_lines() {
    const COMMON: &str = "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 12";
    let combined = format!("{COMMON} \"-\" \"UA\"");
    let vhost = format!("a.org:80 {combined}");
    let cases: [(Vec<&str>, Option<&str>); 9] = [
        (vec![&combined], Some("combined")),
        (vec![COMMON], Some("common")),
        (vec![&vhost], Some("vhost")),
        (vec!["", "{\"a\":1}"], Some("json")),
        (vec!["2015-05-17T10:05:03Z\tt\t{}"], Some("fluentd")),
        (vec!["#Version: 1.0", "#Fields: date time"], Some("cloudfront")),
        (vec!["junk", &combined, &combined], Some("combined")),
        (vec!["junk"], None),
        (vec![], None),
    ];
    for (lines, expected) in cases {
        let found = detect(lines.iter().map(|line| line.as_bytes()));
        assert_eq!(found.as_ref().map(LineFormat::name), expected, "{lines:?}");
    }
    for name in ["combined", "common", "vhost", "json", "cloudfront", "fluentd"] {
        assert_eq!(LineFormat::named(name).expect(name).name(), name);
    }
    assert_eq!(LineFormat::named("iis"), None);
}

#[test]
fn a_line_that_no_format_fits_is_a_message_without_addresses() {
    let raw = unparsed(b"login from 10.0.0.1 \xFF");
    assert_eq!(raw.fields, [("message".into(), Value::text("login from x.x.x.x \u{FFFD}"))]);
    assert_eq!(masked("1.2.3.4"), "x.x.x.x");
}

#[test]
fn one_line_alone_is_known_by_its_time_and_its_words() {
    let time = "[17/May/2015:10:05:03 +0000]";
    let name = |line: String| detect_line(line.as_bytes()).map(|format| format.name());
    let rows = [
        (format!(r#"192.0.2.7 - - {time} "GET / HTTP/1.1" 200 5 "-" "-""#), Some("combined")),
        (format!(r#"192.0.2.7 - frank j {time} "GET / HTTP/1.1" 200 5 "-" "-""#), Some("combined")),
        (format!(r#"192.0.2.7 - - {time} "\x16\x03" 400 0 "-" "-""#), Some("combined")),
        (format!(r#"192.0.2.7 - - {time} "GET / HTTP/1.1" 200 5"#), Some("common")),
        (format!(r#"a.example:80 192.0.2.7 - - {time} "GET / HTTP/1.1" 200 5 "-" "-""#), Some("vhost")),
        (format!(r#"h nginx: 192.0.2.7 - - {time} "GET / HTTP/1.1" 200 5"#), None),
        (format!(r#"192.0.2.7 - - {time} no request"#), None),
        (format!(r#"server {time} "GET / HTTP/1.1" 200 5"#), None),
        (r#"2026/11/24 22:15:45 [error] 1#1: *1 open() "/x" failed (2: No such file)"#.to_owned(), None),
        (r#"a b c [error] "GET / HTTP/1.1" 200 5"#.to_owned(), None),
        (String::new(), None),
    ];
    for (line, expected) in rows {
        assert_eq!(name(line.clone()), expected, "{line}");
    }
}
