//! `cargo xtask bench`: how fast the release binaries are, on this machine, in this run. What is measured is what a user
//! would see, from the outside.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tributary_store::{DatabaseUrl, ProductFilter, Store};
use tributary_testkit::{
    feed,
    process::{self, Daemon},
    wait,
};

use crate::verify;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// From a changed line on disk to the row in the database, with a master and a source that run.
    Follow {
        /// Changes that are timed, for each size.
        #[arg(long, default_value_t = 30)]
        changes: usize,
    },
}

/// Rows of the file, and how long it must be quiet before it counts as changed.
const SIZES: [(u64, &str); 4] = [(1_000, "50ms"), (1_000, "250ms"), (50_000, "50ms"), (50_000, "250ms")];

pub(crate) fn run(args: &Args) -> Result<()> {
    let What::Follow { changes } = args.what;
    ensure!(changes > 0, "give at least one change");
    verify::build()?;
    println!("| rows of the file | --settle | from the change on disk to the database: min | median | max |");
    println!("| --- | --- | --- | --- | --- |");
    for (rows, settle) in SIZES {
        let mut times = follow(rows, settle, changes)?;
        times.sort_unstable();
        let [first, median, last] = [0, changes / 2, changes - 1].map(|place| times[place].as_millis());
        println!("| {rows} | {settle} | {first} ms | {median} ms | {last} ms |");
    }
    Ok(())
}

/// Times `changes` changes of one row in the middle of a file that is rewritten in place.
fn follow(rows: u64, settle: &str, changes: usize) -> Result<Vec<Duration>> {
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder = home.path().join("north");
    fs::create_dir(&folder)?;
    let feed = |name: &str| {
        let mut text = Vec::new();
        feed::write(&mut text, rows, 0, 1)?;
        text.extend_from_slice(format!("{name},changing,\n").as_bytes());
        anyhow::Ok(text)
    };
    fs::write(folder.join("feed.csv"), feed("begin")?)?;
    let mut source = process::command("data-source", home.path());
    source.args(["--dir", "north", "--listen", "127.0.0.1:0", "--settle", settle]).env("RUST_LOG", "error");
    let source = Daemon::start(source);
    let mut master = process::command("master", home.path());
    master.args(["--listen", "127.0.0.1:0", "--source", &format!("north={}", source.url)]).env("RUST_LOG", "error");
    let _master = Daemon::start(master);
    let mut seen = Reader::new(&home.path().join("database.db"))?;
    seen.wait_for("begin")?;
    let mut times = Vec::new();
    for change in 0..changes {
        let name = format!("change {change}");
        let text = feed(&name)?;
        let started = Instant::now();
        fs::write(folder.join("feed.csv"), text)?;
        seen.wait_for(&name)?;
        times.push(started.elapsed());
    }
    Ok(times)
}

/// Looks into the database as any program may.
struct Reader(Store);

impl Reader {
    fn new(database: &Path) -> Result<Self> {
        let url: DatabaseUrl = database.to_str().context("the path is UTF-8")?.parse()?;
        Ok(Self(Store::open_existing(&url)?))
    }

    fn wait_for(&mut self, name: &str) -> Result<()> {
        let filter = ProductFilter { sku: Some("changing".to_owned()), ..ProductFilter::default() };
        let shown = || match self.0.products_page(&filter, None, 1) {
            Ok(rows) => rows.first().is_some_and(|row| row.name == name).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        Ok(wait::until(&format!("`{name}` is in the database"), shown)?)
    }
}
