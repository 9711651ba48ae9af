//! An application of receivers and reading routes over a journal in a folder of its own and a store in memory.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use metronome::api::{self, Facts, Metrics, Probe, Questions, StreamOptions, Streams, work};
use metronome::catalog::Catalog;
use metronome::catalog::keys::{Keys, Scope};
use metronome::catalog::queries::Queries;
use metronome::catalog::salts::Salts;
use metronome::clock::Clock;
use metronome::event::{Event, Key};
use metronome::http::{Access, Bodies, BodyLimits, Gate, Options, Origins, Peer, Rate, Rates, Routes};
use metronome::indexer::{self, Indexer};
use metronome::ingest::{self, Ingest};
use metronome::jobs::imports::Imports;
use metronome::jobs::registry::Registry;
use metronome::journal::{self, Journal};
use metronome::net::Stopping;
use metronome::normalize::{Gpc, Limits, SiteRules, Sites};
use metronome::query::custom::{self, book::Book};
use metronome::query::goal::Goals;
use metronome::receive::{Counts, elastic, http as receive};
use metronome::report::funnels::definition::Definition;
use metronome::store::memory::Memory;
use metronome::store::{Store, plan};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// Noon of 2015-01-22, UTC.
pub const NOW: i64 = 1_421_928_000_000;

/// What an application is made with.
pub struct Setup {
    pub store: Arc<dyn Store>,
    pub body: BodyLimits,
    pub journal: journal::Options,
    pub rate: Option<Rate>,
    pub origins: Origins,
    pub ready: bool,
    pub streams: StreamOptions,
    pub goals: Goals,
    pub now: i64,
    /// How long Elasticsearch's clients are held.
    pub hold: Duration,
    /// Whether what is taken is indexed, and leaves the journal.
    pub indexing: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            store: Arc::new(Memory::new()),
            body: BodyLimits::default(),
            journal: journal::Options::default(),
            rate: None,
            origins: Origins::default(),
            ready: true,
            streams: StreamOptions::default(),
            goals: Goals::new(),
            now: NOW,
            hold: Duration::ZERO,
            indexing: true,
        }
    }
}

/// A running application.
pub struct App {
    pub router: Router,
    pub keys: Arc<Keys>,
    pub clock: Clock,
    pub bodies: Bodies,
    pub routes: Vec<(String, Vec<&'static str>, Option<&'static str>)>,
    journal: Journal,
    _folder: tempfile::TempDir,
}

