//! The lines of the table, in their order: each begins with what the one before it has left.

use std::{ops::Range, thread, time::Duration};

use anyhow::{Result, ensure};

use super::{
    content::Content,
    edits::Edits,
    fleet::{Fleet, Illness},
    stage::Stage,
};
use crate::bench::{
    figures::{mebibytes, seconds, thousands},
    table::Row,
};

/// The part of one core that a master of idle sources may take, its memory, and the longest time between two questions to one source.
const MAX_CORE: f64 = 0.15;
const MAX_MEMORY: u64 = 400 << 20;
const MAX_GAP: Duration = Duration::from_secs(30);

/// From an empty database until every source is applied.
pub(super) fn start(stage: &mut Stage) -> Result<Vec<Row>> {
    let all = 0..stage.fleet.len();
    eprintln!("starting a master of {} sources", thousands(all.len() as u64));
    let begun = stage.start()?;
    let serves = begun.elapsed();
    let applied = stage.wait_until_applied(all.clone())? - begun;
    let cost = stage.cpu_since_start()?;
    let memory = stage.memory_text()?;
    let products = stage.shell()?.counts()?;
    stage.wait_until_held(all.clone())?;
    Ok(vec![Row {
        what: format!("start: {} sources, an empty database; then {products}", thousands(all.len() as u64)),
        wall: format!("serves after {}, all applied after {}", seconds(serves), seconds(applied)),
        cpu: seconds(cost),
        memory,
        ..Row::default()
    }])
}

/// Nothing changes.
pub(super) fn idle(stage: &Stage, watch: Duration) -> Result<Vec<Row>> {
    let all = 0..stage.fleet.len();
    // Memory that was freed is given back within seconds.
    thread::sleep(Duration::from_secs(15));
    eprintln!("watching it for {watch:?}");
    stage.fleet.watch();
    let (cost, before) = (stage.cost()?, stage.fleet.requests());
    thread::sleep(watch);
    let (_, core) = stage.cpu(&cost)?;
    let [peak, _] = stage.memory()?;
    let gap = stage.fleet.longest_gap(all.clone())?;
    let asked = stage.fleet.requests()[0] - before[0];
    let row = Row {
        what: format!(
            "idle: {} sources, nothing changes for {} s; {} questions, {} connections, {} open files",
            thousands(all.len() as u64),
            watch.as_secs(),
            thousands(asked),
            thousands(stage.fleet.connections() as u64),
            thousands(stage.open_files()?)
        ),
        wall: format!("each is asked at least every {}", seconds(gap)),
        cpu: format!("{:.1} % of one core", core * 100.0),
        memory: mebibytes(peak),
        ..Row::default()
    };
    let is_met = core <= MAX_CORE && peak <= MAX_MEMORY && gap <= MAX_GAP;
    Ok(vec![row.target("<= 15 % of one core, <= 400 MiB, <= 30 s", is_met)])
}

/// The first `some` sources get a new content of so many rows at once, of which `changed` differ. People edit meanwhile.
pub(super) fn change(stage: &Stage, some: usize, rows: usize, changed: usize) -> Result<Vec<Row>> {
    eprintln!("changing {some} sources at once, {changed} rows each");
    let revision = changed as u32;
    stage.wait_until_held(0..stage.fleet.len())?;
    let contents = (0..some).map(|source| Content { source, rows, changed, revision });
    let cost = stage.cost()?;
    let edits = Edits::start(stage.master()?, stage.fleet.len() - 1)?;
    let begun = stage.fleet.change(contents);
    let took = stage.wait_until_applied(0..some)? - begun;
    let (cpu, _) = stage.cpu(&cost)?;
    let memory = stage.memory_text()?;
    let edits = edits.stop()?;
    let written = stage
        .shell()?
        .ask(&format!("select count(*) from products where description like '%; revision {revision}'"))?;
    ensure!(written == (some * changed).to_string(), "{written} rows have changed, and not {}", some * changed);
    Ok(vec![Row {
        what: format!(
            "change: {} sources change at once, {changed} rows each; {} meanwhile",
            thousands(some as u64),
            edits
        ),
        wall: format!("all in the database after {}", seconds(took)),
        cpu: seconds(cpu),
        memory,
        ..Row::default()
    }])
}

/// The last `some` sources refuse connections, never answer, or fail. Ten of the others, which have so many rows, change.
pub(super) fn ill(stage: &Stage, (some, rows): (usize, usize), watch: Duration) -> Result<Vec<Row>> {
    eprintln!("{some} sources fall ill; watching for {watch:?}");
    let all = stage.fleet.len();
    let healthy = healthy(all, some);
    let logged = stage.logged()?;
    for (sources, illness) in sick(&stage.fleet, some) {
        stage.fleet.fall_ill(sources, illness);
    }
    // Every held answer has ended by then.
    thread::sleep(Duration::from_secs(15));
    stage.fleet.watch();
    let cost = stage.cost()?;
    thread::sleep(watch);
    let (_, core) = stage.cpu(&cost)?;
    let memory = stage.memory_text()?;
    let gap = stage.fleet.longest_gap(healthy)?;
    let ten = some..some + 10;
    let begun = stage.fleet.change(ten.clone().map(|source| Content { source, rows, changed: 1, revision: 7 }));
    let change = stage.wait_until_applied(ten)? - begun;
    let row = Row {
        what: format!(
            "ill: {} of the sources refuse connections, hang or answer 500, for {} s; {} lines logged in all",
            thousands(some as u64),
            watch.as_secs(),
            thousands((stage.logged()? - logged) as u64)
        ),
        wall: format!(
            "others are asked at least every {}; a change of ten of them takes {}",
            seconds(gap),
            seconds(change)
        ),
        cpu: format!("{:.1} % of one core", core * 100.0),
        memory,
        ..Row::default()
    };
    Ok(vec![row.target("others <= 30 s", gap <= MAX_GAP)])
}

/// The master stops, and starts again with all of it.
pub(super) fn restart(stage: &mut Stage, some: usize) -> Result<Vec<Row>> {
    eprintln!("starting the master again");
    let healthy = healthy(stage.fleet.len(), some);
    let begun = stage.start()?;
    let serves = begun.elapsed();
    let applied = stage.wait_until_applied(healthy.clone())? - begun;
    let cost = stage.cpu_since_start()?;
    let memory = stage.memory_text()?;
    stage.wait_until_held(healthy)?;
    Ok(vec![Row {
        what: "restart: the same master again, with sources that are still ill; nothing has changed".to_owned(),
        wall: format!("serves after {}, all others asked after {}", seconds(serves), seconds(applied)),
        cpu: seconds(cost),
        memory,
        ..Row::default()
    }])
}

/// The sources that stay well.
fn healthy(all: usize, some: usize) -> Range<usize> {
    0..all - some
}

/// The sources that fall ill, about a third of them in each way. Only the last ones can refuse connections.
fn sick(fleet: &Fleet, some: usize) -> [(Range<usize>, Illness); 3] {
    let (first, mortal) = (fleet.len() - some, fleet.mortal());
    let middle = first + mortal.len();
    [(first..middle, Illness::Fails), (middle..mortal.start, Illness::Hangs), (mortal, Illness::Refuses)]
}
