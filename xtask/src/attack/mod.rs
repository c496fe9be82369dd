//! `cargo xtask attack`: what people with bad intent, broken peers and bad luck do to the programs, for real and from outside. Prints a line for
//! each attack: whether it was held off, the memory that it cost, and the slowest answer that an honest client got meanwhile.

mod access;
mod announced;
mod capabilities;
mod clients;
mod edge;
mod faults;
mod folder;
mod grpc;
mod honest;
mod hostile;
mod memory;
mod peers;
mod places;
mod roles;
mod served;
mod slow;
mod stage;
mod totals;
mod truth;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use anyhow::{Result, anyhow, bail, ensure};

use self::{
    honest::Honest,
    memory::Memory,
    stage::{Plan, Stage},
};
use crate::verify;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the attacks whose line contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print the attacks and exit
    #[arg(long)]
    list: bool,
    /// Attack the programs beside this one as they are, without building them first
    #[arg(long)]
    no_build: bool,
}

/// An attack: the part of the promises that it tries, what is done, and how.
struct Attack(&'static str, &'static str, How);

/// Runs an attack. The text is a figure for people, and may be empty.
enum How {
    /// Against a master and a source, whose memory and answers are watched meanwhile.
    On(fn() -> Result<Plan>, fn(&Stage) -> Result<String>),
    /// With programs of its own.
    Alone(fn() -> Result<String>),
}

/// The outcome of an attack.
struct Outcome {
    detail: String,
    memory: Option<Memory>,
    slowest: Option<f64>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let rooms = [
        edge::ATTACKS,
        peers::ATTACKS,
        totals::ATTACKS,
        served::ATTACKS,
        announced::ATTACKS,
        clients::ATTACKS,
        slow::ATTACKS,
        places::ATTACKS,
    ];
    let rooms = rooms
        .into_iter()
        .chain([folder::ATTACKS, truth::ATTACKS, access::ATTACKS, capabilities::ATTACKS, roles::ATTACKS])
        .chain([grpc::ATTACKS, faults::ATTACKS])
        .flatten();
    let wanted = |attack: &&Attack| args.only.as_ref().is_none_or(|only| attack.1.contains(only.as_str()));
    let attacks: Vec<_> = rooms.filter(wanted).collect();
    ensure!(!attacks.is_empty(), "no attack has this text in its line; `--list` prints them");
    if args.list {
        attacks.iter().for_each(|Attack(part, what, _)| println!("{part}: {what}"));
        return Ok(());
    }
    if !args.no_build {
        verify::build()?;
    }
    println!("| part | attack | result | master, source: MiB above idle | slowest honest answer | |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let fell = attacks.iter().filter(|attack| !attack.is_held_off()).count();
    ensure!(fell == 0, "{fell} of {} attacks were not held off", attacks.len());
    println!("all {} attacks were held off", attacks.len());
    Ok(())
}

impl Attack {
    /// Runs it and prints its line.
    fn is_held_off(&self) -> bool {
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.outcome())).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(anyhow!("{}", text.unwrap_or_else(|| "it panicked".to_owned())))
        });
        let Self(part, what, _) = self;
        let took = started.elapsed().as_secs_f64();
        match outcome {
            Ok(Outcome { detail, memory, slowest }) => {
                let memory = memory.map_or(String::new(), |memory| memory.to_string());
                let slowest = slowest.map_or(String::new(), |seconds| format!("{seconds:.2} s"));
                println!("| {part} | {what} | held off in {took:.0} s | {memory} | {slowest} | {detail} |");
                true
            }
            Err(error) => {
                println!("| {part} | {what} | **not held off** | | | {error:#} |");
                false
            }
        }
    }

    fn outcome(&self) -> Result<Outcome> {
        let (plan, attack) = match self.2 {
            How::Alone(attack) => return Ok(Outcome { detail: attack()?, memory: None, slowest: None }),
            How::On(plan, attack) => (plan, attack),
        };
        let stage = plan()?.start()?;
        let honest = Honest::start(&stage);
        let begun = Memory::begin(&stage)?;
        stage.begin();
        let result = attack(&stage);
        let slowest = honest.stop();
        let peak = begun.peak(&stage)?;
        let detail = match result {
            Ok(detail) => detail,
            Err(error) => bail!("{error:#}{}", stage.last_log_lines()),
        };
        let slowest = slowest?;
        stage.end();
        stage.check_rows()?;
        let memory = peak.given_back(&stage)?;
        Ok(Outcome { detail, memory: Some(memory), slowest: Some(slowest) })
    }
}
