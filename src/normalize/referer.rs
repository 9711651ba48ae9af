//! Referer: the page somebody came from, in one form.
//! - Host in lower case without `www.`, default port or final dot, then the path without trailing slashes:
//!   `arcgis.com`, `washingtonpost.com/articles/dc-news`. No scheme, user, query or fragment: they identify people.
//! - What is already in that form stays as it is. What is no address is `None`, and stays the sender's free key.
//! - Punycode stays; apps (`android-app://com.google.android.gm`) are hosts like any other.
//! - Absent: whether the referer is the site itself (`normalize` knows its hosts).

use std::net::Ipv6Addr;

/// The normal form of a referer; `None` where the text is no address of a page.
pub fn normalize(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = split_scheme(text)?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = normal_host(authority, scheme)?;
    let path = tail.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    // Control characters and blanks have no place in an address: such text only looks like one.
    if path.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return None;
    }
    Some(host + path)
}

/// The host of a normalized referer, without a port.
pub fn host_of(referer: &str) -> &str {
    let authority = referer.split('/').next().unwrap_or_default();
    if authority.starts_with('[') {
        return authority.find(']').map_or(authority, |end| &authority[..=end]);
    }
    authority.split(':').next().unwrap_or_default()
}

/// How the text begins: which decides what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme<'a> {
    Named(&'a str),
    /// `//host/path`.
    Relative,
    /// `host/path`: a referer in its normal form, or somebody's shorthand.
    Absent,
}

fn split_scheme(text: &str) -> Option<(Scheme<'_>, &str)> {
    if let Some(rest) = text.strip_prefix("//") {
        return Some((Scheme::Relative, rest));
    }
    // Only a scheme at the front counts: `host/path?next=https://…` has none.
    match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => Some((Scheme::Named(scheme), rest)),
        Some((before, _)) if !before.contains(['/', '?', '#']) => None,
        _ => Some((Scheme::Absent, text)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'-' | b'.'))
}

fn normal_host(authority: &str, scheme: Scheme<'_>) -> Option<String> {
    // Without a scheme `anna@example.com` is a person.
    if scheme == Scheme::Absent && authority.contains('@') {
        return None;
    }
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = split_port(authority)?;
    let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
    // All of them, so that a normal form stays as it is; `www.com` is a name.
    let mut host = host.as_str();
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    let known = if scheme == Scheme::Absent { is_public_name(host) } else { is_host(host) };
    if !known {
        return None;
    }
    Some(if port.is_empty() || is_default_port(scheme, port) { host.to_owned() } else { format!("{host}:{port}") })
}

/// Host and port; the port is empty where none is given.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    let after_address = authority.find(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[after_address..].split_once(':') {
        Some((before, port)) => (&authority[..after_address + before.len()], port),
        None => (authority, ""),
    };
    if port.is_empty() {
        return Some((host, ""));
    }
    port.bytes().all(|digit| digit.is_ascii_digit()).then_some(())?;
    port.parse::<u16>().ok().map(|_| (host, port))
}

