//! Source and channel, one row per rule.

use super::*;

const NOTHING: Origin<'static> = Origin {
    utm_source: None,
    utm_medium: None,
    utm_campaign: None,
    source_parameter: None,
    ref_parameter: None,
    referer: None,
    click_id: None,
};

fn utm(source: &'static str, medium: &'static str) -> Origin<'static> {
    Origin { utm_source: Some(source), utm_medium: Some(medium), ..NOTHING }
}

fn from(referer: &'static str) -> Origin<'static> {
    Origin { referer: Some(referer), ..NOTHING }
}

#[test]
fn the_source_is_the_first_that_is_given() {
    let all = Origin {
        utm_source: Some("utm"),
        source_parameter: Some("source"),
        ref_parameter: Some("ref"),
        referer: Some("example.com:8080/page"),
        ..NOTHING
    };
    for (origin, expected) in [
        (all, Some("utm")),
        (Origin { utm_source: None, ..all }, Some("source")),
        (Origin { utm_source: Some(" "), ..all }, Some("source")),
        (Origin { utm_source: None, source_parameter: None, ..all }, Some("ref")),
        (Origin { utm_source: None, source_parameter: Some(""), ref_parameter: None, ..all }, Some("example.com")),
        (Origin { utm_source: Some("  News  "), ..NOTHING }, Some("News")),
        (Origin { utm_campaign: Some("spring"), ..NOTHING }, None),
        (NOTHING, None),
    ] {
        assert_eq!(source_of(&origin), expected, "{origin:?}");
    }
}

#[test]
fn the_channel_follows_the_order_of_the_rules() {
    use Channel::*;
    for (origin, expected) in [
        // Paid, by the source.
        (utm("google", "cpc"), PaidSearch),
        (utm("Google", "CPC"), PaidSearch),
        (utm("bing", "ppc"), PaidSearch),
        (utm("facebook", "paid_social"), PaidSocial),
        (utm("facebook", "paid"), PaidSocial),
        (utm("youtube", "paidvideo"), PaidVideo),
        (utm("youtube", "cpc"), PaidVideo),
        (utm("someone", "display"), Display),
        (utm("someone", "banner"), Display),
        (utm("someone", "cpc"), Display),
        (utm("chatgpt.com", "cpc"), Display),
        (Origin { utm_medium: Some("cpc"), ..NOTHING }, Display),
        (Origin { utm_medium: Some("cpc"), ..from("google.com") }, PaidSearch),
        // A click id is paid for, whatever the medium says.
        (Origin { click_id: Some(ClickId::Search), ..from("google.com/search") }, PaidSearch),
        (Origin { click_id: Some(ClickId::Search), ..from("youtube.com") }, PaidVideo),
        (Origin { click_id: Some(ClickId::Search), ..NOTHING }, PaidSearch),
        (Origin { click_id: Some(ClickId::Search), ..utm("spring", "email") }, PaidSearch),
        (Origin { click_id: Some(ClickId::Social), ..NOTHING }, PaidSocial),
        (Origin { click_id: Some(ClickId::Display), ..from("example.com") }, Display),
        // By the medium, before the source.
        (utm("google", "email"), Email),
        (utm("spring", "newsletter"), Email),
        (utm("partner", "affiliate"), Affiliate),
        (utm("app", "push"), Push),
        (utm("app", "web-push"), Push),
        (utm("app", "SMS"), Sms),
        // By the source's kind.
        (utm("google", "organic"), OrganicSearch),
        (Origin { source_parameter: Some("duckduckgo"), ..NOTHING }, OrganicSearch),
        (Origin { ref_parameter: Some("twitter"), ..NOTHING }, OrganicSocial),
        (from("google.co.uk"), OrganicSearch),
        (from("t.co/abc"), OrganicSocial),
        (from("m.youtube.com/watch"), OrganicVideo),
        (from("chatgpt.com"), Ai),
        (utm("chatgpt.com", ""), Ai),
        (utm("newsletter", "link"), Email),
        (from("mail.google.com/mail/u/0"), Email),
        // A referer; a campaign of unknown medium; nothing.
        (from("example.com/blog"), Referral),
        (Origin { referer: Some("example.com"), ..utm("partner", "link") }, Referral),
        (Origin { referer: Some("google.com"), ..utm("partner", "link") }, Referral),
        (utm("partner", "link"), Campaign),
        (Origin { utm_campaign: Some("spring"), ..NOTHING }, Campaign),
        (Origin { ref_parameter: Some("leaflet"), ..NOTHING }, Campaign),
        (Origin { utm_source: Some(" "), ..NOTHING }, Direct),
        (NOTHING, Direct),
    ] {
        assert_eq!(channel_of(&origin), expected, "{origin:?}");
    }
}

#[test]
fn hosts_and_names_have_the_kind_people_expect() {
    use Kind::*;
    for (sources, expected) in [
        (
            "google Google google.com www.google.com www.google.co.uk google.de google.com.au images.google.com news.google.com \
             bing bing.com cn.bing.com duckduckgo.com html.duckduckgo.com ecosia.org www.ecosia.org search.brave.com qwant.com \
             startpage.com kagi.com yandex.ru ya.ru baidu.com www.baidu.com m.baidu.com naver.com search.naver.com seznam.cz \
             search.yahoo.com uk.search.yahoo.com r.search.yahoo.com yahoo.com scholar.google.com lens.google.com sogou.com \
             com.google.android.googlequicksearchbox mojeek.com search.marginalia.nu",
            Some(Search),
        ),
        (
            "t.co x.com twitter.com facebook.com l.facebook.com m.facebook.com lm.facebook.com de-de.facebook.com fb ig instagram.com \
             l.instagram.com linkedin.com www.linkedin.com lnkd.in com.linkedin.android reddit.com old.reddit.com out.reddit.com \
             news.ycombinator.com pinterest.com pinterest.de mastodon.social bsky.app go.bsky.app threads.net l.threads.com vk.com \
             away.vk.com weibo.com discord.com t.me web.telegram.org github.com stackoverflow.com someone.tumblr.com quora.com",
            Some(Social),
        ),
        (
            "youtube.com www.youtube.com m.youtube.com youtu.be youtube vimeo.com player.vimeo.com twitch.tv tiktok.com dailymotion.com \
             bilibili.com rumble.com",
            Some(Video),
        ),
        (
            "chatgpt.com chat.openai.com perplexity.ai www.perplexity.ai claude.ai gemini.google.com copilot.microsoft.com \
             chat.deepseek.com grok.com meta.ai chat.mistral.ai poe.com you.com chatgpt perplexity",
            Some(Ai),
        ),
        (
            "mail.google.com outlook.live.com outlook.office.com mail.yahoo.com mail.proton.me gmail newsletter email e.mail.ru \
             com.google.android.gm navigator-bs.gmx.net mailchi.mp app.fastmail.com",
            Some(Email),
        ),
        (
            "example.com docs.google.com meet.google.com drive.google.com support.google.com finance.yahoo.com wikipedia.org \
             en.wikipedia.org notgoogle.com google.com.evil.org facebook.com.evil.org com co.uk . .. partner leaflet amazon.com \
             www.amazon.com cloud.yandex.com whatever.google.com",
            None,
        ),
    ] {
        for source in sources.split_whitespace() {
            assert_eq!(kind_of(source), expected, "{source}");
        }
    }
}

#[test]
fn a_click_id_is_told_by_its_parameter() {
    for (name, expected) in [
        ("gclid", Some(ClickId::Search)),
        ("GCLID", Some(ClickId::Search)),
        ("wbraid", Some(ClickId::Search)),
        ("msclkid", Some(ClickId::Search)),
        ("ttclid", Some(ClickId::Social)),
        ("li_fat_id", Some(ClickId::Social)),
        ("ScCid", Some(ClickId::Social)),
        ("dclid", Some(ClickId::Display)),
        ("fbclid", None),
        ("utm_source", None),
        ("", None),
    ] {
        assert_eq!(ClickId::of_parameter(name), expected, "{name}");
    }
}

#[test]
fn every_row_of_the_lists_has_a_known_kind() {
    for line in OWN.lines().chain(PACKAGE.lines()).filter(|line| !line.starts_with('#')) {
        let (kind, sources) = line.split_once('\t').expect("kind and sources");
        assert!(kind == "none" || kind_named(kind).is_some(), "{line}");
        assert!(sources.split(' ').all(|source| !source.is_empty() && source == source.to_lowercase()), "{line}");
    }
    assert!(LISTS.hosts.len() > 1_500 && LISTS.names.len() > 60);
}

#[test]
fn every_channel_has_its_own_name() {
    use Channel::*;
    let all = [
        PaidSearch,
        PaidSocial,
        PaidVideo,
        Display,
        Email,
        Affiliate,
        Push,
        Sms,
        OrganicSearch,
        OrganicSocial,
        OrganicVideo,
        Ai,
        Referral,
        Campaign,
        Direct,
    ];
    let names: std::collections::HashSet<_> = all.iter().map(|channel| channel.name()).collect();
    assert_eq!(names.len(), all.len());
}
