//! Client addresses: whose request it is when proxies stand between.
//! - Only a configured proxy is believed; the client is the right-most hop that is none.
//! - Where both headers speak and disagree, one of them came through the proxy unseen: the proxy's own address stands.
//! - Addresses never leave memory: no log line, no error, no header carries one.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// Whose request it is: the peer, or, where that is one of `trusted`, the right-most hop in front of it that is none.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_proxy = |address| trusted.iter().any(|network| network.contains(&address));
    if trusted.is_empty() || !is_proxy(peer) {
        return peer;
    }
    let legacy = nearest(x_forwarded_for(headers), peer, is_proxy);
    let standard = nearest(forwarded(headers), peer, is_proxy);
    match (legacy, standard) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(address), _) | (None, Some(address)) => address,
        (None, None) => peer,
    }
}

/// From the right, the first hop that is no proxy; the proxy before a hop that does not parse; `None` without hops.
fn nearest(
    hops: impl Iterator<Item = Option<IpAddr>>,
    peer: IpAddr,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut last = None;
    for hop in hops {
        match hop {
            Some(address) if is_proxy(address) => last = Some(address),
            Some(address) => return Some(address),
            None => return Some(last.unwrap_or(peer)),
        }
    }
    last
}

/// The hops of `X-Forwarded-For`, nearest first.
fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, "x-forwarded-for").map(hop)
}

/// The hops of `Forwarded` (RFC 7239), nearest first.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, "forwarded").map(|element| {
        let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        hop(node.trim().trim_matches('"'))
    })
}

fn elements<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    // A line that is no text hides its hops: an element that does not parse stands for it.
    let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(','))
}

/// `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]`, `[::1]:5`.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        let address: Ipv6Addr = rest.split_once(']')?.0.parse().ok()?;
        return Some(IpAddr::V6(address).to_canonical());
    }
    let address = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddrV4>().ok().map(|socket| IpAddr::V4(*socket.ip()));
    address.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const LEGACY: &str = "x-forwarded-for";
    const STANDARD: &str = "forwarded";

    #[test]
    fn the_client_is_the_right_most_hop_that_is_no_proxy() {
        type Lines = &'static [(&'static str, &'static str)];
        let table: &[(&str, Lines, &str)] = &[
            ("9.9.9.9", &[(LEGACY, "1.1.1.1")], "9.9.9.9"), // no proxy: not believed
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[(LEGACY, "6.6.6.6, 1.1.1.1")], "1.1.1.1"),
            ("10.0.0.1", &[(LEGACY, "6.6.6.6, 1.1.1.1, 10.0.0.2")], "1.1.1.1"),
            ("10.0.0.1", &[(LEGACY, "6.6.6.6"), (LEGACY, "1.1.1.1:80")], "1.1.1.1"),
            ("10.0.0.1", &[(LEGACY, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(LEGACY, "1.1.1.1, unknown")], "10.0.0.1"),
            ("10.0.0.1", &[(LEGACY, "1.1.1.1, unknown, 10.0.0.2")], "10.0.0.2"),
            ("::ffff:10.0.0.1", &[(LEGACY, "[2001:db8::1]:443")], "2001:db8::1"),
            ("::1", &[(STANDARD, "for=6.6.6.6, for=\"[2001:db8::7]:1\";proto=https")], "2001:db8::7"),
            ("::1", &[(STANDARD, "proto=http;For=1.1.1.1")], "1.1.1.1"),
            ("::1", &[(STANDARD, "for=_hidden")], "::1"),
            ("::1", &[(STANDARD, "for=1.1.1.1"), (LEGACY, "1.1.1.1")], "1.1.1.1"),
            ("::1", &[(STANDARD, "for=6.6.6.6"), (LEGACY, "1.1.1.1")], "::1"),
        ];
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "::1/128"].iter().map(|net| net.parse().unwrap()).collect();
        for (peer, lines, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *lines {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            let found = client(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        }
    }
}
