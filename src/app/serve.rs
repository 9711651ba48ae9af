//! Serve: the house with its doors open, until it is asked to stop.

use super::ports::{self, Ports};
use super::{AppError, House, files};
use crate::catalog::keys::Keys;
use crate::clock::Clock;
use crate::config::Config;
use crate::http;
use crate::net::{Bounds, Stopping, listen};
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long requests under way have at the end; what is left of ten seconds is the store's.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Opens the data folder and serves it until `stop`, then finishes what was taken.
pub async fn serve(config: &Config, clock: Clock, stop: impl Future<Output = ()>) -> Result<(), AppError> {
    let house = House::open(config, clock.clone()).await?;
    let keys = Arc::new(Keys::open(house.catalog.clone(), clock)?);
    let without_keys = keys.is_empty()?;
    let failed = |source| AppError::Listen { receiver: "http", address: config.http.listen, source };
    let listener = listen(config.http.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tls = ports::tls(config.http.tls.as_ref())?;
    let connections_max = files::connections_max(config.http.connections_max, 1 + config.receivers.count());
    let options = http::Options { connections_max, stop_max: STOP_MAX, ..http::Options::default() };
    let bounds = Bounds { connections_max, stall_max: options.stall_max, stop_max: STOP_MAX };
    let ports = house.ports(bounds)?;
    let url = format!("{}://{address}", if tls.is_some() { "https" } else { "http" });
    let _note = Note::leave(config, &url)?;
    welcome(&url, without_keys, address, &ports);
    let router = house.router(keys, ports.counts());
    let (stopping, stopped) = watch::channel(());
    let stop = async move {
        stop.await;
        drop(stopping);
    };
    tokio::join!(ports.serve(Stopping(stopped)), http::serve(listener, tls, router, options, stop));
    tracing::info!("stopping: finishing what was taken");
    house.close().await;
    Ok(())
}

/// Says where it is and how to begin; the first line ends in the address, and so does one for each other port.
fn welcome(url: &str, without_keys: bool, address: SocketAddr, ports: &Ports) {
    let access = if without_keys {
        "No keys yet: everything is granted, to this machine alone. metronome key new --scope write --site NAME makes one."
    } else {
        "Keys are needed: metronome key list shows them."
    };
    let other = |(receiver, address): &(&str, SocketAddr)| format!("{receiver} listens on {address}\n");
    let others: String = ports.addresses().iter().map(other).collect();
    let text = format!(
        "metronome listens on {url}\n{others}\
         Send the first event:  curl -d '{{\"path\":\"/hello\"}}' {url}/tick\n\
         Ask for it:            curl {url}/tock/%2Fhello.json\n{access}\n"
    );
    // Nobody may be reading; it serves all the same.
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    for (receiver, address) in ports.addresses() {
        if !address.ip().is_loopback() {
            tracing::info!(receiver, %address, "whoever reaches this port may write");
        }
    }
    if without_keys && !address.ip().is_loopback() {
        tracing::warn!(%address, "no keys: requests from other machines are refused until there is one");
    }
    tracing::info!(url, "serving");
}

/// A note in the data folder of where its server listens, for the shell; taken away at a clean stop.
struct Note(PathBuf);

impl Note {
    fn leave(config: &Config, url: &str) -> Result<Self, AppError> {
        let path = note(config);
        std::fs::write(&path, url).map_err(|source| AppError::Folder { path: path.clone(), source })?;
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
    let noted = std::fs::read_to_string(note(config)).ok().filter(|url| url.starts_with("http"));
    noted.unwrap_or_else(|| format!("http://{}", config.http.listen))
}
