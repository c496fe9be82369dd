//! The client of one source: its requests, their time limits, and the checks of its answers. It knows HTTP, not feeds.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use futures_util::TryStreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tributary_config::{SourceConfig, SourceLimits};
use tributary_http_client::{
    AnnouncedDigest, Backoff, ClientOptions, Endpoint, Error, HeldConnection, Trust, expect_ok, read_json, send_safe,
};
use tributary_pace::Pace;
use tributary_protocol::{ManifestEntry, Sense, encoded_path};

use super::{
    fetch::{BodyLimit, FetchError, Hasher, Received, receive},
    memory::AnswerMemory,
    spool::{NewBody, SpooledBody},
};

/// Time limit for the answer to `/sense`, beyond the wait that was asked for.
const SENSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Limit for the time that a source may still be scanning its folder when it is first asked.
const MAX_FIRST_SCAN: Duration = Duration::from_secs(10);
/// First and longest delay between two questions meanwhile.
const SCAN_RETRY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// Limit for the time in which nothing of a body arrives. The whole body may take any time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time limit for a whole manifest, which unlike a file is small.
pub(super) const MANIFEST_TIMEOUT: Duration = Duration::from_secs(300);
const USER_AGENT: &str = concat!("tributary-master/", env!("CARGO_PKG_VERSION"));
const MAX_SENSE_BYTES: usize = 64 << 10;

/// The client of one source; clones share it.
#[derive(Clone)]
pub(crate) struct SourceClient {
    pub(super) http: Http,
    endpoint: Endpoint,
    pub(super) limits: SourceLimits,
    /// Whether the source is on this machine, where packing costs more than it saves.
    is_local: bool,
    /// Waits for news. Locked while a question is held.
    held: Arc<Mutex<HeldConnection>>,
}

/// The HTTP clients that all sources share.
#[derive(Clone)]
pub(crate) struct Http {
    /// Takes bodies as they are.
    plain: Client,
    /// Lets a source compress a file for the transfer. Only for bodies whose unpacked length is known in advance.
    packed: Client,
    /// The time over which a source must keep the least speed on average.
    pub(super) patience: Duration,
    /// The memory for answers of all sources.
    pub(super) memory: AnswerMemory,
}

/// Builds the HTTP clients of sources with certificates that `trust` covers.
///
/// # Errors
/// The system's root certificates cannot be loaded.
pub(crate) fn http_client(trust: &Trust, patience: Duration, memory: AnswerMemory) -> Result<Http, Error> {
    let options = |decompress| ClientOptions { user_agent: USER_AGENT, idle_timeout: Some(IDLE_TIMEOUT), decompress };
    let (plain, packed) = (options(false).build_trusting(trust)?, options(true).build_trusting(trust)?);
    Ok(Http { plain, packed, patience, memory })
}

impl SourceClient {
    /// A client of one source; nothing is sent yet.
    pub(crate) fn new(http: Http, source: &SourceConfig) -> Self {
        let endpoint = Endpoint::new(source.url.clone(), source.token.clone());
        let http = match source.trust.is_default() {
            true => http,
            false => http_client(&source.trust, http.patience, http.memory)
                .expect("the configuration has prepared the same certificates before"),
        };
        Self { http, endpoint, limits: source.limits, is_local: is_loopback(&source.url), held: Arc::default() }
    }

    /// Sends `GET /sense`. Retries for a while if the source is still scanning its folder for the first time.
    pub(crate) async fn sense(&self) -> Result<Sense> {
        let deadline = Instant::now() + MAX_FIRST_SCAN;
        let [first, longest] = SCAN_RETRY;
        let mut backoff = Backoff::new(first, longest);
        loop {
            match answer(self.get("sense").timeout(SENSE_TIMEOUT)).await {
                Err(error) if error.is_busy() && Instant::now() < deadline => {
                    tokio::time::sleep(backoff.next_delay()).await;
                }
                answered => return sensed(answered?).await,
            }
        }
    }

    /// Sends `GET /sense`, which the source may hold for `wait` or until its version differs from `since`.
    pub(crate) async fn sense_change(&self, since: &str, wait: Duration) -> Result<Sense> {
        let request = |wait: Duration| {
            let query = [("since", since), ("wait", &wait.as_secs_f64().to_string())];
            self.get("sense").query(&query).timeout(wait + SENSE_TIMEOUT)
        };
        let asked = Instant::now();
        if let Ok(mut held) = self.held.try_lock()
            && let Ok(request) = request(wait).build()
            && let Some(response) = held.send(request, USER_AGENT, wait + SENSE_TIMEOUT).await
        {
            return sensed(checked(Ok(response)).await?).await;
        }
        // Who has waited in vain for so long does not wait once more.
        let wait = if asked.elapsed() < wait { wait } else { Duration::ZERO };
        sensed(answer(request(wait)).await?).await
    }

