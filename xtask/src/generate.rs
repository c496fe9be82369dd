//! `cargo xtask generate`: writes a product feed.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tributary_testkit::feed::{self, OwnColumns};

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
    /// Columns behind description, in this order: any of price,stock,brand,gtin,category,image
    #[arg(long, value_name = "NAME,…")]
    columns: Option<OwnColumns>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let columns = args.columns.clone().unwrap_or_default();
    write_columns(&args.out, args.rows, args.first, args.seed, &columns)
}

pub(crate) fn write(path: &Path, rows: u64, first: u64, seed: u64) -> Result<()> {
    write_columns(path, rows, first, seed, &OwnColumns::default())
}

pub(crate) fn write_columns(path: &Path, rows: u64, first: u64, seed: u64, columns: &OwnColumns) -> Result<()> {
    let mut out = BufWriter::new(File::create(path).with_context(|| format!("failed to make {}", path.display()))?);
    feed::write_columns(&mut out, rows, first, seed, columns)
        .and_then(|()| out.flush())
        .with_context(|| format!("failed to write {}", path.display()))
}
