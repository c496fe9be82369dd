//! The client of one source: its requests, its time limits, and what its answers may be. It knows HTTP, not what a feed is.

use std::{
    error::Error,
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use tributary_admission::Token;
use tributary_config::SourceConfig;
use tributary_protocol::{Manifest, ManifestEntry, Problem, Sense, encoded_path};

use crate::source::{FetchError, Place, Received, Spooled, causes, receive};

const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer of `/sense` may take beyond the wait that was asked for.
const SENSE: Duration = Duration::from_secs(5);
/// How long a source's first look at its folder is waited for.
const FIRST_SCAN: Duration = Duration::from_secs(10);
/// A body may take any time, but not stand still for so long.
const IDLE: Duration = Duration::from_secs(30);
/// How long a manifest may take in all: unlike a file, it is small.
const MANIFEST: Duration = Duration::from_secs(300);
const SENSE_BYTES: usize = 64 << 10;
const MANIFEST_BYTES: usize = 256 << 20;
/// What a body of unknown length may have at most; the gate takes no more either.
const BODY_BYTES: u64 = 64 << 30;

/// Asks one source; clones ask the same.
#[derive(Clone)]
pub(crate) struct SourceClient {
    http: Http,
    base: Url,
    token: Option<Token>,
    /// On this machine: packing costs more than it saves.
    is_near: bool,
}

/// The HTTP clients that all sources share.
#[derive(Clone)]
pub(crate) struct Http {
    /// Takes bodies as they are.
    plain: Client,
    /// Lets a source pack a file for the way. Only for bodies whose length is known before: a few packed bytes can be a disk
    /// full of unpacked ones.
    packed: Client,
}

/// The HTTP clients that all sources share.
///
/// # Errors
/// Only if the system's certificates cannot be had.
pub(crate) fn http_client() -> Result<Http> {
    // It fails only where one was installed before, which is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let agent = concat!("tributary-master/", env!("CARGO_PKG_VERSION"));
    let builder = || Client::builder().connect_timeout(CONNECT).read_timeout(IDLE).user_agent(agent);
    let made = || Ok(Http { plain: builder().no_gzip().no_zstd().build()?, packed: builder().build()? });
    made().map_err(|error: reqwest::Error| anyhow::Error::new(error).context("failed to make an HTTP client"))
}

impl SourceClient {
    /// A client of one source; nothing is asked yet.
    pub(crate) fn new(http: Http, source: &SourceConfig) -> Self {
        Self { http, base: source.url.clone(), token: source.token.clone(), is_near: is_loopback(&source.url) }
    }

    /// `GET /sense`. A source that is still looking at its folder for the first time is asked again for a while.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        let (deadline, mut pause) = (Instant::now() + FIRST_SCAN, Duration::from_millis(100));
        loop {
            match answer(self.get("sense").timeout(SENSE)).await {
                Err(Refused { again: true, .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                answered => return sensed(answered?).await,
            }
        }
    }

    /// `GET /sense` that the source may hold for `wait`, or until it has another version than `since`.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        let wait_seconds = wait.as_secs_f64().to_string();
        let request = self.get("sense").query(&[("since", since), ("wait", &wait_seconds)]).timeout(wait + SENSE);
        sensed(answer(request).await?).await
    }

    /// `GET /sense/files`, checked: each path is one that a source may list, and none comes twice.
    pub(crate) async fn manifest(&self) -> Result<Manifest> {
        let mut manifest: Manifest =
            json(answer(self.get("sense/files").timeout(MANIFEST)).await?, MANIFEST_BYTES).await?;
        let mut paths = std::collections::HashSet::new();
        for ManifestEntry { path, hash, .. } in &mut manifest.files {
            hash.make_ascii_lowercase();
            let strange = path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0');
            if strange || !paths.insert(path.clone()) {
                bail!("/sense/files lists the path {path:?}, which is not a path inside a folder or comes twice");
            }
        }
        Ok(manifest)
    }

    /// `GET /read/{path}` of exactly the content that the manifest lists, to a place of the spool.
    pub(crate) async fn fetch(
        &self,
        entry: &ManifestEntry,
        place: Place,
        arrived: impl Fn(u64),
    ) -> Result<Spooled, FetchError> {
        let client = if self.is_near { &self.http.plain } else { &self.http.packed };
        let request = self
            .get_by(client, &format!("read/{}", encoded_path(&entry.path)))
            .header(header::IF_MATCH, format!("\"{}\"", entry.hash));
        let response = match answer(request).await {
            Ok(response) => response,
            Err(Refused { status: Some(StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND), why, .. }) => {
                return Err(FetchError::RanAway(why));
            }
            Err(Refused { status: None, why, .. }) => return Err(FetchError::Stalled(why)),
            Err(refused) => return Err(FetchError::Failed(refused.into())),
        };
        let received = receive(response.bytes_stream(), place, &entry.hash, entry.size, arrived).await?;
        if (received.size, &received.hash) != (entry.size, &entry.hash) {
            let Received { size, hash, .. } = received;
            return Err(FetchError::RanAway(format!(
                "the source announces {} bytes with the hash {} and sends {size} bytes with the hash {hash}",
                entry.size, entry.hash
            )));
        }
        Ok(received.body)
    }

    /// `GET /read` of a source of the plain protocol, to a place of the spool.
    pub(crate) async fn fetch_all(&self, place: Place, arrived: impl Fn(u64)) -> Result<Received, FetchError> {
        let response = answer(self.get("read")).await.map_err(anyhow::Error::from)?;
        receive(response.bytes_stream(), place, "blake3:", BODY_BYTES, arrived).await
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.get_by(&self.http.plain, path).header(header::ACCEPT_ENCODING, "identity")
    }

    /// A question with a body, whose answer has no known length.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        let request = self.http.plain.post(self.url(path)).header(header::ACCEPT_ENCODING, "identity");
        self.with_token(request)
    }

    fn get_by(&self, client: &Client, path: &str) -> RequestBuilder {
        self.with_token(client.get(self.url(path)))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A request that did not get what it asked for.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Refused {
    /// The answer's status, if there was an answer.
    pub(super) status: Option<StatusCode>,
    /// Whether the source says that it will answer soon.
    pub(super) again: bool,
    /// For people.
    pub(super) why: String,
}

/// Why a request got no answer, in a person's words: of reqwest's chain of causes only the last one says anything.
fn unanswered(error: &reqwest::Error) -> String {
    let to = error.url().map_or("the source", Url::as_str);
    if error.is_timeout() {
        return format!("{to} timed out");
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let failed = if error.is_connect() { "cannot be reached" } else { "does not answer" };
    format!("{to} {failed}: {cause}")
}

/// Sends a request and takes only a good answer, and no web page.
pub(super) async fn answer(request: RequestBuilder) -> Result<Response, Refused> {
    let response =
        request.send().await.map_err(|error| Refused { status: None, again: false, why: unanswered(&error) })?;
    let (status, path) = (response.status(), response.url().path().to_owned());
    // Nothing but 200 is a whole body: 206, for one, is a part that nobody asked for.
    if status != StatusCode::OK {
        let again = status == StatusCode::SERVICE_UNAVAILABLE && response.headers().contains_key(header::RETRY_AFTER);
        let problem =
            body(response, SENSE_BYTES).await.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
        let detail = problem.map(|problem| format!(": {}", problem.detail)).unwrap_or_default();
        return Err(Refused { status: Some(status), again, why: format!("{path} answers {status}{detail}") });
    }
    if let Some(coding) = response.headers().get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity") {
        let why = format!("{path} answers in the content coding {coding:?}, which was not asked for");
        return Err(Refused { status: Some(status), again: false, why });
    }
    let content_type =
        response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.trim_start().to_ascii_lowercase().starts_with("text/html") {
        let why = format!("{path} answers with a web page (text/html); is the URL that of a data-source?");
        return Err(Refused { status: Some(status), again: false, why });
    }
    Ok(response)
}

async fn sensed(response: Response) -> Result<Sense> {
    let sense: Sense = json(response, SENSE_BYTES).await?;
    if sense.status > 1 {
        bail!("/sense answers with the status {}, which is neither 0 nor 1", sense.status);
    }
    Ok(sense)
}

async fn json<T: DeserializeOwned>(response: Response, limit: usize) -> Result<T> {
    let path = response.url().path().to_owned();
    let body = body(response, limit).await.with_context(|| format!("failed to read the answer of {path}"))?;
    serde_json::from_slice(&body).with_context(|| format!("{path} does not answer as a source does"))
}

async fn body(response: Response, limit: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| anyhow::anyhow!(causes(&error)))?);
        if body.len() > limit {
            bail!("it is longer than {limit} bytes");
        }
    }
    Ok(body)
}
