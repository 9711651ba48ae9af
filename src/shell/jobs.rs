//! `metronome seal` and `metronome verify`: begin a job, wait for it, tell what came of it.

use super::ShellError;
use super::args::Verify;
use super::client::Client;
use crate::event::Day;
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

const ASK_EVERY: Duration = Duration::from_millis(200);
/// What names the place of a damaged part in what is said of it.
const MONTHS: &str = "/store/months/";
const DAYS: &str = "/store/days/";
const JOURNAL: [&str; 2] = ["read journal ", " of the journal are lost"];

/// Seals days now (all that need it, if none is named).
pub async fn seal(client: &Client, days: &[Day]) -> Result<String, ShellError> {
    let result = job(client, json!({"do": "seal", "days": texts(days)})).await?;
    let sealed = result["sealed"].as_array().cloned().unwrap_or_default();
    let days = sealed.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    Ok(format!("sealed {} days {days}\n", sealed.len()).replace(" \n", "\n"))
}

/// Checks days (all, if none is named); what is damaged and stays so, and differences, are an error that lists them.
pub async fn verify(client: &Client, asked: &Verify) -> Result<String, ShellError> {
    let Verify { days, recount, repair, accept_loss, .. } = asked;
    let order = json!({
        "do": "verify", "days": texts(days), "recount": recount, "repair": repair, "accept_loss": accept_loss,
    });
    told(&job(client, order).await?, days)
}

/// What was found, in words; an error where something is not as it should be. `asked` are the days asked for.
fn told(result: &Value, asked: &[Day]) -> Result<String, ShellError> {
    let list = |key: &str| result[key].as_array().cloned().unwrap_or_default();
    let (damaged, differences, repaired) = (list("damaged"), list("differences"), list("repaired"));
    let checked = format!("checked {} days, {} events", result["days"], result["events"]);
    if damaged.is_empty() && differences.is_empty() && repaired.is_empty() {
        let asked: BTreeSet<&Day> = asked.iter().collect();
        if result["days"].as_u64().is_some_and(|held| held < asked.len() as u64) {
            let days = asked.into_iter().map(Day::to_string).collect::<Vec<_>>().join(" ");
            return Err(ShellError::Found(format!("{checked}: not every one of these is held: {days}")));
        }
        let provisional = list("provisional").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let rest = if provisional.is_empty() { String::new() } else { format!("; not yet sealed: {provisional}") };
        return Ok(format!("{checked}: sound{rest}\n"));
    }
    let mut text = format!("{checked}: {} damaged parts, {} differences", damaged.len(), result["differences_total"]);
    // Writing to text cannot fail.
    for line in damaged.iter().chain(&differences).filter_map(Value::as_str) {
        let _ = write!(text, "\n  {line}");
    }
    let (months, others): (Vec<&str>, Vec<&str>) =
        damaged.iter().filter_map(Value::as_str).partition(|line| line.contains(MONTHS));
    let left = others.into_iter().filter(|line| !is_told_of(line, &repaired)).count();
    let mut is_whole = differences.is_empty() && left == 0;
    if !months.is_empty() {
        text.push_str("\nmonths' tables: made anew from their days");
    }
    for day in &repaired {
        let became = match day["from"].as_str().unwrap_or_default() {
            "aside" => "rebuilt from the part that was set aside",
            "journal" => "rebuilt from the journal",
            "accepted" => "counts without what is lost, as accepted",
            _ => "not rebuilt: it stays damaged, and what is lost is kept aside",
        };
        is_whole &= day["from"] != "nothing";
        let _ = write!(text, "\n{}: {became}", day["day"].as_str().unwrap_or_default());
        for why in day["why"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let _ = write!(text, "\n  {why}");
        }
    }
    if is_whole {
        return Ok(format!("{text}\n"));
    }
    if left > 0 && result["repaired"].is_null() {
        text.push_str("\nmetronome verify --repair rebuilds what anything still holds");
    } else if left > 0 {
        let _ = write!(text, "\n{left} of the damaged parts are not rebuilt; --repair without days goes through all");
    }
    Err(ShellError::Found(text))
}

