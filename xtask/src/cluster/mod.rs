//! `cargo xtask cluster`: a stock Ballista cluster on the loopback, for tests and measurements. The scheduler and the executors are
//! programs of the Ballista project, installed as anyone would; nothing of this project runs in them.

mod install;
mod members;
mod state;

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use self::{
    install::Programs,
    members::{Cluster, Size},
    state::State,
};
use crate::{
    services::{Interrupted, run_to_end},
    workspace::root,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Start a cluster, and print the variables by which tests find it
    Up(Options),
    /// Stop it
    Down,
    /// Run a command with a cluster of its own, and stop it after the command
    Run {
        #[command(flatten)]
        options: Options,
        /// The command, such as `cargo test -p e2e cluster`; its exit code is returned
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

#[derive(clap::Args)]
struct Options {
    /// Folder whose `bin` has the scheduler and the executor; what is missing is installed there [default: target/cluster]
    #[arg(long, env = "TRIBUTARY_CLUSTER_ROOT", value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// Executors to start
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    executors: u16,
    /// Partitions that an executor computes at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    cores: u16,
}

impl Options {
    fn programs(&self) -> Result<Programs> {
        install::programs(self.root.clone().unwrap_or_else(folder))
    }

    fn size(&self) -> Size {
        Size { executors: self.executors, cores: self.cores }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.action {
        Action::Up(options) => up(options),
        Action::Down => down(),
        Action::Run { options, command } => run_with(options, command),
    }
}

/// Everything that is built, installed or written here.
fn folder() -> PathBuf {
    root().join("target/cluster")
}

fn up(options: &Options) -> Result<ExitCode> {
    let place = folder().join("up");
    if let Some(state) = State::read(&place)?.filter(State::is_running) {
        print(&state.variables());
        return Ok(ExitCode::SUCCESS);
    }
    let programs = options.programs()?;
    let interrupted = Interrupted::watch()?;
    let cluster = Cluster::start(&programs, options.size(), &place, &interrupted)?;
    let state = State::of(&cluster);
    state.write(&place)?;
    cluster.leave();
    print(&state.variables());
    eprintln!("the cluster runs until `cargo xtask cluster down`; its logs are in {}", place.display());
    Ok(ExitCode::SUCCESS)
}

fn print(variables: &[(&'static str, String)]) {
    for (name, value) in variables {
        println!("export {name}={value}");
    }
}

fn down() -> Result<ExitCode> {
    let place = folder().join("up");
    match State::read(&place)? {
        Some(state) => state.stop()?,
        None => eprintln!("no cluster is up"),
    }
    State::forget(&place)?;
    Ok(ExitCode::SUCCESS)
}

fn run_with(options: &Options, command: &[OsString]) -> Result<ExitCode> {
    let programs = options.programs()?;
    let interrupted = Interrupted::watch()?;
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    let cluster = Cluster::start(&programs, options.size(), home.path(), &interrupted)?;
    let (program, arguments) = command.split_first().context("there is no command")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(State::of(&cluster).variables());
    run_to_end(&mut command, &interrupted)
}
