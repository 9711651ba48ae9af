//! Arguments: the one definition of the command line; help, completions and the man page are made from it.

use crate::event::Day;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Usage events in, an item's usage out.
#[derive(Debug, Parser)]
#[command(
    name = "metronome",
    version,
    about,
    after_help = "Without a command: serve.\n\nExample:\n  metronome serve --listen 127.0.0.1:8080"
)]
pub struct Arguments {
    /// The configuration [default: metronome.toml, where there is one].
    #[arg(long, global = true, env = "METRONOME_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept, over the configuration's data_dir.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve HTTP (what happens without a command).
    #[command(after_help = "Example:\n  metronome serve --listen 127.0.0.1:8080")]
    Serve(Serve),
    /// Bring log files in; the same file twice adds nothing.
    #[command(
        after_help = "Examples:\n  metronome import /var/log/nginx/access.log*\n  zcat old.gz | metronome import --site shop -\n  metronome import --follow --to http://127.0.0.1:7171 /var/log/nginx/access.log"
    )]
    Import(Import),
    /// Ask for an item's usage, or without an id for the site's.
    #[command(after_help = "Example:\n  metronome tock /datasets/trees --range 90d")]
    Tock(Tock),
    /// Ask any question of the query language: metrics by dimensions.
    #[command(
        after_help = "Examples:\n  metronome query '{\"metrics\":[\"visitors\"],\"dimensions\":[\"day\"],\"date_range\":\"30d\"}'\n  metronome query views.json --output csv\n  metronome query pages-by-source section=/news range=7d"
    )]
    Query(Query),
    /// Make, list and revoke keys.
    #[command(subcommand, after_help = "Example:\n  metronome key new --scope write --site opendata")]
    Key(Key),
    /// Derive and rewrite days now.
    #[command(after_help = "Example:\n  metronome seal 2026-03-01")]
    Seal(Seal),
    /// Check every checksum of journal and store; say what is damaged and set it aside.
    #[command(after_help = "Example:\n  metronome verify --repair")]
    Verify(Verify),
    /// Check the configuration and what it names.
    #[command(after_help = "Example:\n  metronome check --config /etc/metronome.toml")]
    Check,
    /// Send a seeded, realistic load and count what is acknowledged.
    #[command(after_help = "Example:\n  metronome load --connections 256 --seconds 10")]
    Load(Load),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  metronome completions bash > /etc/bash_completion.d/metronome")]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    #[command(after_help = "Example:\n  metronome man > /usr/local/share/man/man1/metronome.1")]
    Man,
}

