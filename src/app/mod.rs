//! App: wiring. Opens the rooms over one data folder, joins their routes, runs their tasks, and closes them in order.
//! - The only place that names a concrete store.
//! - The journal's lock makes the folder one process's; the catalog alone may be opened beside it.
//! - Opened: catalog, store, journal (not before what the store holds), indexer, ingest. Closed: the other way round.
//! - Absent: anything that decides about an event or an answer.

mod belief;
mod files;
mod ports;
mod queries;
mod rules;
mod scrub;
mod serve;
mod tend;
mod wiring;

pub use serve::{held_url, serve};

use crate::catalog::Catalog;
use crate::catalog::queries::Queries;
use crate::catalog::salts::Salts;
use crate::clock::{Clock, Millis};
use crate::config::Config;
use crate::error::Kind;
use crate::folder;
use crate::indexer::{self, Indexer};
use crate::ingest::{self, Ingest};
use crate::journal::{Journal, Lock};
use crate::net::Budget;
use crate::normalize::places::Places;
use crate::normalize::{Sites, client};
use crate::query::custom::book::Book;
use crate::query::goal::Goals;
use crate::report::funnels::definition::Funnels;
use crate::store::Store;
use crate::store::embedded::Embedded;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Memory for bodies, frames and lines under way, over all surfaces.
const UNDER_WAY_BYTES_MAX: usize = 128 << 20;

/// Why the house could not be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A folder or file of the data folder cannot be made or read.
    #[error("open {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder that something was to be there in has nothing of a data folder's.
    #[error("{path} is no data folder: metronome serve, import or key new makes one, --data-dir names another")]
    NoData {
        /// Which.
        path: PathBuf,
    },
    /// The address cannot be served.
    #[error("listen on {address} ({receiver}.listen names another{})", if *receiver == "http" { ", or --listen" } else { "" })]
    Listen {
        /// Who would.
        receiver: &'static str,
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::CatalogError),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
    /// The write path.
    #[error(transparent)]
    Ingest(#[from] crate::ingest::IngestError),
    /// The GeoIP database.
    #[error(transparent)]
    Places(#[from] crate::normalize::places::PlacesError),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] crate::net::TlsError),
    /// Files of custom queries.
    #[error("custom queries: {why}")]
    Queries {
        /// Which files, where in them, and what does not fit.
        why: String,
    },
    /// A site's route, goal or funnel.
    #[error("configuration: site {site}: {why}")]
    Site {
        /// Whose.
        site: String,
        /// What does not fit.
        why: String,
    },
}

impl AppError {
    /// Whether another process holds the data folder.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Journal(crate::journal::JournalError::Locked { .. }))
    }

    /// What the holder can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Folder { .. } | Self::Listen { .. } => Kind::Internal,
            Self::Catalog(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Journal(error) => error.kind(),
            Self::Ingest(error) => error.kind(),
            Self::NoData { .. } | Self::Places(_) | Self::Tls(_) | Self::Site { .. } | Self::Queries { .. } => {
                Kind::Invalid
            }
        }
    }
}

