//! `cargo xtask bench catalog`: a catalog of products, line by line, beside what people would use in our place. It measures
//! and says whether a target is met; it does not judge, so a target that is missed is no failure.

mod lines;
mod many;
mod peers;
mod requests;
mod rounds;
mod serve;
mod small;
mod stage;
mod ten;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use self::{
    lines::{Line, wants_any},
    peers::Peers,
    stage::Stage,
};
use super::{Binaries, LEAST_PAIRS, beside_the_binaries, section, table::Table};

/// What the section of BENCHMARKS.md is called.
const SECTION: &str = "catalog";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of a feed.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    rows: u64,
    /// Rounds that count, behind one to warm up; in each of them everybody has a turn.
    #[arg(long, default_value_t = LEAST_PAIRS)]
    pairs: usize,
    /// Measure these lines only, such as `cold,change`.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    /// Write the table into BENCHMARKS.md as well, in place of the one that is there.
    #[arg(long, conflicts_with = "only")]
    markdown: bool,
    /// Where the temporary folder is made, which grows to about 12 KB a row and 2 GB [default: beside the binaries].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The Python that has DuckDB, polars and pandas.
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
    let chosen = lines::chosen(&args.only);
    // What is missing is told before anything takes time.
    let peers = Peers::find(&args.python, &chosen)?;
    args.binaries.prepare()?;
    let folder = args.dir.clone().map_or_else(beside_the_binaries, Ok)?;
    let home = tempfile::Builder::new().prefix("bench-").tempdir_in(&folder);
    let home =
        home.with_context(|| format!("failed to make a folder in {}: name another by --dir", folder.display()))?;
    let mut table = Table::begin();
    measure(&mut table, &mut Stage::new(home.path(), args.rows, &chosen), &peers, args.pairs)?;
    if args.markdown {
        section::write(SECTION, &table, &peers.versions)?;
    }
    Ok(())
}

/// All lines in their order; what one has loaded the later ones use.
fn measure(table: &mut Table, stage: &mut Stage, peers: &Peers, pairs: usize) -> Result<()> {
    let chosen = stage.chosen;
    if wants_any(chosen, &[Line::Cold, Line::Change, Line::Nothing, Line::Follow]) {
        table.add(rounds::measure(stage, peers, pairs)?);
    }
    if wants_any(chosen, &[Line::FollowSmall]) {
        table.add(small::measure()?);
    }
    if wants_any(chosen, &[Line::Ten, Line::TenChange]) {
        table.add(ten::measure(stage)?);
    }
    if wants_any(chosen, &[Line::Get, Line::List, Line::Edit, Line::EditApply]) {
        table.add(requests::measure(stage)?);
    }
    if wants_any(chosen, &[Line::Sources]) {
        table.add(many::measure(stage.home)?);
    }
    if wants_any(chosen, &[Line::Serve]) {
        table.add(serve::measure(stage.home)?);
    }
    Ok(())
}
