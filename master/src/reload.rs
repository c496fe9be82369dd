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
    let mut in_force = config.clone();
    let mut was_wrong = false;
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
        match reload(&engine, in_force.clone(), args.clone()).await {
            Ok(config) => {
                if was_wrong {
                    tracing::warn!("the configuration can be read again, and is in force");
                }
                in_force = config;
                was_wrong = false;
            }
            Err(error) => {
                tracing::error!("the old configuration stays in force: {error:#}");
                was_wrong = true;
            }
        }
    }
}

/// Returns the configuration that is in force then.
async fn reload(engine: &Engine, in_force: Config, args: ConfigArgs) -> Result<Config> {
    let loaded = spawn_blocking(move || in_force.load_again(&args)).await.context("the reload broke off")??;
    // What a person allowed at the start was not meant for every later change.
    let config = Config { drop_sources: DropSources::Named(Vec::new()), ..loaded };
    engine.reload(config.clone()).await?;
    Ok(config)
}