/// All rooms over one data folder.
pub struct House {
    config: Config,
    clock: Clock,
    /// When it was opened.
    since: Millis,
    catalog: Arc<Catalog>,
    salts: Arc<Salts>,
    sites: Arc<Sites>,
    goals: Goals,
    funnels: Funnels,
    queries: Arc<Book>,
    store: Arc<dyn Store>,
    journal: Journal,
    ingest: Ingest,
    indexer: indexer::Handle,
    /// The memory of what is under way at every surface.
    budget: Budget,
    scrubbed: scrub::Scrubbed,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl House {
    /// Opens the data folder of this configuration, makes it where there is none, and begins to index.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, AppError> {
        let data_dir = &config.data_dir;
        make_folder(data_dir)?;
        // Ahead of the first event, and beside everything else: the lists take a while to load.
        std::thread::spawn(client::prepare);
        let sites = Arc::new(rules::sites(config)?);
        let goals = rules::goals(config)?;
        let funnels = rules::funnels(config, &goals)?;
        let filed = queries::filed(config, &goals, &clock)?;
        let places = config.privacy.geoip.as_deref().map(Places::open).transpose()?.map(Arc::new);
        // The lock first: nobody else may be in the folder while its parts are opened.
        let lock = Lock::take(&data_dir.join("journal"))?;
        let catalog = Arc::new(Catalog::open(&data_dir.join("catalog.sqlite"))?);
        let salts = Arc::new(Salts::open(Arc::clone(&catalog))?);
        let queries = Arc::new(Book::new(filed, Queries::new(Arc::clone(&catalog))));
        let store = Embedded::open(&data_dir.join("store"), rules::store(config))?;
        let (journal, recovery) = Journal::open_locked(lock, rules::journal(config, store.reached()))?;
        let store: Arc<dyn Store> = Arc::new(store);
        tend::report(&recovery);
        let (indexer, handle) = Indexer::new(indexer::Parts {
            journal: journal.clone(),
            store: Arc::clone(&store),
            zone_of: rules::zones(&sites),
            clock: clock.clone(),
            options: indexer::Options::default(),
        });
        let parts = ingest::Parts {
            journal: journal.clone(),
            stored: handle.position(),
            salts: Arc::clone(&salts),
            sites: Arc::clone(&sites),
            places,
            limits: rules::limits(config),
            keep_user_agent: config.privacy.keep_user_agent,
            options: rules::ingest(config),
        };
        let ingest = Ingest::open(parts)?;
        let (stop, stopped) = watch::channel(false);
        let mut house = Self {
            config: config.clone(),
            since: clock.now(),
            clock,
            catalog,
            salts,
            sites,
            goals,
            funnels,
            queries,
            store,
            journal,
            ingest,
            indexer: handle,
            budget: Budget::new(UNDER_WAY_BYTES_MAX),
            scrubbed: scrub::Scrubbed::default(),
            stop,
            tasks: Vec::new(),
        };
        house.tasks.push(tokio::spawn(tend::index(indexer, stopped.clone())));
        house.tasks.push(tokio::spawn(house.tending(stopped.clone())));
        house.tasks.push(tokio::spawn(house.scrubbing(stopped)));
        Ok(house)
    }

    /// Finishes what was taken: indexes and flushes, then lets the folder go.
    pub async fn close(mut self) {
        // Nobody listens any more when the tasks have ended by themselves.
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task broke off");
            }
        }
        let journal = self.journal.clone();
        drop(self);
        // It joins the writer's thread.
        if let Err(error) = tokio::task::spawn_blocking(move || journal.close()).await {
            tracing::error!(%error, "closing the journal broke off");
        }
    }
}

/// Refuses a folder that no data folder was made of: what only works on what is there would answer for nothing.
pub fn must_be_there(config: &Config) -> Result<(), AppError> {
    let path = &config.data_dir;
    if path.exists() && !path.is_dir() {
        // Refused as it is where one would be made.
        return make_folder(path);
    }
    let is_there = ["journal", "catalog.sqlite", "store"].iter().any(|part| path.join(part).exists());
    is_there.then_some(()).ok_or_else(|| AppError::NoData { path: path.clone() })
}

/// Where the catalog of a data folder is; makes the folder where there is none.
pub fn catalog_path(config: &Config) -> Result<PathBuf, AppError> {
    make_folder(&config.data_dir)?;
    Ok(config.data_dir.join("catalog.sqlite"))
}

/// Checks the configuration and what it names; answers what was found, in words.
pub fn check(config: &Config) -> Result<String, AppError> {
    rules::sites(config)?;
    let goals = rules::goals(config)?;
    rules::funnels(config, &goals)?;
    let queries = queries::filed(config, &goals, &Clock::System)?.len();
    if let Some(path) = &config.privacy.geoip {
        Places::open(path)?;
    }
    let (data_dir, address) = (std::path::absolute(&config.data_dir), config.http.listen);
    let data_dir = data_dir.map_err(|source| AppError::Folder { path: config.data_dir.clone(), source })?;
    // It is not made here: what has only been looked at stays as it was.
    let there = data_dir.ancestors().find(|folder| folder.exists()).unwrap_or(&data_dir);
    let probe = tempfile::NamedTempFile::new_in(there);
    probe.map_err(|source| AppError::Folder { path: there.to_owned(), source })?;
    let new = if there == data_dir { "" } else { " (not made yet)" };
    let data_dir = config.data_dir.display();
    let of_files =
        config.queries_dir.as_ref().map(|folder| format!(", custom queries in {}: {queries}", folder.display()));
    let of_files = of_files.unwrap_or_default();
    Ok(format!("the configuration is sound: data in {data_dir}{new}, HTTP on {address}{of_files}\n"))
}

fn make_folder(path: &Path) -> Result<(), AppError> {
    folder::make_durably(path).map_err(|source| AppError::Folder { path: path.to_owned(), source })
}
