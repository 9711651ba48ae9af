//! Sites: the rules that an operator sets for each application.
//! - A site without rules of its own has the default ones; any name is a site.
//! - The day of an event is the calendar day in its site's zone.

use super::routes::Route;
use crate::clock::Millis;
use crate::event::Day;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

const DAY_MS: i64 = 86_400_000;

/// The name of the site of events that name none.
pub const DEFAULT_SITE: &str = "default";

/// File extensions that are downloads, unless a site says otherwise.
pub const DOWNLOAD_EXTENSIONS: &str = "7z aac apk arc arj asc avi azw3 bin bz bz2 csv deb dmg doc docx epub exe flv \
    gdb gem geojson geotiff gpkg gpx gz gzip ics iso jar kml kmz las laz m4a m4v mobi mov mp3 mp4 mpeg mpg msi nc \
    ndjson odb odf odg odp ods odt ogg ogv parquet pbf pdf pkg ppt pptx ps rar rpm rtf shp sit sql tar tbz tbz2 tgz \
    tif tiff topojson torrent tsv txt wav webm wma wmv xls xlsx xz z zip zst";

/// Query parameters of `url` that become keys, unless a site says otherwise; a `*` at the end stands for any ending.
pub const KEPT_PARAMETERS: [&str; 3] = ["utm_*", "source", "ref"];

/// What a site does with events whose sender signals that it does not want to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gpc {
    /// The event counts, without visitor and user.
    #[default]
    Count,
    /// The event is left out.
    Drop,
    /// The signal is not heeded.
    Ignore,
}

/// The rules of one site.
#[derive(Debug, Clone)]
pub struct SiteRules {
    /// Its name.
    pub name: String,
    /// The zone of its calendar days.
    pub zone: jiff::tz::TimeZone,
    /// Its own hosts: referers from them are none. Lower case, without `www.` and default port.
    pub hosts: Vec<String>,
    /// Origins of the pages that may write to it; where there are none, any may.
    pub origins: Vec<String>,
    /// Query parameters of `url` that become keys; a `*` at the end stands for any ending.
    pub kept_parameters: Vec<String>,
    /// Query parameters that belong to `path` (`?id=`), in this order.
    pub path_parameters: Vec<String>,
    /// Whether a fragment that is a route (`#/x`) belongs to `path`.
    pub hash_routes: bool,
    /// The query parameter that becomes `search`.
    pub search_parameter: Option<String>,
    /// Its routes; the first that matches counts.
    pub routes: Vec<Route>,
    /// Extensions that are downloads, lower case.
    pub download_extensions: Vec<String>,
    /// Networks whose events are left out.
    pub internal_networks: Vec<IpNet>,
    /// What the privacy signal does.
    pub gpc: Gpc,
    /// Days after which its events are deleted; an older event is not taken.
    pub retention_days: Option<u32>,
}

impl SiteRules {
    /// The default rules under a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            zone: jiff::tz::TimeZone::UTC,
            hosts: Vec::new(),
            origins: Vec::new(),
            kept_parameters: KEPT_PARAMETERS.map(str::to_owned).to_vec(),
            path_parameters: Vec::new(),
            hash_routes: false,
            search_parameter: None,
            routes: Vec::new(),
            download_extensions: DOWNLOAD_EXTENSIONS.split_ascii_whitespace().map(str::to_owned).collect(),
            internal_networks: Vec::new(),
            gpc: Gpc::default(),
            retention_days: None,
        }
    }

    /// The calendar day of a moment in the site's zone.
    pub fn day(&self, at: Millis) -> Day {
        let offset_ms = match jiff::Timestamp::from_millisecond(at) {
            Ok(moment) if self.zone != jiff::tz::TimeZone::UTC => {
                i64::from(self.zone.to_offset(moment).seconds()) * 1000
            }
            _ => 0,
        };
        let days = at.saturating_add(offset_ms).div_euclid(DAY_MS);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Whether a page of this origin may write to it; what is no page has none.
    pub fn takes_from(&self, origin: Option<&str>) -> bool {
        self.origins.is_empty() || origin.is_none_or(|origin| self.origins.iter().any(|listed| listed == origin))
    }

    /// Whether the site leaves out what comes from this address.
    pub fn is_internal(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.internal_networks.iter().any(|network| network.contains(&ip))
    }
}

/// The rules of every site.
#[derive(Debug, Clone)]
pub struct Sites {
    named: HashMap<String, SiteRules>,
    others: SiteRules,
}

impl Default for Sites {
    fn default() -> Self {
        Self::new(Vec::new(), SiteRules::named(DEFAULT_SITE))
    }
}

impl Sites {
    /// These sites, and the rules of all others.
    pub fn new(sites: Vec<SiteRules>, others: SiteRules) -> Self {
        Self { named: sites.into_iter().map(|rules| (rules.name.clone(), rules)).collect(), others }
    }

    /// The rules of the site of this name.
    pub fn get(&self, name: &str) -> &SiteRules {
        self.named.get(name).unwrap_or(&self.others)
    }

    /// The sites that have rules of their own, in no order.
    pub fn named(&self) -> impl Iterator<Item = &SiteRules> {
        self.named.values()
    }
}

#[cfg(test)]
#[path = "tests/site.rs"]
mod tests;