/// Whether what is said of repaired days speaks of a damaged part: by its day, or as one of the journal.
fn is_told_of(line: &str, repaired: &[Value]) -> bool {
    let mut names = repaired.iter().filter_map(|entry| entry["day"].as_str());
    if JOURNAL.iter().any(|words| line.contains(words)) {
        return names.any(|name| name == "the journal");
    }
    // One that names no day is of some day.
    let is_of = |name: &str| !line.contains(DAYS) || line.contains(&format!("{DAYS}{name}"));
    names.any(is_of)
}

async fn job(client: &Client, asked: Value) -> Result<Value, ShellError> {
    let begun = parse(&client.ask(Method::POST, "/jobs", asked.to_string().into_bytes()).await?)?;
    let path = format!("/jobs/{}", begun["id"]);
    loop {
        let status = parse(&client.ask(Method::GET, &path, Vec::new()).await?)?;
        match status["state"].as_str() {
            Some("running") => tokio::time::sleep(ASK_EVERY).await,
            Some("done") => return Ok(status["result"].clone()),
            _ => return Err(ShellError::Found(status["why"].as_str().unwrap_or("the job failed").to_owned())),
        }
    }
}

fn texts(days: &[Day]) -> Vec<String> {
    days.iter().map(Day::to_string).collect()
}

fn parse(body: &[u8]) -> Result<Value, ShellError> {
    serde_json::from_slice(body).map_err(|error| ShellError::Answer(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "read /data/store/days/2026-03-01/g1/items.tbl: checksum mismatch";
    const OTHER: &str = "read /data/store/days/2026-03-02/open1/0.col: checksum mismatch";
    const MONTH: &str = "read /data/store/months/2026-03.tbl: checksum mismatch";
    const TORN: &str = "read journal segment 00.journal: 9 damaged bytes at 0, positions 0..1";
    const LOST: &str = "positions 0..1 of the journal are lost: damaged";

    fn found(damaged: &[&str], repaired: &Value) -> Value {
        json!({"days": 2, "events": 9, "damaged": damaged, "differences": [], "differences_total": 0, "repaired": repaired})
    }

    #[test]
    fn it_fails_as_long_as_something_is_lost_and_only_then() {
        let day = |from: &str| json!([{"day": "2026-03-01", "from": from}]);
        let both = |from: &str| json!([{"day": "2026-03-01", "from": "aside"}, {"day": "the journal", "from": from}]);
        let cases = [
            (vec![], json!(null), true),
            (vec![PART], json!(null), false),
            (vec![PART], json!([]), false),
            (vec![PART], day("journal"), true),
            (vec![PART], day("nothing"), false),
            (vec![PART, OTHER], day("journal"), false),
            (vec!["a part that is not named any more"], day("journal"), true),
            (vec![MONTH], json!(null), true),
            (vec![MONTH, PART], day("aside"), true),
            (vec![TORN, PART], day("aside"), false),
            (vec![LOST, PART], both("nothing"), false),
            (vec![LOST, TORN, PART], both("accepted"), true),
        ];
        for (damaged, repaired, is_whole) in cases {
            let said = told(&found(&damaged, &repaired), &[]);
            assert_eq!(said.is_ok(), is_whole, "{damaged:?}, {repaired}: {said:?}");
            let text = said.unwrap_or_else(|error| error.to_string());
            assert_eq!(text.contains("made anew"), damaged.contains(&MONTH), "{text}");
        }
    }

    #[test]
    fn a_day_that_is_not_held_is_not_sound() {
        let days = ["2026-03-01", "2026-03-02", "2026-03-03"].map(|day| Day::parse(day).expect("a day"));
        assert!(told(&found(&[], &json!(null)), &days[..2]).is_ok());
        let said = told(&found(&[], &json!(null)), &days).expect_err("two are held").to_string();
        assert!(said.contains("2026-03-03"), "{said}");
    }
}
