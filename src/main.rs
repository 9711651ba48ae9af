//! The `metronome` command: arguments → configuration → house → exit code.
//! Exit codes: 0 done, 1 failed, 2 wrong usage.

use anyhow::Context;
use clap::Parser;
use metronome::app::{self, House};
use metronome::catalog::Catalog;
use metronome::catalog::keys::Keys;
use metronome::clock::Clock;
use metronome::config::{self, Config, LogFormat};
use metronome::shell::args::{self, Arguments, Command, Key, Serve, Through};
use metronome::shell::client::Client;
use metronome::shell::follow::Follow;
use metronome::shell::{self, import, jobs, key, load, query, tock};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The configuration that is read where none is named.
const CONFIG: &str = "metronome.toml";

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("metronome: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::Completions { shell }) => return print(&args::completions(*shell)),
        Some(Command::Man) => return print(&args::man().context("write the page")?),
        _ => {}
    }
    let config = configuration(&arguments)?;
    log_as_configured(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    let done = runtime.block_on(command(arguments.command.unwrap_or(Command::Serve(Serve::default())), config));
    // Blocking work that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    done
}

fn configuration(arguments: &Arguments) -> anyhow::Result<Config> {
    let named = arguments.config.as_deref();
    let file = named.or_else(|| Path::new(CONFIG).exists().then_some(Path::new(CONFIG)));
    let mut config = config::load(file, std::env::vars())?;
    if let Some(data_dir) = &arguments.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    if let Some(Command::Serve(Serve { listen: Some(listen) })) = &arguments.command {
        config.http.listen = *listen;
    }
    Ok(config)
}

fn log_as_configured(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.level).context("configuration: log.level")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

async fn command(command: Command, config: Config) -> anyhow::Result<()> {
    let terminal = std::io::stdout().is_terminal();
    match command {
        Command::Serve(_) => Ok(app::serve(&config, Clock::System, stop()).await?),
        Command::Import(asked) => {
            let mut progress = import::Progress::new(std::io::stderr().is_terminal());
            if asked.follow {
                let places = config.data_dir.join("follow");
                let ask = async |client: &Client| followed(client, &asked, &places, &mut progress).await;
                return with_client(&config, &asked.through, ask).await;
            }
            let ask =
                async |client: &Client| import::run(client, &asked, &mut progress).await.map(|done| done.to_string());
            with_client(&config, &asked.through, ask).await
        }
        Command::Tock(asked) => {
            with_data(&config, &asked.through, async |client| tock::run(client, &asked, terminal).await).await
        }
        Command::Query(asked) => {
            let question = query::question(&asked.question, &asked.parameters)?;
            let ask = async |client: &Client| query::run(client, question, asked.output, terminal).await;
            with_data(&config, &asked.through, ask).await
        }
        Command::Seal(asked) => {
            with_data(&config, &asked.through, async |client| jobs::seal(client, &asked.days).await).await
        }
        Command::Verify(asked) => {
            let ask = async |client: &Client| jobs::verify(client, &asked).await;
            with_data(&config, &asked.through, ask).await
        }
        Command::Key(asked) => {
            if !matches!(asked, Key::New { .. }) {
                app::must_be_there(&config)?;
            }
            let catalog = Catalog::open(&app::catalog_path(&config)?)?;
            print(&key::run(&Keys::open(Arc::new(catalog), Clock::System)?, &asked)?)
        }
        Command::Check => print(&app::check(&config)?),
        Command::Load(asked) => print(&format!("{}\n", load::run(&asked, &Clock::System).await?)),
        Command::Completions { .. } | Command::Man => Ok(()),
    }
}

/// Follows logs until it is stopped; what came of it.
async fn followed(
    client: &Client,
    asked: &args::Import,
    places: &Path,
    progress: &mut import::Progress,
) -> Result<String, shell::ShellError> {
    let mut follow = Follow::open(client, asked, places, Clock::System)?;
    tokio::select! {
        ended = follow.run(progress) => ended?,
        () = stop() => {}
    }
    Ok(follow.summary().to_string())
}

/// Asks the named server, or the one that holds the data folder, or the folder itself; prints what comes of it.
async fn with_client(
    config: &Config,
    through: &Through,
    ask: impl AsyncFnOnce(&Client) -> Result<String, shell::ShellError>,
) -> anyhow::Result<()> {
    if let Some(url) = &through.to {
        return print(&ask(&Client::remote(url, through.key.clone())).await?);
    }
    match House::open(config, Clock::System).await {
        Ok(house) => {
            let answer = ask(&Client::Local(house.local_router())).await;
            house.close().await;
            print(&answer?)
        }
        Err(error) if error.is_held() => {
            let url = app::held_url(config);
            print(&ask(&Client::held(&url, through.key.clone())).await.with_context(|| {
                format!("a server holds {}; asked it at {url} (--to names another)", config.data_dir.display())
            })?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The same for what needs a data folder that is there.
async fn with_data(
    config: &Config,
    through: &Through,
    ask: impl AsyncFnOnce(&Client) -> Result<String, shell::ShellError>,
) -> anyhow::Result<()> {
    if through.to.is_none() {
        app::must_be_there(config)?;
    }
    with_client(config, through, ask).await
}

/// Prints to standard output; a reader that has gone is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match std::io::stdout().write_all(format!("{text}{end}").as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("print"),
    }
}

/// Resolves at SIGTERM or Ctrl-C.
async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        // Without a handler for it, Ctrl-C ends the process as ever.
        result = tokio::signal::ctrl_c() => if result.is_err() { std::future::pending::<()>().await },
    }
}
