//! `metronome seal` and `metronome verify`: begin a job, wait for it, tell what came of it.

use super::ShellError;
use super::args::Verify;
use super::client::Client;
use crate::event::Day;
use axum::http::Method;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

const ASK_EVERY: Duration = Duration::from_millis(200);

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
    told(&job(client, order).await?)
}

fn told(result: &Value) -> Result<String, ShellError> {
    let list = |key: &str| result[key].as_array().cloned().unwrap_or_default();
    let (damaged, differences, repaired) = (list("damaged"), list("differences"), list("repaired"));
    let checked = format!("checked {} days, {} events", result["days"], result["events"]);
    if damaged.is_empty() && differences.is_empty() && repaired.is_empty() {
        let provisional = list("provisional").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let rest = if provisional.is_empty() { String::new() } else { format!("; not yet sealed: {provisional}") };
        return Ok(format!("{checked}: sound{rest}\n"));
    }
    let mut text = format!("{checked}: {} damaged parts, {} differences", damaged.len(), result["differences_total"]);
    // Writing to text cannot fail.
    for line in damaged.iter().chain(&differences).filter_map(Value::as_str) {
        let _ = write!(text, "\n  {line}");
    }
    let mut is_whole = differences.is_empty() && (damaged.is_empty() || !repaired.is_empty());
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
    if result["repaired"].is_null() && !damaged.is_empty() {
        text.push_str("\nmetronome verify --repair rebuilds what anything still holds");
    }
    Err(ShellError::Found(text))
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
