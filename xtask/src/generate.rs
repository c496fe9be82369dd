//! `cargo xtask generate`: writes a product feed.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tributary_testkit::feed;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file to write
    #[arg(long)]
    out: PathBuf,
    /// Rows after the header
    #[arg(long, default_value_t = 500_000)]
    rows: u64,
    /// Number of the first product; feeds overlap where their numbers do
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    write(&args.out, args.rows, args.first, args.seed)
}

pub(crate) fn write(path: &Path, rows: u64, first: u64, seed: u64) -> Result<()> {
    let mut out = BufWriter::new(File::create(path).with_context(|| format!("failed to make {}", path.display()))?);
    feed::write(&mut out, rows, first, seed)
        .and_then(|()| out.flush())
        .with_context(|| format!("failed to write {}", path.display()))
}
