//! Files of several sizes. We and the peers read each in turns, so that other work of the machine slows all of them alike; a ratio is taken
//! within a round. Each round compares all results.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    lines::Line,
    original::Original,
    server::{Server, Turn},
};
use crate::bench::{
    figures::{Spread, mean, mebibytes, seconds, thousands},
    running::{fresh, write_back},
    sales_file::{NAME, Sales, compare},
    table::{Row, Table},
    usage::{self, Usage},
};

/// Departments of a sales file.
pub(super) const GROUPS: u64 = 500;
/// The targets, as parts of the peers' times.
const MAX_OF_DUCKDB: f64 = 0.90;
const MAX_OF_ORIGINAL: f64 = 0.15;
/// The most memory above that of an idle master, in bytes, and what it may be above that for the smallest file.
const MAX_MEMORY: u64 = 60 << 20;
const MAX_GROWTH: u64 = 8 << 20;

/// The parts that all lines use.
pub(super) struct Stage<'a> {
    /// The temporary folder of the run.
    pub(super) home: &'a Path,
    /// The interpreter that has DuckDB.
    pub(super) python: &'a str,
    pub(super) original: Option<&'a Original>,
    /// Counted rounds.
    pub(super) pairs: usize,
}

struct Round {
    ours: Turn,
    duckdb: Usage,
    original: Option<Usage>,
}

/// All rounds of one file.
struct Size {
    text: String,
    rows: u64,
    rounds: Vec<Round>,
}

/// Measures the lines of all sizes.
pub(super) fn measure(stage: &Stage<'_>, rows: &[u64], chosen: &[Line], table: &mut Table) -> Result<()> {
    let mut sizes: Vec<Size> = Vec::new();
    for (place, rows) in rows.iter().enumerate() {
        let size = size(stage, *rows, stage.original.filter(|_| place == 0))?;
        if chosen.contains(&Line::Stream) {
            table.add(size.stream(sizes.first().unwrap_or(&size)));
        }
        sizes.push(size);
    }
    if chosen.contains(&Line::Memory) {
        table.add(vec![memory(&sizes)]);
    }
    Ok(())
}

fn size(stage: &Stage<'_>, rows: u64, original: Option<&Original>) -> Result<Size> {
    let sales = Sales::generate(stage.home, "sales", rows, GROUPS)?;
    let mut size = Size { text: sales.summary(), rows, rounds: Vec::new() };
    for number in 0..=stage.pairs {
        let round = round(stage, &sales, original)?;
        let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {}", stage.pairs) };
        let original = round.original.map(|usage| format!(", the original {}", seconds(usage.wall)));
        let (ours, duckdb) = (&round.ours, round.duckdb);
        eprintln!(
            "{name}: ours {} ({} CPU, the client {}), DuckDB {} ({} CPU){}",
            seconds(ours.usage.wall),
            seconds(ours.usage.cpu),
            seconds(ours.client),
            seconds(duckdb.wall),
            seconds(duckdb.cpu),
            original.unwrap_or_default()
        );
        // The first round only warms up.
        if number > 0 {
            size.rounds.push(round);
        }
    }
    Ok(size)
}

/// Gives each program one turn.
fn round(stage: &Stage<'_>, sales: &Sales, original: Option<&Original>) -> Result<Round> {
    let master = Server::master(stage.home)?;
    let ours = master.turn(&sales.path(), 1)?;
    drop(master);
    let (duckdb, result) = duckdb(stage, sales)?;
    compare(&ours.results[0], &result, "DuckDB")?;
    let theirs = original.map(|original| {
        let turn = original.start()?.turn(&sales.path(), 1)?;
        compare(&ours.results[0], &turn.results[0], "the original")?;
        fs::remove_file(&turn.results[0])?;
        anyhow::Ok(turn.usage)
    });
    Ok(Round { ours, duckdb, original: theirs.transpose()? })
}

