//! Reads the configuration again while the master runs: on SIGHUP, and with `reload = "watch"` when the file changes.

use std::future::pending;

use anyhow::{Context, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
};
use tributary_config::{Config, ConfigArgs, DropSources, Reload};
use tributary_engine::Engine;
use tributary_http_common::FileWatch;

/// Reloads until the engine stops. `args` are those of the start.
///
/// # Errors
/// The system gives no signals.
pub(crate) async fn follow(engine: Engine, args: ConfigArgs, config: &Config) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("failed to wait for SIGHUP")?;
    let mut watch =
        config.file.clone().filter(|_| config.reload == Reload::Watch).map(|file| FileWatch::new(vec![file]));
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
