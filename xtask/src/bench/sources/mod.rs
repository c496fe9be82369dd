//! `cargo xtask bench sources`: one master and ten thousand sources, which this program plays: nothing changes, a thousand change at once,
//! a thousand are ill, the master starts again.

mod asked;
mod content;
mod edits;
mod fleet;
mod lines;
mod pages;
mod serve;
mod stage;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};

use self::{fleet::Fleet, stage::Stage};
use super::{options::Place, table::Table};

/// The section of BENCHMARKS.md.
const SECTION: &str = "sources";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Sources of one file each
    #[arg(long, default_value_t = 10_000)]
    sources: usize,
    /// Rows of each
    #[arg(long, default_value_t = 20)]
    rows: usize,
    /// Sources that change at once, and sources that are ill
    #[arg(long, default_value_t = 1_000)]
    some: usize,
    /// Seconds for which the master is watched while nothing changes, and while sources are ill
    #[arg(long, default_value_t = 60)]
    watch: u64,
    /// Measure this master in place of the one beside this program
    #[arg(long)]
    master: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let Args { sources, rows, some, watch, master, place } = args;
    ensure!(*rows > 0 && *some > 0, "give at least one row and one source");
    ensure!(some * 2 + 10 <= *sources, "`--some` is at most half of the sources, less ten");
    place.check(SECTION)?;
    let home = place.prepare()?;
    allow_many_files()?;
    let fleet = Fleet::start(*sources, *rows, some / 3)?;
    let mut stage = Stage::new(home.path(), fleet, master.clone(), Duration::from_secs(*watch))?;
    let mut table = Table::begin();
    table.add(lines::start(&mut stage)?);
    table.add(lines::idle(&stage)?);
    table.add(pages::measure(&stage)?);
    table.add(lines::change(&stage, *some, *rows, 1)?);
    table.add(lines::change(&stage, *some, 500, 500)?);
    table.add(lines::ill(&stage, *some, *rows)?);
    table.add(lines::restart(&mut stage, *some)?);
    place.write(SECTION, &table.markdown(), &[])
}

/// Raises the limit of open files of this program, which programs that it starts inherit, as far as the system lets it.
fn allow_many_files() -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}
