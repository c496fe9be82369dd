//! Ten feeds beside one: ten loads cost at most a little more than ten times one, and a change costs the same.

use anyhow::{Result, ensure};

use super::{
    lines::Line,
    stage::{FEEDS, Stage},
};
use crate::bench::{
    figures::{Spread, seconds, thousands},
    running::{Pass, database, fresh},
    shell::Shell,
    table::Row,
};

/// Few, because each takes long and they vary little.
const REPEATS: usize = 3;
/// The targets, as multiples of the same with one feed.
const MAX_COLD: f64 = 11.0;
const MAX_CHANGE: f64 = 1.5;
/// The most memory of a master, in bytes.
const MAX_MEMORY: u64 = 3 << 29;

/// The same pass with one feed and with ten.
struct Pair {
    one: Pass,
    ten: Pass,
}

/// Measures the lines `ten` and `ten-change`.
pub(super) fn measure(stage: &mut Stage) -> Result<Vec<Row>> {
    let (mut cold, mut change) = (Vec::new(), Vec::new());
    stage.one()?;
    stage.ten()?;
    for repeat in 0..REPEATS {
        let (of_load, of_change) = repeat_once(stage, repeat)?;
        let (one, ten) = (of_load.one.master.wall, of_load.ten.master.wall);
        eprintln!("{} of {REPEATS}: one feed {}, ten feeds {}", repeat + 1, seconds(one), seconds(ten));
        cold.push(of_load);
        change.push(of_change);
    }
    let mut rows = Vec::new();
    if stage.wants(Line::Ten) {
        let what = format!("ten: {FEEDS} files of {} rows, cold, {REPEATS} times", thousands(stage.rows));
        let (row, ratio) = compared(what, &cold);
        let peak = cold.iter().map(|pair| pair.ten.master.peak_bytes).max().unwrap_or_default();
        rows.push(row.target("<= 11 x one file, <= 1536 MiB", ratio <= MAX_COLD && peak <= MAX_MEMORY));
    }
    if stage.wants(Line::TenChange) {
        let what = format!("ten-change: one row of one of them has changed, {REPEATS} times");
        let (row, ratio) = compared(what, &change);
        rows.push(row.target("<= 1.5 x one file", ratio <= MAX_CHANGE));
    }
    Ok(rows)
}

/// Loads one feed and ten, changes a row in one and in ten.
fn repeat_once(stage: &mut Stage, repeat: usize) -> Result<(Pair, Pair)> {
    let folder = stage.home.join("ours");
    fresh(&folder)?;
    let name = format!("Changed again {repeat}");
    let cold_one = stage.one()?.pass(&folder)?;
    stage.one()?.change(&name)?;
    let change_one = stage.one()?.pass(&folder)?;
    let cold_ten = stage.load_ten()?;
    let folder = stage.ten_folder();
    let ten = stage.ten()?;
    ten.change(&name)?;
    let change_ten = ten.pass(&folder)?;
    let shown = Shell::open(&database(&folder))?.name_of(&ten.feeds[0].sku)?;
    ensure!(shown == name, "the changed row is not in the database");
    Ok((Pair { one: cold_one, ten: cold_ten }, Pair { one: change_one, ten: change_ten }))
}

fn compared(what: String, pairs: &[Pair]) -> (Row, f64) {
    let ratio =
        Spread::of(pairs.iter().map(|pair| pair.ten.master.wall.as_secs_f64() / pair.one.master.wall.as_secs_f64()));
    let mut row = Row::of_passes(what, &pairs.iter().map(|pair| pair.ten).collect::<Vec<_>>());
    let one = Spread::of_times(pairs.iter().map(|pair| pair.one.master.wall));
    row.ratio = format!("{}, which takes {}", ratio.times("one file"), one.seconds());
    (row, ratio.median)
}
