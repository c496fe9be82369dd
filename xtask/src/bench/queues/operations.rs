//! Operations: from a full queue, by the master and by consumers in Python, in turns; and published while the master takes them.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tributary_testkit::process::Daemon;

use super::{
    broker::Peer,
    lines::Line,
    model::Model,
    stage::{Stage, usage_so_far},
};
use crate::bench::{
    figures::{Spread, seconds, thousands},
    running::fresh,
    shell::Shell,
    table::Row,
    usage::Usage,
    waiting::until,
};

/// A peer that commits each operation, and one that commits many at a time.
const SINGLE: Peer = Peer { batch: 1 };
const BATCHED: Peer = Peer { batch: 1_000 };
/// The least speed, in times of each of them.
const MIN_SINGLE: f64 = 3.0;
const MIN_BATCHED: f64 = 0.8;
/// The fewest operations per minute while they are published.
const MIN_SUSTAINED: f64 = 300_000.0;

/// The part of the operations that the peer takes that commits each. Its speed hardly varies, and all of them would take it minutes.
const SINGLE_PART: u64 = 10;

/// Distinct names of products.
const NAMES: u64 = 5_000;

/// The file of operations, and what it makes.
struct Operations {
    count: u64,
    model: Model,
    /// The first of them, for the peer that commits each.
    single_count: u64,
    single_model: Model,
}

/// The costs of a round.
struct Round {
    full: Option<Full>,
    sustained: Option<Sustained>,
}

struct Full {
    ours: Usage,
    single: Usage,
    batched: Usage,
}

struct Sustained {
    ours: Usage,
    publish: Usage,
}

/// Measures the lines `full` and `sustained`.
pub(super) fn measure(stage: &Stage<'_>, chosen: &[Line], count: u64) -> Result<Vec<Row>> {
    let operations = Operations::generate(stage.home, count)?;
    let round = |_| {
        Ok(Round {
            full: chosen.contains(&Line::Full).then(|| full(stage, &operations)).transpose()?,
            sustained: chosen.contains(&Line::Sustained).then(|| sustained(stage, &operations)).transpose()?,
        })
    };
    let rounds = stage.rounds(round, Round::text)?;
    let mut rows = Vec::new();
    if chosen.contains(&Line::Full) {
        rows.extend(full_rows(&operations, &rounds.iter().filter_map(|round| round.full.as_ref()).collect::<Vec<_>>()));
    }
    if chosen.contains(&Line::Sustained) {
        let rounds: Vec<_> = rounds.iter().filter_map(|round| round.sustained.as_ref()).collect();
        rows.extend(sustained_rows(&operations, &rounds));
    }
    Ok(rows)
}

impl Operations {
    /// Writes upserts of random products, each as often as it comes, and makes the model of them.
    fn generate(home: &Path, count: u64) -> Result<Self> {
        let csv = home.join("operations.csv");
        let (mut lines, mut rows) =
            (BufWriter::new(File::create(home.join("operations.jsonl"))?), BufWriter::new(File::create(&csv)?));
        writeln!(rows, "sku,name,description")?;
        let mut random = 1_u64;
        let mut below = |bound: u64| {
            // Knuth's MMIX, whose upper bits are random enough.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % bound
        };
        for number in 0..count {
            let (sku, name) = (format!("SKU-{:07}", below(2 * count)), format!("Name {}", below(NAMES)));
            let description = format!("Description {number}: as it is after this operation");
            writeln!(lines, r#"{{"op":"upsert","sku":"{sku}","name":"{name}","description":"{description}"}}"#)?;
            writeln!(rows, "{sku},{name},{description}")?;
        }
        lines.flush()?;
        rows.flush()?;
        let single_count = count / SINGLE_PART;
        let (model, single_model) =
            (Model::make(&csv, "operations", count)?, Model::make(&csv, "first-operations", single_count)?);
        Ok(Self { count, model, single_count, single_model })
    }

    fn publish(&self, stage: &Stage<'_>, queue: &str) -> Result<Usage> {
        stage.broker.publish(queue, stage.home, &["--operations", "operations.jsonl"])
    }
}

impl Round {
    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(Full { ours, single, batched }) = &self.full {
            let [ours, single, batched] = [ours, single, batched].map(|usage| seconds(usage.wall));
            let _ = write!(text, "full queue: ours {ours}, single commits {single}, batches {batched}. ");
        }
        if let Some(Sustained { ours, .. }) = &self.sustained {
            let _ = write!(text, "Published meanwhile: {}", seconds(ours.wall));
        }
        text
    }
}

/// Fills a queue for each program in turn.
fn full(stage: &Stage<'_>, operations: &Operations) -> Result<Full> {
    let batched = consumed(stage, operations, BATCHED)?;
    let single = consumed(stage, operations, SINGLE)?;
    let queue = stage.broker.queue("operations");
    operations.publish(stage, &queue)?;
    stage.prepare_master(&queue)?;
    let started = Instant::now();
    let ours = taken(stage, operations, &stage.start_master()?, started)?;
    stage.broker.delete_queues()?;
    Ok(Full { ours, single, batched })
}

