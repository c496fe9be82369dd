//! RabbitMQ as an entrance and an exit: operations come in and become edits, events go out. A broker that is away stops nothing else.
//!
//! It belongs here if it translates between messages and calls of [`Engine`]. Connections and queues are in the crate `amqp`.

mod batch;
mod operation_json;
mod operations;
mod queues;
mod results;

use std::{future::Future, time::Duration};

use anyhow::{Context, Error, Result};
use tributary_amqp::BrokerUrl;
use tributary_config::{AmqpConfig, Config, UploadsConfig};
use tributary_engine::{Engine, OperationLimits, QueueRole};
use tributary_http_client::Backoff;

use queues::QueueWatch;

/// The delay after a first failure, and the longest one.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// The broker of the master, and whom to trust; `None` if it has none.
///
/// # Errors
/// Its address or the file of its authorities cannot be used.
pub(crate) fn broker(config: &AmqpConfig) -> Result<Option<BrokerUrl>> {
    let Some(url) = &config.url else { return Ok(None) };
    let broker: BrokerUrl =
        url.expose().parse().map_err(Error::msg).context("the address of the broker cannot be used")?;
    Ok(Some(match &config.ca_file {
        Some(file) => broker.trusting(file).map_err(Error::msg).context("`ca_file` of the broker cannot be used")?,
        None => broker,
    }))
}

/// Takes operations and publishes events until the engine stops; does nothing without a broker.
///
/// # Errors
/// As [`broker`].
pub(crate) async fn serve(engine: Engine, config: &Config) -> Result<()> {
    let (UploadsConfig { keep_messages, keep_messages_for, .. }, config) = (&config.uploads, &config.amqp);
    let limits = OperationLimits { keep_messages: *keep_messages, keep_for: *keep_messages_for };
    let broker = broker(config)?;
    forget_earlier(&engine, config, broker.is_some()).await;
    let Some(broker) = broker else { return Ok(()) };
    let watch = QueueWatch::new(engine.clone(), config);
    let queues = [QueueRole::Operations, QueueRole::Documents, QueueRole::DeadLetters];
    let operations =
        supervise(&watch, "operations", &queues, || operations::session(&engine, &broker, config, limits, &watch));
    let results = async {
        if let Some(exchange) = &config.results_exchange {
            let session = || results::session(&engine, &broker, exchange, &watch);
            supervise(&watch, "events", &[QueueRole::Events], session).await;
        }
    };
    tokio::join!(operations, results);
    Ok(())
}

/// Forgets the exchanges that events are no longer published to, and without a broker the queues that are no longer looked at. A database that
/// cannot be written at the moment must not end the master, so it is tried until the engine stops.
async fn forget_earlier(engine: &Engine, config: &AmqpConfig, has_broker: bool) {
    let mut delays = Backoff::new(DELAYS.0, DELAYS.1);
    let forget = async || {
        engine.publish_only_to(config.results_exchange.clone()).await?;
        if has_broker { Ok(()) } else { engine.put_queues(Vec::new()).await }
    };
    while let Err(error) = forget().await {
        tracing::warn!("failed to store which queues there are; trying again: {error:#}");
        tokio::select! {
            () = tokio::time::sleep(delays.next_delay()) => {}
            () = engine.shutdown().cancelled() => return,
        }
    }
}

/// Runs one session after the other, with a growing delay after each failure. `kind` says what does not go on meanwhile, and `roles`
/// which queues are down.
async fn supervise<S: Future<Output = Ended>>(
    watch: &QueueWatch,
    kind: &str,
    roles: &[QueueRole],
    session: impl Fn() -> S,
) {
    let engine = watch.engine();
    let mut delays = Backoff::new(DELAYS.0, DELAYS.1);
    let mut outage: Option<String> = None;
    loop {
        let ended = tokio::select! {
            ended = session() => ended,
            () = engine.shutdown().cancelled() => return,
        };
        let why = ended.error.to_string();
        if ended.has_worked {
            delays.reset();
            outage = None;
        }
        if outage.as_ref() != Some(&why) {
            tracing::warn!("no {kind} until the broker can be used again: {why}");
        }
        watch.failed(roles, &why).await;
        outage = Some(why);
        tokio::select! {
            () = tokio::time::sleep(delays.next_delay()) => {}
            () = engine.shutdown().cancelled() => return,
        }
    }
}

/// The end of a session that failed.
struct Ended {
    error: Failure,
    /// Whether it had connected, so that the next try may follow soon.
    has_worked: bool,
}

/// The reason why a session failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Broker(#[from] tributary_amqp::Error),
    #[error("{0:#}")]
    Engine(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}
