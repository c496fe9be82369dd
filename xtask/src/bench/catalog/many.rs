//! The cost for a master of following 500 sources in which nothing changes. This program plays the sources, because 500 data-sources would
//! take the processor that is measured.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;

use crate::bench::{
    figures::{mebibytes, seconds},
    sources::{Fleet, Stage},
    table::Row,
};

const SOURCES: usize = 500;
/// The time of the measurement.
const WATCHED: Duration = Duration::from_secs(30);
/// The part of one core that the master may take.
const MAX_CORE: f64 = 0.10;
/// The longest time between two requests to one source.
const MAX_GAP: Duration = Duration::from_secs(15);

/// Measures the line `sources`.
pub(super) fn measure(home: &Path) -> Result<Vec<Row>> {
    eprintln!("watching a master of {SOURCES} sources for {WATCHED:?}");
    let mut stage = Stage::new(home, Fleet::start(SOURCES, 1, 0)?, None)?;
    stage.start()?;
    stage.wait_until_held(0..SOURCES)?;
    stage.fleet.watch();
    let cost = stage.cost()?;
    thread::sleep(WATCHED);
    let ((_, core), [peak, _]) = (stage.cpu(&cost)?, stage.memory()?);
    let gap = stage.fleet.longest_gap(0..SOURCES)?;
    let row = Row {
        what: format!("sources: {SOURCES} sources, nothing changing, for {} s", WATCHED.as_secs()),
        wall: format!("each is asked at least every {}", seconds(gap)),
        cpu: format!("{:.1} % of one core", core * 100.0),
        memory: mebibytes(peak),
        ..Row::default()
    };
    Ok(vec![row.target("<= 10 % of one core, <= 15 s", core <= MAX_CORE && gap <= MAX_GAP)])
}
