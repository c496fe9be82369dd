//! The scheduler's REST API: whether it has executors, how many tasks they run at a time, and how a job is cancelled. Flight SQL knows
//! nothing of that.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use tributary_http_client::{Endpoint, expect_ok, read_json, send_safe};

/// Time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of the list of all jobs, or of all executors. With more, a job ends by itself.
const MAX_LIST_BYTES: usize = 16 << 20;

/// The REST API of one scheduler.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    client: Client,
    endpoint: Endpoint,
}

/// The readiness of a scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    NoExecutor,
    /// It does not say.
    Unknown,
}

#[derive(Deserialize)]
struct Job {
    job_id: String,
    job_name: String,
    status: String,
}

#[derive(Deserialize)]
struct Executor {
    specification: Specification,
}

#[derive(Deserialize)]
struct Specification {
    vcores: u32,
}

impl Jobs {
    pub(crate) fn new(client: Client, endpoint: Endpoint) -> Self {
        Self { client, endpoint }
    }

    /// Whether there are executors.
    pub(crate) async fn readiness(&self) -> Readiness {
        let asked = self.endpoint.request(&self.client, Method::GET, "readyz").timeout(TIMEOUT);
        match send_safe(asked).await {
            Ok(response) if response.status() == StatusCode::OK => Readiness::Ready,
            Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => Readiness::NoExecutor,
            _ => Readiness::Unknown,
        }
    }

    /// The tasks that all executors together run at a time; none if it does not say.
    pub(crate) async fn slots(&self) -> Option<u32> {
        let asked = self.endpoint.request(&self.client, Method::GET, "api/executors").timeout(TIMEOUT);
        let response = expect_ok(send_safe(asked).await).await.ok()?;
        let executors = read_json::<Vec<Executor>>(response, MAX_LIST_BYTES, "a Ballista scheduler").await.ok()?;
        Some(executors.iter().fold(0, |slots, executor| executor.specification.vcores.saturating_add(slots)))
    }

    /// Cancels the jobs that are not done and whose statement begins with a mark.
    pub(crate) async fn cancel(&self, mark: &str) {
        let asked = self.endpoint.request(&self.client, Method::GET, "api/jobs").timeout(TIMEOUT);
        let listed = match expect_ok(send_safe(asked).await).await {
            Ok(response) => read_json::<Vec<Job>>(response, MAX_LIST_BYTES, "a Ballista scheduler").await,
            Err(error) => Err(error),
        };
        let jobs = match listed {
            Ok(jobs) => jobs,
            Err(error) => {
                tracing::warn!("a query of the Ballista cluster could not be cancelled, and runs to its end: {error}");
                return;
            }
        };
        let is_open = |job: &&Job| job.job_name.contains(mark) && matches!(job.status.as_str(), "Queued" | "Running");
        for job in jobs.iter().filter(is_open) {
            let id = utf8_percent_encode(&job.job_id, NON_ALPHANUMERIC);
            let asked = self.endpoint.request(&self.client, Method::PATCH, &format!("api/job/{id}")).timeout(TIMEOUT);
            let job = &job.job_id;
            match asked.send().await {
                Ok(answer) => {
                    let status = answer.status();
                    tracing::info!(%job, %status, "cancelled a query of the Ballista cluster");
                }
                Err(error) => {
                    tracing::warn!(%job, "a query of the Ballista cluster could not be cancelled: {error}");
                }
            }
        }
    }
}
