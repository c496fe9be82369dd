//! The daemon: the engine and its entrances, from the start to a clean stop.

use std::{net::TcpListener, sync::Arc};

use anyhow::{Context as _, Result};
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, OptionFuture},
};
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_config::{Config, ConfigArgs};
use tributary_engine::{Engine, Unobserved};
use tributary_http_common::{announce, scheme};
use tributary_object_storage::ObjectStorage;
use tributary_tls::PairInForce;

use crate::{
    amqp, exports, grpc, http, reload,
    sales::{Results, Streams},
};

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
    // What cannot be used is found before anything starts.
    let pair = PairInForce::read(&config.tls)?;
    let admission = admission(&config, pair.is_some())?;
    let scheme = scheme(pair.is_some());
    amqp::broker(&config.amqp)?;
    let grpc = grpc::bind(&config)?;
    let gateway = http::gateway::bind(&config)?;
    let results = (grpc.is_some() || gateway.is_some()).then(|| Results::open(&config)).transpose()?;
    let storage = exports::open(&config.results)?;
    let address = listener.local_addr().context("failed to ask where the server listens")?;
    let observer = |_: &str| Arc::new(Unobserved) as Arc<_>;
    let started = tokio::select! {
        started = Engine::start(&config, &observer, shutdown.clone()) => started?,
        // Nothing was begun that the next start would not begin again.
        () = shutdown.cancelled() => return Ok(()),
    };
    let (engine, running) = started;
    let served = {
        let streams = results.map(|results| Streams::new(results, storage.clone(), &config, &engine));
        let (grpc, gateway) = (grpc.zip(streams.clone()), gateway.zip(streams));
        let doors = Doors { admission, pair, listener, grpc, gateway, storage };
        let mut entrances = entrances(&engine, &config, args, doors);
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

/// Listeners of the entrances, and whom they let in.
struct Doors {
    admission: Admission,
    pair: Option<PairInForce>,
    listener: TcpListener,
    grpc: Option<(grpc::Entrance, Arc<Streams>)>,
    gateway: Option<(TcpListener, Arc<Streams>)>,
    /// The place that results are written to.
    storage: Option<Arc<ObjectStorage>>,
}

fn admission(config: &Config, is_encrypted: bool) -> Result<Admission> {
    let admission = Admission::new(config.access.tokens()?, config.allowed_hosts.clone());
    let listens = [Some(&config.listen), config.grpc.listen.as_ref(), config.sales_gateway.listen.as_ref()];
    let admission = listens.into_iter().flatten().fold(admission, |admission, listen| admission.listening_on(listen));
    Ok(if is_encrypted { admission.over_https() } else { admission })
}

/// Every entrance of the master, until the engine stops or one of them fails. A new one is one more line.
fn entrances<'a>(
    engine: &Engine,
    config: &'a Config,
    args: Option<ConfigArgs>,
    doors: Doors,
) -> LocalBoxFuture<'a, Result<()>> {
    let Doors { admission, pair, listener, grpc, gateway, storage } = doors;
    let grpc =
        grpc.map(|(grpc, streams)| grpc.serve((engine.clone(), streams), config, admission.clone(), pair.clone()));
    let grpc = OptionFuture::from(grpc).map(|served| served.unwrap_or(Ok(())));
    let gateway = gateway.map(|(listener, streams)| {
        http::gateway::serve((engine.clone(), streams), config, listener, admission.clone(), pair.clone())
    });
    let gateway = OptionFuture::from(gateway).map(|served| served.unwrap_or(Ok(())));
    let http = http::serve(engine.clone(), config, listener, admission, pair, storage.clone());
    let amqp = amqp::serve(engine.clone(), config);
    let exports = exports::serve(engine.clone(), storage, config);
    let reload = OptionFuture::from(args.map(|args| reload::follow(engine.clone(), args, config)));
    let reload = reload.map(|followed| followed.unwrap_or(Ok(())));
    async move { tokio::try_join!(http, grpc, gateway, amqp, exports, reload).map(|_| ()) }.boxed_local()
}
