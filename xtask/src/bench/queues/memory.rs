//! The memory of a relay that has as many large documents in hand as it takes.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    time::Instant,
};

use anyhow::Result;

use super::{
    documents::wait_for_products,
    model::Model,
    relay::Relay,
    stage::{Stage, usage_so_far},
};
use crate::bench::{
    figures::{Spread, mebibytes},
    table::Row,
    usage::Usage,
};

/// Documents in the queue, of which a relay has 64 in hand at a time.
const DOCUMENTS: u64 = 128;
/// Rows of a document, and the bytes of a description, which make it 1 MiB.
const ROWS: u64 = 1_024;
const DESCRIPTION_BYTES: usize = 1_000;
/// The most memory.
const MAX_MEMORY: u64 = 120 << 20;

/// Measures the line `memory`.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Vec<Row>> {
    let (model, names) = generate(stage)?;
    let rounds = stage.rounds(|_| round(stage, &model, &names), |usage| mebibytes(usage.peak_bytes))?;
    let peaks = Spread::of(rounds.iter().map(|usage| usage.peak_bytes as f64));
    let what =
        format!("memory: a relay takes {DOCUMENTS} documents of 1 MiB from a full queue, 64 of them in hand at a time");
    let row = Row::of_usages(what, rounds.iter().copied());
    Ok(vec![row.target("<= 120 MiB", peaks.most <= MAX_MEMORY as f64)])
}

fn generate(stage: &Stage<'_>) -> Result<(Model, Vec<String>)> {
    let (folder, csv) = (stage.home.join("large"), stage.home.join("large.csv"));
    fs::create_dir(&folder)?;
    let mut all = BufWriter::new(File::create(&csv)?);
    writeln!(all, "sku,name,description")?;
    let mut names = Vec::new();
    for number in 0..DOCUMENTS {
        let mut rows = Vec::new();
        for row in 0..ROWS {
            let description = format!("{number} {row} ").repeat(DESCRIPTION_BYTES);
            writeln!(rows, "l{number:03}r{row:04},Name {},{}", row % 7, &description[..DESCRIPTION_BYTES])?;
        }
        let name = format!("{number}.csv");
        fs::write(folder.join(&name), [b"sku,name,description\n", rows.as_slice()].concat())?;
        all.write_all(&rows)?;
        names.push(name);
    }
    all.flush()?;
    Ok((Model::make(&csv, "large", DOCUMENTS * ROWS)?, names))
}

/// Fills a queue, and starts a relay when all is in it. Returns the cost of the relay.
fn round(stage: &Stage<'_>, model: &Model, names: &[String]) -> Result<Usage> {
    let queue = stage.broker.queue("documents");
    stage.broker.publish(&queue, &stage.home.join("large"), names)?;
    stage.prepare_master(&stage.broker.queue("operations"))?;
    let master = stage.start_master()?;
    let started = Instant::now();
    let relay = Relay::start(stage, 0, &queue, &master.url)?;
    wait_for_products(stage, model)?;
    let usage = usage_so_far(relay.id(), started.elapsed())?;
    stage.compare(model)?;
    relay.stop()?;
    drop(master);
    stage.broker.delete_queues()?;
    Ok(usage)
}
