use super::*;

fn at(text: &str) -> Millis {
    text.parse::<jiff::Timestamp>().expect("a time").as_millisecond()
}

#[test]
fn the_day_is_the_calendar_day_in_the_sites_zone() {
    let rows = [
        ("UTC", "2015-05-17T23:59:59.999Z", "2015-05-17"),
        ("UTC", "2015-05-18T00:00:00Z", "2015-05-18"),
        ("UTC", "1969-12-31T23:59:59.999Z", "1969-12-31"),
        ("Europe/Berlin", "2015-05-17T22:00:00Z", "2015-05-18"),
        ("Europe/Berlin", "2015-05-17T21:59:59.999Z", "2015-05-17"),
        ("Europe/Berlin", "2015-01-17T22:30:00Z", "2015-01-17"),
        ("America/New_York", "2015-03-08T04:59:59Z", "2015-03-07"),
        // Days of 23 and of 25 hours, one that begins at one o'clock, and one that never was.
        ("Europe/Berlin", "2015-03-28T23:00:00Z", "2015-03-29"),
        ("Europe/Berlin", "2015-03-29T21:59:59.999Z", "2015-03-29"),
        ("Europe/Berlin", "2015-03-29T22:00:00Z", "2015-03-30"),
        ("Europe/Berlin", "2015-10-24T22:00:00Z", "2015-10-25"),
        ("Europe/Berlin", "2015-10-25T22:59:59.999Z", "2015-10-25"),
        ("Europe/Berlin", "2015-10-25T23:00:00Z", "2015-10-26"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04"),
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
        ("Asia/Kathmandu", "2015-05-17T18:15:00Z", "2015-05-18"),
    ];
    for (zone, moment, day) in rows {
        let mut rules = SiteRules::named("s");
        rules.zone = jiff::tz::TimeZone::get(zone).expect("a zone");
        assert_eq!(rules.day(at(moment)).to_string(), day, "{zone} {moment}");
    }
}

#[test]
fn networks_hold_the_addresses_that_share_their_first_bits() {
    let rows = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("10.1.2.3/32", "10.1.2.3", true),
        ("10.1.2.3/32", "10.1.2.4", false),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
    ];
    for (network, ip, inside) in rows {
        let mut rules = SiteRules::named("s");
        rules.internal_networks = vec![network.parse().expect(network)];
        assert_eq!(rules.is_internal(ip.parse().expect(ip)), inside, "{network} {ip}");
    }
}

#[test]
fn a_site_without_rules_has_the_default_ones() {
    let mut shop = SiteRules::named("shop");
    shop.retention_days = Some(3);
    let sites = Sites::new(vec![shop], SiteRules::named(DEFAULT_SITE));
    assert_eq!(sites.get("shop").retention_days, Some(3));
    assert_eq!(sites.get("elsewhere").retention_days, None);
    assert_eq!(sites.named().count(), 1);
}
