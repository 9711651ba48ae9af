//! Browsers and systems by the rules of uap-core (`data/uap-core.tsv`).
//! - The first rule that matches speaks; a rule file that does not load knows no browser, and a test loads it.
//! - Families are folded to the names people use: the variant of a phone is its device's business.

use crate::event::Text;
use std::sync::LazyLock;
use ua_parser::{os, user_agent};

const RULES: &str = include_str!("../../../data/uap-core.tsv");

struct Rules {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

static LOADED: LazyLock<Option<Rules>> = LazyLock::new(|| load(RULES).ok());

/// Family and version of the browser.
pub(super) fn browser(agent: &str) -> Option<(Text, Option<Text>)> {
    let found = LOADED.as_ref()?.browsers.extract(agent)?;
    let family = family_name(found.family.trim());
    if family.is_empty() || family == "Other" {
        return None;
    }
    let version = found.major.filter(|major| !major.is_empty()).map(|major| match found.minor {
        Some(minor) if !minor.is_empty() && minor.bytes().any(|digit| digit != b'0') => {
            format!("{major}.{minor}").into()
        }
        _ => major.into(),
    });
    Some((family.into(), version))
}

/// Name of the system.
pub(super) fn system(agent: &str) -> Option<Text> {
    let found = LOADED.as_ref()?.systems.extract(agent)?;
    let name = match found.os.trim() {
        "" | "Other" => return None,
        "Mac OS X" | "Mac OS" => "macOS",
        "Web0S" => "webOS",
        "Windows Phone" | "Windows Mobile" | "Windows CE" => "Windows Phone",
        name if name.starts_with("Windows") => "Windows",
        name if name.starts_with("Symbian") => "Symbian",
        name => name,
    };
    Some(name.into())
}

fn family_name(family: &str) -> &str {
    match family {
        "Chrome Mobile" | "Chrome Mobile iOS" => "Chrome",
        "Chrome Mobile WebView" => "Chrome WebView",
        "Mobile Safari" => "Safari",
        "Mobile Safari UI/WKWebView" => "Safari WebView",
        "Firefox Mobile" | "Firefox iOS" => "Firefox",
        "Edge Mobile" => "Edge",
        "Opera Mobile" | "Opera Tablet" => "Opera",
        "IE" | "IE Mobile" => "Internet Explorer",
        "DuckDuckGo Mobile" => "DuckDuckGo",
        "Brave Mobile" => "Brave",
        family => family,
    }
}

fn load(text: &'static str) -> Result<Rules, ua_parser::Error> {
    let mut browsers = user_agent::Builder::new();
    let mut systems = os::Builder::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let kind = fields.next();
        let regex = fields.next().unwrap_or_default().into();
        let mut given = || fields.next().filter(|field| !field.is_empty()).map(Into::into);
        if kind == Some("system") {
            systems = systems.push(os::Parser { regex, os_replacement: given(), ..Default::default() })?;
            continue;
        }
        let family_replacement = given();
        let (v1_replacement, v2_replacement) = (given(), given());
        let rule =
            user_agent::Parser { regex, family_replacement, v1_replacement, v2_replacement, ..Default::default() };
        browsers = browsers.push(rule)?;
    }
    Ok(Rules { browsers: browsers.build()?, systems: systems.build()? })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_loads() {
        super::load(super::RULES).map(drop).expect("the rule file loads");
    }
}
