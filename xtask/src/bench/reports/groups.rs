//! A file of a million groups: correctness and memory.

use anyhow::{Result, ensure};

use super::{
    ours::{Source, write_result},
    peers::Peer,
    rounds::Stage,
};
use crate::bench::{
    figures::{Spread, thousands},
    running::write_back,
    sales_file::{Sales, compare},
    table::Row,
    usage::Usage,
};

const ROWS: u64 = 10_000_000;
const GROUPS: u64 = 1_000_000;
/// Few, because each takes long and memory varies little.
const REPEATS: usize = 3;

/// Measures the line `groups`.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Vec<Row>> {
    let sales = Sales::generate(stage.home, "served", ROWS, GROUPS)?;
    let [answer, result] = ["answer", "result"].map(|name| stage.home.join(name));
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..REPEATS {
        let source = Source::start(&sales)?;
        write_back()?;
        let asked = source.ask(&answer)?;
        drop(source);
        bytes = asked.bytes;
        ours.push(asked.usage);
        theirs.push(stage.peers.run(Peer::DuckDb, stage.home, &sales)?);
    }
    // Only now, because memory of this program would count as that of the peers.
    let groups = write_result(&answer, &result)?;
    ensure!(groups == GROUPS, "there are {groups} groups");
    for (_, theirs) in &theirs {
        compare(&result, theirs, Peer::DuckDb.name())?;
    }
    let what = format!(
        "groups: {} of {} groups, {} MB from source to master",
        sales.summary(),
        thousands(groups),
        bytes / 1_000_000
    );
    let mut row = Row::of_usages(what, ours.iter().copied());
    let ratio = |(ours, theirs): (&Usage, &(Usage, _))| ours.wall.as_secs_f64() / theirs.0.wall.as_secs_f64();
    row.ratio = Spread::of(ours.iter().zip(&theirs).map(ratio)).times(Peer::DuckDb.name());
    let of_peer =
        Row::of_usages(format!("the same by {}", Peer::DuckDb.name()), theirs.iter().map(|(usage, _)| *usage));
    Ok(vec![row.target("correct", true), of_peer])
}
