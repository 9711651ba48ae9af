//! Serve: the house with its doors open, until it is asked to stop.

use super::{AppError, House, files};
use crate::catalog::keys::Keys;
use crate::clock::Clock;
use crate::config::Config;
use crate::http;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long requests under way have at the end; what is left of ten seconds is the store's.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Opens the data folder and serves it until `stop`, then finishes what was taken.
pub async fn serve(config: &Config, clock: Clock, stop: impl Future<Output = ()>) -> Result<(), AppError> {
    let house = House::open(config, clock.clone()).await?;
    let keys = Arc::new(Keys::open(house.catalog.clone(), clock)?);
    let without_keys = keys.is_empty()?;
    let failed = |source| AppError::Listen { address: config.http.listen, source };
    let listener = http::listen(config.http.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let _note = Note::leave(config, address)?;
    welcome(address, without_keys);
    let connections_max = files::connections_max(config.http.connections_max);
    let options = http::Options { connections_max, stop_max: STOP_MAX, ..http::Options::default() };
    http::serve(listener, house.router(keys), options, stop).await;
    tracing::info!("stopping: finishing what was taken");
    house.close().await;
    Ok(())
}

/// Says where it is and how to begin; the first line ends in the address.
fn welcome(address: SocketAddr, without_keys: bool) {
    let access = if without_keys {
        "No keys yet: everything is granted, to this machine alone. metronome key new --scope write --site NAME makes one."
    } else {
        "Keys are needed: metronome key list shows them."
    };
    let text = format!(
        "metronome listens on http://{address}\n\
         Send the first event:  curl -d '{{\"path\":\"/hello\"}}' http://{address}/tick\n\
         Ask for it:            curl http://{address}/tock/%2Fhello.json\n{access}\n"
    );
    // Nobody may be reading; it serves all the same.
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if without_keys && !address.ip().is_loopback() {
        tracing::warn!(%address, "no keys: requests from other machines are refused until there is one");
    }
    tracing::info!(%address, "serving");
}

/// A note in the data folder of where its server listens, for the shell; taken away at a clean stop.
struct Note(PathBuf);

impl Note {
    fn leave(config: &Config, address: SocketAddr) -> Result<Self, AppError> {
        let path = note(config);
        std::fs::write(&path, address.to_string()).map_err(|source| AppError::Folder { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // A note left behind is overwritten by the next server.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn note(config: &Config) -> PathBuf {
    config.data_dir.join("address")
}

/// Where the server that holds the data folder listens.
pub fn held_url(config: &Config) -> String {
    let noted = std::fs::read_to_string(note(config)).ok().and_then(|text| text.trim().parse::<SocketAddr>().ok());
    format!("http://{}", noted.unwrap_or(config.http.listen))
}
