//! One feed: loaded with and without its own columns, and changed, in turns with DuckDB. A ratio is taken within a round, so that other work
//! of the machine slows all alike.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{
    lines::Line,
    peer::DuckDb,
    stage::{Stage, database_bytes},
};
use crate::bench::{
    figures::{Spread, mebibytes, seconds, thousands},
    running::{Pass, database},
    shell::Shell,
    table::Row,
    usage::Usage,
};

/// The longest cold load, in times of DuckDB.
const MAX_COLD: f64 = 0.80;
/// The longest pass after one changed row, in times of the cold load.
const MAX_CHANGE: f64 = 0.25;

/// The costs of a round.
struct Round {
    cold: Pass,
    change: Option<Pass>,
    /// The same feed, of which the configuration names no own column.
    plain: Option<Pass>,
    duckdb: Usage,
    /// The sizes of the databases with own columns and without.
    bytes: [u64; 2],
}

/// Measures all lines of one feed.
pub(super) fn measure(stage: &Stage, peer: &DuckDb, chosen: &[Line], pairs: usize) -> Result<Vec<Row>> {
    let mut rounds = Vec::new();
    for number in 0..=pairs {
        let round = round(stage, peer, chosen, number)?;
        let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {pairs}") };
        eprintln!("{name}: ours {}, DuckDB {}", seconds(round.cold.master.wall), seconds(round.duckdb.wall));
        // The first round only warms up.
        if number > 0 {
            rounds.push(round);
        }
    }
    rows(stage, chosen, &rounds)
}

fn round(stage: &Stage, peer: &DuckDb, chosen: &[Line], number: usize) -> Result<Round> {
    let folder = stage.empty(Some(""))?;
    let cold = stage.served.pass(&folder)?;
    let (ours, mut bytes) = (counts(&folder, number == 0)?, [database_bytes(&folder)?, 0]);
    let (duckdb, theirs) = peer.load(stage.home, &stage.served.feeds[0].path, number == 0)?;
    ensure!(ours == theirs, "we count {ours} and DuckDB counts {theirs}: one of us is wrong");
    let change = match chosen.contains(&Line::Change) {
        true => Some(changed(stage, &folder, number)?),
        false => None,
    };
    let mut plain = None;
    if chosen.contains(&Line::Cold) {
        let folder = stage.empty(None)?;
        plain = Some(stage.served.pass(&folder)?);
        bytes[1] = database_bytes(&folder)?;
    }
    Ok(Round { cold, change, plain, duckdb, bytes })
}

/// Counts the rows of both tables as the peer prints them; with `check` also sums over the own columns.
fn counts(folder: &Path, check: bool) -> Result<String> {
    let mut shell = Shell::open(&database(folder))?;
    let counts = shell.counts()?;
    if !check {
        return Ok(counts);
    }
    let sums = shell.ask(
        "select count(distinct brand) || ' ' || sum(cast(round(price * 100) as integer)) || ' ' || count(nullif(stock, '')) \
         || ' ' || sum(length(gtin || category || image)) from catalog",
    )?;
    Ok(format!("{counts}\n{sums}"))
}

/// Changes the name and the brand of one row, and runs a pass.
fn changed(stage: &Stage, folder: &Path, number: usize) -> Result<Pass> {
    let (feed, name) = (&stage.served.feeds[0], format!("Changed {number}"));
    stage.served.change(&name)?;
    let pass = stage.served.pass(folder)?;
    let shown = Shell::open(&database(folder))?
        .ask(&format!("select name || ' ' || brand from catalog where sku = '{}'", feed.sku))?;
    ensure!(shown == format!("{name} {name}"), "the changed row is not in the database, but `{shown}`");
    Ok(pass)
}

fn rows(stage: &Stage, chosen: &[Line], rounds: &[Round]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let cold: Vec<Pass> = rounds.iter().map(|round| round.cold).collect();
    let duckdb = |round: &Round| round.duckdb.wall.as_secs_f64();
    if chosen.contains(&Line::Cold) {
        let what = format!(
            "cold: {} rows with six own columns ({} MB), `master --once` into an empty database",
            thousands(stage.rows),
            stage.megabytes()?
        );
        let ratio = Spread::of(rounds.iter().map(|round| round.cold.master.wall.as_secs_f64() / duckdb(round)));
        let row = Row { ratio: ratio.times("DuckDB"), ..Row::of_passes(what, &cold) };
        rows.push(row.target("<= 0.80 x DuckDB", ratio.median <= MAX_COLD));
        rows.push(Row::of_usages("the same by DuckDB".to_owned(), rounds.iter().map(|round| round.duckdb)));
        rows.push(plain(rounds));
        rows.push(size(rounds));
    }
    if chosen.contains(&Line::Change) {
        let passes: Vec<Pass> = rounds.iter().filter_map(|round| round.change).collect();
        let of_round =
            |(change, cold): (&Pass, &Pass)| change.master.wall.as_secs_f64() / cold.master.wall.as_secs_f64();
        let ratio = Spread::of(passes.iter().zip(&cold).map(of_round));
        let what = "change: name and brand of one row have changed, `master --once` again".to_owned();
        let row = Row { ratio: ratio.times("the cold load"), ..Row::of_passes(what, &passes) };
        rows.push(row.target("<= 0.25 x the cold load", ratio.median <= MAX_CHANGE));
    }
    Ok(rows)
}

/// The load without own columns. It reads the same file.
fn plain(rounds: &[Round]) -> Row {
    let passes: Vec<Pass> = rounds.iter().filter_map(|round| round.plain).collect();
    let of_round =
        |(plain, round): (&Pass, &Round)| plain.master.wall.as_secs_f64() / round.cold.master.wall.as_secs_f64();
    let ratio = Spread::of(passes.iter().zip(rounds).map(of_round));
    let what = "plain: the same feed, none of whose own columns is configured".to_owned();
    Row { ratio: ratio.times("with own columns"), ..Row::of_passes(what, &passes) }
}

/// The size of the database. It hardly varies.
fn size(rounds: &[Round]) -> Row {
    let [own, plain] = rounds.last().map(|round| round.bytes).unwrap_or_default();
    Row {
        what: "size: the database file with own columns, and without".to_owned(),
        ratio: format!("{} and {}: {:.2} x", mebibytes(own), mebibytes(plain), own as f64 / plain.max(1) as f64),
        ..Row::default()
    }
}
