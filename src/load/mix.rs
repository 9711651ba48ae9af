//! Mix: realistic events as JSON, a pure function of a seed and a number, so that any two runs send the same.
//! - About 300 bytes and 17 keys: views, downloads, clicks, timings and errors of an open-data portal.
//! - Items, pages and visitors follow a power law: few are busy, most are seldom seen.
//! - Times rise with the number over the given span, a little out of order, as real ones are.

use crate::clock::Millis;
use std::io::Write;

/// What the events are like.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Makes one run differ from another.
    pub seed: u64,
    /// The site they belong to.
    pub site: String,
    /// The time of the first.
    pub from: Millis,
    /// How long until the last.
    pub span_ms: u64,
    /// How many events share the span.
    pub events: u64,
    /// Different items.
    pub items: u64,
    /// Different visitors a day.
    pub visitors: u64,
    /// Whether each event has an id.
    pub ids: bool,
}

impl Mix {
    /// A mix of 10,000 items and 20,000 visitors a day, with ids.
    pub fn new(seed: u64, site: &str, from: Millis, span_ms: u64, events: u64) -> Self {
        Self { seed, site: site.to_owned(), from, span_ms, events, items: 10_000, visitors: 20_000, ids: true }
    }

    /// The id of event `number`.
    pub fn id(&self, number: u64) -> String {
        format!("{:08x}-{number:012x}", self.seed & 0xffff_ffff)
    }

    /// The item that is used `rank`-th most (0 the most).
    pub fn item(rank: u64) -> String {
        format!("dataset-{rank:05}")
    }

    /// Appends the JSON of event `number`, without a line end.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        let mut dice = Dice(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let step = self.span_ms as f64 / self.events.max(1) as f64;
        let at = self.from + (number as f64 * step) as i64 - dice.below(2000).min((number as f64 * step) as u64) as i64;
        let item = dice.power_law(self.items);
        let visitor = dice.power_law(self.visitors);
        let action = ACTIONS[dice.below(ACTIONS.len() as u64) as usize];
        // Writing to memory cannot fail.
        let _ = write!(
            out,
            "{{\"@timestamp\":{at},\"site\":\"{}\",\"action\":\"{action}\",\"id\":\"{}\"",
            self.site,
            Self::item(item)
        );
        if self.ids {
            let _ = write!(out, ",\"event_id\":\"{}\"", self.id(number));
        }
        let _ = write!(
            out,
            ",\"path\":\"/datasets/{item}\",\"visitor\":\"v{visitor}\",\"user_agent\":\"{}\"",
            AGENTS[(visitor % AGENTS.len() as u64) as usize]
        );
        self.write_rest(&mut dice, action, out);
        out.push(b'}');
    }

    fn write_rest(&self, dice: &mut Dice, action: &str, out: &mut Vec<u8>) {
        let referer = REFERERS[dice.below(REFERERS.len() as u64) as usize];
        if !referer.is_empty() {
            let _ = write!(out, ",\"referer\":\"{referer}\"");
        }
        match action {
            "download" => {
                let format = ["csv", "json", "kml", "shp"][dice.below(4) as usize];
                let _ = write!(out, ",\"format\":\"{format}\",\"bytes\":{}", 1000 + dice.below(9_000_000));
            }
            "timing" => {
                let _ = write!(out, ",\"lcp_ms\":{},\"cls\":0.{:02}", 400 + dice.power_law(6000), dice.below(40));
            }
            "error" => {
                let _ = write!(out, ",\"error_type\":\"TypeError\",\"message\":\"x{} is undefined\"", dice.below(50));
            }
            _ => {}
        }
        let language = ["en", "de", "fr", "es"][dice.below(4) as usize];
        let _ = write!(
            out,
            ",\"language\":\"{language}\",\"screen\":{},\"plan\":\"p{}\"",
            360 + 8 * dice.below(200),
            dice.below(9)
        );
        let _ = write!(out, ",\"ab\":{},\"score\":{}.{}", dice.below(2) == 1, dice.below(100), 1 + dice.below(9));
    }
}

/// Seven of ten are views.
const ACTIONS: &[&str] = &[
    "view", "view", "view", "view", "view", "view", "view", "view", "view", "view", "view", "view", "view", "view",
    "download", "download", "click", "timing", "timing", "error",
];

const REFERERS: &[&str] = &[
    "",
    "",
    "",
    "https://www.google.com/",
    "https://www.washingtonpost.com/articles/dc-news?x=1",
    "https://arcgis.com/home",
    "https://duckduckgo.com/",
    "https://news.ycombinator.com/item?id=1",
];

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
];

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for a mix.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// A number below `bound`, small ones far more often.
    fn power_law(&mut self, bound: u64) -> u64 {
        let unit = (self.roll() >> 11) as f64 / (1u64 << 53) as f64;
        ((bound as f64).powf(unit) - 1.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_number_give_the_same_event() {
        let mix = Mix::new(7, "s", 1_000_000, 60_000, 100);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        mix.write(5, &mut a);
        mix.write(5, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn events_are_valid_json_of_the_promised_size_and_spread() {
        let mix = Mix::new(7, "opendata", 1_431_857_103_000, 86_400_000, 2000);
        let mut bytes = 0;
        let mut items = std::collections::BTreeMap::new();
        for number in 0..2000 {
            let mut out = Vec::new();
            mix.write(number, &mut out);
            let event: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
            bytes += out.len();
            *items.entry(event["id"].to_string()).or_insert(0) += 1;
        }
        assert!((280..420).contains(&(bytes / 2000)), "{} bytes an event", bytes / 2000);
        assert!(items.values().max() > Some(&100) && items.len() > 300, "{items:?}");
    }
}
