use super::*;
use std::io::Write;

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().expect("temporary file");
    file.write_all(text.as_bytes()).expect("write");
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(Some(file.path()), environment)
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = load_text("", &[]).expect("defaults");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:7171");
    assert_eq!(config.data_dir.to_str(), Some("metronome-data"));
    assert!(config.sites.is_empty());
}

#[test]
fn the_commented_file_shows_every_key_with_its_default() {
    let shown = load_text(&keys::uncommented(false), &[]).expect("the shown defaults are valid");
    let defaults = load_text("", &[]).expect("defaults");
    assert_eq!(format!("{shown:?}"), format!("{defaults:?}"));
    let full = load_text(&keys::uncommented(true), &[]).expect("the shown examples are valid");
    assert_eq!(full.sites.len(), 1);
    assert!(full.retention.days.is_some() && full.privacy.geoip.is_some());
    assert_eq!(full.sites[0].funnels[0].steps, [serde_json::json!(["is", "path", ["/pricing"]]), "signup".into()]);
}

#[test]
fn every_field_of_the_raw_form_is_in_the_commented_file() {
    let source = include_str!("raw.rs");
    let fields = source.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": Option<"));
    let example = include_str!("../../metronome.toml");
    for (field, _) in fields {
        assert!(example.contains(&format!("{field} = ")), "metronome.toml does not show {field}");
    }
}

#[test]
fn receivers_are_off_unless_they_say_where_they_listen() {
    let config = load_text("[lines]\nsite = \"a\"", &[]).expect("off").receivers;
    assert_eq!(config.count(), 0);
    assert!(
        config.lines.is_none() && config.forward.is_none() && config.syslog.is_none() && config.lumberjack.is_none()
    );
    let text = "[forward]\nlisten = \"127.0.0.1:24224\"\ntls.cert = \"c\"\ntls.key = \"k\"\nshared_key = \"s\"\nusers = { alice = \"w\" }";
    let forward = load_text(text, &[]).expect("on").receivers.forward.expect("forward");
    assert_eq!((forward.port.listen.port(), forward.users.len()), (24224, 1));
    assert!(forward.port.tls.is_some() && forward.shared_key == Some(Secret("s".to_owned())));
    assert!(!format!("{forward:?}").contains("\"w\""), "{forward:?}");
    let environment = [
        ("METRONOME_FORWARD_LISTEN", "127.0.0.1:0"),
        // Not a number: its key is a text.
        ("METRONOME_FORWARD_SHARED_KEY", "12345678"),
        ("METRONOME_FORWARD_USERS", "[\"alice:w:x\"]"),
        ("METRONOME_FORWARD_TLS_CERT", "c"),
        ("METRONOME_FORWARD_TLS_KEY", "k"),
    ];
    let forward = load_text("", &environment).expect("on").receivers.forward.expect("forward");
    assert_eq!(forward.users, [("alice".to_owned(), Secret("w:x".to_owned()))]);
    assert_eq!(forward.shared_key, Some(Secret("12345678".to_owned())));
    assert!(forward.port.tls.is_some());
}

#[test]
fn what_does_not_fit_a_receiver_is_told_without_its_secrets() {
    let rows = [
        ("[http]\ntls.cert = \"c\"", "http.tls.key as well"),
        ("[syslog]\nlisten = \"here\"", "syslog.listen"),
        ("[syslog]\ntimezone = \"Mars\"", "syslog.timezone"),
        ("[lines]\nlisten = \"127.0.0.1:1\"\nsite = \"\"", "lines.site"),
        ("[forward]\nlisten = \"127.0.0.1:1\"\nusers = { a = \"hidden\" }", "forward.shared_key as well"),
        ("[forward]\nlisten = \"127.0.0.1:1\"\nshared_key = \"s\"\nusers = [\"hidden\"]", "forward.users"),
        ("[forward]\nlisten = \"127.0.0.1:1\"\nshared_key = \"\"", "forward.shared_key"),
    ];
    for (text, says) in rows {
        let error = load_text(text, &[]).expect_err(text).to_string();
        assert!(error.contains(says) && !error.contains("hidden"), "{text}: {error}");
    }
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    let rows = [
        ("[http]\nlisten_on = \"x\"", "http.listen_on", "http.listen"),
        ("datadir = \"x\"", "datadir", "data_dir"),
        ("[[site]]\nname = \"a\"\ntime_zone = \"UTC\"", "site.time_zone", "site.timezone"),
    ];
    for (text, key, nearest) in rows {
        let error = load_text(text, &[]).expect_err(text).to_string();
        assert_eq!(error, format!("configuration: unknown key {key}: did you mean {nearest}?"));
    }
    let error = load_text("", &[("METRONOME_HTTP_LISTN", "x")]).expect_err("unknown variable").to_string();
    assert!(error.ends_with("did you mean METRONOME_HTTP_LISTEN?"), "{error}");
}

