//! Access lines: short names, what wins, Caddy, nginx, and lines of every format through to the event.

use super::support::{World, holds, whole};
use crate::event::Event;
use crate::normalize::Receiver;
use crate::normalize::access_line::{Fields, LineFormat, read};

fn line(world: &World, line: &[u8], format: &LineFormat) -> Event {
    world.raw(read(line, format, &world.limits).expect("a line")).expect("an event")
}

#[test]
fn short_names_speak_in_access_lines() {
    const BASE: &str = r#""request":"GET /a?utm_source=s HTTP/1.1","status":200"#;
    let rows = [
        (r#""time":"2015-05-17T10:05:03Z""#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z","time":null}"#),
        (r#""ts":1431857103"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#""date":1431857103123"#, r#"{"@timestamp":"2015-05-17T10:05:03.123Z"}"#),
        (r#""time_local":"17/May/2015:10:05:03 +0000""#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#""time_iso8601":"2015-05-17T12:05:03+02:00""#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z"}"#),
        (r#""time":"noon","ts":1431857103"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z","time":"noon"}"#),
        (r#""ts":5,"@timestamp":1431857103"#, r#"{"@timestamp":"2015-05-17T10:05:03.000Z","ts":5}"#),
        (r#""http_referer":"https://r.org/x?y""#, r#"{"referer":"r.org/x","http_referer":null}"#),
        (
            r#""http_referer":"https://r.org/x?y","referer":"q.org""#,
            r#"{"referer":"q.org","http_referer":"https://r.org/x"}"#,
        ),
        (r#""size":12"#, r#"{"bytes":12}"#),
        (r#""body_bytes_sent":"12""#, r#"{"bytes":12}"#),
        (r#""size":12,"body_bytes_sent":13"#, r#"{"bytes":12,"body_bytes_sent":13}"#),
        (r#""request_time":"0.005""#, r#"{"duration_ms":5}"#),
        (r#""request_time":1.001"#, r#"{"duration_ms":1001}"#),
        (r#""request_time":0.0000001"#, r#"{"duration_ms":0.0001}"#),
        (r#""duration":7.5"#, r#"{"duration_ms":7.5}"#),
        (r#""request_time":1,"duration":2"#, r#"{"duration_ms":1000,"duration":2}"#),
        (r#""http_host":"A.org:80""#, r#"{"url_host":"a.org"}"#),
        (r#""vhost":"a.org""#, r#"{"url_host":"a.org"}"#),
        (r#""server_name":"a.org""#, r#"{"url_host":"a.org"}"#),
        (r#""agent":"curl/8""#, r#"{"agent":null,"device":"bot"}"#),
        (r#""http_user_agent":"curl/8""#, r#"{"http_user_agent":null,"device":"bot"}"#),
        (r#""ua":"curl/8""#, r#"{"ua":null,"device":"bot"}"#),
        (
            r#""uri":"/b?secret","request_uri":"/c?secret""#,
            r#"{"path":"/a","uri":"/b","request_uri":"/c","utm_source":"s"}"#,
        ),
        (r#""verb":"PUT""#, r#"{"method":"GET","verb":"PUT"}"#),
        (r#""code":404"#, r#"{"status":200,"code":404}"#),
        (
            r#""http_x":"-","title":"-","referer":"-""#,
            r#"{"http_x":null,"title":null,"referer":null,"x.referer":null}"#,
        ),
    ];
    for (more, expected) in rows {
        let text = format!("{{{BASE},{more}}}");
        holds(&World::log().event(&text), expected, &text);
    }
    for name in ["clientip", "client_ip", "remote", "remote_addr", "remote_ip", "client", "remote_host"] {
        let event = World::log().event(&format!(r#"{{{BASE},"{name}":"203.0.113.9"}}"#));
        assert!(event.hash(crate::event::Known::Visitor).is_some(), "{name}");
        assert!(!whole(&event).contains("203.0.113"), "{name}");
    }
}

#[test]
fn status_and_request_must_parse() {
    let access = [
        r#"{"request":"GET /a","status":200}"#,
        r#"{"request":"GET /a","code":"200"}"#,
        r#"{"request":"GET /a","response":200}"#,
        r#"{"method":"GET","path":"/a","status":200}"#,
        r#"{"verb":"GET","uri":"/a","status":200}"#,
        r#"{"method":"GET","request_uri":"/a","status":200}"#,
        r#"{"method":"GET","url":"https://a.org/a","status":200}"#,
        r#"{"http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"original":"/a"}}"#,
        r#"{"request":"please","method":"GET","path":"/a","status":200}"#,
        r#"{"status":"paid","code":200,"request":"GET /a"}"#,
    ];
    for text in access {
        holds(&World::log().event(text), r#"{"action":"view","method":"GET","status":200,"path":"/a"}"#, text);
    }
    let none = [
        r#"{"request":"GET /a"}"#,
        r#"{"request":"GET /a","status":"paid"}"#,
        r#"{"request":"GET /a","status":7}"#,
        r#"{"request":"please","status":200}"#,
        r#"{"request":"-","status":408}"#,
        r#"{"method":"GET","status":200}"#,
        r#"{"path":"/a","status":200}"#,
        r#"{"method":"get it","path":"/a","status":200}"#,
        r#"{"method":"GET","path":"a","status":200}"#,
    ];
    for text in none {
        holds(&World::log().event(text), r#"{"action":"log"}"#, text);
    }
    // There the short names are the application's own.
    World::log().expect(&[(
        r#"{"time":"noon","size":3,"agent":"007"}"#,
        r#"{"time":"noon","size":3,"agent":"007","bytes":null}"#,
    )]);
}

#[test]
fn caddys_lines_are_access_lines() {
    let text = r#"{"level":"info","ts":1431857103.5241024,"logger":"http.log.access","msg":"handled request",
        "request":{"remote_ip":"203.0.113.9","remote_port":"4711","client_ip":"203.0.113.8","proto":"HTTP/2.0","method":"GET",
        "host":"localhost:443","uri":"/a/?utm_source=s","headers":{"User-Agent":["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"],
        "Referer":["https://r.org/x?y"],"X-Forwarded-For":["203.0.113.7"],"Cookie":["REDACTED"]},"tls":{"proto":"h2"}},
        "bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}"#;
    let event = World::log().event(text);
    let expected = r#"{"@timestamp":"2015-05-17T10:05:03.524Z","action":"view","path":"/a","url_host":"localhost","method":"GET",
        "status":200,"bytes":10900,"duration_ms":0.929675,"referer":"r.org/x","browser":"Firefox","utm_source":"s",
        "level":"info","logger":"http.log.access","request.proto":"HTTP/2.0","bytes_read":0,"request.tls.proto":null}"#;
    holds(&event, expected, text);
    for gone in ["203.0.113", "4711", "REDACTED", "Mozilla", "\"Caddy\"", "headers"] {
        assert!(!whole(&event).contains(gone), "{gone}: {}", whole(&event));
    }
}

#[test]
fn nginx_json_lines() {
    let text = br#"{"time_iso8601":"2015-05-17T10:05:03+00:00","msec":1431857103.564,"remote_addr":"203.0.113.9","request":"GET /d/h%C3%B6he HTTP/1.1","request_method":"GET","request_uri":"/d/h%C3%B6he","status":404,"body_bytes_sent":153,"request_time":0.000,"http_referer":"-","http_user_agent":"\xC3\x9Cn \x22q\x22","http_host":"data.example"}"#;
    let mut world = World::log();
    world.keep_user_agent = true;
    let event = line(&world, text, &LineFormat::Json);
    let expected = r#"{"@timestamp":"2015-05-17T10:05:03.000Z","path":"/d/h%C3%B6he","status":404,"bytes":153,"duration_ms":0,
        "user_agent":"Ün \"q\"","url_host":"data.example","action":"error","error_type":"http","referer":null,"request_method":"GET"}"#;
    holds(&event, expected, "nginx");
    let garbage = br#"{"remote_addr":"203.0.113.9","request":"\u0016\u0003\u0001","request_method":"","request_uri":"","status":400}"#;
    let event = line(&world, garbage, &LineFormat::Json);
    holds(&event, r#"{"action":"log","status":400,"path":null,"remote_addr":null}"#, "garbage");
}

#[test]
fn lines_of_every_format_become_access_lines() {
    const COMMON: &str = "203.0.113.9 - ann [17/May/2015:10:05:03 +0000] \"GET /a.csv?x HTTP/1.1\" 200 12";
    let combined = format!("{COMMON} \"https://www.r.org/\" \"Googlebot/2.1 (+http://www.google.com/bot.html)\"");
    let vhost = format!("data.example:80 {combined}");
    let cloudfront = "2015-05-17\t10:05:03\t203.0.113.9\tGET\td.net\t/a.csv\t200\tx=1";
    let columns = Fields::parse(b"#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs-uri-query")
        .expect("fields");
    let json = r#"{"@timestamp":"2015-05-17T10:05:03Z","request":"GET /a.csv","status":200,"ip":"203.0.113.9"}"#;
    let tagged = format!("2015-05-17T10:05:03Z\tweb\t{}", json.replace("\"@timestamp\":\"2015-05-17T10:05:03Z\",", ""));
    let rows = [
        (COMMON, LineFormat::Common, r#"{"bytes":12,"remote_user":"ann","user":null}"#),
        (&combined, LineFormat::Combined, r#"{"bytes":12,"referer":"r.org","bot":"Googlebot"}"#),
        (&vhost, LineFormat::Vhost, r#"{"url_host":"data.example","bot":"Googlebot"}"#),
        (cloudfront, LineFormat::CloudFront(columns), r#"{"url_host":"d.net"}"#),
        (json, LineFormat::Json, "{}"),
        (&tagged, LineFormat::TagTab, r#"{"tag":"web"}"#),
    ];
    for (text, format, more) in rows {
        let event = line(&World::of(Receiver::File), text.as_bytes(), &format);
        let all = r#"{"@timestamp":"2015-05-17T10:05:03.000Z","day":"2015-05-17","action":"download","format":"csv",
            "path":"/a.csv","id":"/a.csv","method":"GET","status":200}"#;
        holds(&event, all, text);
        holds(&event, more, text);
        assert!(event.hash(crate::event::Known::Visitor).is_some(), "{text}");
        assert!(!whole(&event).contains("203.0.113"), "{text}");
    }
}

#[test]
fn a_request_may_name_its_host() {
    World::log().expect(&[
        (r#"{"request":"GET http://A.org/x HTTP/1.1","status":200}"#, r#"{"path":"/x","url_host":"a.org"}"#),
        (r#"{"request":"GET //x/y HTTP/1.1","status":200}"#, r#"{"path":"/x/y","url_host":null}"#),
        (r#"{"request":"GET /a b HTTP/1.1","status":200}"#, r#"{"path":"/a b"}"#),
        (
            r#"{"request":"GET /login?next=http://b.org/ HTTP/1.1","status":200}"#,
            r#"{"path":"/login","url_host":null}"#,
        ),
    ]);
}
