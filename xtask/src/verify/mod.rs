//! `cargo xtask verify`: the main job at full size, checked by a program that we did not write. Serves two overlapping feeds, applies them
//! with `master --once`, and compares both tables, row by row, with those that the `sqlite3` shell makes by importing the same files.

pub(crate) mod reports;

use std::{
    fs,
    io::{ErrorKind, Write},
    path::Path,
    process::{Command, Output, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use tributary_testkit::process::{self, Daemon};

use crate::{generate, workspace};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rows of each of the two feeds; the second half of one overlaps the first half of the other
    #[arg(long, default_value_t = 500_000)]
    rows: u64,
}

/// The tables as they must be: the last row of a sku in a file counts, and south wins over north.
const EXPECTED: &str = r#"
create table expected as
  select sku, name, description, max(place) from (
    select *, rowid as place from north union all select *, 1000000000 + rowid from south
  ) group by sku;
create table expected_aggr as select name, count(*) as no_of_products from expected group by name;
"#;

/// Prints one line per figure. The four differences must be 0.
const COMPARE: &str = r#"
select 'products in the database', count(*) from db.products;
select 'products expected', count(*) from expected;
select 'names in the database', count(*) from db.aggr;
select 'names expected', count(*) from expected_aggr;
select 'expected products missing', count(*) from (select sku, name, description from expected except select sku, name, description from db.products);
select 'unexpected products', count(*) from (select sku, name, description from db.products except select sku, name, description from expected);
select 'expected names missing', count(*) from (select name, no_of_products from expected_aggr except select name, no_of_products from db.aggr);
select 'unexpected names', count(*) from (select name, no_of_products from db.aggr except select name, no_of_products from expected_aggr);
"#;

pub(crate) fn run(args: &Args) -> Result<()> {
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let home = home.path();
    build()?;
    for (name, first, seed) in [("north", 0, 1), ("south", args.rows / 2, 2)] {
        let folder = home.join(name);
        fs::create_dir(&folder)?;
        generate::write(&folder.join("feed.csv"), args.rows, first, seed)?;
        println!("{name}: {} rows, {} bytes", args.rows, fs::metadata(folder.join("feed.csv"))?.len());
    }
    let sources = ["north", "south"].map(|name| (name, Daemon::source(&home.join(name))));
    let mut once = process::command("master", home);
    once.arg("--once").args(sources.iter().map(|(name, daemon)| format!("--source={name}={}", daemon.url)));
    println!("master --once: {}", timed(&mut once)?);
    compare(home)?;
    let again = timed(&mut once)?;
    println!("master --once, again: {again}");
    ensure!(again.contains("0 files read") && again.contains("(+0 ~0 -0)"), "a second run must change nothing");
    compare(home)
}

/// Builds the release binaries beside this program.
pub(crate) fn build() -> Result<()> {
    release_only()?;
    workspace::run(Command::new(env!("CARGO")).args(["build", "--release", "--bins"]).current_dir(workspace::root()))
}

/// Refuses to run as a debug build, since the binaries beside it would be debug builds too.
pub(crate) fn release_only() -> Result<()> {
    ensure!(
        !cfg!(debug_assertions),
        "run `cargo run --release -p xtask --` instead of `cargo xtask`: figures of debug binaries mean nothing"
    );
    Ok(())
}

fn timed(command: &mut Command) -> Result<String> {
    let started = Instant::now();
    let output = command.output().context("failed to start the master")?;
    let took = started.elapsed().as_secs_f64();
    ensure!(output.status.success(), "the master failed: {}{}", process::stdout(&output), process::stderr(&output));
    Ok(format!("{} (whole process: {took:.2} s)", process::stdout(&output).trim()))
}

fn compare(home: &Path) -> Result<()> {
    let script = format!(
        ".bail on\n.mode csv\n.import north/feed.csv north\n.import south/feed.csv south\n{EXPECTED}attach 'database.db' as db;\n.mode list\n{COMPARE}"
    );
    let mut command = Command::new("sqlite3");
    command
        .current_dir(home)
        .args(["-batch", ":memory:"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut shell = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("the sqlite3 shell is missing: `apt-get install sqlite3`")
        }
        shell => shell.context("failed to start the sqlite3 shell")?,
    };
    shell.stdin.take().context("the shell's input is piped")?.write_all(script.as_bytes())?;
    let Output { status, stdout, stderr } = shell.wait_with_output()?;
    let (figures, errors) = (String::from_utf8(stdout)?, String::from_utf8(stderr)?);
    ensure!(status.success() && errors.is_empty(), "the sqlite3 shell failed: {errors}");
    ensure!(figures.lines().count() == 8, "the sqlite3 shell did not answer every question: {figures}");
    for line in figures.lines() {
        let (what, count) = line.split_once('|').context("the sqlite3 shell answers in another form")?;
        println!("  {what}: {count}");
        ensure!(count == "0" || !(what.contains("missing") || what.starts_with("unexpected")), "the tables differ");
    }
    Ok(())
}
