//! What all requests share: the engine, who is let in, and the count of answers. No request handling.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tributary_engine::Engine;
use tributary_http_common::Token;

/// Shared by all workers; lives as long as the server.
pub(crate) struct App {
    /// What answers every request.
    pub(crate) engine: Engine,
    /// What requests must bring, if anything.
    pub(crate) token: Option<Token>,
    /// Where the server listens; a connection knows its own address better.
    pub(crate) address: SocketAddr,
    /// What `Host` may say beside that and this machine's own names.
    pub(crate) allowed_hosts: Vec<String>,
    /// Answers given, by route, method and status. Held for one count or one copy only.
    requests: Mutex<Requests>,
}

/// Answers by route, method and status.
pub(crate) type Requests = BTreeMap<(String, &'static str, u16), u64>;

impl App {
    pub(crate) fn new(engine: Engine, address: SocketAddr, token: Option<Token>, allowed_hosts: Vec<String>) -> Self {
        Self { engine, token, address, allowed_hosts, requests: Mutex::default() }
    }

    pub(crate) fn count_request(&self, route: String, method: &'static str, status: u16) {
        *self.all().entry((route, method, status)).or_default() += 1;
    }

    pub(crate) fn requests(&self) -> Requests {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
