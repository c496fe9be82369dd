//! One server: where it is and the token that it asks for.

use std::fmt;

use reqwest::{Client, Method, RequestBuilder, Url};

/// The address of a server, and the bearer token for it. The token is never printed.
#[derive(Clone)]
pub struct Endpoint {
    base: Url,
    token: Option<String>,
}

impl Endpoint {
    /// The server at `base`, whose path is put before that of each request.
    #[must_use]
    pub fn new(base: Url, token: Option<String>) -> Self {
        Self { base, token }
    }

    /// The address as configured.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Starts a request. `path` is appended to the base and must be percent-encoded; it may carry a query.
    pub fn request(&self, client: &Client, method: Method, path: &str) -> RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        let request = client.request(method, format!("{base}/{path}"));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
