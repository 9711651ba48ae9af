//! Device: the kind of thing somebody holds, by the words of its user agent and its system.
//! - uap-core tells brand and model; which of them is a tablet it does not say, so these rules are ours.
//! - A tablet that claims to be a desktop (iPadOS asking for desktop pages) is one: nothing in the agent tells.

/// The kind of device, as `device` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Device {
    /// A desktop or laptop computer.
    Desktop,
    /// A phone.
    Mobile,
    /// A tablet or reader.
    Tablet,
    /// A crawler, monitor or headless browser.
    Bot,
    /// Anything else: a television, a console, a headset, a library; or not known.
    #[default]
    Other,
}

impl Device {
    /// Its word: `desktop`, `mobile`, `tablet`, `bot`, `other`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
            Self::Tablet => "tablet",
            Self::Bot => "bot",
            Self::Other => "other",
        }
    }
}

/// Televisions, consoles, headsets, cars: they name themselves, whatever system they run.
const THINGS: &[&str] = &[
    "SmartTV",
    "SMART-TV",
    "Smart TV",
    "HbbTV",
    "GoogleTV",
    "Google TV",
    "Android TV",
    "AppleTV",
    "Apple TV",
    "BRAVIA",
    "Web0S",
    "webOS.TV",
    "NetCast",
    "Viera",
    "AFTB",
    "AFTM",
    "AFTS",
    "AFTT",
    "AFTK",
    "AFTR",
    "AFTA",
    "CrKey",
    "Roku",
    "PlayStation",
    "PLAYSTATION",
    "Xbox",
    "Nintendo",
    "OculusBrowser",
    "Quest 2",
    "Quest 3",
    "TV Safari",
    "DTV",
    "Tesla/",
    "QtCarBrowser",
    "Watch OS",
    "watchOS",
    "InternetTV",
    "OPR/TV",
    "; TV",
    "(TV;",
];
const TABLETS: &[&str] = &[
    "iPad", "Tablet", "tablet", "PlayBook", "Kindle", "Silk/", "Nexus 7", "Nexus 9", "Nexus 10", "SM-T", "GT-P",
    "SM-X", "TouchPad", "Xoom", "KFAPWI",
];
const PHONES: &[&str] = &[
    "iPhone",
    "iPod",
    "Windows Phone",
    "IEMobile",
    "BlackBerry",
    "BB10",
    "Opera Mini",
    "Opera Mobi",
    "KAIOS",
    "Symbian",
    "SymbOS",
    "Series60",
    "MIDP",
    "J2ME",
    "UP.Browser",
    "Mobile",
    "Windows CE",
    "webOS/",
    "PalmOS",
    "Maemo",
    "MeeGo",
    "Nokia",
    "DoCoMo",
    "WAP",
    "MAUI",
    "Openwave",
    "UP.Link",
];
const DESKTOPS: &[&str] = &[
    "Windows NT",
    "Windows 9",
    "Win98",
    "Win95",
    "WinNT",
    "Windows;",
    "Macintosh",
    "Mac_PowerPC",
    "X11",
    "CrOS",
    "Linux x86_64",
    "Linux i686",
];

/// The device of this agent; the system decides where no word does.
pub(super) fn of(user_agent: &str, os: Option<&str>) -> Device {
    let has = |words: &[&str]| words.iter().any(|word| user_agent.contains(word));
    if has(THINGS) {
        return Device::Other;
    }
    // Phones that want desktop pages say Macintosh or X11; a tablet or phone that names itself is believed first.
    if has(TABLETS) && !user_agent.contains("Tablet PC") {
        return Device::Tablet;
    }
    // A browser on Android says "Mobile" on phones alone; an application's own requests (Dalvik) never do.
    if user_agent.contains("Android") {
        return if has(PHONES) || user_agent.starts_with("Dalvik/") { Device::Mobile } else { Device::Tablet };
    }
    if has(PHONES) {
        return Device::Mobile;
    }
    if has(DESKTOPS) {
        return Device::Desktop;
    }
    match os {
        Some("iOS" | "Android") => Device::Mobile,
        Some("macOS" | "Windows" | "Linux" | "Ubuntu" | "Chrome OS") => Device::Desktop,
        _ => Device::Other,
    }
}
