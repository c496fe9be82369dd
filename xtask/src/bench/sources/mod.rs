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
use clap::ValueEnum;

pub(super) use self::{fleet::Fleet, stage::Stage};
use super::{
    options::{Place, chosen},
    table::Table,
};

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
    /// Measure these lines only, and the start
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    #[command(flatten)]
    place: Place,
}

/// A line of the table, or a few that are measured together. Each begins with what those before it have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Line {
    /// Nothing changes
    Idle,
    /// Pages and lists with all sources
    Pages,
    /// Some sources change at once, by one row each
    Change,
    /// Some sources change at once, by 500 rows each
    ChangeMany,
    /// Some sources are ill
    Ill,
    /// The master starts again
    Restart,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let Args { sources, rows, some, watch, master, only, place } = args;
    ensure!(*rows > 0 && *some > 0, "give at least one row and one source");
    ensure!(some * 2 + 10 <= *sources, "`--some` is at most half of the sources, less ten");
    place.check(SECTION)?;
    let home = place.prepare()?;
    allow_many_files()?;
    let fleet = Fleet::start(*sources, *rows, some / 3)?;
    let mut stage = Stage::new(home.path(), fleet, master.clone())?;
    let watch = Duration::from_secs(*watch);
    let mut table = Table::begin();
    table.add(lines::start(&mut stage)?);
    for line in chosen(only) {
        table.add(match line {
            Line::Idle => lines::idle(&stage, watch)?,
            Line::Pages => pages::measure(&stage)?,
            Line::Change => lines::change(&stage, *some, *rows, 1)?,
            Line::ChangeMany => lines::change(&stage, *some, 500, 500)?,
            Line::Ill => lines::ill(&stage, (*some, *rows), watch)?,
            Line::Restart => lines::restart(&mut stage, *some)?,
        });
    }
    place.write(SECTION, &table.markdown(), &[])
}

/// Raises the limit of open files of this program, which programs that it starts inherit, as far as the system lets it.
fn allow_many_files() -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}
