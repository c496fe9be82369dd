//! `cargo xtask bench`: how fast the release binaries are, on this machine, in this run. What is measured is what a user
//! would see, from the outside: whole processes, over HTTP, through the database file.

mod catalog;
mod client;
mod feed;
mod figures;
mod follow;
mod python;
mod reports;
mod running;
mod section;
mod shell;
mod table;
mod usage;
mod waiting;

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use crate::verify;

/// Fewer rounds say too little of how much a figure varies.
const LEAST_PAIRS: usize = 5;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// From a changed line on disk to the row in the database, with a master and a source that run.
    Follow(follow::Args),
    /// A catalog of products, beside what people would use in our place: loading, changes, many sources, requests.
    Catalog(catalog::Args),
    /// Totals over sales files of many gigabytes, beside what people would use in our place.
    Reports(reports::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Follow(args) => follow::run(args),
        What::Catalog(args) => catalog::run(args),
        What::Reports(args) => reports::run(args),
    }
}

/// Which binaries are measured.
#[derive(clap::Args)]
struct Binaries {
    /// Measure the binaries that lie beside this one as they are, without building them first.
    #[arg(long)]
    no_build: bool,
}

impl Binaries {
    fn prepare(&self) -> Result<()> {
        if self.no_build { verify::release_only() } else { verify::build() }
    }
}

/// A system's folder for temporary files may be in memory; that of the binaries has room for what is built.
fn beside_the_binaries() -> Result<PathBuf> {
    let program = env::current_exe().context("failed to find this program")?;
    Ok(program.parent().context("this program has no folder")?.to_owned())
}
