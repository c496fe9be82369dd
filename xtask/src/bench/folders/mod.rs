//! `cargo xtask bench folders`: one changed row in folders of few and of many files, from the renamed file to the answer over HTTP.

mod corpus;
mod setup;

use std::{env, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};

use self::setup::{Change, Programs, Setup};
use super::{
    Binaries,
    figures::{Spread, mebibytes, seconds, thousands},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Files of 20 rows in each folder
    #[arg(long, value_delimiter = ',', num_args = 1.., default_values_t = [500, 50_000])]
    files: Vec<usize>,
    /// Timed changes per folder, after one that warms up
    #[arg(long, default_value_t = 20)]
    changes: usize,
    /// A folder with the `data-source` and `master` of another commit, measured in turns
    #[arg(long)]
    base: Option<PathBuf>,
    /// Folder in which to make the temporary one [default: beside the binaries]
    #[arg(long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    binaries: Binaries,
}

const HEAD: &str = "| files | programs | start of data-source, first pass | peak memory: data-source, master | change, beyond the settle time: median (min-max) | x fewest files | CPU of a change: data-source, master |\n| --- | --- | --- | --- | --- | --- | --- |";

pub(super) fn run(args: &Args) -> Result<()> {
    ensure!(args.changes > 0 && !args.files.contains(&0), "give at least one change and one file");
    args.binaries.prepare()?;
    let program = env::current_exe().context("failed to find this program")?;
    let beside = program.parent().context("this program has no folder")?;
    let home = tempfile::Builder::new().prefix("bench-").tempdir_in(args.dir.as_deref().unwrap_or(beside))?;
    let own = Programs { name: "ours", folder: beside.to_owned() };
    // Programs run in folders of their own.
    let base = args.base.as_ref().map(std::path::absolute).transpose()?;
    let base = base.map(|folder| Programs { name: "base", folder });
    let programs: Vec<_> = base.into_iter().chain([own]).collect();
    let mut setups = Vec::new();
    for files in &args.files {
        for programs in &programs {
            let setup = Setup::start(home.path(), programs, *files)?;
            eprintln!(
                "{} files, {}: first pass in {}",
                thousands(setup.files),
                programs.name,
                seconds(setup.first_pass)
            );
            setups.push(setup);
        }
    }
    for setup in &setups {
        setup.rest()?;
    }
    let changes = measure(&mut setups, args.changes)?;
    print(&setups, &changes)
}

/// Changes each folder in turns, and returns the changes of each. The first round only warms up.
fn measure(setups: &mut [Setup], rounds: usize) -> Result<Vec<Vec<Change>>> {
    let mut changes: Vec<Vec<Change>> = setups.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (setup, changes) in setups.iter_mut().zip(&mut changes) {
            let change = setup.change(round)?;
            if round > 0 {
                changes.push(change);
            }
        }
    }
    Ok(changes)
}

fn print(setups: &[Setup], changes: &[Vec<Change>]) -> Result<()> {
    println!("{HEAD}");
    let spread = |at: usize| Spread::of_times(changes[at].iter().map(|change| change.beyond_settle));
    for (at, setup) in setups.iter().enumerate() {
        let fewest = setups.iter().position(|other| other.programs == setup.programs).unwrap_or(at);
        let [source, master] = setup.peaks()?.map(mebibytes);
        println!(
            "| {} | {} | {}, {} | {source}, {master} | {} | {:.2} | {}, {} |",
            thousands(setup.files),
            setup.programs,
            seconds(setup.source_start),
            seconds(setup.first_pass),
            spread(at).seconds(),
            spread(at).median / spread(fewest).median,
            milliseconds(&changes[at], |change| change.source_cpu),
            milliseconds(&changes[at], |change| change.master_cpu),
        );
    }
    Ok(())
}

/// The mean of a time that is counted in steps of 10 ms.
fn milliseconds(changes: &[Change], part: impl Fn(&Change) -> Duration) -> String {
    let sum: Duration = changes.iter().map(part).sum();
    format!("{:.1} ms", sum.as_secs_f64() * 1000.0 / changes.len() as f64)
}
