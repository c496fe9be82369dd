//! The terms of a master: how it is set up and served in each role.

use std::sync::{Arc, Once};

use anyhow::{Context as _, Result};
use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, OptionFuture},
};
use tokio_util::sync::CancellationToken;
use tributary_config::{Config, ConfigArgs};
use tributary_engine::{Engine, Lock, MasterRole, Prepared, Running, Unobserved, is_unwritable};
use tributary_http_common::scheme;

use super::doors::{Doors, Listeners};
use crate::{
    amqp, exports, http, reload,
    role::{TermEnd, Terms},
    sales::{Results, Streams},
};

/// A master from its start to its stop.
pub(super) struct Daemon<A> {
    config: Config,
    args: Option<ConfigArgs>,
    doors: Doors,
    prepared: Prepared,
    /// Called once, when the first term begins.
    announce: A,
    announced: Once,
    shutdown: CancellationToken,
}

/// An active master that is not served yet.
pub(super) struct Leader {
    engine: Engine,
    running: Running,
    config: Config,
    streams: Option<Arc<Streams>>,
    /// Cancelled at the end of the term.
    over: CancellationToken,
}

impl<A: Fn()> Daemon<A> {
    pub(super) fn new(
        config: Config,
        args: Option<ConfigArgs>,
        doors: Doors,
        prepared: Prepared,
        announce: A,
        shutdown: CancellationToken,
    ) -> Self {
        Self { config, args, doors, prepared, announce, announced: Once::new(), shutdown }
    }

    /// Answers what can be read until `over` is cancelled.
    pub(super) async fn read(&self, role: MasterRole, over: CancellationToken) -> Result<()> {
        let (engine, running) = Engine::reading(&self.config, self.prepared.clone(), role, over);
        let served = {
            let entrances = self.entrances(&engine, &self.config, None)?;
            self.tell(&engine);
            entrances.await
        };
        drop(engine);
        running.stop().await;
        served
    }

    /// Every entrance, until the engine stops or one of them fails. A new one is one more line. A master that only reads has no queues, no
    /// exports and no streams of sales.
    fn entrances<'a>(
        &'a self,
        engine: &Engine,
        config: &'a Config,
        streams: Option<Arc<Streams>>,
    ) -> Result<LocalBoxFuture<'a, Result<()>>> {
        let Doors { admission, pair, storage, .. } = &self.doors;
        let Listeners { http, grpc, gateway } = self.doors.listeners()?;
        let grpc =
            grpc.map(|grpc| grpc.serve((engine.clone(), streams.clone()), config, admission.clone(), pair.clone()));
        let gateway = gateway.map(|listener| {
            http::gateway::serve((engine.clone(), streams), config, listener, admission.clone(), pair.clone())
        });
        let http = http::serve(engine.clone(), config, http, admission.clone(), pair.clone(), storage.clone());
        let is_active = engine.is_active();
        let amqp = is_active.then(|| amqp::serve(engine.clone(), config));
        let exports = is_active.then(|| exports::serve(engine.clone(), storage.clone(), config));
        let reload = self.args.clone().map(|args| reload::follow(engine.clone(), args, config));
        Ok(async move {
            tokio::try_join!(http, if_any(grpc), if_any(gateway), if_any(amqp), if_any(exports), if_any(reload),)
                .map(|_| ())
        }
        .boxed_local())
    }

    /// Tells where the master is, once it serves.
    fn tell(&self, engine: &Engine) {
        let Doors { address, pair, .. } = &self.doors;
        let (scheme, sources) = (scheme(pair.is_some()), self.config.sources.len());
        match engine.role() {
            MasterRole::Active => {
                tracing::info!(%address, sources, "the form and the API are on {scheme}://{address}");
            }
            role => {
                let role = role.as_str();
                tracing::info!(%address, role, "this master is a {role}; pages and the API are on {scheme}://{address}");
            }
        }
        self.announced.call_once(&self.announce);
    }

    /// The configuration as it is now: the one that was active before may have followed a change of it.
    async fn config_in_force(&self) -> Config {
        let (Some(args), true) = (self.args.clone(), self.announced.is_completed()) else { return self.config.clone() };
        let old = self.config.clone();
        let loaded = tokio::task::spawn_blocking(move || old.load_again(&args)).await;
        match loaded.context("reading the configuration broke off").and_then(|loaded| Ok(loaded?)) {
            Ok(config) => config,
            Err(error) => {
                tracing::error!("the configuration of the start stays in force: {error:#}");
                self.config.clone()
            }
        }
    }
}

impl<A: Fn()> Terms<Lock> for Daemon<A> {
    type Leader = Leader;

    async fn stand_by(&self, over: CancellationToken) -> Result<()> {
        self.read(MasterRole::Standby, over).await
    }

    async fn prepare(&self, lock: Lock) -> Result<Leader> {
        let config = self.config_in_force().await;
        let has_streams = config.grpc.listen.is_some() || config.sales_gateway.listen.is_some();
        let results = has_streams.then(|| Results::open(&config)).transpose()?;
        let (over, observer) = (self.shutdown.child_token(), |_: &str| Arc::new(Unobserved) as Arc<_>);
        let (engine, running) = Engine::lead(&config, lock, self.prepared.clone(), &observer, over.clone()).await?;
        let streams = results.map(|results| Streams::new(results, self.doors.storage.clone(), &config, &engine));
        Ok(Leader { engine, running, config, streams, over })
    }

    fn may_pass(&self, error: &anyhow::Error) -> bool {
        is_unwritable(error)
    }

    async fn lead(&self, leader: Leader) -> Result<TermEnd> {
        let Leader { engine, running, config, streams, over } = leader;
        let ended = {
            let mut entrances = self.entrances(&engine, &config, streams)?;
            self.tell(&engine);
            tokio::select! {
                served = &mut entrances => served.map(|()| TermEnd::Stopped),
                broken = running.broken() => broken.map(|()| TermEnd::Stopped),
                () = running.deposed() => {
                    over.cancel();
                    entrances.await.map(|()| TermEnd::Deposed)
                }
            }
        };
        drop(engine);
        running.stop().await;
        ended
    }
}

/// Serves an entrance if there is one.
async fn if_any(entrance: Option<impl Future<Output = Result<()>>>) -> Result<()> {
    OptionFuture::from(entrance).await.unwrap_or(Ok(()))
}
