//! `cargo xtask soak`: real programs under a random load for a long time, or killed over and over. Afterwards, and in between, both tables and a
//! report must be what a model of the load says, and nothing that was acknowledged may be lost. Without kills, memory, open
//! files, disk and logs must stay flat.

mod compare;
mod faults;
mod load;
mod model;
mod random;
mod readers;
mod samples;
mod stage;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use self::{load::Load, random::Random, readers::Readers, samples::Samples, stage::Stage};

/// Least time between two comparisons of a soak.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60);
/// Time between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(5);
/// Longest time under load before a kill.
const MAX_MILLIS_TO_KILL: u64 = 400;
/// A line is printed after so many kills.
const KILLS_PER_LINE: u64 = 50;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run for this long, such as `1m` or `1h`, and check that nothing grows
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1m")]
    time: Duration,
    /// Kill the master or a source so many times instead, each time compare, and check no growth
    #[arg(long, value_name = "N")]
    kills: Option<u64>,
    /// Fail system calls of the master or a source so many times instead, which needs `strace`, and each time compare
    #[arg(long, value_name = "N", conflicts_with = "kills")]
    faults: Option<u64>,
    /// Of those calls, only such whose names contain this
    #[arg(long, value_name = "TEXT", default_value = "", requires = "faults", hide_default_value = true)]
    calls: String,
    /// Another seed gives another load and other moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Whole seconds, minutes or hours.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("write a number and s, m or h, such as 90s".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write a number and s, m or h, such as 90s".to_owned())?;
    Ok(Duration::from_secs(number * seconds))
}

pub(crate) fn run(args: &Args) -> Result<()> {
    println!("seed {}", args.seed);
    let stage = Stage::start()?;
    match (args.kills, args.faults) {
        (Some(kills), _) => kill(stage, kills, args.seed),
        (None, Some(rounds)) => faults::run(stage, rounds, args),
        (None, None) => soak(&stage, args),
    }
}

/// Keeps the load up, compares now and then, and judges the samples at the end.
fn soak(stage: &Stage, args: &Args) -> Result<()> {
    let mut load = Load::new(args.seed);
    let mut samples = Samples::default();
    let readers = Readers::start(stage.master.url.clone(), args.seed);
    let started = Instant::now();
    let (mut sampled, mut compared) = (Instant::now(), Instant::now());
    // A reader that fails says so now, and not after an hour.
    while started.elapsed() < args.time && !readers.have_failed() {
        load.step(stage)?;
        if sampled.elapsed() >= SAMPLE_INTERVAL {
            sampled = Instant::now();
            samples.take(stage, load.changed_rows)?;
        }
        if compared.elapsed() >= COMPARE_INTERVAL {
            compare::converge(stage, &load.model)?;
            compared = Instant::now();
        }
    }
    compare::converge(stage, &load.model)?;
    let reads = readers.stop()?;
    println!(
        "{} steps, {} changed rows, {reads} reads in {:?}; tables are right",
        load.steps, load.changed_rows, args.time
    );
    samples.print();
    samples.judge()
}

/// Kills a program at a random moment under load, starts it again, and compares; over and over.
fn kill(mut stage: Stage, kills: u64, seed: u64) -> Result<()> {
    let (mut load, mut random) = (Load::new(seed), Random::new(seed + 1_000));
    let (mut of_master, started) = (0, Instant::now());
    for number in 1..=kills {
        let readers = Readers::start(stage.master.url.clone(), seed + number);
        let moment = Duration::from_micros(random.below(MAX_MILLIS_TO_KILL * 1_000));
        let target = random.below(2 + stage::SOURCES.len() as u64);
        let victim = stage.victim(target);
        // Another thread kills, so that the moment falls into the middle of a step.
        let killer = thread::spawn(move || {
            thread::sleep(moment);
            stage::kill_process(victim)
        });
        while !killer.is_finished() {
            load.step_that_may_fail(&stage);
        }
        killer.join().map_err(|_| anyhow::anyhow!("the thread that kills panicked"))??;
        readers.stop_any();
        of_master += u64::from(stage.restart(target)?);
        load.finish_pending(&stage)?;
        compare::converge(&stage, &load.model).with_context(|| format!("after kill {number} of seed {seed}"))?;
        if number % KILLS_PER_LINE == 0 || number == kills {
            let took = started.elapsed().as_secs();
            println!("{number} kills, {of_master} of the master, {} steps, {took} s: tables are right", load.steps);
        }
    }
    ensure!(of_master > 0 || kills < 10, "the master was never killed");
    Ok(())
}
