//! `cargo xtask bench reports`: totals over sales files of many gigabytes, line by line, beside what people would use in our
//! place. It measures and says whether a target is met; it does not judge, so a target that is missed is no failure.

mod groups;
mod lines;
mod ours;
mod peers;
mod rounds;
mod sales;
mod upload;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use self::{
    lines::{Line, chosen},
    peers::Peers,
    rounds::Stage,
};
use super::{Binaries, LEAST_PAIRS, beside_the_binaries, section, table::Table};

/// What the section of BENCHMARKS.md is called.
const SECTION: &str = "reports";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of the sales files; the loop in Python takes the smallest.
    #[arg(
        long, value_delimiter = ',', num_args = 1.., default_values_t = [10_000_000, 50_000_000, 200_000_000],
        value_parser = clap::value_parser!(u64).range(1_000..)
    )]
    rows: Vec<u64>,
    /// Rounds that count, behind one to warm up; in each of them everybody has a turn.
    #[arg(long, default_value_t = LEAST_PAIRS)]
    pairs: usize,
    /// Measure these lines only, such as `partial,again`.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    /// Write the table into BENCHMARKS.md as well, in place of the one that is there.
    #[arg(long, conflicts_with = "only")]
    markdown: bool,
    /// Where the temporary folder is made, which grows to 64 bytes a row of the largest file [default: beside the binaries].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The Python that has DuckDB and polars.
    #[arg(long, default_value = "python3")]
    python: String,
    #[command(flatten)]
    binaries: Binaries,
}

pub(super) fn run(args: &Args) -> Result<()> {
    ensure!(args.pairs > 0, "give at least one pair");
    ensure!(args.pairs >= LEAST_PAIRS || !args.markdown, "`--markdown` wants at least {LEAST_PAIRS} pairs");
    if args.markdown {
        section::check(SECTION)?;
    }
    // What is missing is told before anything takes time.
    let peers = Peers::find(&args.python)?;
    args.binaries.prepare()?;
    let folder = args.dir.clone().map_or_else(beside_the_binaries, Ok)?;
    let home = tempfile::Builder::new().prefix("bench-").tempdir_in(&folder);
    let home =
        home.with_context(|| format!("failed to make a folder in {}: name another by --dir", folder.display()))?;
    let mut rows = args.rows.clone();
    rows.sort_unstable();
    rows.dedup();
    let chosen = chosen(&args.only);
    let stage = Stage { home: home.path(), peers: &peers, pairs: args.pairs };
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
    if args.markdown {
        section::write(SECTION, &table, &peers.versions)?;
    }
    Ok(())
}