/// Has a peer take operations from a full queue.
fn consumed(stage: &Stage<'_>, operations: &Operations, peer: Peer) -> Result<Usage> {
    let (count, model) = match peer {
        SINGLE => (operations.single_count, &operations.single_model),
        _ => (operations.count, &operations.model),
    };
    let (folder, queue) = (stage.home.join("peer"), stage.broker.queue("operations"));
    fresh(&folder)?;
    operations.publish(stage, &queue)?;
    let usage = stage.broker.consume(peer, &queue, count, &folder)?;
    let differences = model.differences(&folder.join("products.db"), false)?;
    ensure!(differences == 0, "{differences} rows of a peer differ from the model");
    stage.broker.delete_queues()?;
    fs::remove_dir_all(&folder)?;
    Ok(usage)
}

/// Publishes while a master takes what comes.
fn sustained(stage: &Stage<'_>, operations: &Operations) -> Result<Sustained> {
    let queue = stage.broker.queue("operations");
    stage.prepare_master(&queue)?;
    let master = stage.start_master()?;
    let started = Instant::now();
    let publish = operations.publish(stage, &queue)?;
    let ours = taken(stage, operations, &master, started)?;
    drop(master);
    stage.broker.delete_queues()?;
    Ok(Sustained { ours, publish })
}

/// Waits until a master has applied all operations, and compares its tables with the model.
fn taken(stage: &Stage<'_>, operations: &Operations, master: &Daemon, started: Instant) -> Result<Usage> {
    let (mut shell, count) = (Shell::open(&stage.database())?, operations.count.to_string());
    until("all operations are applied", Duration::from_millis(5), || {
        let applied = shell.ask("select coalesce(max(no), 0) from operation_messages")?;
        Ok((applied == count).then_some(()))
    })?;
    let usage = usage_so_far(master.id(), started.elapsed())?;
    stage.compare(&operations.model)?;
    Ok(usage)
}

fn full_rows(operations: &Operations, rounds: &[&Full]) -> [Row; 3] {
    let (count, single_count) = (operations.count, operations.single_count);
    let speed = |count: u64, usage: &Usage| count as f64 / usage.wall.as_secs_f64();
    let ratio = |of_peer: fn(&Full) -> &Usage, taken: u64| {
        Spread::of(rounds.iter().map(|round| speed(count, &round.ours) / speed(taken, of_peer(round))))
    };
    let batched = ratio(|round| &round.batched, count);
    let single = ratio(|round| &round.single, single_count);
    let row = |what: String, usage: fn(&Full) -> &Usage, count: u64| {
        let row = Row::of_usages(what, rounds.iter().map(|round| *usage(round)));
        Row { ratio: per_minute(count, rounds.iter().map(|round| usage(round).wall)).text(), ..row }
    };
    let what = format!(
        "full: {} operations from a full queue, from the start of the master until the last is applied",
        thousands(count)
    );
    let ours = row(what, |round| &round.ours, count);
    let ratio = format!("{}: {}, {}", ours.ratio, batched.times("a commit per 1,000"), single.times("a commit each"));
    let is_met = single.median >= MIN_SINGLE && batched.median >= MIN_BATCHED;
    let single = format!("{} of them by pika and SQLite, a commit per operation", thousands(single_count));
    [
        Row { ratio, ..ours }.target(">= 0.8 x a commit per 1,000, >= 3 x a commit each", is_met),
        row("the same by pika and SQLite, a commit per 1,000 operations".to_owned(), |round| &round.batched, count),
        row(single, |round| &round.single, single_count),
    ]
}

fn sustained_rows(operations: &Operations, rounds: &[&Sustained]) -> [Row; 2] {
    let count = operations.count;
    let speed = per_minute(count, rounds.iter().map(|round| round.ours.wall));
    let what = format!(
        "sustained: {} operations on {} products, from the first that is published until the last is applied",
        thousands(count),
        thousands(operations.model.products)
    );
    let row = Row::of_usages(what, rounds.iter().map(|round| round.ours));
    let row = Row { ratio: speed.text(), ..row };
    let publish = "`publish --operations` meanwhile, until the broker has confirmed all".to_owned();
    [
        row.target(">= 300,000 a minute", speed.0 >= MIN_SUSTAINED),
        Row::of_usages(publish, rounds.iter().map(|round| round.publish)),
    ]
}

/// Operations per minute.
struct PerMinute(f64);

impl PerMinute {
    fn text(&self) -> String {
        format!("{} a minute", thousands(self.0 as u64))
    }
}

/// The speed of the median round.
fn per_minute(count: u64, times: impl Iterator<Item = Duration>) -> PerMinute {
    PerMinute(count as f64 * 60.0 / Spread::of_times(times).median)
}
