//! Documents through three relays.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    model::Model,
    relay::Relay,
    stage::{Stage, usage_so_far},
};
use crate::bench::{
    figures::{Spread, mebibytes, thousands},
    shell::Shell,
    table::Row,
    usage::Usage,
    waiting::until,
};

/// Rows of a document.
const ROWS: u64 = 20;
/// Relays that share a queue.
const RELAYS: usize = 3;
/// The longest time until all are applied, and the most that the shares of the relays differ by, as a part of the smallest.
const MAX_TIME: f64 = 40.0;
const MAX_DIFFERENCE: f64 = 0.20;

/// The costs of a round.
struct Round {
    /// Of the master, from the first document that is published until the last is applied.
    ours: Usage,
    /// The most memory of a relay.
    relay_peak: u64,
    /// The documents of each relay.
    shares: Vec<u64>,
}

/// Measures the line `documents`.
pub(super) fn measure(stage: &Stage<'_>, count: u64) -> Result<Vec<Row>> {
    let (model, names) = generate(stage, count)?;
    let text = |round: &Round| format!("{:.1} s, shares {:?}", round.ours.wall.as_secs_f64(), round.shares);
    let rounds = stage.rounds(|_| round(stage, &model, &names), text)?;
    let time = Spread::of_times(rounds.iter().map(|round| round.ours.wall));
    let differences = Spread::of(rounds.iter().map(|round| difference(&round.shares)));
    let peak = rounds.iter().map(|round| round.relay_peak).max().unwrap_or_default();
    let what = format!(
        "documents: {} of {ROWS} rows by `publish` through three relays, from the first that is published until the last is applied",
        thousands(count)
    );
    let row = Row::of_usages(what, rounds.iter().map(|round| round.ours));
    let memory = format!("{}; a relay {}", row.memory, mebibytes(peak));
    let ratio = format!(
        "the largest share {:.0} % ({:.0}-{:.0}) above the smallest",
        differences.median * 100.0,
        differences.least * 100.0,
        differences.most * 100.0
    );
    let is_met = time.median <= MAX_TIME && differences.median <= MAX_DIFFERENCE;
    Ok(vec![Row { memory, ratio, ..row }.target("<= 40 s, shares within 20 %", is_met)])
}

/// Writes the documents. Returns their products and their names.
fn generate(stage: &Stage<'_>, count: u64) -> Result<(Model, Vec<String>)> {
    let (folder, csv) = (stage.home.join("documents"), stage.home.join("documents.csv"));
    fs::create_dir(&folder)?;
    let mut all = BufWriter::new(File::create(&csv)?);
    writeln!(all, "sku,name,description")?;
    let mut names = Vec::new();
    for number in 0..count {
        let mut rows = Vec::new();
        for row in 0..ROWS {
            writeln!(rows, "d{number:06}r{row:02},Name {},A description of {row} in {number}", row % 7)?;
        }
        let name = format!("{number}.csv");
        fs::write(folder.join(&name), [b"sku,name,description\n", rows.as_slice()].concat())?;
        all.write_all(&rows)?;
        names.push(name);
    }
    all.flush()?;
    Ok((Model::make(&csv, "documents", count * ROWS)?, names))
}

fn round(stage: &Stage<'_>, model: &Model, names: &[String]) -> Result<Round> {
    let queue = stage.broker.queue("documents");
    stage.prepare_master(&stage.broker.queue("operations"))?;
    let master = stage.start_master()?;
    let relays: Vec<_> =
        (0..RELAYS).map(|number| Relay::start(stage, number, &queue, &master.url)).collect::<Result<_>>()?;
    let started = Instant::now();
    stage.broker.publish(&queue, &stage.home.join("documents"), names)?;
    wait_for_products(stage, model)?;
    let ours = usage_so_far(master.id(), started.elapsed())?;
    stage.compare(model)?;
    let peaks = relays.iter().map(|relay| usage_so_far(relay.id(), Duration::ZERO));
    let relay_peak =
        peaks.map(|usage| Ok(usage?.peak_bytes)).collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or_default();
    let shares: Vec<_> = relays.into_iter().map(Relay::stop).collect::<Result<_>>()?;
    let (handed, sent) = (shares.iter().sum::<u64>(), names.len() as u64);
    ensure!(handed == sent, "the relays have handed {handed} documents on, and {sent} were published");
    drop(master);
    stage.broker.delete_queues()?;
    Ok(Round { ours, relay_peak, shares })
}

/// Waits until a master shows as many products as the model has.
pub(super) fn wait_for_products(stage: &Stage<'_>, model: &Model) -> Result<()> {
    let (mut shell, expect) = (Shell::open(&stage.database())?, model.products.to_string());
    until("all documents are applied", Duration::from_millis(20), || {
        Ok((shell.ask("select products from tally")? == expect).then_some(()))
    })
}

/// The difference between the largest share and the smallest, as a part of the latter.
fn difference(shares: &[u64]) -> f64 {
    let (least, most) = (shares.iter().min().copied().unwrap_or(0), shares.iter().max().copied().unwrap_or(0));
    most as f64 / least.max(1) as f64 - 1.0
}
