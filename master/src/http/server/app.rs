//! State that all requests share: the engine, the admission rules, the request metrics, the clients of Socket.IO. It handles none itself.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_admission::Admission;
use tributary_config::CompatConfig;
use tributary_engine::Engine;
use tributary_http_common::RequestMetrics;
use tributary_object_storage::ObjectStorage;

use crate::http::{server::error::ApiError, socketio::SocketIo};

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// Answers every request.
    pub(crate) engine: Engine,
    /// The rules that every request must pass.
    pub(crate) admission: Admission,
    /// Counts and durations of requests.
    pub(crate) requests: RequestMetrics,
    /// The clients of Socket.IO.
    pub(crate) socketio: SocketIo,
    /// One permit per follower of events, those of uploads included: each holds a connection.
    pub(super) followers: Arc<Semaphore>,
    /// All of these permits.
    pub(super) max_followers: usize,
    /// The rows of the older paths; `None` if these are off.
    pub(crate) compat: Option<CompatConfig>,
    /// The place that results are written to, which signs links; `None` if there is none.
    pub(crate) storage: Option<Arc<ObjectStorage>>,
    /// Whether there is a page about the demo.
    pub(crate) is_demo: bool,
    /// The own address as others reach it.
    pub(super) public_url: Option<String>,
}

impl App {
    pub(crate) fn new(
        engine: Engine,
        admission: Admission,
        compat: Option<CompatConfig>,
        max_followers: usize,
    ) -> Self {
        let socketio = SocketIo::new(compat.clone().unwrap_or_default());
        let followers = Arc::new(Semaphore::new(max_followers));
        Self {
            engine,
            admission,
            requests: RequestMetrics::new(true),
            socketio,
            followers,
            max_followers,
            compat,
            storage: None,
            is_demo: false,
            public_url: None,
        }
    }

    /// Takes a place for one more follower of events, which is free again once it is dropped.
    pub(crate) fn follower(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let place = Arc::clone(&self.followers).try_acquire_owned();
        place.map_err(|_| ApiError::TooManyClients { limit: self.max_followers })
    }
}
