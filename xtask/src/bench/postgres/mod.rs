//! `cargo xtask bench postgres`: a catalog in PostgreSQL beside the same in SQLite and a script with psycopg, and how fast a standby takes
//! over. The server writes durably and has the settings of its package. A missed target is shown, but does not fail the run.

mod rounds;
mod server;
mod takeover;

use anyhow::Result;
use clap::ValueEnum;

use self::server::Server;
use super::{
    options::{Options, chosen},
    python::Python,
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "postgres";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of the feed
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    rows: u64,
    /// Times in a row that the active master is killed
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    takeovers: u32,
    /// Measure these lines only, such as `catalog`
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    #[command(flatten)]
    options: Options,
}

/// A line, or a few that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Line {
    /// A feed loaded, changed and followed, in PostgreSQL, in SQLite and by psycopg
    Catalog,
    /// The active master killed again and again
    Takeover,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    let python = Python::find(&options.python, &["psycopg"]);
    let python =
        python.map_err(|missing| anyhow::anyhow!("a peer is missing; install it with {}", missing.join(", then ")))?;
    let home = options.prepare()?;
    let server = Server::start(home.path())?;
    let mut table = Table::begin();
    let chosen = chosen(&args.only);
    if chosen.contains(&Line::Catalog) {
        table.add(rounds::measure(home.path(), &server, &python.interpreter, args.rows, options.pairs)?);
    }
    if chosen.contains(&Line::Takeover) {
        table.add(takeover::measure(home.path(), &server, args.takeovers)?);
    }
    let versions = [vec![server.version()?], python.versions].concat();
    options.write(SECTION, &table, &versions)
}
