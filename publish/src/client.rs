//! The requests of the master's uploads API and their time limits. It retries nothing.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use tributary_admission::Token;
use tributary_http_client::{ClientOptions, Endpoint, Error, expect_success, read_json};
use tributary_protocol::encoded_path;

use crate::{
    LocalFile,
    body::{BodyState, body},
    status::{Accepted, UploadStatus},
};

/// Time limit for a request that carries no file.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for the time in which an upload makes no progress. A disk that has to write back its cache takes nothing meanwhile.
const SEND_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Interval in which the progress of an upload is shown and checked.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Limit for the body of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A client of one master.
pub(crate) struct MasterClient {
    http: Client,
    endpoint: Endpoint,
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// The file cannot be read or changed meanwhile.
    #[error("{0}")]
    File(String),
    /// The master's own words, where it gives a reason.
    #[error("{}", master_reason(.0))]
    Http(#[from] Error),
}

impl RequestError {
    pub(crate) fn http(&self) -> Option<&Error> {
        match self {
            Self::File(_) => None,
            Self::Http(error) => Some(error),
        }
    }

    pub(crate) fn has_status(&self, status: StatusCode) -> bool {
        self.http().and_then(Error::status) == Some(status)
    }
}

fn master_reason(error: &Error) -> String {
    match error {
        Error::Status { detail: Some(detail), .. } => detail.clone(),
        other => other.to_string(),
    }
}

impl MasterClient {
    /// A client of the master at `base`; nothing is sent yet.
    ///
    /// # Errors
    /// The system's root certificates cannot be loaded.
    pub(crate) fn new(base: Url, token: Option<Token>) -> Result<Self, Error> {
        let options = ClientOptions {
            user_agent: concat!("tributary-publish/", env!("CARGO_PKG_VERSION")),
            // An upload is answered only after its last byte; `send` watches its progress instead.
            idle_timeout: None,
            decompress: true,
        };
        Ok(Self { http: options.build()?, endpoint: Endpoint::new(base, token) })
    }

    /// Sends a file under the id that was chosen for it: `POST /api/v1/uploads`. Returns the id that the master answers with.
    /// `show_sent` gets the number of bytes sent, now and then.
    pub(crate) async fn send(
        &self,
        file: &LocalFile,
        id: &str,
        replace: bool,
        show_sent: impl Fn(u64),
    ) -> Result<String, RequestError> {
        let replace = if replace { "&replace=1" } else { "" };
        let (body, state) = body(file);
        let request = self
            .request(Method::POST, &format!("?filename={}{replace}&id={id}", encoded(&file.name)))
            .header(CONTENT_LENGTH, file.size)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body);
        let answered = self.watch(request.send(), &state, show_sent).await?;
        state.abort();
        match (answered, state.read_error()) {
            (Err(_), Some(error)) => Err(RequestError::File(error)),
            (answered, _) => Ok(json::<Accepted>(answered).await?.id),
        }
    }

    /// Waits for the answer to an upload as long as the upload makes progress.
    async fn watch(
        &self,
        answer: impl Future<Output = reqwest::Result<Response>>,
        state: &BodyState,
        show_sent: impl Fn(u64),
    ) -> Result<reqwest::Result<Response>, Error> {
        let mut answer = pin!(answer);
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        let (mut last_sent, mut last_progress) = (0, Instant::now());
        loop {
            tokio::select! {
                answered = &mut answer => return Ok(answered),
                _ = ticks.tick() => {}
            }
            let sent = state.sent();
            show_sent(sent);
            if sent != last_sent {
                (last_sent, last_progress) = (sent, Instant::now());
            } else if last_progress.elapsed() > SEND_IDLE_TIMEOUT {
                return Err(Error::Stalled { url: self.endpoint.base().to_string(), limit: SEND_IDLE_TIMEOUT });
            }
        }
    }

    /// Asks for the status of an upload: `GET /api/v1/uploads/{id}`.
    pub(crate) async fn status(&self, id: &str) -> Result<UploadStatus, RequestError> {
        let request = self.request(Method::GET, &format!("/{}", encoded(id))).timeout(REQUEST_TIMEOUT);
        Ok(json(request.send().await).await?)
    }

    /// Cancels an upload: `DELETE /api/v1/uploads/{id}`.
    pub(crate) async fn cancel(&self, id: &str) -> Result<(), RequestError> {
        let request = self.request(Method::DELETE, &format!("/{}", encoded(id))).timeout(REQUEST_TIMEOUT);
        expect_success(request.send().await).await?;
        Ok(())
    }

    fn request(&self, method: Method, rest: &str) -> reqwest::RequestBuilder {
        self.endpoint.request(&self.http, method, &format!("api/v1/uploads{rest}"))
    }
}

/// Percent-encodes a name or an id as one segment of a URL.
fn encoded(text: &str) -> String {
    encoded_path(text).replace('/', "%2F")
}

async fn json<T: DeserializeOwned>(answered: reqwest::Result<Response>) -> Result<T, Error> {
    read_json(expect_success(answered).await?, MAX_ANSWER_BYTES, "a master").await
}
