//! Our programs, running: folders that a data-source serves, and masters that follow them or run once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use super::{
    feed::Feed,
    shell::Shell,
    usage::{self, Usage},
    waiting::until,
};
use crate::workspace;

/// A folder of feeds and the data-source that serves it.
pub(super) struct Served {
    /// The name of the source.
    name: String,
    /// In the order of their paths.
    pub(super) feeds: Vec<Feed>,
    pub(super) source: Daemon,
}

/// The cost of a change or a pass: that of the master, and the processor time of the data-source meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    pub(super) master: Usage,
    pub(super) source_cpu: Duration,
}

impl Served {
    /// Generates `files` feeds of `rows` rows that share no sku, in a folder below `home`, and serves them.
    pub(super) fn start(home: &Path, name: &str, files: u64, rows: u64, first: u64, settle: &str) -> Result<Self> {
        let (folder, originals) = (home.join(name), home.join(format!("{name}-originals")));
        fs::create_dir(&folder)?;
        fs::create_dir(&originals)?;
        let mut feeds = Vec::new();
        for file in 0..files {
            let name = format!("feed-{file}.csv");
            let (path, original) = (folder.join(&name), originals.join(&name));
            let feed = Feed::generate(path, original, rows, first + file * rows, 1 + first + file)?;
            feed.write("Begin")?;
            feeds.push(feed);
        }
        Self::serve(home, name, feeds, settle)
    }

    /// Serves the folder `name` below `home`.
    pub(super) fn serve(home: &Path, name: &str, feeds: Vec<Feed>, settle: &str) -> Result<Self> {
        Self::serve_with(home, name, feeds, settle, None)
    }

    /// The same with a file of formats.
    pub(super) fn serve_with(
        home: &Path,
        name: &str,
        feeds: Vec<Feed>,
        settle: &str,
        formats: Option<&Path>,
    ) -> Result<Self> {
        let mut source = process::command("data-source", home);
        source.args(["--listen", "127.0.0.1:0", "--settle", settle, "--dir", name]).env("RUST_LOG", "error");
        source.args(formats.map(|formats| format!("--formats={}", formats.display())));
        Ok(Self { name: name.to_owned(), feeds, source: Daemon::start(source) })
    }

    /// The flag with which a master follows it.
    pub(super) fn flag(&self) -> String {
        format!("--source={}={}", self.name, self.source.url)
    }

    /// Changes the row of the first feed and waits until the data-source offers the new content.
    pub(super) fn change(&self, name: &str) -> Result<()> {
        self.feeds[0].write(name)?;
        let (hash, url) = (self.feeds[0].hash()?, format!("{}/sense/files", self.source.url));
        until("the data-source offers a changed file", Duration::from_millis(5), || {
            let (_, body) = http::get(&url)?;
            Ok(String::from_utf8_lossy(&body).contains(&hash).then_some(()))
        })
    }

    /// Runs `master --once` on the database in `folder`.
    pub(super) fn pass(&self, folder: &Path) -> Result<Pass> {
        self.pass_into(folder, None)
    }

    /// Runs `master --once` in `folder`, with a flag that names another database.
    pub(super) fn pass_into(&self, folder: &Path, database: Option<&str>) -> Result<Pass> {
        let mut once = process::command("master", folder);
        once.args(["--once", &self.flag()]).args(database).env("RUST_LOG", "error");
        write_back()?;
        let before = usage::cpu_so_far(self.source.id())?;
        let (master, _) = usage::run(once, Stdio::null())?;
        Ok(Pass { master, source_cpu: usage::cpu_so_far(self.source.id())? - before })
    }

    /// Changes the row of the first feed while `master` follows, and waits until the database shows it.
    pub(super) fn follow(&self, master: &Daemon, shell: &mut Shell, name: &str) -> Result<Pass> {
        let cpu = || anyhow::Ok((usage::cpu_so_far(master.id())?, usage::cpu_so_far(self.source.id())?));
        let (master_before, source_before) = cpu()?;
        let started = Instant::now();
        self.feeds[0].write(name)?;
        shell.wait_for(&self.feeds[0].sku, name)?;
        let wall = started.elapsed();
        let (master_after, source_after) = cpu()?;
        let (cpu, peak_bytes) = (master_after - master_before, usage::peak_so_far(master.id())?);
        Ok(Pass { master: Usage { wall, cpu, peak_bytes }, source_cpu: source_after - source_before })
    }
}

/// Starts a master that follows these folders with its database in `folder`, and waits until it is ready.
pub(super) fn master(folder: &Path, followed: &[&Served]) -> Result<Daemon> {
    master_of(folder, followed, None)
}

/// The same with a flag that names another database.
pub(super) fn master_of(folder: &Path, followed: &[&Served], database: Option<&str>) -> Result<Daemon> {
    let master = started(folder, followed, database);
    let url = format!("{}/readyz", master.url);
    until("the master is ready", Duration::from_millis(20), || Ok((http::get(&url)?.0 == 200).then_some(())))?;
    Ok(master)
}

/// Starts a master as [`master_of`] does, and does not wait.
pub(super) fn started(folder: &Path, followed: &[&Served], database: Option<&str>) -> Daemon {
    let mut master = process::command("master", folder);
    master.args(["--listen", "127.0.0.1:0"]).args(followed.iter().map(|served| served.flag())).args(database);
    master.env("RUST_LOG", "error");
    Daemon::start(master)
}

/// The path of the database in a master's folder.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("database.db")
}

/// Makes an empty folder, and deletes one that is there.
pub(super) fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    fs::create_dir(folder).with_context(|| format!("failed to make {}", folder.display()))
}

/// Flushes all writes to the disk, so that the next program does not wait for those of the one before it.
pub(super) fn write_back() -> Result<()> {
    workspace::run(&mut Command::new("sync"))
}
