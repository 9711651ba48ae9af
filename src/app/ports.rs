//! Ports: the receivers beside HTTP, each on the port it is configured for.
//! - All are bound before anything is served: an address in use is told at the start.
//! - A new receiver is a few lines in [`House::ports`].

use super::{AppError, House};
use crate::config::{self, Secret, TlsFiles};
use crate::net::{Bounds, Drops, Stopping, Tls, listen, listen_datagrams};
use crate::receive::forward::{Forward, Security};
use crate::receive::{Counts, Intake, Lines, Lumberjack, Parts, Port, Protocol, Syslog};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// How often a free port is looked for that both TCP and UDP can have.
const FREE_PORT_TRIES: usize = 16;

/// Which kinds of packets a receiver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Connections,
    ConnectionsAndDatagrams,
}

/// The ports that listen.
#[derive(Default)]
pub(super) struct Ports {
    open: Vec<(Port, Arc<dyn Protocol>)>,
}

impl Ports {
    /// What is counted of each.
    pub fn counts(&self) -> Vec<Arc<Counts>> {
        self.open.iter().map(|(port, _)| Arc::clone(&port.counts)).collect()
    }

    /// Each receiver with its address.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let address = |(port, _): &(Port, _)| Some((port.counts.receiver(), port.listener.local_addr().ok()?));
        self.open.iter().filter_map(address).collect()
    }

    /// Serves all until the server stops and what they took is finished.
    pub async fn serve(self, stopping: Stopping) {
        let mut serving: JoinSet<()> =
            self.open.into_iter().map(|(port, protocol)| port.serve(protocol, stopping.clone())).collect();
        while serving.join_next().await.is_some() {}
    }
}

impl House {
    /// Binds every port that is configured.
    pub(super) fn ports(&self, bounds: Bounds) -> Result<Ports, AppError> {
        let mut ports = Ports::default();
        let receivers = &self.config.receivers;
        if let Some(config::Forward { port, shared_key, users }) = &receivers.forward {
            let user = |(name, password): &(String, Secret)| (name.clone(), password.0.clone());
            let users = users.iter().map(user).collect();
            let security = shared_key.as_ref().map(|key| Security { shared_key: key.0.clone(), users });
            let forward = |intake| Forward::new(intake, security);
            self.open_port(&mut ports, "forward", Carries::ConnectionsAndDatagrams, port, bounds, forward)?;
        }
        if let Some(config::Syslog { port, zone }) = &receivers.syslog {
            let syslog = |intake| Syslog::new(intake, zone.clone());
            self.open_port(&mut ports, "syslog", Carries::ConnectionsAndDatagrams, port, bounds, syslog)?;
        }
        if let Some(port) = &receivers.lines {
            self.open_port(&mut ports, "lines", Carries::ConnectionsAndDatagrams, port, bounds, Lines::new)?;
        }
        if let Some(port) = &receivers.lumberjack {
            self.open_port(&mut ports, "lumberjack", Carries::Connections, port, bounds, Lumberjack::new)?;
        }
        Ok(ports)
    }

    fn open_port<P: Protocol>(
        &self,
        ports: &mut Ports,
        receiver: &'static str,
        carries: Carries,
        port: &config::Port,
        bounds: Bounds,
        protocol: impl FnOnce(Intake) -> P,
    ) -> Result<(), AppError> {
        let failed = |source| AppError::Listen { receiver, address: port.listen, source };
        let (listener, socket) = bind(port.listen, carries).map_err(failed)?;
        let drops = socket.as_ref().and_then(Drops::of);
        let counts = Arc::new(Counts::of(receiver).with(drops));
        let parts = Arc::new(Parts {
            ingest: self.ingest.clone(),
            limits: super::rules::limits(&self.config),
            batch_events_max: self.config.limits.batch_events_max,
            clock: self.clock.clone(),
            budget: self.budget.clone(),
        });
        let intake = Intake { parts, site: port.site.clone(), counts: Arc::clone(&counts) };
        let tls = tls(port.tls.as_ref())?;
        ports.open.push((Port { listener, socket, tls, bounds, counts }, Arc::new(protocol(intake))));
        Ok(())
    }
}

/// The certificate of a surface, where it has one.
pub(super) fn tls(files: Option<&TlsFiles>) -> Result<Option<Tls>, AppError> {
    Ok(files.map(|TlsFiles { cert, key }| Tls::load(cert, key)).transpose()?)
}

fn bind(address: SocketAddr, carries: Carries) -> io::Result<(TcpListener, Option<UdpSocket>)> {
    let mut tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        let listener = listen(address)?;
        if carries == Carries::Connections {
            return Ok((listener, None));
        }
        tries -= 1;
        match listen_datagrams(listener.local_addr()?) {
            Err(_) if tries > 0 => {}
            socket => return Ok((listener, Some(socket?))),
        }
    }
}
