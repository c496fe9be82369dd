//! State that all requests share: the engine, the admission rules, the request metrics. It handles none itself.

use tributary_admission::Admission;
use tributary_engine::Engine;
use tributary_http_common::RequestMetrics;

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// Answers every request.
    pub(crate) engine: Engine,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Counts and durations of requests.
    pub(crate) requests: RequestMetrics,
}

impl App {
    pub(crate) fn new(engine: Engine, admission: Admission) -> Self {
        Self { engine, admission, requests: RequestMetrics::new(true) }
    }
}
