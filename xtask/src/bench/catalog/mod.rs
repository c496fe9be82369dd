//! `cargo xtask bench catalog`: a catalog of products, line by line, beside the programs that people would use instead. A missed target
//! is shown, but does not fail the run.

mod files;
mod lines;
mod many;
mod mixed;
mod peers;
mod requests;
mod rounds;
mod serve;
mod small;
mod stage;
mod ten;

use anyhow::Result;

use self::{
    lines::{Line, wants_any},
    peers::Peers,
    stage::Stage,
};
use super::{
    options::{Options, chosen},
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "catalog";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of a feed; the temporary folder grows to about 12 KB per row and 2 GB
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    rows: u64,
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
    // Before anything takes time: this fails if a peer is missing.
    let peers = Peers::find(&options.python, &chosen)?;
    let home = options.prepare()?;
    let mut table = Table::begin();
    measure(&mut table, &mut Stage::new(home.path(), args.rows, &chosen), &peers, options.pairs)?;
    options.write(SECTION, &table, &peers.versions)
}

/// Measures all chosen lines in their order; later ones use the databases of earlier ones.
fn measure(table: &mut Table, stage: &mut Stage, peers: &Peers, pairs: usize) -> Result<()> {
    let chosen = stage.chosen;
    if wants_any(chosen, &[Line::Cold, Line::Change, Line::Nothing, Line::Follow]) {
        table.add(rounds::measure(stage, peers, pairs)?);
    }
    if wants_any(chosen, &[Line::FollowSmall]) {
        table.add(small::measure()?);
    }
    if wants_any(chosen, &[Line::Files]) {
        table.add(files::measure(stage.home, peers, pairs)?);
    }
    if wants_any(chosen, &[Line::Mixed]) {
        table.add(mixed::measure(stage, pairs)?);
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
