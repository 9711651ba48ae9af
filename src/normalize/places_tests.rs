//! Places by a small database made for it (`fixtures/places/make`).

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/places").join(name)
}

#[test]
fn an_address_has_the_place_of_its_network() {
    let places = Places::open(&fixture("city.mmdb")).expect("the fixture opens");
    for (address, country, region, city) in [
        ("192.0.2.1", Some("US"), Some("US-CA"), Some("San Francisco")),
        ("192.0.2.127", Some("US"), Some("US-CA"), Some("San Francisco")),
        ("192.0.2.128", Some("GB"), Some("GB-ENG"), Some("Oxford")),
        ("::ffff:192.0.2.128", Some("GB"), Some("GB-ENG"), Some("Oxford")),
        ("198.51.100.9", Some("SG"), None, None),
        ("203.0.113.9", Some("DE"), Some("DE-BY"), Some("München")),
        ("2001:db8:1::9", Some("FR"), Some("FR-IDF"), Some("Paris")),
        ("2001:db8:2::9", None, None, None),
        ("2001:db8:3::9", None, None, None),
        ("10.0.0.1", None, None, None),
        ("127.0.0.1", None, None, None),
        ("::1", None, None, None),
    ] {
        let place = places.lookup(address.parse().expect("an address"));
        let found = (place.country.as_deref(), place.region.as_deref(), place.city.as_deref());
        assert_eq!(found, (country, region, city), "{address}");
    }
}

#[test]
fn what_is_no_database_of_places_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.mmdb");
    std::fs::write(&text, "no database").expect("a file");
    let mut cut = std::fs::read(fixture("city.mmdb")).expect("the fixture");
    cut.truncate(cut.len() / 2);
    let short = folder.path().join("short.mmdb");
    std::fs::write(&short, cut).expect("a file");
    for (path, kind, said) in [
        (folder.path().join("absent.mmdb"), Kind::Unavailable, "absent.mmdb"),
        (text, Kind::Invalid, "no MaxMind DB"),
        (short, Kind::Invalid, "no MaxMind DB"),
        (fixture("asn.mmdb"), Kind::Invalid, "Test-ASN"),
    ] {
        let error = Places::open(&path).expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn damage_inside_costs_a_place_and_never_a_panic() {
    let whole = std::fs::read(fixture("city.mmdb")).expect("the fixture");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.mmdb");
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&path, damaged).expect("a file");
        let Ok(places) = Places::open(&path) else { continue };
        for address in ["192.0.2.1", "203.0.113.9", "2001:db8:1::9", "::1"] {
            places.lookup(address.parse().expect("an address"));
        }
    }
}
