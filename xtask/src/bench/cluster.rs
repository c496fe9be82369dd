//! `cargo xtask cluster run -- cargo run --release -p xtask -- bench cluster`: a report over sales files by a Ballista cluster, beside the
//! push-down. Both must give the same tables. A missed target is shown, but does not fail the run.

use std::{env, fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use super::{
    figures::{Spread, seconds, thousands},
    options::Options,
    running::{database, fresh, write_back},
    shell::Shell,
    table::{Row, Table},
    usage::{self, Usage},
    waiting::until,
};
use crate::workspace;

/// The section of BENCHMARKS.md.
const SECTION: &str = "cluster";
/// The variable in which `cargo xtask cluster` passes the scheduler.
const SCHEDULER: &str = "TRIBUTARY_E2E_BALLISTA";
/// The longest time of the cluster, in times of the push-down.
const MAX_TIMES: f64 = 2.0;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Rows of all files
    #[arg(long, default_value_t = 50_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    rows: u64,
    /// Files
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=64))]
    files: u64,
    #[command(flatten)]
    options: Options,
}

/// The costs of the master in a round: by the push-down, by the cluster, and by the cluster over files that the source has checked before.
struct Round {
    push_down: Usage,
    first: Usage,
    again: Usage,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    let scheduler =
        env::var(SCHEDULER).with_context(|| format!("{SCHEDULER} is not set: use `cargo xtask cluster run`"))?;
    let home = options.prepare()?;
    let folder = home.path().join("sales");
    fresh(&folder)?;
    eprintln!("generating {} rows in {} files", thousands(args.rows), args.files);
    for file in 1..=args.files {
        let mut generate = process::command("generate", &folder);
        let (rows, seed, out) = ((args.rows / args.files).to_string(), file.to_string(), format!("sales-{file}.csv"));
        generate.args(["sales", "--rows", &rows, "--seed", &seed, "--out", &out]);
        workspace::run(generate.stdout(Stdio::null()))?;
    }
    write_back()?;
    let mut rounds = Vec::new();
    for number in 0..=options.pairs {
        let round = round(home.path(), &folder, &scheduler)?;
        let [push_down, first, again] = [round.push_down, round.first, round.again].map(|usage| seconds(usage.wall));
        eprintln!("round {number} of {}: push-down {push_down}, cluster {first}, again {again}", options.pairs);
        // The first round only warms up.
        if number > 0 {
            rounds.push(round);
        }
    }
    let mut table = Table::begin();
    table.add(rows(args, &rounds));
    options.write(SECTION, &table, &["Ballista 55.0.0, two executors with a core each".to_owned()])
}

/// Computes the report three times, each with an empty database. What a source has computed before is forgotten.
fn round(home: &Path, sales: &Path, scheduler: &str) -> Result<Round> {
    let source = source(sales)?;
    let (push_down, expect) = report(home, &source, "push-down", scheduler)?;
    drop(source);
    let source = self::source(sales)?;
    let (first, by_cluster) = report(home, &source, "ballista", scheduler)?;
    let (again, by_cluster_again) = report(home, &source, "ballista", scheduler)?;
    ensure!(expect == by_cluster && expect == by_cluster_again, "the cluster and the push-down give different tables");
    Ok(Round { push_down, first, again })
}

/// Starts a source, and waits until it has hashed its files.
fn source(sales: &Path) -> Result<Daemon> {
    let mut command = process::command("data-source", sales);
    command.args(["--listen", "127.0.0.1:0", "--dir", "."]).env("RUST_LOG", "error");
    let source = Daemon::start(command);
    let url = format!("{}/sense/files", source.url);
    until("the files are hashed", Duration::from_millis(20), || Ok((http::get(&url)?.0 == 200).then_some(())))?;
    Ok(source)
}

/// Computes the report with an engine. Returns the cost of the master, and the table.
fn report(home: &Path, source: &Daemon, engine: &str, scheduler: &str) -> Result<(Usage, String)> {
    let folder = home.join("master");
    fresh(&folder)?;
    let configuration = format!(
        "[engine]\nballista = \"{scheduler}\"\n[[source]]\nname = \"shop\"\nurl = \"{}\"\n[[report]]\nname = \"sales\"\n\
         files = \"*.csv\"\ngroup_by = [\"Department Name\"]\nengine = \"{engine}\"\n\
         metrics = {{ rows = \"count()\", total = \"sum(\\\"Number of Sales\\\")\", least = \"min(\\\"Number of Sales\\\")\" }}\n",
        source.url
    );
    fs::write(folder.join("tributary.toml"), configuration)?;
    let mut once = process::command("master", &folder);
    once.arg("--once").env("RUST_LOG", "error");
    let (usage, _) = usage::run(once, Stdio::null())?;
    let read = process::command("readdb", &folder).args(["report", "sales", "--format", "csv"]).output()?;
    ensure!(read.status.success(), "readdb fails: {}", process::stderr(&read));
    check_engine(&folder, engine)?;
    Ok((usage, process::stdout(&read)))
}

/// Fails if another engine has computed a file.
fn check_engine(folder: &Path, engine: &str) -> Result<()> {
    let ask = "select count(*) from files where reader <> 'products' and (coalesce(notes, '') like 'computed by the Ballista%') = ";
    let others = Shell::open(&database(folder))?.ask(&format!("{ask}{}", u8::from(engine == "push-down")))?;
    ensure!(others == "0", "some files were not computed by `{engine}`");
    Ok(())
}

fn rows(args: &Args, rounds: &[Round]) -> Vec<Row> {
    let size = format!("{} rows in {} files", thousands(args.rows), args.files);
    let usages = |part: fn(&Round) -> Usage| rounds.iter().map(part);
    let row = |what: String, part: fn(&Round) -> Usage| {
        let of_round = |round: &Round| part(round).wall.as_secs_f64() / round.push_down.wall.as_secs_f64();
        let ratio = Spread::of(rounds.iter().map(of_round));
        let row = Row { ratio: ratio.times("push-down"), ..Row::of_usages(what, usages(part)) };
        row.target(format!("<= {MAX_TIMES:.1} x push-down"), ratio.median <= MAX_TIMES)
    };
    vec![
        Row::of_usages(
            format!("push-down: {size}, `master --once` into an empty database"),
            usages(|round| round.push_down),
        ),
        row("the same by the cluster, over files that are new to their source".to_owned(), |round| round.first),
        row("the same by the cluster, over files that their source has checked".to_owned(), |round| round.again),
    ]
}