    /// Sends `GET /read/{path}` for exactly the content that the manifest lists, and streams it to the spool.
    pub(crate) async fn fetch(
        &self,
        entry: &ManifestEntry,
        new: NewBody,
        arrived: impl Fn(u64),
    ) -> Result<SpooledBody, FetchError> {
        BodyLimit::check_announced(entry.size, self.limits.max_file_size)?;
        let client = if self.is_local { &self.http.plain } else { &self.http.packed };
        let request = self
            .get_by(client, &format!("read/{}", encoded_path(&entry.path)))
            .header(header::IF_MATCH, format!("\"{}\"", entry.hash));
        let response = answer(request).await.map_err(fetch_error)?;
        let body = (response.bytes_stream(), self.pace());
        let received =
            receive(body, new, Hasher::like(&entry.hash)?, BodyLimit::Announced(entry.size), arrived).await?;
        if (received.size, &received.hash) != (entry.size, &entry.hash) {
            let Received { size, hash, .. } = received;
            return Err(FetchError::Changed(format!(
                "the source announces {} bytes with the hash {} and sends {size} bytes with the hash {hash}",
                entry.size, entry.hash
            )));
        }
        Ok(received.body)
    }

    /// Sends `GET /read` to a plain source, and streams the body to the spool.
    pub(crate) async fn fetch_all(&self, new: NewBody, arrived: impl Fn(u64)) -> Result<Received, FetchError> {
        let response = answer(self.get("read")).await.map_err(anyhow::Error::from)?;
        let limit = BodyLimit::Largest(self.limits.max_file_size);
        let mut digest = AnnouncedDigest::of(&response);
        let chunks = response.bytes_stream().inspect_ok(|chunk| digest.update(chunk));
        let received = receive((chunks, self.pace()), new, Hasher::like("blake3:")?, limit, arrived).await?;
        digest.check().map_err(anyhow::Error::from)?;
        Ok(received)
    }

    /// The pace of a body that this source sends.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.patience())
    }

    pub(super) fn patience(&self) -> Duration {
        self.http.patience
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.get_by(&self.http.plain, path).header(header::ACCEPT_ENCODING, "identity")
    }

    /// A request with a body, whose answer has an unknown length.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        let request = self.endpoint.request(&self.http.plain, Method::POST, path);
        request.header(header::ACCEPT_ENCODING, "identity")
    }

    /// A request without a body.
    pub(super) fn method(&self, method: Method, path: &str) -> RequestBuilder {
        self.endpoint.request(&self.http.plain, method, path).header(header::ACCEPT_ENCODING, "identity")
    }

    /// The address of the source.
    pub(super) fn base(&self) -> &Url {
        self.endpoint.base()
    }

    fn get_by(&self, client: &Client, path: &str) -> RequestBuilder {
        self.endpoint.request(client, Method::GET, path)
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Sends a request, which changes nothing. Takes only 200, in no content coding that was not asked for, and no web page.
pub(super) async fn answer(request: RequestBuilder) -> Result<Response, Error> {
    checked(send_safe(request).await).await
}

/// The same, for what was answered already.
async fn checked(answered: reqwest::Result<Response>) -> Result<Response, Error> {
    let response = expect_ok(answered).await?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let coding = header(header::CONTENT_ENCODING);
    if !matches!(coding, "" | "identity") {
        let reason = format!("in the content coding {coding:?}, which was not asked for");
        return Err(Error::unusable(&response, reason));
    }
    if header(header::CONTENT_TYPE).trim_start().to_ascii_lowercase().starts_with("text/html") {
        let reason = "with a web page (text/html); is this the URL of a data-source?";
        return Err(Error::unusable(&response, reason));
    }
    Ok(response)
}

/// Sorts an error by what it says about the other files of the source.
fn fetch_error(error: Error) -> FetchError {
    match error.status() {
        Some(StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND) => FetchError::Changed(error.to_string()),
        _ if error.is_unanswered() => FetchError::Stalled(error.to_string()),
        _ => FetchError::Failed(error.into()),
    }
}

async fn sensed(response: Response) -> Result<Sense> {
    let sense: Sense = json(response, MAX_SENSE_BYTES).await?;
    if sense.status > 1 {
        bail!("/sense answers with the status {}, which is neither 0 nor 1", sense.status);
    }
    Ok(sense)
}

async fn json<T: DeserializeOwned>(response: Response, limit: usize) -> Result<T, Error> {
    read_json(response, limit, "a source").await
}