#[test]
fn the_environment_goes_over_the_file() {
    let environment = [
        ("METRONOME_HTTP_LISTEN", "127.0.0.1:0"),
        ("METRONOME_RETENTION_DAYS", "30"),
        ("METRONOME_PORT_7171_TCP", "tcp://10.0.0.1:7171"),
        ("HOME", "/x"),
    ];
    let config = load_text("[http]\nlisten = \"127.0.0.1:9\"", &environment).expect("valid");
    assert_eq!(config.http.listen.port(), 0);
    assert_eq!(config.retention.days, Some(30));
}

#[test]
fn values_that_do_not_fit_name_key_value_and_bound() {
    let rows = [
        ("[http]\nlisten = \"nowhere\"", "http.listen = \"nowhere\""),
        ("[http]\nconnections_max = 0", "http.connections_max = 0: 1 to 1000000"),
        ("[store]\nurl = \"redis://\"", "store.url = \"redis://\": \"embedded\""),
        ("[privacy]\ngpc = \"maybe\"", "privacy.gpc"),
        ("[retention]\ndays = 9\nitems_days = 3", "at least retention.days (9)"),
        ("[[site]]\nname = \"a\"\ntimezone = \"Mars/Base\"", "site[0].timezone = \"Mars/Base\""),
        ("[[site]]\ntimezone = \"UTC\"", "site[0].name"),
        ("[[site]]\nname = \"a\"\n[[site.goal]]\nfilter = \"[]\"", "site[0].goal[0].name"),
        ("[[site]]\nname = \"a\"\n[[site.goal]]\nname = \"g\"\nfilter = \"{\"", "site[0].goal[0].filter"),
        ("[[site]]\nname = \"a\"\n[[site.goal]]\nname = \"g\"\nfilter = 5", "as in [\"is\", \"path\", [\"/thanks\"]]"),
        ("[[site]]\nname = \"a\"\n[[site.funnel]]\nsteps = []", "site[0].funnel[0].name"),
        (
            "[[site]]\nname = \"a\"\n[[site.funnel]]\nname = \"f\"\nsteps = [\"g\", 5]",
            "steps[1] = Integer(5): a goal's name",
        ),
        ("[[site]]\nname = \"a\"\n[[site.funnel]]\nname = \"f\"\nsteps = [\"[\"]", "site[0].funnel[0].steps[0]"),
        ("[http]\nlisten = 5", "expected a string"),
        ("[http", "configuration"),
    ];
    for (text, part) in rows {
        let error = load_text(text, &[]).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_goals_filter_is_a_list_or_its_json_as_text() {
    let goals = |filter: &str| {
        let text = format!("[[site]]\nname = \"a\"\n[[site.goal]]\nname = \"signup\"\nfilter = {filter}");
        load_text(&text, &[]).expect(filter).sites[0].goals.clone()
    };
    let list = goals("[\"is\", \"path\", [\"/thanks\"]]");
    assert_eq!(list, goals("'[\"is\",\"path\",[\"/thanks\"]]'"));
    assert_eq!(list[0].filter, serde_json::json!(["is", "path", ["/thanks"]]));
    let twice = "[[site]]\nname = \"a\"\n".to_owned() + &"[[site.goal]]\nname = \"g\"\nfilter = \"[]\"\n".repeat(2);
    let error = load_text(&twice, &[]).expect_err("a name twice").to_string();
    assert!(error.contains("site[0].goal[1].name = \"g\"") && error.contains("no other one here has"), "{error}");
}
