//! Clients by tables: agents one by one, every crawler of the list, the agents of a real site's log.

use super::*;
use std::collections::BTreeMap;

const AGENTS: &str = include_str!("../../../fixtures/clients/agents.tsv");
const CRAWLERS: &str = include_str!("../../../fixtures/clients/crawlers.tsv");
const ACCESS_LOG: &str = include_str!("../../../fixtures/clients/access-log.tsv");

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

#[test]
fn agents_are_read_as_the_table_says() {
    let mut read = 0;
    for row in rows(AGENTS) {
        let [browser, version, os, device, bot, library, agent] = row[..] else { panic!("seven columns: {row:?}") };
        let client = read_uncached(agent);
        let shown = |text: &Option<Text>| text.as_deref().unwrap_or("-").to_owned();
        let found = [&client.browser, &client.browser_version, &client.os, &client.bot].map(shown);
        assert_eq!(found, [browser, version, os, bot], "{agent}");
        assert_eq!((client.device.name(), client.library), (device, library == "library"), "{agent}");
        read += 1;
    }
    assert!(read > 100, "{read} agents");
}

#[test]
fn every_crawler_of_the_list_is_found() {
    let (mut all, mut by_name) = (0, 0);
    for row in rows(CRAWLERS) {
        let [name, agent] = row[..] else { panic!("two columns: {row:?}") };
        let bot = read_uncached(agent).bot.unwrap_or_else(|| panic!("{name} is not found: {agent}"));
        by_name += usize::from(*bot == *name);
        all += 1;
    }
    // Some name several crawlers, of which one speaks.
    assert!(by_name * 100 > all * 95, "{by_name} of {all} by their own name");
}

#[test]
fn a_real_log_is_a_quarter_bots_and_nearly_all_known() {
    let (mut all, mut bots, mut unknown) = (0, 0, 0);
    for row in rows(ACCESS_LOG) {
        let [lines, agent] = row[..] else { panic!("two columns: {row:?}") };
        let lines: u32 = lines.parse().expect("a number of lines");
        let client = read(agent);
        assert_eq!(*client, read_uncached(agent), "{agent}");
        all += lines;
        bots += if client.bot.is_some() { lines } else { 0 };
        unknown += if client.bot.is_none() && client.browser.is_none() && agent != "-" { lines } else { 0 };
    }
    println!("{bots} of {all} lines by bots, {unknown} by nobody known");
    assert_eq!(all, 10_000);
    assert!((2_400..2_900).contains(&bots), "{bots} of {all} lines by bots");
    assert!(unknown < 100, "{unknown} of {all} lines by nobody known");
}

#[test]
fn a_library_is_a_bot_in_access_lines_alone() {
    for (agent, in_lines, on_tick) in [
        ("curl/8.5.0", (Some("curl"), Device::Bot), (None, Device::Other)),
        ("Googlebot/2.1", (Some("Googlebot"), Device::Bot), (Some("Googlebot"), Device::Bot)),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            (None, Device::Desktop),
            (None, Device::Desktop),
        ),
    ] {
        let client = read_uncached(agent);
        assert_eq!(client.seen_as(Libraries::AreBots), in_lines, "{agent}");
        assert_eq!(client.seen_as(Libraries::AreApplications), on_tick, "{agent}");
    }
}

#[test]
fn a_crawler_that_names_its_library_is_a_crawler() {
    for (agent, name, library) in [
        ("OurBot/1.0 python-requests/2.31", "OurBot", false),
        ("our-thing/1.0 python-requests/2.31", "python-requests", true),
        ("Mozilla/5.0 (compatible; Thing/1.0; someone@example.com)", "Thing", false),
        (
            "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/120 Safari/537.36 Chrome-Lighthouse",
            "Chrome-Lighthouse",
            false,
        ),
    ] {
        let client = read_uncached(agent);
        assert_eq!((client.bot.as_deref(), client.library), (Some(name), library), "{agent}");
    }
}

#[test]
fn an_old_browser_with_its_builders_page_is_no_bot() {
    let agent = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; Embedded Web Browser from: http://bsalsa.com/)";
    assert_eq!(read_uncached(agent).bot, None);
}

#[test]
fn hostile_agents_are_read_in_bounds() {
    let long = "Mozilla/5.0 (Linux; Android 10; ".repeat(100_000);
    let wide = "é".repeat(READ_BYTES_MAX);
    for agent in [
        "",
        " ",
        "\u{0}",
        "(((((",
        "%00%0a",
        "Mozilla/",
        "🦀🦀🦀",
        &long,
        &wide,
        &"bot".repeat(10_000),
        &"a@".repeat(5_000),
    ] {
        let client = read(agent);
        let texts = [&client.browser, &client.browser_version, &client.os, &client.bot];
        assert!(texts.into_iter().flatten().all(|text| text.len() <= READ_BYTES_MAX), "{}", agent.len());
    }
    assert_eq!(read(&long), read(&long[..READ_BYTES_MAX]), "what is cut does not speak");
    assert_eq!(read("  curl/8.5.0 "), read("curl/8.5.0"));
}

#[test]
fn the_cache_holds_as_many_as_it_may_and_forgets_the_older() {
    let cache = Cache::new(4);
    let client = |name: &str| Arc::new(Client { browser: Some(name.into()), ..Client::default() });
    let names: Vec<String> = (0..100).map(|number| format!("agent {number}")).collect();
    for name in &names {
        cache.put(name, client(name));
        assert_eq!(cache.get(name), Some(client(name)), "the newest is there");
    }
    let held = names.iter().filter(|name| cache.get(name).is_some()).count();
    assert!((1..=4).contains(&held), "{held} held");
    assert!(names.iter().all(|name| cache.get(name).is_none_or(|held| held == client(name))), "never another's");
}

#[test]
fn a_bots_name_is_short() {
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    for row in rows(CRAWLERS) {
        let bot = read_uncached(row[1]).bot.unwrap_or_default();
        names.insert(bot.chars().count(), bot.into());
    }
    let (longest, name) = names.last_key_value().expect("names");
    assert!(*longest <= 50, "{name}");
}
