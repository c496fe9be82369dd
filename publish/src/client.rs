//! The requests of the master's uploads API, of which those that send a file are tus 1.0, and their time limits. It retries nothing.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use tributary_admission::Token;
use tributary_http_client::{ClientOptions, Endpoint, Error, Trust, expect_success, read_json};

use crate::{
    LocalFile,
    body::{BodyState, body},
    status::UploadStatus,
};

/// Time limit for a request that carries no file.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit for the time in which the master says how much it has. It may be storing the last byte.
const FIND_TIMEOUT: Duration = Duration::from_secs(60);
/// Limit for the time in which an upload makes no progress. A disk that has to write back its cache takes nothing meanwhile.
const SEND_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Interval in which the progress of an upload is shown and checked.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Limit for the body of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Bytes per request: less than any proxy allows, and enough that the time between two requests does not count.
const SLICE_BYTES: u64 = 32 << 20;
const RESUMABLE: &str = "tus-resumable";
const OFFSET: &str = "upload-offset";
const LENGTH: &str = "upload-length";

/// The part of an upload that the master has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It does not know the upload.
    Nothing,
    /// So many bytes, fewer than all.
    Part(u64),
    /// The whole file.
    Whole,
    /// The upload has failed or was deleted; its id cannot be used again.
    Ended,
}

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
    /// The root certificates cannot be loaded.
    pub(crate) fn new(base: Url, token: Option<Token>, trust: &Trust) -> Result<Self, Error> {
        let options = ClientOptions {
            user_agent: concat!("tributary-publish/", env!("CARGO_PKG_VERSION")),
            // A slice is answered only after its last byte; `send` watches its progress instead.
            idle_timeout: None,
            decompress: true,
        };
        Ok(Self { http: options.build_trusting(trust)?, endpoint: Endpoint::new(base, token) })
    }

    /// Asks how much of an upload the master has: `HEAD /api/v1/tus/{id}`. A request that still sends a part of it is broken off.
    pub(crate) async fn find(&self, id: &str, size: u64) -> Result<Found, RequestError> {
        let answered = self.tus(Method::HEAD, id).timeout(FIND_TIMEOUT).send().await;
        let response = match expect_success(answered).await {
            Ok(response) => response,
            Err(error) => {
                return match error.status() {
                    Some(StatusCode::NOT_FOUND) => Ok(Found::Nothing),
                    Some(StatusCode::GONE) => Ok(Found::Ended),
                    // An answer to HEAD has no body, and so no reason.
                    Some(_) => Err(self.status(id).await.err().unwrap_or(error.into())),
                    None => Err(error.into()),
                };
            }
        };
        match (number(&response, OFFSET), number(&response, LENGTH)) {
            (Some(offset), Some(length)) if offset == length => Ok(Found::Whole),
            (Some(offset), Some(length)) if offset < length && length == size => Ok(Found::Part(offset)),
            _ => Err(no_master(&response).into()),
        }
    }

    /// Announces an upload under the id that was chosen for it: `POST /api/v1/tus/`.
    pub(crate) async fn create(&self, file: &LocalFile, id: &str, may_replace: bool) -> Result<(), RequestError> {
        let base64 = |text: &str| BASE64_STANDARD.encode(text);
        let replace = if may_replace { format!(",replace {}", base64("1")) } else { String::new() };
        let metadata = format!("filename {}{replace},id {}", base64(&file.name), base64(id));
        let request = self.tus(Method::POST, "").header(LENGTH, file.size).header("Upload-Metadata", metadata);
        let response = expect_success(request.timeout(FIND_TIMEOUT).send().await).await?;
        if response.headers().contains_key(RESUMABLE) { Ok(()) } else { Err(no_master(&response).into()) }
    }

    /// Sends a slice of a file, behind the `offset` bytes that the master has: `PATCH /api/v1/tus/{id}`. Returns how many it has then.
    /// `show_sent` gets the number of bytes sent, now and then.
    pub(crate) async fn append(
        &self,
        file: &LocalFile,
        id: &str,
        offset: u64,
        show_sent: impl Fn(u64),
    ) -> Result<u64, RequestError> {
        let length = SLICE_BYTES.min(file.size - offset);
        let (body, state) = body(file, offset, length);
        let request = self
            .tus(Method::PATCH, id)
            .header(OFFSET, offset)
            .header(CONTENT_LENGTH, length)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .body(body);
        let answered = self.watch(request.send(), &state, |sent| show_sent(offset + sent)).await?;
        state.abort();
        if let (Err(_), Some(error)) = (&answered, state.read_error()) {
            return Err(RequestError::File(error));
        }
        let response = expect_success(answered).await?;
        let taken = number(&response, OFFSET).filter(|taken| (offset + 1..=offset + length).contains(taken));
        taken.ok_or_else(|| no_master(&response).into())
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
        let request = self.upload(Method::GET, id).timeout(REQUEST_TIMEOUT);
        Ok(json(request.send().await).await?)
    }

    /// Cancels an upload: `DELETE /api/v1/uploads/{id}`.
    pub(crate) async fn cancel(&self, id: &str) -> Result<(), RequestError> {
        let request = self.upload(Method::DELETE, id).timeout(REQUEST_TIMEOUT);
        expect_success(request.send().await).await?;
        Ok(())
    }

    /// Address of the master.
    pub(crate) fn base(&self) -> &Url {
        self.endpoint.base()
    }

    fn upload(&self, method: Method, id: &str) -> RequestBuilder {
        self.endpoint.request(&self.http, method, &format!("api/v1/uploads/{id}"))
    }

    fn tus(&self, method: Method, id: &str) -> RequestBuilder {
        self.endpoint.request(&self.http, method, &format!("api/v1/tus/{id}")).header(RESUMABLE, "1.0.0")
    }
}

fn number(response: &Response, header: &str) -> Option<u64> {
    response.headers().get(header)?.to_str().ok()?.parse().ok()
}

fn no_master(response: &Response) -> Error {
    Error::unusable(response, "not as a master does; is this the URL of a master?")
}

async fn json<T: DeserializeOwned>(answered: reqwest::Result<Response>) -> Result<T, Error> {
    read_json(expect_success(answered).await?, MAX_ANSWER_BYTES, "a master").await
}
