//! The folder of the run, the broker, and a master that takes operations from a queue there: all lines share them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process::Daemon;

use super::{broker::Broker, model::Model};
use crate::bench::{
    running::{database, fresh, master, write_back},
    usage::{self, Usage},
};

/// The surroundings of all lines.
pub(super) struct Stage<'a> {
    /// The temporary folder of the run.
    pub(super) home: &'a Path,
    pub(super) broker: &'a Broker,
    /// Rounds that are counted.
    pub(super) pairs: usize,
}

impl Stage<'_> {
    /// Runs one round that warms up, and those that are counted. `round` gets their number.
    pub(super) fn rounds<T>(
        &self,
        mut round: impl FnMut(usize) -> Result<T>,
        text: impl Fn(&T) -> String,
    ) -> Result<Vec<T>> {
        let mut rounds = Vec::new();
        for number in 0..=self.pairs {
            let measured = round(number)?;
            let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {}", self.pairs) };
            eprintln!("{name}: {}", text(&measured));
            if number > 0 {
                rounds.push(measured);
            }
        }
        Ok(rounds)
    }

    /// Prepares the folder of a master with an empty database that takes operations from this queue.
    pub(super) fn prepare_master(&self, operations: &str) -> Result<()> {
        let folder = self.home.join("ours");
        fresh(&folder)?;
        let (url, documents) = (&self.broker.url, self.broker.queue("shown"));
        let config = format!(
            "[amqp]\nurl = \"{url}\"\noperations_queue = \"{operations}\"\ndocuments_queue = \"{documents}\"\n"
        );
        fs::write(folder.join("tributary.toml"), config).context("failed to write the configuration")?;
        write_back()
    }

    /// Starts a master in the folder that was prepared, and waits until it is ready.
    pub(super) fn start_master(&self) -> Result<Daemon> {
        master(&self.home.join("ours"), &[])
    }

    /// The database of that master.
    pub(super) fn database(&self) -> PathBuf {
        database(&self.home.join("ours"))
    }

    /// Compares the products and the counts of their names with the model.
    pub(super) fn compare(&self, model: &Model) -> Result<()> {
        let differences = model.differences(&self.database(), true)?;
        ensure!(differences == 0, "{differences} rows of the master differ from the model");
        Ok(())
    }
}

/// The processor time and the peak memory of a running program so far. `wall` is taken as it is.
pub(super) fn usage_so_far(process: u32, wall: Duration) -> Result<Usage> {
    Ok(Usage { wall, cpu: usage::cpu_so_far(process)?, peak_bytes: usage::peak_so_far(process)? })
}
