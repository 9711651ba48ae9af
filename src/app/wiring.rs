//! Wiring: the routes of all rooms, behind a gate.

use super::House;
use crate::api::{
    self, Check, Facts, Metrics, PortFacts, Probe, Questions, RejectedCount, StreamOptions, Streams, work,
};
use crate::catalog::keys::Keys;
use crate::event::Day;
use crate::http::{Access, Bodies, BodyLimits, Gate, Origins, Peer, Rate, Rates, Routes};
use crate::ingest;
use crate::jobs::imports::Imports;
use crate::jobs::registry::Registry;
use crate::query::keys::SeenKeys;
use crate::receive::{self, Counted, Counts};
use crate::store::plan::Limits;
use crate::store::whole::Whole;
use crate::store::{Damaged, StoreError};
use axum::{Extension, Router};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

/// Senders whose rate is remembered.
const SENDERS_MAX: usize = 100_000;
/// Memory for the bodies of questions under way.
const ASKED_BYTES_MAX: usize = 32 << 20;
/// Who asks in this process.
const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn of(damaged: &[Damaged]) -> Vec<Day> {
    damaged.iter().map(|damaged| damaged.day).collect()
}

impl House {
    /// The routes for the world: keys, rates and origins are held.
    pub(super) fn router(&self, keys: Arc<Keys>, ports: Vec<Arc<Counts>>) -> Router {
        let limits = &self.config.limits;
        let rate = limits.rate_per_second.map(|per_second| Rate { per_second, burst: limits.rate_burst });
        let origins = self.config.sites.iter().filter(|site| !site.origins.is_empty());
        let origins = origins.map(|site| (site.name.clone(), site.origins.clone())).collect();
        self.routes(ports).into_router(Gate {
            access: Access::new(keys),
            trusted_proxies: self.config.http.trusted_proxies.clone(),
            rates: Rates::new(rate, rate, SENDERS_MAX),
            origins: Origins { write: origins, read: Vec::new() },
        })
    }

    /// The routes for whoever may open the data folder itself: everything is granted.
    pub fn local_router(&self) -> Router {
        let gate = Gate {
            access: Access::all(),
            trusted_proxies: Vec::new(),
            rates: Rates::new(None, None, 1),
            origins: Origins::default(),
        };
        self.routes(Vec::new()).into_router(gate).layer(Extension(Peer(LOCAL)))
    }

    fn routes(&self, mut ports: Vec<Arc<Counts>>) -> Routes {
        let elastic = Arc::new(Counts::of("elastic"));
        ports.push(Arc::clone(&elastic));
        let body = BodyLimits { bytes_max: self.config.http.body_bytes_max, ..BodyLimits::default() };
        let bodies = Bodies::within(body, self.budget.clone());
        // Whoever asks is not turned away because senders wait for a disk.
        let asked = Bodies::new(BodyLimits { in_flight_bytes_max: ASKED_BYTES_MAX, ..body });
        let limits = &self.config.limits;
        let question = Limits {
            rows_max: limits.query_rows_max,
            bytes_max: limits.query_bytes_max,
            time_max: limits.query_time_max,
        };
        let streams = StreamOptions {
            exports_max: limits.exports_max,
            watchers_max: limits.watchers_max,
            ..StreamOptions::default()
        };
        let parts = Arc::new(api::Parts {
            store: Arc::new(Whole(self.store.clone())),
            sound: self.store.clone(),
            sites: self.sites.clone(),
            goals: self.goals.clone(),
            funnels: self.funnels.clone(),
            queries: self.queries.clone(),
            keys: SeenKeys::default(),
            clock: self.clock.clone(),
            questions: Questions::new(limits.queries_max, question),
            streams: Streams::new(streams),
            bodies: asked,
            probes: self.probes(),
            metrics: self.metrics(ports),
        });
        let work = Arc::new(work::Parts {
            journal: self.journal.clone(),
            store: self.store.clone(),
            indexer: self.indexer.clone(),
            bodies: bodies.clone(),
            jobs: Registry::default(),
            imports: Imports::new(
                self.ingest.clone(),
                self.indexer.clone(),
                self.salts.clone(),
                self.clock.clone(),
                super::rules::limits(&self.config),
            ),
        });
        let receive = Arc::new(receive::http::Parts {
            ingest: self.ingest.clone(),
            bodies,
            limits: super::rules::limits(&self.config),
            batch_events_max: limits.batch_events_max,
            clock: self.clock.clone(),
        });
        let elastic = receive::elastic::Parts {
            http: Arc::clone(&receive),
            version: self.config.elastic_version.clone(),
            hold_max: receive::elastic::HOLD_MAX,
            counts: elastic,
        };
        let receivers = receive::http::routes(&receive).merge(receive::elastic::routes(elastic));
        receivers.merge(api::routes(&parts)).merge(work::routes(&work))
    }

