//! A folder, the data-source that serves it, and the master that follows.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Result;
use tributary_testkit::process::{self, Daemon};

use super::corpus::Corpus;
use crate::bench::{
    client::Connection,
    running::{fresh, write_back},
    usage::{cpu_so_far, peak_so_far},
    waiting::until,
};

const SETTLE: Duration = Duration::from_millis(50);
/// Programs that used no processor time for so long are at rest.
const REST: Duration = Duration::from_secs(2);

/// Binaries of one commit.
pub(super) struct Programs {
    pub(super) name: &'static str,
    pub(super) folder: PathBuf,
}

/// A running source and master.
pub(super) struct Setup {
    /// The name of its programs.
    pub(super) programs: &'static str,
    pub(super) files: u64,
    /// Time until the data-source has scanned and hashed the folder.
    pub(super) source_start: Duration,
    /// Time from then until the master shows the last row.
    pub(super) first_pass: Duration,
    corpus: Corpus,
    source: Daemon,
    master: Daemon,
    connection: Connection,
}

/// One changed row.
pub(super) struct Change {
    /// Time from the rename to the answer with the new name, less the settle time.
    pub(super) beyond_settle: Duration,
    pub(super) source_cpu: Duration,
    pub(super) master_cpu: Duration,
}

impl Setup {
    /// Writes `files` files, and waits until a new master has applied all of them.
    pub(super) fn start(home: &Path, programs: &Programs, files: usize) -> Result<Self> {
        let files = files as u64;
        let place = home.join(format!("{}-{files}", programs.name));
        fresh(&place)?;
        let corpus = Corpus::write(place.join("feeds"), files)?;
        write_back()?;
        let settle = format!("{}ms", SETTLE.as_millis());
        let started = Instant::now();
        let mut source = programs.command("data-source", &place);
        source.args(["--listen", "127.0.0.1:0", "--settle", &settle, "--dir", "feeds"]);
        let source = Daemon::start(source);
        let (source_start, started) = (started.elapsed(), Instant::now());
        let mut master = programs.command("master", &place);
        master.args(["--listen", "127.0.0.1:0", &format!("--source=north={}", source.url)]);
        let master = Daemon::start(master);
        let connection = Connection::open(&master.url)?;
        let mut setup = Self {
            programs: programs.name,
            files,
            source_start,
            first_pass: Duration::ZERO,
            corpus,
            source,
            master,
            connection,
        };
        setup.wait_for(&setup.corpus.last_sku(), "Name", Duration::from_millis(20))?;
        setup.first_pass = started.elapsed();
        Ok(setup)
    }

    /// Waits until both programs rest: files that are as new as the folder are hashed again.
    pub(super) fn rest(&self) -> Result<()> {
        let cpu = || anyhow::Ok(cpu_so_far(self.source.id())? + cpu_so_far(self.master.id())?);
        let mut before = cpu()?;
        until("the programs rest", REST, || {
            let now = cpu()?;
            Ok((now <= std::mem::replace(&mut before, now)).then_some(()))
        })
    }

    /// Replaces a file and waits until the master shows its new row.
    pub(super) fn change(&mut self, change: usize) -> Result<Change> {
        let (number, name) = (change as u64, format!("Change {change}"));
        let sku = self.corpus.prepare(number, &name)?;
        // The master closes a connection that was idle while others had their turn.
        self.connection = Connection::open(&self.master.url)?;
        let [source, master] = self.cpu()?;
        let started = Instant::now();
        self.corpus.replace(number)?;
        self.wait_for(&sku, &name, Duration::from_millis(1))?;
        let beyond_settle = started.elapsed().saturating_sub(SETTLE);
        let [source_after, master_after] = self.cpu()?;
        Ok(Change { beyond_settle, source_cpu: source_after - source, master_cpu: master_after - master })
    }

    /// The peak memory of data-source and master so far, in bytes.
    pub(super) fn peaks(&self) -> Result<[u64; 2]> {
        Ok([peak_so_far(self.source.id())?, peak_so_far(self.master.id())?])
    }

    fn cpu(&self) -> Result<[Duration; 2]> {
        Ok([cpu_so_far(self.source.id())?, cpu_so_far(self.master.id())?])
    }

    fn wait_for(&mut self, sku: &str, name: &str, pause: Duration) -> Result<()> {
        until("the master shows a row", pause, || {
            let (status, body) = self.connection.get(&format!("/api/v1/products/{sku}"))?;
            let shows = status == 200 && String::from_utf8_lossy(&body).contains(&format!("\"{name}"));
            Ok(shows.then_some(()))
        })
    }
}

impl Programs {
    fn command(&self, name: &str, folder: &Path) -> Command {
        let mut command = process::command_at(&self.folder.join(name), folder);
        command.env("RUST_LOG", "error");
        command
    }
}
