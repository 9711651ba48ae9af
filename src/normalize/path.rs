//! Paths: what names a page, out of a path or an address.
//! - No scheme, host, query, fragment or trailing slashes; one leading slash; `/` stays `/`, slashes inside stay.
//! - As RFC 3986 normalizes: escapes of unreserved characters decoded, others in upper case, dot segments removed.
//! - A site may let query parameters or a fragment that is a route belong to the path.
//! - What is malformed (`%zz`) or beyond RFC 3986 (raw letters beyond ASCII) stays as it is.

use super::site::SiteRules;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The parts of an address or a path, as they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// Host and port, without the user's name.
    pub host: Option<&'a str>,
    /// All between host and query.
    pub path: &'a str,
    /// Without its `?`.
    pub query: Option<&'a str>,
    /// Without its `#`.
    pub fragment: Option<&'a str>,
}

/// Splits an address: with scheme and host, with host alone (`//host/x`), or with neither. `None` for addresses that have
/// no path in this sense (`mailto:`, `data:`, `about:blank`).
pub fn split(text: &str) -> Option<Address<'_>> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("//") else {
        return match after_scheme(text) {
            Some(rest) => rest.strip_prefix("//").map(with_host),
            None => Some(relative(text)),
        };
    };
    Some(with_host(rest))
}

/// Splits a path: as [`split`], but `//x` is a path here.
pub fn split_path(text: &str) -> Address<'_> {
    let text = text.trim();
    match after_scheme(text).and_then(|rest| rest.strip_prefix("//")) {
        Some(rest) => with_host(rest),
        None => relative(text),
    }
}

/// What follows `scheme:`; `localhost:8080` has no scheme.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let mut letters = scheme.bytes();
    let plain = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let port = rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    (plain && !port).then_some(rest)
}

fn with_host(rest: &str) -> Address<'_> {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty());
    Address { host, ..relative(tail) }
}

fn relative(text: &str) -> Address<'_> {
    let (text, fragment) = match text.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (text, None),
    };
    let (path, query) = match text.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (text, None),
    };
    Address { host: None, path, query, fragment }
}

/// A host in its one form: lower case, no default port, no dot at the end.
pub fn host(text: &str) -> String {
    let mut host = text.trim().to_lowercase();
    for port in [":80", ":443", ":"] {
        if let Some(bare) = host.strip_suffix(port) {
            host.truncate(bare.len());
            break;
        }
    }
    let bare = host.trim_end_matches('.').len();
    host.truncate(bare);
    host
}

/// A host by which sites are compared: without `www.`.
pub fn bare_host(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// The page of an address, by the rules of its site.
pub fn page<'a>(address: &Address<'a>, rules: &SiteRules) -> Cow<'a, str> {
    let mut page = normalize(address.path);
    for name in &rules.path_parameters {
        let found = address.query.and_then(|query| raw_parameter(query, name));
        if let Some(pair) = found {
            let mark = if page.contains('?') { '&' } else { '?' };
            page = format!("{page}{mark}{}", escapes(pair)).into();
        }
    }
    let route = address.fragment.filter(|_| rules.hash_routes);
    if let Some(route) = route.filter(|route| route.starts_with('/') || route.starts_with("!/")) {
        let route = route.split('?').next().unwrap_or_default().trim_end_matches('/');
        if !matches!(route, "" | "!") {
            page = format!("{page}#{}", escapes(route)).into();
        }
    }
    page
}

/// A path in its one form.
pub fn normalize(path: &str) -> Cow<'_, str> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let decoded = escapes(path.trim());
    let mut whole = String::with_capacity(decoded.len() + 1);
    whole.push('/');
    whole.push_str(decoded.trim_start_matches('/'));
    let mut clean = without_dots(&whole);
    clean.truncate(clean.trim_end_matches('/').len().max(1));
    Cow::Owned(clean)
}

/// Whether nothing would change.
fn is_normal(path: &str) -> bool {
    let bytes = path.as_bytes();
    let ends_well = path.len() == 1 || !path.ends_with('/');
    bytes.first() == Some(&b'/')
        && ends_well
        && bytes.get(1) != Some(&b'/')
        && !bytes.contains(&b'%')
        && !path.contains("/.")
        && path.trim().len() == path.len()
}

/// Escapes of unreserved characters decoded, others in upper case.
fn escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(char::from(byte)),
            Some(byte) => out.push_str(&format!("%{byte:02X}")),
            None => out.push('%'),
        }
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Dot segments removed (RFC 3986, 5.2.4); `path` begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The parameters of a query, decoded as forms are.
pub fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn raw_parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find(|pair| decoded(pair.split('=').next().unwrap_or_default()) == name)
}

/// `%XX` and `+` decoded; bytes that are no UTF-8 become U+FFFD.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned())
}

/// Whether a name is in a list whose entries may end in `*`.
pub fn listed(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| match entry.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => entry == name,
    })
}

/// The last segment's extension, in lower case: 1 to 12 ASCII letters and digits, one letter at least, behind a name.
pub fn extension(path: &str) -> Option<String> {
    let page = path.split(['?', '#']).next().unwrap_or_default();
    let (stem, extension) = page.rsplit('/').next()?.rsplit_once('.')?;
    let fits = (1..=12).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && extension.bytes().any(|byte| byte.is_ascii_alphabetic());
    (!stem.is_empty() && fits).then(|| extension.to_ascii_lowercase())
}

#[cfg(test)]
#[path = "tests/path.rs"]
mod tests;
