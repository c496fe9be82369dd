//! `cargo xtask bench columns`: a catalog with own columns, line by line, beside DuckDB. A missed target is shown, but does not fail the
//! run.

mod lines;
mod peer;
mod requests;
mod rounds;
mod stage;

use anyhow::Result;

use self::{lines::Line, peer::DuckDb, stage::Stage};
use super::{
    options::{Options, chosen},
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "columns";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of the feed that is loaded
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    rows: u64,
    /// Rows of the feed whose products are asked for; 1,070,000 rows are 1,000,000 products
    #[arg(long, default_value_t = 1_070_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    rows_asked: u64,
    /// Measure these lines only, such as `cold,change`
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    let chosen = chosen(&args.only);
    // Before anything takes time: this fails if the peer is missing.
    let peer = DuckDb::find(&options.python)?;
    let home = options.prepare()?;
    let mut table = Table::begin();
    if chosen.iter().any(|line| Line::OF_ROUNDS.contains(line)) {
        let stage = Stage::start(home.path(), "loaded", args.rows)?;
        table.add(rounds::measure(&stage, &peer, &chosen, options.pairs)?);
    }
    if chosen.iter().any(|line| Line::OF_REQUESTS.contains(line)) {
        let stage = Stage::start(home.path(), "asked", args.rows_asked)?;
        table.add(requests::measure(&stage, &chosen)?);
    }
    options.write(SECTION, &table, &peer.versions)
}
