//! `cargo xtask bench reports`: totals over sales files of many gigabytes, line by line, beside the programs that people would use instead.
//! A missed target is shown, but does not fail the run.

mod groups;
mod lines;
mod ours;
mod peers;
mod rounds;
mod upload;

use anyhow::Result;

use self::{lines::Line, peers::Peers, rounds::Stage};
use super::{
    options::{Options, chosen},
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "reports";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of the sales files; the temporary folder grows to 64 bytes per row of the largest. The Python loop reads the smallest
    #[arg(
        long, value_delimiter = ',', num_args = 1.., default_values_t = [10_000_000, 50_000_000, 200_000_000],
        value_parser = clap::value_parser!(u64).range(1_000..)
    )]
    rows: Vec<u64>,
    /// Measure these lines only, such as `partial,again`
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    // Before anything takes time: this fails if a peer is missing.
    let peers = Peers::find(&options.python)?;
    let home = options.prepare()?;
    let mut rows = args.rows.clone();
    rows.sort_unstable();
    rows.dedup();
    let chosen = chosen(&args.only);
    let stage = Stage { home: home.path(), peers: &peers, pairs: options.pairs };
    let mut table = Table::begin();
    if chosen.iter().any(|line| Line::OF_SIZES.contains(line)) {
        rounds::measure(&stage, &rows, &chosen, &mut table)?;
    }
    if chosen.contains(&Line::Groups) {
        table.add(groups::measure(&stage)?);
    }
    if chosen.contains(&Line::Upload) {
        table.add(upload::measure(&stage, rows.last().copied().unwrap_or_default())?);
    }
    options.write(SECTION, &table, &peers.versions)
}