fn duckdb(stage: &Stage<'_>, sales: &Sales) -> Result<(Usage, PathBuf)> {
    let folder = stage.home.join("duckdb");
    fresh(&folder)?;
    symlink(sales.path(), folder.join(NAME))?;
    let mut command = Command::new(stage.python);
    command.args(["-c", include_str!("../peers/sales_duckdb.py")]).current_dir(&folder);
    write_back()?;
    let (usage, _) = usage::run(command, Stdio::null()).context("DuckDB")?;
    Ok((usage, folder.join("result")))
}

impl Size {
    /// Ours, beside the peers. The original has read `smallest`.
    fn stream(&self, smallest: &Self) -> Vec<Row> {
        let what = format!("stream: {}, `ProcessCsv` on loopback with chunks of 1 MiB", self.text);
        let ours = self.rounds.iter().map(|round| round.ours.usage);
        let mut row = Row::of_usages(what, ours.clone());
        row.cpu += &format!(" + {} client", seconds(mean(self.rounds.iter().map(|round| round.ours.client))));
        row.memory += " above idle";
        let of_duckdb = self.ratios(|round| Some(round.duckdb.wall));
        let mut ratios = vec![of_duckdb.map_or_else(String::new, |spread| spread.times("DuckDB"))];
        let mut targets = vec![format!("<= {MAX_OF_DUCKDB:.2} x DuckDB")];
        let mut is_met = of_duckdb.is_some_and(|spread| spread.median <= MAX_OF_DUCKDB);
        let original = |round: &Round| round.original.map(|usage| usage.wall.as_secs_f64());
        let taken: Vec<f64> = smallest.rounds.iter().filter_map(original).collect();
        if !taken.is_empty() {
            let scale = self.rows as f64 / smallest.rows as f64;
            let ratio = Spread::of_times(ours.map(|usage| usage.wall)).median / (Spread::of(taken).median * scale);
            let scaled =
                if scale > 1.0 { format!(", scaled from {} rows", thousands(smallest.rows)) } else { String::new() };
            ratios.push(format!("{ratio:.3} x the original{scaled}"));
            targets.push(format!("<= {MAX_OF_ORIGINAL:.2} x the original"));
            is_met &= ratio <= MAX_OF_ORIGINAL;
        }
        row.ratio = ratios.join(", ");
        let mut rows = vec![row.target(targets.join(", "), is_met)];
        let of_peer =
            |peer: &str, usages: Vec<Usage>| Row::of_usages(format!("the same by {peer}"), usages.into_iter());
        rows.push(of_peer("DuckDB, which reads the file", self.rounds.iter().map(|round| round.duckdb).collect()));
        let original: Vec<Usage> = self.rounds.iter().filter_map(|round| round.original).collect();
        if !original.is_empty() {
            rows.push(of_peer("the original processor", original));
        }
        rows
    }

    fn ratios(&self, peer: impl Fn(&Round) -> Option<Duration>) -> Option<Spread> {
        let ratio = |round: &Round| Some(round.ours.usage.wall.as_secs_f64() / peer(round)?.as_secs_f64());
        let ratios: Vec<f64> = self.rounds.iter().filter_map(ratio).collect();
        (!ratios.is_empty()).then(|| Spread::of(ratios))
    }

    fn peak(&self) -> u64 {
        self.rounds.iter().map(|round| round.ours.usage.peak_bytes).max().unwrap_or_default()
    }
}

fn memory(sizes: &[Size]) -> Row {
    let peaks: Vec<u64> = sizes.iter().map(Size::peak).collect();
    let (first, most) = (peaks.first().copied().unwrap_or_default(), peaks.iter().max().copied().unwrap_or_default());
    let rows: Vec<String> = sizes.iter().map(|size| thousands(size.rows)).collect();
    let texts: Vec<String> = peaks.iter().map(|peak| mebibytes(*peak)).collect();
    let row = Row {
        what: format!("memory: the master's peak above idle for {} rows", rows.join(", ")),
        memory: texts.join(", "),
        ..Row::default()
    };
    let target = format!("<= {}, flat within {}", mebibytes(MAX_MEMORY), mebibytes(MAX_GROWTH));
    row.target(target, most <= MAX_MEMORY && most <= first + MAX_GROWTH)
}
