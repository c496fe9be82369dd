//! Reads the configuration again while the master runs: on SIGHUP, and with `reload = "watch"` when the file changes.

use std::{
    future::pending,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::sleep,
};
use tributary_config::{Config, ConfigArgs, DropSources, Reload};
use tributary_engine::Engine;

/// Interval between two looks at a watched file.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Reloads until the engine stops. `args` are those of the start.
///
/// # Errors
/// The system gives no signals.
pub(crate) async fn follow(engine: Engine, args: ConfigArgs, config: &Config) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("failed to wait for SIGHUP")?;
    let mut watch = config.file.clone().filter(|_| config.reload == Reload::Watch).map(FileWatch::new);
    loop {
        let changed = async {
            match &mut watch {
                Some(watch) => watch.changed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = engine.shutdown().cancelled() => return Ok(()),
            _ = hangup.recv() => {}
            () = changed => {}
        }
        if let Err(error) = reload(&engine, args.clone()).await {
            tracing::error!("the old configuration stays in force: {error:#}");
        }
    }
}

async fn reload(engine: &Engine, args: ConfigArgs) -> Result<()> {
    let mut config = spawn_blocking(move || Config::load(&args)).await.context("the reload broke off")??;
    // What a person allowed at the start was not meant for every later change.
    config.drop_sources = DropSources::Named(Vec::new());
    engine.reload(config).await
}

/// Size, inode and modification time: what a write or a rename changes.
type Stamp = Option<(u64, u64, i64, i64)>;

/// A file that is looked at again and again. Unlike file events this also works for network file systems and for links that are
/// exchanged further up.
struct FileWatch {
    path: PathBuf,
    /// As it was when it was last read.
    known: Stamp,
}

impl FileWatch {
    fn new(path: PathBuf) -> Self {
        let known = stamp(&path).unwrap_or_default();
        Self { path, known }
    }

    /// Resolves once the file has changed and two looks in a row saw the same, so that nobody is writing it.
    async fn changed(&mut self) {
        let mut last = self.known;
        loop {
            sleep(WATCH_INTERVAL).await;
            let path = self.path.clone();
            // A look that failed is no news: a file that is being exchanged is missing for a moment.
            let Ok(Ok(now)) = spawn_blocking(move || stamp(&path)).await else { continue };
            if now != self.known && now == last {
                self.known = now;
                return;
            }
            last = now;
        }
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok(Some((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec())))
}
