//! `cargo xtask bench follow`: from a changed line on disk to the row in the database, for files of several sizes.

use anyhow::{Context, Result, ensure};

use super::{
    Binaries,
    figures::Spread,
    running::{Pass, Served, database, fresh, master},
    shell::Shell,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Timed changes per size
    #[arg(long, default_value_t = 30)]
    changes: usize,
    #[command(flatten)]
    binaries: Binaries,
}

/// Rows of a file, and how long it must be quiet before it counts as changed.
const SIZES: [(u64, &str); 4] = [(1_000, "50ms"), (1_000, "250ms"), (50_000, "50ms"), (50_000, "250ms")];

pub(super) fn run(args: &Args) -> Result<()> {
    ensure!(args.changes > 0, "give at least one change");
    args.binaries.prepare()?;
    println!("| rows of the file | --settle | from the change on disk to the database: min | median | max |");
    println!("| --- | --- | --- | --- | --- |");
    for (rows, settle) in SIZES {
        let changes = follow(rows, settle, args.changes)?;
        let times = Spread::of_times(changes.iter().map(|change| change.master.wall));
        let [least, median, most] = [times.least, times.median, times.most].map(|seconds| seconds * 1000.0);
        println!("| {rows} | {settle} | {least:.0} ms | {median:.0} ms | {most:.0} ms |");
    }
    Ok(())
}

/// Times `changes` changes of one row in the middle of a file that is rewritten in place.
pub(super) fn follow(rows: u64, settle: &str, changes: usize) -> Result<Vec<Pass>> {
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let served = Served::start(home.path(), "north", 1, rows, 0, settle)?;
    let folder = home.path().join("ours");
    fresh(&folder)?;
    let master = master(&folder, &[&served])?;
    let mut shell = Shell::open(&database(&folder))?;
    shell.wait_for(&served.feeds[0].sku, "Begin")?;
    (0..changes).map(|change| served.follow(&master, &mut shell, &format!("Change {change}"))).collect()
}