/// `metronome serve`
#[derive(Debug, Args, Default)]
pub struct Serve {
    /// The address to serve, over the configuration's http.listen.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// Which server to go through.
#[derive(Debug, Args, Default, Clone)]
pub struct Through {
    /// A running server [default: the data folder itself, or the server that holds it].
    #[arg(long, env = "METRONOME_URL", value_name = "URL")]
    pub to: Option<String>,
    /// A key of that server.
    #[arg(long, env = "METRONOME_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
}

/// `metronome import`
#[derive(Debug, Args)]
pub struct Import {
    /// Log files, gzip and zstd too; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The site of lines that name none.
    #[arg(long, default_value = "default")]
    pub site: String,
    /// The format [default: found from the first lines of each file].
    #[arg(long, value_name = "FORMAT", value_parser = ["combined", "common", "vhost", "json", "cloudfront", "fluentd"])]
    pub format: Option<String>,
    /// Go on with what is written to the files from now on, through rotation, until stopped.
    #[arg(long)]
    pub follow: bool,
    /// Which server to go through.
    #[command(flatten)]
    pub through: Through,
}

/// `metronome tock`
#[derive(Debug, Args)]
pub struct Tock {
    /// The item's id.
    pub id: Option<String>,
    /// The site.
    #[arg(long)]
    pub site: Option<String>,
    /// today, 7d, 28d, 30d, 90d, 12mo, month, year or all.
    #[arg(long)]
    pub range: Option<String>,
    /// The first day.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The last day.
    #[arg(long, value_name = "DAY")]
    pub to_day: Option<String>,
    /// exclude, include or only.
    #[arg(long)]
    pub bots: Option<String>,
    /// The form of the answer [default: a table on a terminal, JSON in a pipe].
    #[arg(long, value_enum)]
    pub output: Option<Output>,
    /// Which server to go through.
    #[command(flatten)]
    pub through: Through,
}

/// `metronome query`
#[derive(Debug, Args)]
pub struct Query {
    /// A file with the question, - for standard input, the question itself as JSON, or the name of a custom query.
    #[arg(value_name = "FILE|-|JSON|NAME")]
    pub question: String,
    /// Parameters of the custom query; of a list, one for each member.
    #[arg(value_name = "PARAMETER=VALUE", value_parser = pair)]
    pub parameters: Vec<(String, String)>,
    /// The form of the answer [default: a table on a terminal, JSON in a pipe].
    #[arg(long, value_enum)]
    pub output: Option<Output>,
    /// Which server to go through.
    #[command(flatten)]
    pub through: Through,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// As the API answers.
    Json,
    /// As the API answers.
    Csv,
}

impl Output {
    /// The form asked for, else the one that fits where it goes.
    pub fn chosen(asked: Option<Self>, terminal: bool) -> Self {
        asked.unwrap_or(if terminal { Self::Table } else { Self::Json })
    }
}

/// `metronome key`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key; it is shown once.
    #[command(after_help = "Example:\n  metronome key new --scope write --site opendata")]
    New {
        /// What it may do.
        #[arg(long, value_enum)]
        scope: Scope,
        /// The one site it is for [default: all; a write key needs one].
        #[arg(long)]
        site: Option<String>,
    },
    /// List the keys, without their secrets.
    #[command(after_help = "Example:\n  metronome key list")]
    List,
    /// Revoke a key.
    #[command(after_help = "Example:\n  metronome key revoke 0ebe0581")]
    Revoke {
        /// Its id, as listed.
        id: String,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Write events of one site.
    Write,
    /// Read one site or all.
    Read,
    /// Everything.
    Admin,
}

/// `metronome seal`
#[derive(Debug, Args)]
pub struct Seal {
    /// Days, as 2026-03-01 [default: all that are open or dirty].
    #[arg(value_parser = day, value_name = "DAY")]
    pub days: Vec<Day>,
    /// Which server to go through.
    #[command(flatten)]
    pub through: Through,
}

/// `metronome verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// Days, as 2026-03-01 [default: all].
    #[arg(value_parser = day, value_name = "DAY")]
    pub days: Vec<Day>,
    /// Derive every sum again from the events and print any difference.
    #[arg(long)]
    pub recount: bool,
    /// Make damaged days whole, from what was set aside or from the journal.
    #[arg(long)]
    pub repair: bool,
    /// Let days that nothing holds any more count as they are, without what is lost.
    #[arg(long, requires = "repair")]
    pub accept_loss: bool,
    /// Which server to go through.
    #[command(flatten)]
    pub through: Through,
}

/// `metronome load`
#[derive(Debug, Args)]
pub struct Load {
    /// The server.
    #[arg(long, default_value = "127.0.0.1:7171", value_name = "ADDRESS")]
    pub to: SocketAddr,
    /// A write key.
    #[arg(long, env = "METRONOME_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Events per second [default: as many as are taken].
    #[arg(long)]
    pub rate: Option<u64>,
    /// When to stop.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Events at the most.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Events in a request.
    #[arg(long, default_value_t = 1)]
    pub batch: u64,
    /// Makes one run differ from another.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The site.
    #[arg(long, default_value = "default")]
    pub site: String,
    /// Days up to now that the events are spread over.
    #[arg(long, default_value_t = 1)]
    pub days: u64,
}

/// The script that completes the command line in a shell.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "metronome", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The man page, in roff.
pub fn man() -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is no parameter such as range=7d"))
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| format!("{text:?} is no day such as 2026-03-01"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;

    #[test]
    fn the_definition_holds_together_and_every_command_has_an_example() {
        Arguments::command().debug_assert();
        let definition = Arguments::command();
        let commands =
            definition.get_subcommands().flat_map(|command| iter::once(command).chain(command.get_subcommands()));
        for command in commands {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("metronome "), "{} has no example", command.get_name());
        }
    }

    #[test]
    fn completions_and_the_man_page_name_every_command() {
        let (completions, page) = (completions(clap_complete::Shell::Bash), man().unwrap());
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            assert!(completions.contains(name) && page.contains(name), "{name}");
        }
    }
}
