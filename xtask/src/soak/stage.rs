//! The programs: three sources, and a master that follows them, on ports that they keep.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process::{self, Daemon};

/// Names of the sources, in the order in which they win.
pub(super) const SOURCES: [&str; 3] = ["a", "b", "c"];

/// A report over all files, uploads too.
const SETTINGS: &str = "\n[[report]]\nname = \"rows\"\nfiles = \"**\"\nfeed = true\ngroup_by = \"name\"\n\
     metrics = { rows = \"count()\" }\n[uploads]\nkeep_free = \"0B\"\n";

/// The number of the master among the programs to kill: behind the sources.
pub(super) const MASTER: u64 = SOURCES.len() as u64;

pub(super) struct Stage {
    pub(super) master: Daemon,
    pub(super) sources: Vec<Daemon>,
    home: tempfile::TempDir,
}

impl Stage {
    pub(super) fn start() -> Result<Self> {
        let home = tempfile::tempdir().context("failed to make a temporary folder")?;
        let mut settings = format!("listen = \"{}\"\npoll_interval = \"50ms\"\n", free_address()?);
        let mut sources = Vec::new();
        for name in SOURCES {
            fs::create_dir(home.path().join(name))?;
            let address = free_address()?;
            settings += &format!("[[source]]\nname = \"{name}\"\nurl = \"http://{address}\"\nmax_removal = false\n");
            sources.push(Daemon::start(source(home.path(), name, &address)?));
        }
        fs::write(home.path().join("tributary.toml"), settings + SETTINGS)?;
        let master = Daemon::start(master(home.path())?);
        Ok(Self { master, sources, home })
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The folder of a source.
    pub(super) fn folder(&self, source: usize) -> PathBuf {
        self.home.path().join(SOURCES[source])
    }

    /// The process to kill: a source, or the master for the numbers behind them.
    pub(super) fn victim(&self, target: u64) -> u32 {
        let source = usize::try_from(target).ok().and_then(|target| self.sources.get(target));
        source.unwrap_or(&self.master).id()
    }

    /// The name of such a process.
    pub(super) fn name(&self, target: u64) -> &'static str {
        usize::try_from(target).ok().and_then(|target| SOURCES.get(target)).unwrap_or(&"master")
    }

    /// Bytes that it has logged.
    pub(super) fn log_bytes(&self, target: u64) -> u64 {
        fs::metadata(self.home.path().join(format!("{}.log", self.name(target)))).map_or(0, |log| log.len())
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self, target: u64) -> bool {
        let source = usize::try_from(target).ok().and_then(|target| self.sources.get_mut(target));
        source.unwrap_or(&mut self.master).has_ended()
    }

    /// Starts the killed process again where it was. Returns true if it was the master.
    pub(super) fn restart(&mut self, target: u64) -> Result<bool> {
        match usize::try_from(target).ok().filter(|target| *target < SOURCES.len()) {
            Some(number) => {
                let address = self.sources[number].url.trim_start_matches("http://").to_owned();
                self.sources[number].kill();
                self.sources[number] = Daemon::start(source(self.home.path(), SOURCES[number], &address)?);
                Ok(false)
            }
            None => {
                self.master.kill();
                self.master = Daemon::start(master(self.home.path())?);
                Ok(true)
            }
        }
    }
}

/// Sends SIGKILL.
pub(super) fn kill_process(process: u32) -> Result<()> {
    let killed = Command::new("kill").args(["-KILL", &process.to_string()]).status().context("failed to run kill")?;
    ensure!(killed.success(), "process {process} has ended by itself");
    Ok(())
}

/// An address on which nobody listens.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0").context("failed to find a port")?.local_addr()?.to_string())
}

fn source(home: &Path, name: &str, address: &str) -> Result<Command> {
    let mut source = process::command("data-source", home);
    source.args(["--settle", "20ms", "--rescan", "500ms", "--listen", address, "--dir", name]);
    source.env("RUST_LOG", "warn").stderr(log(home, name)?);
    Ok(source)
}

fn master(home: &Path) -> Result<Command> {
    let mut master = process::command("master", home);
    master.env("RUST_LOG", "warn").stderr(log(home, "master")?);
    Ok(master)
}

fn log(home: &Path, name: &str) -> Result<fs::File> {
    let path = home.join(format!("{name}.log"));
    fs::File::options().create(true).append(true).open(path).context("failed to open a log")
}
