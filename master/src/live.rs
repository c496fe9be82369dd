//! The daemon: the engine and its entrances, from the start to a clean stop.

use std::{net::TcpListener, sync::Arc};

use anyhow::{Context as _, Result};
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, OptionFuture},
};
use tokio_util::sync::CancellationToken;
use tributary_config::{Config, ConfigArgs};
use tributary_engine::{Engine, Unobserved};
use tributary_http_common::{announce, scheme};
use tributary_tls::PairInForce;

use crate::{amqp, http, reload};

/// Polls all sources and serves all entrances until `shutdown` is cancelled. `announces`: print the ready line. `args`: read the
/// configuration from them again when asked to.
///
/// # Errors
/// Another master holds the database; the database, the spool or the listener fails; the writer is broken.
pub async fn run(
    config: Config,
    args: Option<ConfigArgs>,
    listener: TcpListener,
    announces: bool,
    shutdown: CancellationToken,
) -> Result<()> {
    // Files that cannot be read are found before anything starts.
    config.access.tokens()?;
    let scheme = scheme(PairInForce::read(&config.tls)?.is_some());
    amqp::broker(&config.amqp)?;
    let address = listener.local_addr().context("failed to ask where the server listens")?;
    let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
    let started = tokio::select! {
        started = Engine::start(&config, &observer, shutdown.clone()) => started?,
        // Nothing was begun that the next start would not begin again.
        () = shutdown.cancelled() => return Ok(()),
    };
    let (engine, running) = started;
    let served = {
        let mut entrances = entrances(&engine, &config, args, listener);
        tracing::info!(%address, sources = config.sources.len(), "the form and the API are on {scheme}://{address}");
        if announces {
            announce(address, scheme == "https");
        }
        tokio::select! {
            served = &mut entrances => served,
            broken = running.broken() => broken,
        }
    };
    drop(engine);
    running.stop().await;
    served
}

/// Every entrance of the master, until the engine stops or one of them fails. A new one is one more line.
fn entrances<'a>(
    engine: &Engine,
    config: &'a Config,
    args: Option<ConfigArgs>,
    listener: TcpListener,
) -> LocalBoxFuture<'a, Result<()>> {
    let http = http::serve(engine.clone(), config, listener);
    let amqp = amqp::serve(engine.clone(), config);
    let reload = OptionFuture::from(args.map(|args| reload::follow(engine.clone(), args, config)));
    let reload = reload.map(|followed| followed.unwrap_or(Ok(())));
    async move { tokio::try_join!(http, amqp, reload).map(|_| ()) }.boxed_local()
}