    fn probes(&self) -> Vec<Probe> {
        let journal = self.journal.clone();
        let journal = move || -> Check {
            let (poisoned, losses) = (journal.facts().poisoned, journal.losses());
            Box::pin(async move {
                match losses.as_slice() {
                    _ if poisoned => Err("a write failed; it is being opened again".to_owned()),
                    [] => Ok(None),
                    [one] => Ok(Some(one.to_string())),
                    [.., last] => Ok(Some(format!("{} parts are lost, the last: {last}", losses.len()))),
                }
            })
        };
        let (indexer, store) = (self.indexer.clone(), self.store.clone());
        let store = move || -> Check {
            let (failing, store) = (indexer.facts().failing, store.clone());
            Box::pin(async move {
                if failing {
                    return Err("it fails; events wait in the journal".to_owned());
                }
                let damaged = store.damaged().await.map_err(|_| "it cannot say what is damaged".to_owned())?;
                Ok((!damaged.is_empty()).then(|| StoreError::Damaged { days: of(&damaged) }.to_string()))
            })
        };
        vec![Probe { part: "journal", check: Box::new(journal) }, Probe { part: "store", check: Box::new(store) }]
    }

    fn metrics(&self, ports: Vec<Arc<Counts>>) -> Metrics {
        let (taking, journal) = (self.ingest.clone(), self.journal.clone());
        let (scrubbed, since) = (Arc::clone(&self.scrubbed), self.since);
        Metrics::new(move || {
            let mut facts = Facts { since, ..Facts::default() };
            for (site, counts) in taking.counts() {
                // No site can be called so: its name in the counts begins with NUL.
                let site = if site == ingest::OTHERS { "(others)".to_owned() } else { site };
                facts.accepted += counts.accepted;
                facts.duplicates += counts.duplicates;
                let counted = |(reason, events): (crate::normalize::Reason, u64)| RejectedCount {
                    site: site.clone(),
                    reason: reason.name(),
                    is_filter: reason.is_filter(),
                    events,
                };
                facts.rejected.extend(counts.rejected.into_iter().map(counted));
            }
            facts.ports = ports.iter().map(|port| port_facts(port.now())).collect();
            facts.journal_lost = journal.losses().len() as u64;
            let journal = journal.facts();
            facts.journal_bytes = journal.bytes;
            facts.journal_first = journal.first;
            facts.journal_synced = journal.synced;
            facts.journal_syncs = journal.syncs;
            facts.journal_sync_time = journal.sync_time;
            facts.journal_poisoned = journal.poisoned;
            facts.scrub = *scrubbed.lock().unwrap_or_else(PoisonError::into_inner);
            facts
        })
    }
}

fn port_facts(counted: Counted) -> PortFacts {
    let Counted { receiver, connections, accepted, duplicates, rejected, broken, lost } = counted;
    PortFacts { receiver, connections, accepted, duplicates, rejected, broken, lost }
}
