//! A house on a folder: filled once with every kind of file, then opened and asked.

use axum::http::Method;
use metronome::app::House;
use metronome::clock::Clock;
use metronome::config::{self, Config};
use metronome::event::Day;
use metronome::shell::args::{Through, Verify};
use metronome::shell::client::Client;
use metronome::shell::jobs;
use serde_json::{Value, json};
use std::path::Path;

/// 2024-02-03T12:00:00Z, in ms.
const NOW: i64 = 1_706_961_600_000;
const DAYS: [&str; 5] = ["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03"];
/// The last two are never sealed.
const SEALED: usize = 3;
const EVENTS_A_DAY: usize = 60;
const QUESTIONS: [&str; 5] = [
    "/tock.json?from=2024-01-30&to=2024-02-03&fields=views,downloads,referers,visitors,visits,total",
    "/tock/%2Fa1.json?from=2024-01-30&to=2024-02-03",
    "/tock/%2Fa2.json?from=2024-02-01&to=2024-02-01&fields=views,referers,sources",
    "/top.json?by=id&metric=views&from=2024-01-30&to=2024-02-03",
    "/events.json?limit=1000&from=2024-01-30&to=2024-02-03",
];

/// An answer.
pub enum Asked {
    /// What it said, without what it says of itself.
    Answered(String),
    /// Why there was none.
    Refused(String),
}

/// An opened house.
pub struct Open {
    house: House,
    client: Client,
}

impl Open {
    pub async fn at(folder: &Path) -> Result<Self, String> {
        let house = House::open(&config(folder), Clock::manual(NOW)).await.map_err(|error| format!("{error:?}"))?;
        let client = Client::Local(house.local_router());
        // What the journal holds beyond the store's position is indexed first.
        let open = Self { house, client };
        jobs::seal(&open.client, &[Day(0)]).await.map_err(|error| error.to_string())?;
        Ok(open)
    }

    pub async fn verify(&self, repair: bool) -> Result<String, String> {
        let through = Through { to: None, key: None };
        let asked = Verify { days: Vec::new(), recount: false, repair, accept_loss: false, through };
        jobs::verify(&self.client, &asked).await.map_err(|error| error.to_string())
    }

    pub async fn ask_all(&self) -> Vec<Asked> {
        let mut answers = Vec::new();
        for question in QUESTIONS {
            answers.push(match self.client.ask(Method::GET, question, Vec::new()).await {
                Ok(body) => Asked::Answered(plain(&body)),
                Err(error) => Asked::Refused(error.to_string()),
            });
        }
        answers
    }

    pub async fn close(self) {
        let Self { house, client } = self;
        drop(client);
        house.close().await;
    }
}

/// An answer without what it says of itself: a repaired day is sealed, where it may have been open.
fn plain(body: &[u8]) -> String {
    let mut answer: Value = serde_json::from_slice(body).expect("JSON");
    if let Some(object) = answer.as_object_mut() {
        object.remove("meta");
    }
    answer.to_string()
}

fn config(folder: &Path) -> Config {
    let mut config = config::load(None, std::iter::empty()).expect("defaults");
    config.data_dir = folder.to_owned();
    config
}

/// Fills a folder with days sealed and open, a late event beside a sealed one, a month's table and cached answers; answers
/// what is right.
pub async fn folder_with_everything(folder: &Path) -> Vec<String> {
    let open = Open::at(folder).await.expect("an empty folder");
    for (number, day) in DAYS.iter().enumerate() {
        open.client.ask(Method::POST, "/tick", events(number, day)).await.expect("taken");
    }
    let days: Vec<Day> = DAYS[..SEALED].iter().filter_map(|day| Day::parse(day)).collect();
    jobs::seal(&open.client, &days).await.expect("sealed");
    let late = json!({"path": "/late", "event_id": "late", "@timestamp": "2024-02-01T23:00:00Z"});
    open.client.ask(Method::POST, "/tick", late.to_string().into_bytes()).await.expect("taken");
    // Waits until it is indexed.
    jobs::seal(&open.client, &[Day(0)]).await.expect("nothing to seal");
    let answers = open.ask_all().await.into_iter().map(|answer| match answer {
        Asked::Answered(answer) => answer,
        Asked::Refused(why) => panic!("a sound folder refuses: {why}"),
    });
    let answers = answers.collect();
    open.close().await;
    answers
}

fn events(number: usize, day: &str) -> Vec<u8> {
    let event = |at: usize| {
        let mut event = json!({
            "path": format!("/a{}", at % 7), "event_id": format!("{number}-{at}"), "visitor": format!("v{}", at % 11),
            "@timestamp": format!("{day}T{:02}:{:02}:00Z", at / 6, at % 6 * 10), "value": at as f64 / 10.0,
            "referer": format!("https://r{}.example/", at % 3),
        });
        if at.is_multiple_of(5) {
            event["action"] = "download".into();
            event["format"] = "csv".into();
        }
        event
    };
    Value::Array((0..EVENTS_A_DAY).map(event).collect()).to_string().into_bytes()
}
