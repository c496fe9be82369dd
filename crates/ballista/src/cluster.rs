//! One cluster: the address of its scheduler, and how a session is opened.

use std::{future::Future, time::Duration};

use reqwest::Client;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint as FlightEndpoint};
use tributary_http_client::{ClientOptions, Endpoint};
use url::Url;

use crate::{
    Error, Session,
    jobs::{Jobs, Readiness},
};

/// Time between two probes of the connection, and for the answer to one. A scheduler that stands still is noticed by it.
const PROBE: Duration = Duration::from_secs(10);
const PROBE_ANSWER: Duration = Duration::from_secs(10);

/// The time limits of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// To connect, to open a session, and for any statement but a query.
    pub step: Duration,
    /// For a query, until its first rows.
    pub query: Duration,
    /// For the next rows of a result.
    pub rows: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        let [step, query, rows] = [30, 3600, 60].map(Duration::from_secs);
        Self { step, query, rows }
    }
}

/// A cluster; clones share its HTTP client.
#[derive(Debug, Clone)]
pub struct Cluster {
    url: Url,
    limits: TimeLimits,
    jobs: Jobs,
}

impl Cluster {
    /// The cluster of the scheduler at this address, which is `http` with host and port. Nothing is sent yet.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new(url: Url, limits: TimeLimits) -> Result<Self, tributary_http_client::Error> {
        let options = ClientOptions {
            user_agent: concat!("tributary-master/", env!("CARGO_PKG_VERSION")),
            idle_timeout: Some(limits.step),
            decompress: false,
        };
        let client: Client = options.build()?;
        let jobs = Jobs::new(client, Endpoint::new(url.clone(), None));
        Ok(Self { url, limits, jobs })
    }

    /// The address of the scheduler, for people.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub(crate) fn limits(&self) -> TimeLimits {
        self.limits
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Opens a session of its own, which sees no tables of others.
    ///
    /// # Errors
    /// The scheduler cannot be reached or does not answer, has no executor, or knows no Flight SQL.
    pub async fn session(&self) -> Result<Session, Error> {
        let channel = self.within("accept a connection", self.limits.step, self.connect()).await?;
        self.check_executors().await?;
        self.within("open a session", self.limits.step, Session::open(self.clone(), channel)).await
    }

    /// The tasks that all executors together run at a time; none if the scheduler does not say.
    pub async fn slots(&self) -> Option<u32> {
        self.jobs.slots().await
    }

    async fn connect(&self) -> Result<Channel, Error> {
        let away = |error: tonic::transport::Error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            Error::Away { scheduler: self.address().to_owned(), cause: cause.to_string() }
        };
        let endpoint = FlightEndpoint::from_shared(self.url.to_string()).map_err(away)?;
        let endpoint = endpoint
            .connect_timeout(self.limits.step)
            .http2_keep_alive_interval(PROBE)
            .keep_alive_timeout(PROBE_ANSWER)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        endpoint.connect().await.map_err(away)
    }

    /// Without an executor a query would wait for ever.
    pub(crate) async fn check_executors(&self) -> Result<(), Error> {
        match self.jobs.readiness().await {
            Readiness::NoExecutor => Err(Error::NoExecutor { scheduler: self.address().to_owned() }),
            Readiness::Ready | Readiness::Unknown => Ok(()),
        }
    }

    /// Bounds the time of a step.
    pub(crate) async fn within<T>(
        &self,
        step: &'static str,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let timed_out = || Error::TimedOut { scheduler: self.address().to_owned(), step, limit };
        timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out()))
    }
}