fn is_default_port(scheme: Scheme<'_>, port: &str) -> bool {
    match scheme {
        Scheme::Named(name) if name.eq_ignore_ascii_case("http") => port == "80",
        Scheme::Named(name) if name.eq_ignore_ascii_case("https") => port == "443",
        Scheme::Relative => matches!(port, "80" | "443"),
        // In a normal form a port is there because it is none of the defaults.
        Scheme::Named(_) | Scheme::Absent => false,
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    // Letters of any script: most senders write punycode, some do not.
    let fits = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    host.len() <= 253 && host.split('.').all(fits)
}

/// Without a scheme only a name that ends like one on the Internet is a host: `index.html` is not told from it, `foo` is.
fn is_public_name(host: &str) -> bool {
    let top = host.rsplit('.').next().unwrap_or_default();
    let is_name = host.contains('.') && top.chars().count() >= 2 && top.starts_with(char::is_alphabetic);
    is_host(host) && (is_name || host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referer_has_one_form() {
        for (text, expected) in [
            ("https://www.arcgis.com/", "arcgis.com"),
            ("https://www.washingtonpost.com/articles/dc-news/?utm=1#top", "washingtonpost.com/articles/dc-news"),
            ("http://EXAMPLE.com", "example.com"),
            ("HTTP://Example.Com/Path/", "example.com/Path"),
            ("http://example.com:80/a", "example.com/a"),
            ("https://example.com:443/a", "example.com/a"),
            ("https://example.com:80/a", "example.com:80/a"),
            ("http://example.com:8080/a", "example.com:8080/a"),
            ("http://example.com:/a", "example.com/a"),
            ("https://user:secret@example.com/a", "example.com/a"),
            ("https://a@b@example.com/", "example.com"),
            ("https://example.com./a", "example.com/a"),
            ("https://example.com///", "example.com"),
            ("https://example.com/a///", "example.com/a"),
            ("https://example.com//a", "example.com//a"),
            ("https://example.com?q=secret", "example.com"),
            ("https://example.com#q", "example.com"),
            ("https://example.com/a?next=https://other.org/", "example.com/a"),
            ("//www.example.com/a", "example.com/a"),
            ("https://www.com/", "www.com"),
            ("https://www.gov.uk/x", "gov.uk/x"),
            ("https://www.www.example.com/", "example.com"),
            ("https://xn--bcher-kva.de/liste", "xn--bcher-kva.de/liste"),
            ("https://Bücher.de/liste", "bücher.de/liste"),
            ("http://localhost/a", "localhost/a"),
            ("http://intranet:8000", "intranet:8000"),
            ("http://192.168.0.1/a", "192.168.0.1/a"),
            ("http://[2001:DB8::1]:8080/a/", "[2001:db8::1]:8080/a"),
            ("http://[::1]/", "[::1]"),
            ("android-app://com.google.android.gm/", "com.google.android.gm"),
            ("android-app://com.slack", "com.slack"),
            ("ios-app://389801252", "389801252"),
            ("  https://example.com/a  ", "example.com/a"),
            ("https://my_host.example.com/", "my_host.example.com"),
            // Already normal: nothing changes.
            ("arcgis.com", "arcgis.com"),
            ("washingtonpost.com/articles/dc-news", "washingtonpost.com/articles/dc-news"),
            ("example.com:8080/a", "example.com:8080/a"),
            ("www.example.com/a?b", "example.com/a"),
            ("example.com/a?next=https://other.org/", "example.com/a"),
            ("192.168.0.1/a", "192.168.0.1/a"),
        ] {
            let normal = normalize(text);
            assert_eq!(normal.as_deref(), Some(expected), "{text}");
            // A name without a dot is no host where no scheme says so.
            if host_of(expected).contains(['.', ':']) {
                assert_eq!(normal.as_deref().and_then(normalize), normal, "twice is once: {text}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            " ",
            "-",
            "direct",
            "localhost",
            "/some/path",
            "?a=b",
            "#top",
            "about:blank",
            "mailto:a@example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://",
            "https:///path",
            "file:///C:/x.html",
            "http://exa mple.com/",
            "http://example.com/a b",
            "http://example.com/\u{0}",
            "http://example.com:port/",
            "http://example.com:99999/",
            "http://exa<b>mple.com/",
            "http://[::1/",
            "http://[zz]/",
            "://example.com",
            "1http://example.com",
            "Hello, world",
            "http://a..b/",
            "http://.example.com/",
            "12.5",
            "http://../x",
        ] {
            assert_eq!(normalize(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_host_is_without_port_and_path() {
        for (referer, host) in [
            ("arcgis.com", "arcgis.com"),
            ("washingtonpost.com/articles", "washingtonpost.com"),
            ("example.com:8080/a", "example.com"),
            ("[2001:db8::1]:8080/a", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("com.google.android.gm", "com.google.android.gm"),
            ("", ""),
        ] {
            assert_eq!(host_of(referer), host);
        }
    }
}
