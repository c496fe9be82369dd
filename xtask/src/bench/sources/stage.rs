//! The master that follows the sources, and its cost.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tributary_testkit::process::{self, Daemon};

use super::fleet::Fleet;
use crate::{
    bench::{
        figures::mebibytes,
        running::{database, fresh},
        shell::Shell,
        usage,
        waiting::until,
    },
    processes,
};

/// The sources and their master.
pub(in crate::bench) struct Stage {
    pub(in crate::bench) fleet: Fleet,
    folder: PathBuf,
    program: PathBuf,
    master: Option<Daemon>,
}

/// The cost of the master over a time.
pub(in crate::bench) struct Cost {
    begun: Instant,
    cpu: Duration,
}

impl Stage {
    /// Writes the configuration; no master runs yet.
    pub(in crate::bench) fn new(home: &Path, fleet: Fleet, program: Option<PathBuf>) -> Result<Self> {
        let folder = home.join("followed");
        fresh(&folder)?;
        let mut config = "database_url = \"database.db\"\nlisten = \"127.0.0.1:0\"\n".to_owned();
        for source in 0..fleet.len() {
            writeln!(config, "\n[[source]]\nname = \"s{source:05}\"\nurl = \"{}\"", fleet.url(source))?;
        }
        fs::write(folder.join("tributary.toml"), config)?;
        let program = program.unwrap_or_else(|| process::binary("master"));
        let program = std::path::absolute(program)?;
        Ok(Self { fleet, folder, program, master: None })
    }

    /// Stops the master, if one runs, and starts one. Returns when it was started.
    pub(in crate::bench) fn start(&mut self) -> Result<Instant> {
        if let Some(mut before) = self.master.take() {
            before.terminate();
            self.fleet.forget();
        }
        let log = fs::File::create(self.folder.join("master.log"))?;
        let mut command = process::command_at(&self.program, &self.folder);
        command.env("RUST_LOG", "warn").stderr(Stdio::from(log));
        let begun = Instant::now();
        self.master = Some(Daemon::start(command));
        Ok(begun)
    }

    /// The running master.
    pub(in crate::bench) fn master(&self) -> Result<&Daemon> {
        self.master.as_ref().context("no master was started")
    }

    /// Begins to count the cost of the master, with a new peak of its memory.
    pub(in crate::bench) fn cost(&self) -> Result<Cost> {
        let id = self.master()?.id();
        processes::forget_peak(id)?;
        Ok(Cost { begun: Instant::now(), cpu: usage::cpu_so_far(id)? })
    }

    /// The processor time since then, and the part of one core that it is.
    pub(in crate::bench) fn cpu(&self, since: &Cost) -> Result<(Duration, f64)> {
        let cpu = usage::cpu_so_far(self.master()?.id())? - since.cpu;
        Ok((cpu, cpu.as_secs_f64() / since.begun.elapsed().as_secs_f64()))
    }

    /// The processor time of the master since it was started.
    pub(in crate::bench) fn cpu_since_start(&self) -> Result<Duration> {
        usage::cpu_so_far(self.master()?.id())
    }

    /// The peak of the memory since [`Stage::cost`], and the memory now, in bytes.
    pub(in crate::bench) fn memory(&self) -> Result<[u64; 2]> {
        let id = self.master()?.id();
        Ok([usage::peak_so_far(id)?, processes::memory(id)?])
    }

    /// The same as text.
    pub(in crate::bench) fn memory_text(&self) -> Result<String> {
        let [peak, now] = self.memory()?;
        Ok(format!("{}, then {}", mebibytes(peak), mebibytes(now)))
    }

    /// Files that the master has open.
    pub(in crate::bench) fn open_files(&self) -> Result<u64> {
        processes::open_files(self.master()?.id())
    }

    /// Lines that the master has logged since its start.
    pub(in crate::bench) fn logged(&self) -> Result<usize> {
        Ok(fs::read_to_string(self.folder.join("master.log"))?.lines().count())
    }

    /// A shell on the database.
    pub(in crate::bench) fn shell(&self) -> Result<Shell> {
        Shell::open(&database(&self.folder))
    }

    /// Waits until all of these sources are applied as they are now. Returns when the last one was.
    pub(in crate::bench) fn wait_until_applied(&self, sources: impl Iterator<Item = usize> + Clone) -> Result<Instant> {
        until("all sources are applied", Duration::from_millis(20), || Ok(self.fleet.applied(sources.clone())))
    }

    /// Waits until the answers of these sources are held.
    pub(in crate::bench) fn wait_until_held(&self, sources: impl Iterator<Item = usize> + Clone) -> Result<()> {
        until("all questions are held", Duration::from_millis(100), || {
            Ok(self.fleet.all_held(sources.clone()).then_some(()))
        })
    }
}
