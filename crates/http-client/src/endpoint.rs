//! One server: where it is and the token that it asks for.

use reqwest::{Client, Method, RequestBuilder, Url};
use tributary_admission::Token;

/// The address of a server, and the bearer token for it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
    token: Option<Token>,
}

impl Endpoint {
    /// The server at `base`, whose path is put before that of each request.
    #[must_use]
    pub fn new(base: Url, token: Option<Token>) -> Self {
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
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }
}

/// Checks the address of a master as it is typed after `--to`.
///
/// # Errors
/// The fault, and what to write.
pub fn master_url(typed: &str) -> Result<Url, String> {
    let fix = "write the master's address, such as http://127.0.0.1:5000";
    let url = Url::parse(typed).map_err(|error| format!("{error}; {fix}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("it does not start with http:// or https://; {fix}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it contains a password, which other users of this machine can see; use `--token-file FILE`".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it contains `?` or `#`; {fix}"));
    }
    Ok(url)
}
