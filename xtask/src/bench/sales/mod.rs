//! `cargo xtask bench sales`: sales files that are streamed to a master over gRPC, beside DuckDB, which reads them from the disk, and the
//! processor that this protocol comes from. A missed target is shown, but does not fail the run.

mod client;
mod lines;
mod original;
mod rounds;
mod server;
mod streams;

use std::path::PathBuf;

use anyhow::Result;

use self::{
    lines::Line,
    original::Original,
    rounds::{Stage, measure},
};
use super::{
    options::{Options, chosen},
    python::Python,
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "sales";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of the sales files; the temporary folder grows to 32 bytes per row of the largest. The original processor reads the smallest
    #[arg(
        long, value_delimiter = ',', num_args = 1.., default_values_t = [10_000_000, 50_000_000, 200_000_000],
        value_parser = clap::value_parser!(u64).range(1_000..)
    )]
    rows: Vec<u64>,
    /// Measure these lines only
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    /// The folder `backend` of the original processor (github.com/HenokTG/sales-data-csv-processer-grpc); without it, it has no turn
    #[arg(long, value_name = "DIR")]
    original: Option<PathBuf>,
    /// The Python that has the packages of its `requirements.txt` [default: that of --python]
    #[arg(long, value_name = "PYTHON", requires = "original")]
    original_python: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    // Before anything takes time: this fails if a peer is missing.
    let python = Python::find(&options.python, &["duckdb"])
        .map_err(|fixes| anyhow::anyhow!("a peer is missing; install it with {}", fixes.join(", then ")))?;
    let original = args
        .original
        .as_deref()
        .map(|folder| Original::find(folder, args.original_python.as_ref().unwrap_or(&python.interpreter)));
    let original = original.transpose()?;
    let home = options.prepare()?;
    let mut rows = args.rows.clone();
    rows.sort_unstable();
    rows.dedup();
    let stage =
        Stage { home: home.path(), python: &python.interpreter, original: original.as_ref(), pairs: options.pairs };
    let chosen = chosen(&args.only);
    let mut table = Table::begin();
    if chosen.contains(&Line::Stream) || chosen.contains(&Line::Memory) {
        measure(&stage, &rows, &chosen, &mut table)?;
    }
    if chosen.contains(&Line::Streams) {
        table.add(streams::measure(&stage)?);
    }
    options.write(SECTION, &table, &python.versions)
}
