//! A server of `processor.CsvProcessor` that has read nothing yet.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{self, Child},
    time::Duration,
};

use anyhow::{Result, ensure};
use tributary_testkit::process::{Daemon, command, logged_address};

use super::client::send;
use crate::{
    bench::{
        running::{fresh, write_back},
        usage::{Usage, cpu_so_far, peak_so_far},
        waiting::until,
    },
    processes::{forget_peak, memory},
};

/// A program, killed when this is dropped.
pub(super) enum Process {
    Master(Daemon),
    Other(Child),
}

/// A running server.
pub(super) struct Server {
    process: Process,
    address: String,
    results: PathBuf,
    /// Its memory before the first stream.
    idle: u64,
}

/// The cost of streams that were sent at once.
pub(super) struct Turn {
    /// The time of all, the processor time of the server, and its most memory above that of an idle one.
    pub(super) usage: Usage,
    /// Processor time of the client.
    pub(super) client: Duration,
    /// A file of totals for each stream.
    pub(super) results: Vec<PathBuf>,
}

impl Server {
    /// Starts a master with this entrance, in the folder `master` below `home`.
    pub(super) fn master(home: &Path) -> Result<Self> {
        let folder = home.join("master");
        fresh(&folder)?;
        let log = folder.join("log");
        let mut master = command("master", &folder);
        master.args(["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]).env("RUST_LOG", "info");
        let process = Process::Master(Daemon::start({
            master.stderr(File::create(&log)?);
            master
        }));
        let address =
            until("the master says where gRPC is", Duration::from_millis(20), || Ok(logged_address(&log, "gRPC")))?;
        Self::new(process, format!("http://{address}"), folder.join("database.db.results"))
    }

    /// A server that listens at this address.
    pub(super) fn new(process: Process, address: String, results: PathBuf) -> Result<Self> {
        // A first stream without a row, so that no turn pays for what is only done once.
        let empty = tempfile::NamedTempFile::new()?;
        fs::write(empty.path(), "a,b,c\n")?;
        send(&address, empty.path(), 1)?;
        let idle = memory(process.id())?;
        Ok(Self { process, address, results, idle })
    }

    /// Sends a file in `streams` streams at once.
    pub(super) fn turn(&self, file: &Path, streams: usize) -> Result<Turn> {
        write_back()?;
        let (server, client) = (self.process.id(), process::id());
        forget_peak(server)?;
        let before = [cpu_so_far(server)?, cpu_so_far(client)?];
        let (wall, summaries) = send(&self.address, file, streams)?;
        let [cpu, client] = [cpu_so_far(server)? - before[0], cpu_so_far(client)? - before[1]];
        ensure!(summaries.iter().all(|summary| summary.malformed_rows == 0), "rows of a generated file are malformed");
        let usage = Usage { wall, cpu, peak_bytes: peak_so_far(server)?.saturating_sub(self.idle) };
        let results = summaries.iter().map(|summary| self.results.join(&summary.result_file_name)).collect();
        Ok(Turn { usage, client, results })
    }
}

impl Process {
    fn id(&self) -> u32 {
        match self {
            Self::Master(daemon) => daemon.id(),
            Self::Other(child) => child.id(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Self::Other(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
