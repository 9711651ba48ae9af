//! Actions: what was done, where the sender does not say.
//! - The order of the rows is part of the meaning: the first that matches counts.

use super::context::Receiver;
use super::draft::Draft;
use super::path::extension;
use super::routes::Route;
use super::site::SiteRules;
use crate::event::{Known, Value};

/// Extensions of parts of a page: their requests are no views.
const ASSETS: &str = "atom avif bmp cjs css cur eot gif ico jpe jpeg jpg js json jsonld map mjs otf png rss svg svgz \
    swf ttf wasm webmanifest webp woff woff2 xml xsl xslt";

/// Keys whose presence without a page makes an event a `timing`.
const TIMINGS: [Known; 6] = [Known::TtfbMs, Known::FcpMs, Known::LcpMs, Known::InpMs, Known::Cls, Known::LoadMs];

/// Files that programs ask for.
const HOUSEKEEPING: [&str; 3] = ["robots.txt", "favicon.ico", "ads.txt"];

/// An action, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The action.
    pub action: String,
    /// `error_type` or `format` that it brings.
    pub adds: Option<(Known, String)>,
    /// The row that matched.
    pub because: &'static str,
}

/// The action of an event that names none. `route` is the one its path matches.
pub fn decide(draft: &Draft, receiver: Receiver, rules: &SiteRules, route: Option<&Route>) -> Decision {
    if draft.known(Known::ErrorType).is_some() || draft.known(Known::Stack).is_some() {
        return plain("error", "it has error_type or stack");
    }
    if draft.is_access {
        return of_access_line(draft, rules, route);
    }
    if draft.known(Known::Path).is_none() && TIMINGS.iter().any(|key| draft.known(*key).is_some()) {
        return plain("timing", "it has page performance and no path");
    }
    match receiver {
        Receiver::Tick | Receiver::Pixel => plain("view", "it came from a page or an application"),
        Receiver::Log | Receiver::File => plain("log", "it came from a receiver of logs"),
    }
}

fn of_access_line(draft: &Draft, rules: &SiteRules, route: Option<&Route>) -> Decision {
    let status = match draft.known(Known::Status) {
        Some(Value::Int(status)) => *status,
        _ => 0,
    };
    if status >= 400 {
        let adds = Some((Known::ErrorType, "http".to_owned()));
        return Decision { adds, ..plain("error", "its status is 400 or more") };
    }
    let action = route.and_then(|route| Some((route, route.action()?)));
    if let Some((_, action)) = action.filter(|(route, _)| route.method().is_some()) {
        return plain(action, "a route with its method matches");
    }
    let redirected = (300..400).contains(&status) && status != 304;
    if draft.text(Known::Method) != Some("GET") || status < 200 || status == 206 || redirected {
        return plain("request", "it is no GET of a whole answer");
    }
    if let Some((_, action)) = action {
        return plain(action, "a route matches");
    }
    of_path(draft.text(Known::Path).unwrap_or("/"), rules)
}

fn of_path(path: &str, rules: &SiteRules) -> Decision {
    let bare = path.split(['?', '#']).next().unwrap_or_default();
    let last = bare.rsplit('/').next().unwrap_or_default();
    let site_map = last.starts_with("sitemap") && last.ends_with(".xml");
    if HOUSEKEEPING.contains(&last) || site_map || bare.starts_with("/.well-known/") {
        return plain("request", "programs ask for this file");
    }
    let Some(extension) = extension(bare) else {
        return plain("view", "its path is a page");
    };
    if rules.download_extensions.contains(&extension) {
        let adds = Some((Known::Format, extension));
        return Decision { adds, ..plain("download", "its path ends in a download's extension") };
    }
    if ASSETS.split_ascii_whitespace().any(|asset| asset == extension) {
        return plain("request", "its path ends in the extension of a part of a page");
    }
    plain("view", "its path is a page")
}

fn plain(action: &str, because: &'static str) -> Decision {
    Decision { action: action.to_owned(), adds: None, because }
}

/// The format of a download that names none.
pub fn default_format(path: Option<&str>) -> String {
    path.and_then(extension).unwrap_or_else(|| "other".to_owned())
}