/// An answer.
pub struct Said {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Said {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn sites() -> Arc<Sites> {
    let gpc = |name: &str, gpc| SiteRules { gpc, ..SiteRules::named(name) };
    let listed = SiteRules { origins: vec!["https://shop.example".to_owned()], ..SiteRules::named("listed") };
    let named = vec![gpc("drops", Gpc::Drop), gpc("ignores", Gpc::Ignore), listed];
    Arc::new(Sites::new(named, SiteRules::named("default")))
}

impl Setup {
    /// Starts it.
    pub fn start(self) -> App {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Arc::new(Catalog::open(&folder.path().join("catalog")).unwrap());
        let clock = Clock::manual(self.now);
        let keys = Arc::new(Keys::open(Arc::clone(&catalog), clock.clone()).unwrap());
        let (journal, _) = Journal::open(&folder.path().join("journal"), self.journal).unwrap();
        let (sites, bodies) = (sites(), Bodies::new(self.body));
        let salts = Arc::new(Salts::open(Arc::clone(&catalog)).unwrap());
        let query = custom::Definition::read(&serde_json::json!({"query": {"metrics": ["views"]}})).unwrap();
        let filed = [("filed".to_owned(), query)].into();
        let ingest = Ingest::open(ingest::Parts {
            journal: journal.clone(),
            stored: tokio::sync::watch::channel(u64::MAX).1,
            salts: Arc::clone(&salts),
            sites: Arc::clone(&sites),
            places: None,
            limits: Limits::default(),
            keep_user_agent: false,
            options: ingest::Options::default(),
        })
        .unwrap();
        // Into a store of its own: the one that is asked is what the test made it.
        let (indexer, handle) = Indexer::new(indexer::Parts {
            journal: journal.clone(),
            store: Arc::new(Memory::new()),
            zone_of: Arc::new(|_| jiff::tz::TimeZone::UTC),
            clock: clock.clone(),
            options: indexer::Options::default(),
        });
        if self.indexing {
            tokio::spawn(indexer.run(std::future::pending()));
        }
        let work = Arc::new(work::Parts {
            journal: journal.clone(),
            store: Arc::clone(&self.store),
            indexer: handle.clone(),
            bodies: bodies.clone(),
            jobs: Registry::default(),
            imports: Imports::new(ingest.clone(), handle, salts, clock.clone(), Limits::default()),
        });
        let receive = Arc::new(receive::Parts {
            ingest,
            bodies: bodies.clone(),
            limits: Limits::default(),
            batch_events_max: 10_000,
            clock: clock.clone(),
        });
        let step = serde_json::json!(["exists", "id"]);
        let funnel = Definition::of(&[step.clone(), step], &[]).unwrap();
        let ready = self.ready;
        let check = move || -> api::Check {
            Box::pin(async move { if ready { Ok(None) } else { Err("it is stopped".to_owned()) } })
        };
        let api = Arc::new(api::Parts {
            sound: Arc::clone(&self.store),
            store: self.store,
            sites,
            goals: self.goals,
            funnels: HashMap::from([("default".to_owned(), vec![("f".to_owned(), funnel)])]),
            queries: Arc::new(Book::new(filed, Queries::new(Arc::clone(&catalog)))),
            keys: metronome::query::keys::SeenKeys::default(),
            clock: clock.clone(),
            questions: Questions::new(4, plan::Limits::default()),
            streams: Streams::new(self.streams),
            bodies: bodies.clone(),
            probes: vec![Probe { part: "store", check: Box::new(check) }],
            metrics: Metrics::new(Facts::default),
        });
        let elastic = elastic::Parts {
            http: Arc::clone(&receive),
            version: "8.19.0".to_owned(),
            hold_max: self.hold,
            counts: Arc::new(Counts::of("elastic")),
        };
        let receivers = receive::routes(&receive).merge(elastic::routes(elastic));
        let table = receivers.merge(api::routes(&api)).merge(work::routes(&work));
        let routes = rows(&table);
        let gate = Gate {
            access: Access::new(Arc::clone(&keys)),
            trusted_proxies: Vec::new(),
            rates: Rates::new(None, self.rate, 1_000),
            origins: self.origins,
        };
        App { router: table.into_router(gate), keys, clock, bodies, routes, journal, _folder: folder }
    }
}

/// Method, paths as described, and scope of every route.
fn rows(table: &Routes) -> Vec<(String, Vec<&'static str>, Option<&'static str>)> {
    let row = |route: &metronome::http::Route| (route.method.to_string(), route.described.to_vec(), route.need.scope());
    table.rows().iter().map(row).collect()
}

/// A router on a port of its own, as the binary serves it, until this is dropped.
pub struct Served {
    pub address: SocketAddr,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Served {
    pub fn start(router: Router, options: Options) -> Self {
        let listener = metronome::net::listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        tokio::spawn(metronome::http::serve(listener, None, router, options, async { drop(stopped.await) }));
        Self { address, _stop: stop }
    }
}

/// A request of this method and address from this machine, of a server that stops: no answer is without an end.
pub fn request(method: &str, uri: &str) -> axum::http::request::Builder {
    let peer = Peer(SocketAddr::from(([127, 0, 0, 1], 9)));
    let stopping = Stopping(tokio::sync::watch::channel(()).1);
    Request::builder().method(method).uri(uri).extension(peer).extension(stopping)
}

impl App {
    pub async fn send(&self, request: Request<Body>) -> Said {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Said { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// `POST /tick` with a type, where there is one.
    pub async fn tick(&self, content_type: &str, body: impl Into<Body>) -> Said {
        let mut request = request("POST", "/tick");
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn get(&self, uri: &str) -> Said {
        self.send(request("GET", uri).body(Body::empty()).unwrap()).await
    }

    /// The text of a new key.
    pub fn key(&self, scope: Scope, site: Option<&str>) -> String {
        self.keys.make(scope, site).unwrap().1
    }

    /// Every event that is on disk, in order.
    pub fn events(&self) -> Vec<Event> {
        let mut reader = self.journal.reader(0).unwrap();
        let mut events = Vec::new();
        while let Some(block) = reader.read(1_000).unwrap() {
            events.extend(block.iter().map(|payload| Event::from_payload(payload).unwrap().0));
        }
        events
    }

    /// One key of every event that is on disk, as readers see it; `-` where there is none.
    pub fn stored(&self, key: &str) -> Vec<String> {
        let key = Key::named(key);
        let shown = |event: &Event| match event.to_json().get(key.name()) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "-".to_owned(),
        };
        self.events().iter().map(shown).collect()
    }
}
