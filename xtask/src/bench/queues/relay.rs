//! A running relay, whose log says how many documents it has handed on.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Stdio},
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tributary_testkit::process;

use super::stage::Stage;

/// A relay, killed when this is dropped.
pub(super) struct Relay {
    child: Child,
    log: PathBuf,
}

impl Relay {
    /// Starts one between a queue and a master.
    pub(super) fn start(stage: &Stage<'_>, number: usize, queue: &str, to: &str) -> Result<Self> {
        let log = stage.home.join(format!("relay-{number}.log"));
        let mut command = process::command("relay", stage.home);
        command.args(["--amqp", &stage.broker.url, "--queue", queue, "--to", to]).env("RUST_LOG", "info");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        Ok(Self { child: command.spawn().context("failed to start a relay")?, log })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it. Returns how many documents the master has taken from it.
    pub(super) fn stop(mut self) -> Result<u64> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        let log = fs::read_to_string(&self.log)?;
        ensure!(status.success(), "a relay failed ({status}): {log}");
        let handed = log
            .lines()
            .filter_map(|line| line.split_once("handed ")?.1.split_once(" documents")?.0.parse::<u64>().ok());
        Ok(handed.sum())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
